"""What else was predicted from the same promoters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from exprimo.report.document.table import Cell, Column, Table, counting, estimate, named
from exprimo.report.runs.answer import baseline_comparison, best_baseline, best_model
from exprimo.report.runs.material import Material
from exprimo.report.runs.tables import score_table
from exprimo.report.wording import ABSENT, metric_label


class TargetTable(NamedTuple):
    """All scores of one target."""

    title: str
    table: Table


def target_summary(targets: Sequence[Material]) -> Table | None:
    """Tabulate, for each target, the best model beside the best baseline."""
    if not targets:
        return None
    columns = (
        Column("Target"), Column("Task"), Column("Split"), Column("Metric"),
        Column("Best model"), Column("Value", True), Column("Best baseline"),
        Column("Baseline value", True), Column("Difference", True, "paired"), Column("Verdict"),
        Column("Test genes", True), Column("File"),
    )  # fmt: skip
    rows = tuple(_row(material) for material in targets)
    return Table(
        "targets", "Other targets from the same promoters, each on its strictest split.", columns,
        rows, ", ".join(m.scores_file for m in targets),
    )  # fmt: skip


def _row(material: Material) -> tuple[Cell, ...]:
    best, rival = best_model(material), best_baseline(material)
    paired = baseline_comparison(material)
    absent = Cell(ABSENT)
    return (
        named(material.target),
        named(material.task),
        named(material.answer_split),
        named(metric_label(material.headline)),
        absent if best is None else named(best.model),
        absent if best is None else estimate(best.value, best.low, best.high),
        absent if rival is None else named(rival.model),
        absent if rival is None else estimate(rival.value, rival.low, rival.high),
        absent if paired is None else estimate(paired.value, paired.low, paired.high),
        absent if paired is None else named(paired.verdict),
        counting(best.n if best else None),
        named(material.scores_file),
    )


def target_tables(targets: Sequence[Material]) -> list[TargetTable]:
    """Give every score of every target."""
    return [
        TargetTable(material.target, score_table(material)._replace(key=f"scores-target-{k}"))
        for k, material in enumerate(targets, 1)
    ]
