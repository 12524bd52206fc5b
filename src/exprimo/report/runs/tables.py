"""The tables of a report: what each cell says, and what it is sorted by."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from exprimo.report.charts.forest import VERDICTS, Verdicts
from exprimo.report.document.table import (
    MAX_ROWS,
    Cell,
    Column,
    Table,
    counting,
    estimate,
    named,
    probability,
)
from exprimo.report.document.table import share as share_cell
from exprimo.report.runs.material import Comparison, Material, Score
from exprimo.report.runs.overview import SPLIT_VERDICTS, split_pairs
from exprimo.report.wording import (
    ABSENT,
    ACCURACIES,
    counted,
    higher_is_better,
    metric_label,
    number,
    percent,
    visible,
)


def score_table(material: Material) -> Table:
    """Tabulate models × metrics on the test part; the best of each split and metric is marked."""
    metrics = material.metric_names()
    columns = [Column("Model"), Column("Split")]
    for name in metrics:
        arrow = "↑" if higher_is_better(name) else "↓"
        note = "higher is better" if arrow == "↑" else "lower is better"
        columns.append(Column(f"{metric_label(name)}\u00a0{arrow}", True, note))
        if name in ACCURACIES:
            columns.append(Column("Majority class accuracy", True, "always saying the same"))
    columns += [Column("Test examples", True, "and independent units"), Column("Seeds", True)]
    rows = []
    for split in material.splits:
        best = {name: _best(material, split, name) for name in metrics}
        for model in material.names_on(split):
            found = {name: material.score(model, split, name) for name in metrics}
            if any(found.values()):
                rows.append(tuple(_score_row(material, split, model, found, best)))
    return Table(
        "scores",
        "Each model on the test part of each split: value and 95% interval.",
        tuple(columns),
        tuple(rows),
        material.scores_file,
        group_by=1 if len(material.splits) > 1 else None,
        groups=material.splits if len(material.splits) > 1 else (),
    )


def _score_row(
    material: Material,
    split: str,
    model: str,
    found: Mapping[str, Score | None],
    best: Mapping[str, float],
) -> Iterable[Cell]:
    some = next(s for s in found.values() if s is not None)
    yield named(model, some.role if some.role == "baseline" else "")
    yield named(split)
    for name, score in found.items():
        if score is None:
            yield Cell(ABSENT)
        else:
            yield estimate(*score[4:7], best=score.value == best[name])
        if name in ACCURACIES:
            trained = material.of(model, split)
            majority = (trained[0].metrics.get("majority") or {}) if trained else {}
            share = majority.get("accuracy")
            yield Cell(number(share), order=share if share is not None else "")
    units = "" if some.unit == "example" else visible(counted(some.n_groups, some.unit))
    yield Cell(f"{some.n:,}", units, float(some.n))
    yield counting(some.n_seeds)


def _best(material: Material, split: str, metric: str) -> float:
    values = [
        s.value
        for s in material.scores
        if s.split == split and s.metric == metric and not math.isnan(s.value)
    ]
    # Of a single model nothing can be called the best.
    if len(values) < 2:
        return math.nan
    return max(values) if higher_is_better(metric) else min(values)


def model_table(material: Material) -> Table:
    """Tabulate what each model is: inputs, size, citation."""
    columns = (
        Column("Model"), Column("Role"), Column("Inputs"), Column("Parameters", True),
        Column("Training time (s)", True, "the first seed on the strictest split"),
        Column("Citation"),
    )  # fmt: skip
    rows = []
    for model in material.models:
        trained = material.of(model.name, material.answer_split)
        seconds = trained[0].metrics.get("train_seconds") if trained else None
        rows.append(
            (
                named(model.name), named(model.role), named(model.inputs),
                counting(model.n_parameters),
                Cell(_seconds(seconds), order="" if seconds is None else seconds),
                named(model.citation),
            )
        )  # fmt: skip
    return Table("zoo", "What each model is.", columns, tuple(rows), material.facts_file)


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return ABSENT
    return f"{seconds:.1f}" if seconds < 100 else f"{seconds:,.0f}"


def count_table(material: Material) -> Table:
    """Tabulate how many examples each split puts into each part."""
    columns = (
        Column("Split"), Column("Train", True), Column("Validation", True), Column("Test", True),
        Column("Left out", True, "in no part, for example purged"), Column("Seed", True),
        Column("Holds out"), Column("Notes"),
    )  # fmt: skip
    rows = []
    for name, split in material.split_of.items():
        counts = split.counts()
        notes = "; ".join(
            f"{k.replace('_', ' ')}: {f'{v:,}' if isinstance(v, int) else v}"
            for k, v in split.notes.items()
        )
        rows.append(
            (
                named(name),
                *(counting(counts[part]) for part in ("train", "val", "test", "none")),
                counting(split.seed), named(", ".join(split.held_out)), named(notes),
            )
        )  # fmt: skip
    source = material.file("split.parquet" if material.kind == "run" else "splits/*.parquet")
    return Table("counts", "Examples in each part.", columns, tuple(rows), source)


def pair_table(material: Material) -> Table | None:
    """Tabulate every paired comparison of two models."""
    found = [c for c in material.comparisons if c.kind == "model"]
    if not found:
        return None
    columns = (
        Column("Split"), Column("Model a"), Column("Model b"), Column("Metric"),
        Column("a − b", True, "paired on the same test examples"), Column("p", True),
        Column(_unit_heading(material), True, "independent units that were resampled"),
        Column("Verdict"),
    )  # fmt: skip
    rows = tuple(
        (
            named(c.split_a), named(c.model_a), named(c.model_b), named(metric_label(c.metric)),
            *_difference(c, VERDICTS),
        )
        for c in found
    )  # fmt: skip
    several = len({c.split_a for c in found}) > 1
    return Table(
        "pairs", "Every pair of models, on the same test examples.", columns, rows,
        material.file("paired.tsv"),
        group_by=0 if several else None, groups=material.splits if several else (),
    )  # fmt: skip


def split_table(material: Material) -> Table | None:
    """Tabulate the comparisons of one model on two splits."""
    found = split_pairs(material)
    if not found:
        return None
    columns = (
        Column("Model"), Column("Looser split"), Column("Stricter split"),
        Column("Looser − stricter", True), Column("p", True),
        Column(_unit_heading(material), True, "independent units that were resampled"),
        Column("Verdict"),
    )  # fmt: skip
    rows = tuple(
        (named(c.model_a), named(c.split_a), named(c.split_b), *_difference(c, SPLIT_VERDICTS))
        for c in found
    )
    caption = f"Difference in {metric_label(material.headline)} of the same model on two splits."
    return Table("splits", caption, columns, rows, material.file("paired.tsv"))


def _unit_heading(material: Material) -> str:
    units = {score.unit for score in material.scores}
    return counted(2, units.pop()).removeprefix("2 ").capitalize() if len(units) == 1 else "Units"


def _difference(c: Comparison, verdicts: Verdicts) -> tuple[Cell, ...]:
    verdict = verdicts[c.verdict][0].partition(" (")[0]
    return (
        estimate(c.value, c.low, c.high),
        probability(c.p),
        counting(c.n_groups),
        named(verdict),
    )


def overlap_table(material: Material) -> Table | None:
    """Tabulate how many near-duplicates each split keeps together and tears apart."""
    if not material.overlaps:
        return None
    columns = (
        Column("Split"), Column("Near-duplicate pairs", True), Column("Kept together", True),
        Column("Torn apart", True), Column("Test with a relative in training", True),
        Column("of test", True),
    )  # fmt: skip
    rows = []
    for split in material.splits:
        facts = material.overlaps.get(split)
        if facts is None:
            continue
        related, n = facts.get("test_with_relative_in_train"), facts.get("n_test")
        share = related / n if related is not None and n else None
        rows.append(
            (
                named(split), counting(facts.get("near_duplicate_pairs")),
                counting(facts.get("kept")), counting(facts.get("torn")), counting(related),
                share_cell(share),
            )
        )  # fmt: skip
    caption = "Near-duplicate pairs of examples, and what each split does with them."
    return Table("overlaps", caption, columns, tuple(rows), material.facts_file)


def torn_tables(material: Material) -> list[Table]:
    """Tabulate by name the near-duplicate pairs that each split tore apart."""
    tables = []
    for k, (split, pairs) in enumerate(material.torn.items(), 1):
        if pairs.empty:
            continue
        shown = pairs.head(MAX_ROWS)
        columns = tuple(_torn_column(str(name), shown[name].tolist()) for name in pairs.columns)
        rows = tuple(
            tuple(
                _number_cell(value) if column.numeric else named(_relation(value, column.label))
                for column, value in zip(columns, row, strict=True)
            )
            for row in shown.itertuples(index=False, name=None)
        )
        first = f"the first {len(shown):,} of " if len(pairs) > len(shown) else ""
        caption = f"Pairs torn apart by the {split} split ({first}{len(pairs):,})."
        source = material.file(f"{material.split_files[split]}.overlaps.tsv")
        tables.append(Table(f"torn-{k}", caption, columns, rows, source))
    return tables


_TORN_COLUMNS = {
    "relation": "Relation",
    "example_id_test": "Test example",
    "example_id_train": "Training example",
    "gene_id_test": "Test gene",
    "gene_id_train": "Training gene",
    "shared": "Shared",
}


def _relation(value: str, label: str) -> str:
    return str(value).replace("_", " ") if label == _TORN_COLUMNS["relation"] else value


def _torn_column(name: str, values: Sequence[str]) -> Column:
    label = _TORN_COLUMNS.get(name, visible(name).replace("_", " "))
    return Column(label, all(_is_number(v) for v in values))


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _number_cell(text: str) -> Cell:
    value = float(text)
    return counting(value) if value.is_integer() else Cell(number(value), order=value)


def interval_table(material: Material) -> Table | None:
    """Tabulate the conformal intervals: width, level and measured coverage."""
    columns = (
        Column("Model"), Column("Seed", True), Column("Level", True),
        Column("Half-width", True, material.units), Column("Set on (n)", True, "validation"),
        Column("Measured coverage", True, "test part"),
    )  # fmt: skip
    rows = []
    for name in material.names_on(material.answer_split):
        for trained in material.of(name, material.answer_split):
            conformal = trained.metrics.get("conformal")
            if not conformal:
                continue
            width = conformal.get("halfwidth")
            scaled = "× predicted spread" if conformal.get("scaled") else ""
            cover = {
                k: math.nan if v is None else v
                for k, v in (conformal.get("coverage") or {}).items()
            }
            rows.append(
                (
                    named(name), counting(trained.seed),
                    Cell(percent(conformal["level"]), order=conformal["level"]),
                    Cell(number(width), scaled, "" if width is None else width),
                    counting(conformal.get("n")),
                    estimate(*(cover.get(k, math.nan) for k in ("value", "low", "high"))),
                )
            )  # fmt: skip
    if not rows:
        return None
    source = material.file("metrics.json" if material.kind == "run" else "runs/*/metrics.json")
    return Table("intervals", "Conformal prediction intervals.", columns, tuple(rows), source)


def source_table(material: Material) -> Table | None:
    """Tabulate every source file with its size and SHA-256."""
    found: dict[tuple[str, str], tuple[Cell, ...]] = {}
    origins: list[Mapping[str, Any]] = [t.run.provenance for t in material.trained]
    origins.append(material.dataset.get("provenance") or {})
    for origin in origins:
        for source in origin.get("sources") or ():
            path, digest = str(source.get("path", "")), str(source.get("sha256", ""))
            found[path, digest] = (named(path), counting(source.get("bytes")), named(digest))
    if not found:
        return None
    columns = (Column("File"), Column("Bytes", True), Column("SHA-256"))
    rows = tuple(found[key] for key in sorted(found))
    source = material.file(
        "provenance.json" if material.kind == "run" else "runs/*/provenance.json"
    )
    return Table("sources", "Files that were read.", columns, rows, source)


def input_table(material: Material) -> Table | None:
    """Tabulate the dataset's inputs."""
    inputs = material.dataset.get("inputs") or {}
    if not inputs:
        return None
    columns = (Column("Input"), Column("Shape"), Column("Distinct rows", True), Column("Type"))
    rows = tuple(
        (
            named(str(name)),
            named(" × ".join(map(str, info.get("shape") or ()))),
            counting(info.get("n_distinct")),
            named(str(info.get("dtype", ""))),
        )
        for name, info in inputs.items()
    )
    source = material.file("provenance.json" if material.kind == "run" else "benchmark.json")
    return Table("inputs", "Inputs of the dataset.", columns, rows, source)
