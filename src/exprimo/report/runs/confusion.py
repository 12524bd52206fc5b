"""Confusion matrices: who was called what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from exprimo.report.charts.chart import Axis, Chart, Matrix, floats
from exprimo.report.document.table import Cell, Column, Table, counting, named, quantity, share
from exprimo.report.runs.curves import drawn_models
from exprimo.report.runs.material import Material, Trained
from exprimo.report.wording import counted, percent, shortened

MAX_MATRICES = 4
"""Drawn; the table beside them has every model."""

_TWO = ("negative (0)", "positive (1)")
_CUT = ("low (0)", "high (1)")


class Calls(NamedTuple):
    """Calls on the test part: counts (observed class, called class) in the order of `classes`."""

    classes: tuple[str, ...]
    counts: NDArray[np.int64]
    threshold: float | None


def calls_of(trained: Trained) -> Calls | None:
    """Give the calls on the test part; None for a regression or where they were not counted."""
    found = (trained.metrics.get("confusion") or {}).get("test")
    if not found:
        return None
    if "matrix" in found:
        return Calls(tuple(map(str, found["classes"])), np.array(found["matrix"]), None)
    counts = [[found["tn"], found["fp"]], [found["fn"], found["tp"]]]
    two = _CUT if trained.metrics.get("above") else _TWO
    return Calls(two, np.array(counts), found.get("threshold"))


def _judged(material: Material, model: str) -> list[tuple[Trained, Calls]]:
    return [
        (one, calls)
        for one in material.of(model, material.answer_split)
        if (calls := calls_of(one)) is not None
    ]


def confusion_charts(material: Material) -> list[Chart]:
    """Draw the matrices of the best models, models before baselines."""
    names = drawn_models(material, material.answer_split)
    found = [judged for name in names if (judged := _judged(material, name))][:MAX_MATRICES]
    # Keys become names of files, so they hold no name that somebody else chose.
    return [_chart(k, material, judged) for k, judged in enumerate(found, 1)]


def _chart(k: int, material: Material, judged: Sequence[tuple[Trained, Calls]]) -> Chart:
    classes = judged[0][1].classes
    counts = np.sum([calls.counts for _, calls in judged], axis=0)
    shares = floats(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))
    model = judged[0][0].model
    over = f" Sums over {counted(len(judged), 'seed')}." if len(judged) > 1 else ""
    how = (
        "the most likely class is called"
        if material.task == "multiclass"
        else "at the threshold that was chosen on validation"
    )
    words = "; ".join(
        f"of {int(row.sum()):,} observed {name} {int(row[i]):,} are called so"
        for i, (name, row) in enumerate(zip(classes, counts, strict=True))
    )
    return Chart(
        f"confusion-{k}",
        f"Calls of {shortened(model)}",
        f"Test part, {how}; percentages are of the observed class.{over}",
        f"Confusion matrix of {model} on the test part: {words}.",
        Axis("Called"),
        Axis(f"Observed {shortened(material.target)}"),
        (),
        sources=tuple(f"{one.place}metrics.json" for one, _ in judged),
        square=True,
        matrix=Matrix(
            shares,
            classes,
            classes,
            "Share of the observed class",
            cells=tuple(
                tuple(f"{int(n):,} · {percent(float(s))}" for n, s in zip(ns, ss, strict=True))
                for ns, ss in zip(counts, shares, strict=True)
            ),
            range=(0.0, 1.0),
        ),
    )


def confusion_table(material: Material) -> Table | None:
    """Tabulate the calls of every Run on the split that answers the question."""
    found = [one for name in material.names_on(material.answer_split)
             for one in _judged(material, name)]  # fmt: skip
    if not found:
        return None
    two = material.task == "classification"
    columns, rows = _of_two(found) if two else _of_several(found)
    caption = "Calls on the test part, "
    caption += "at the threshold that was chosen on validation." if two else "by observed class."
    source = material.file("metrics.json" if material.kind == "run" else "runs/*/metrics.json")
    return Table("confusion", caption, columns, rows, source)


Grid = tuple[tuple[Column, ...], tuple[tuple[Cell, ...], ...]]


def _of_two(found: Sequence[tuple[Trained, Calls]]) -> Grid:
    columns = (
        Column("Model"), Column("Seed", True), Column("True negatives", True),
        Column("False positives", True), Column("False negatives", True),
        Column("True positives", True), Column("Called positive", True),
        Column("Are positive", True), Column("Threshold", True, "chosen on validation"),
    )  # fmt: skip
    rows = []
    for trained, calls in found:
        total = max(int(calls.counts.sum()), 1)
        rows.append(
            (
                _name(trained), counting(trained.seed),
                *(counting(int(n)) for n in calls.counts.ravel()),
                share(float(calls.counts[:, 1].sum() / total)),
                share(float(calls.counts[1].sum() / total)),
                quantity(calls.threshold),
            )
        )  # fmt: skip
    return columns, tuple(rows)


def _of_several(found: Sequence[tuple[Trained, Calls]]) -> Grid:
    classes = found[0][1].classes
    columns = (
        Column("Model"), Column("Seed", True), Column("Observed class"),
        Column("Examples", True), *(Column(f"Called {name}", True) for name in classes),
    )  # fmt: skip
    rows = tuple(
        (
            _name(trained), counting(trained.seed), named(name), counting(int(row.sum())),
            *(counting(int(n)) for n in row),
        )
        for trained, calls in found
        for name, row in zip(classes, calls.counts, strict=True)
    )  # fmt: skip
    return columns, rows


def _name(trained: Trained) -> Cell:
    return named(trained.model, trained.role if trained.role == "baseline" else "")
