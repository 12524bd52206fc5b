"""What each row of the table scores on validation and test, and what each input adds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from exprimo.report.charts.chart import Chart
from exprimo.report.charts.forest import ForestRow, forest, verdict_of
from exprimo.report.document.table import Cell, Column, Table, estimate, named
from exprimo.report.halflife.reading import HalflifeFolder
from exprimo.report.wording import ABSENT, counted, interval, metric_label, number

_METRICS = {
    "classification": ("auroc", "precision", "recall", "f1", "auprc", "mcc"),
    "regression": ("pearson_r", "spearman", "r2", "mse", "mae"),
}


def parts_table(study: HalflifeFolder) -> Table:
    """Tabulate every row on validation and test under the headline split."""
    material = study.benchmark
    wanted = _METRICS.get(material.task, (material.headline,))
    test = {
        (s.model, s.metric): (s.value, s.low, s.high)
        for s in material.scores
        if s.split == material.answer_split
    }
    validation = _by_row(study.validation, material.answer_split)
    present = [m for m in wanted if any(key[1] == m for key in test)]
    columns = (
        Column("Model"),
        Column("Part"),
        *(Column(metric_label(metric), True) for metric in present),
    )
    names = list(dict.fromkeys(model for model, _ in test))
    rows = tuple(
        (named(name), named(part), *_cells(scores, name, present))
        for name in names
        for part, scores in (("test", test), ("validation", validation))
    )
    files = f"{study.benchmark.scores_file}, {study.benchmark.file('validation.tsv')}"
    return Table(
        "parts",
        f"Every model on the validation and the test part of the {material.answer_split} split. "
        "Thresholds and epochs were chosen on validation, so the numbers of validation flatter.",
        columns,
        rows,
        files,
        group_by=1,
        groups=("test", "validation"),
        grouped="part",
    )


def _by_row(table: pd.DataFrame, split: str) -> dict[tuple[str, str], tuple[float, float, float]]:
    here = table[table["split"] == split]
    return {
        (str(row["model"]), str(row["metric"])): (row["value"], row["low"], row["high"])
        for _, row in here.iterrows()
    }


def _cells(
    scores: Mapping[tuple[str, str], tuple[float, float, float]], row: str, metrics: list[str]
) -> Iterator[Cell]:
    for metric in metrics:
        found = scores.get((row, metric))
        yield Cell(ABSENT) if found is None else estimate(*found)


def steps_chart(study: HalflifeFolder) -> Chart | None:
    """Draw what each input adds, with paired intervals."""
    rows, pairs = [], []
    for step in study.steps:
        value, low, high = _floats(step, "difference")
        name = str(step.get("input") or step["name"])
        pairs.append(f"{name}: {step['more']} − {step['less']}")
        rows.append(ForestRow(name, value, low, high, verdict_of(low, high)))
    if not rows:
        return None
    material = study.benchmark
    alike = "Models differ in what they read and in nothing else."
    if study.facts.get("preset") == "published":
        alike = "Models have each source's own layers and training, so they differ in that too."
    return forest(
        "steps",
        "What each input adds",
        f"Differences on the same test genes of the {material.answer_split} split, with 95% "
        f"intervals. {'; '.join(pairs)}. {alike}",
        f"difference in {metric_label(material.headline)}",
        rows,
        sources=(study.benchmark.file("paired.tsv"), "study.json"),
    )


def ceiling_table(study: HalflifeFolder) -> Table | None:
    """Tabulate what the truth of each input scores; None for real data."""
    if not study.ceilings:
        return None
    metric = metric_label(str((study.facts.get("truth") or {}).get("metric")))
    rows = tuple(
        (named(name), estimate(*_floats(found, "value"))) for name, found in study.ceilings.items()
    )
    columns = (Column("True component of"), Column(f"{metric} of the truth", True))
    return Table(
        "ceilings",
        "What the truth of each input tells of the same test genes: the simulated world's own "
        "components against what was measured. A model that reads the same can be expected to stay "
        "below, unless it was trained on relatives of these genes.",
        columns,
        rows,
        "study.json",
    )


def explained_sentence(study: HalflifeFolder) -> str:
    """Say which row was explained, on what, and what a gradient is; empty where none was."""
    if study.interpretation is None:
        return ""
    summary = study.interpretation.summary
    row = str((summary.get("provenance") or {}).get("row") or "the network")
    genes = counted(int(summary["n_examples"]), "test gene")
    return (
        f"Of the model “{row}”, over {genes} of the {study.benchmark.answer_split} split. A "
        "gradient is a local slope: it says what a small change would do, not what taking the base "
        "away would."
    )


def recovery_sentence(study: HalflifeFolder) -> str:
    """Say how well importance finds the bases that act, where the world knows them."""
    recovery: Mapping[str, Any] = (
        {} if study.interpretation is None else study.interpretation.summary.get("recovery") or {}
    )
    if not recovery:
        return ""
    mean, shifted, swapped = (recovery[key] for key in ("mean", "shifted", "swapped"))
    return (
        f"Importance tells the bases of sites that act from others with AUROC "
        f"{number(mean['value'])} {interval(mean['low'], mean['high'])}, gene by gene; shifted "
        f"by a random number of bases it reaches {number(shifted['mean'])}, and that of another "
        f"gene {number(swapped['mean'])}."
    )


def _floats(found: Mapping[str, Any], value: str) -> tuple[float, float, float]:
    """Give a value with its interval; JSON has null where there is none."""
    one, low, high = (
        float("nan") if found[name] is None else float(found[name])
        for name in (value, "low", "high")
    )
    return one, low, high
