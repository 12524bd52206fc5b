"""What a network looks at, in words and tables; and what would raise its output, drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from exprimo.report.charts.chart import Axis, Chart, FloatArray, Rule, Series, floats
from exprimo.report.chromatin.heatmaps import (
    MAX_DRAWN,
    attention_charts,
    bin_size,
    kmer_charts,
    mark_charts,
)
from exprimo.report.chromatin.reading import EVERY_GENE, ChromatinFolder, Explanation
from exprimo.report.document.table import Cell, Column, Table, counting, named, quantity
from exprimo.report.interpret.profile import position_name
from exprimo.report.wording import ABSENT, counted, listed, number, percent, shortened


def explained_charts(found: Explanation) -> list[Chart]:
    """Make every figure for which there is a table, in the order of the page."""
    return [
        *mark_charts(found),
        *kmer_charts(found),
        *attention_charts(found),
        *raised_charts(found),
    ]


def raised_charts(found: Explanation) -> list[Chart]:
    """Draw the signal before and after the output was raised, mark by mark, and the output."""
    if found.raised is None or found.raised.empty:
        return []
    n = counted(int((found.summary.get("raised") or {}).get("n") or 0), "example")
    parts = list(found.raised.groupby("row", sort=False))[:MAX_DRAWN]
    charts = [
        _raised(found, f"raised-{k}", str(mark), rows, n) for k, (mark, rows) in enumerate(parts, 1)
    ]
    outputs = _outputs(found, n)
    return charts if outputs is None else [*charts, outputs]


def _raised(found: Explanation, key: str, mark: str, rows: pd.DataFrame, n: str) -> Chart:
    offsets = [int(offset) for offset in rows["offset"]]
    x = floats(offsets) + bin_size(offsets) / 2
    values = {name: floats(rows[name].to_numpy()) for name in ("before", "after", "low", "high")}
    change = values["after"] - values["before"]
    most = int(np.abs(change).argmax())
    band = Series(
        f"central {_share(found)} of training", x, values["before"], "muted",
        low=values["low"], high=values["high"], band=True, symbol=None, opacity=0.25,
    )  # fmt: skip
    lines = (
        Series("before", x, values["before"], "c2", dash="dash", symbol=None),
        Series("after", x, values["after"], "c1", dash="solid", symbol=None),
    )
    return Chart(
        key,
        f"{shortened(mark)}: what would raise the output",
        f"Mean signal over {n}, before and after.",
        f"Lines of {mark} around the TSS before and after the output was raised; the greatest "
        f"change is {number(float(change[most]))} at {position_name(offsets[most])}.",
        Axis("Position relative to the TSS (bases)", (float(offsets[0]), 2 * x[-1] - offsets[-1])),
        Axis("Signal (as in the dataset)"),
        (band, *lines),
        (Rule("x", 0.0, "TSS"),),
        sources=(found.file("raised.tsv"),),
    )


def _outputs(found: Explanation, n: str) -> Chart | None:
    if found.outputs is None or len(found.outputs) < 2:
        return None
    step, output = (floats(found.outputs[name].to_numpy()) for name in ("step", "output"))
    first, last = number(float(output[0])), number(float(output[-1]))
    return Chart(
        "raised-output",
        "How far the output rises within the bounds",
        f"Mean over {n}; {_end_of(output)}.",
        f"Line of the mean output per step, from {first} to {last}.",
        Axis("Step"),
        Axis(f"Output ({found.summary.get('scale') or 'raw'})"),
        (Series("output", step, output, "c1", dash="solid", symbol=None),),
        sources=(found.file("raised_outputs.tsv"),),
    )


def _end_of(output: FloatArray) -> str:
    """Say whether a line of outputs has come to rest: its last tenth adds less than a fiftieth."""
    rise = float(output[-1] - output[0])
    late = float(output[-1] - output[-max(2, len(output) // 10)])
    if rise > 0 and late > rise / 50:
        return f"it was still rising after {len(output) - 1} steps"
    return "it comes to rest where the bounds hold it"


def _share(found: Explanation) -> str:
    return percent(float((found.summary.get("raised") or {}).get("share") or 0.98))


def explained_sentence(study: ChromatinFolder) -> str:
    """Say which row was explained, over what, and what a gradient is; empty where none was."""
    found = study.explanation
    if found is None:
        return ""
    cells = 0 if found.marks is None else found.marks["label"].nunique()
    members = int(found.summary.get("members") or 1)
    mean = f", the mean over its {members} members" if members > 1 else ""
    left = (
        f" Of {cells} the first {MAX_DRAWN} are drawn; the table and the file have all."
        if cells > MAX_DRAWN
        else ""
    )
    return (
        f"Of the model “{found.row}”{mean}, over "
        f"{counted(int(found.summary['n_examples']), 'test example')} of "
        f"{counted(cells, 'cell type')} of the {study.split} split.{left} A gradient is a local "
        "slope with its sign: what a little more of a mark in a bin would do to the output, not "
        "what taking the mark away would do."
    )


def planted_sentence(found: Explanation) -> str:
    """Say how often a gradient has the sign and the place that was planted; empty otherwise."""
    if not found.planted:
        return ""
    n = len(found.planted)
    right, near = (sum(bool(one[key]) for one in found.planted) for key in ("right", "near"))
    return (
        f"The simulated world planted some marks at a known place: of {n} pairs of mark and cell "
        f"type {right} have the planted sign there, and in {near} the strongest bin lies there. "
        "Marks that go with one another can stand for one another, so a network may read its "
        "fill of one and leave the next."
    )


def kmer_sentence(found: Explanation) -> str:
    """Say whose k-mers are shown; empty where the network reads none."""
    if found.kmers is None:
        return ""
    genes = [str(gene) for gene in found.summary.get("genes") or ()]
    said = f"K-mers are counted in the same bins. Shown is the mean over {EVERY_GENE}"
    if not genes:
        return f"{said}."
    return (
        f"{said}, and single genes: {listed([shortened(gene) for gene in genes[:MAX_DRAWN]])}. "
        "They were asked for, or else are those of the highest and the lowest predictions."
    )


def raised_sentence(found: Explanation) -> str:
    """Say what was done to raise the output, and why within bounds; empty where nothing was."""
    facts: Mapping[str, Any] = found.summary.get("raised") or {}
    if found.raised is None or not facts:
        return ""
    before, after = (number(facts.get(key)) for key in ("before", "after"))
    return (
        f"The signal of {counted(int(facts['n']), 'test example')}, those predicted lowest, was "
        f"changed step by step so that the output rises: from {before} to {after} "
        f"({found.summary.get('scale')}). Every value stays within the central {_share(found)} "
        "that training examples show at that place. Without such bounds the ascent leaves the "
        "data at once, signals and output grow without end, as in the published attempt, and the "
        "result says nothing of a cell."
    )


def planted_table(found: Explanation) -> Table | None:
    """Tabulate what was planted beside what was found; None for real data."""
    if not found.planted:
        return None
    columns = (
        Column("Mark"), Column("Cell type"), Column("Planted"), Column("at", True, "bases"),
        Column("Mean gradient there", True, found.mark_unit), Column("z", True, "over its error"),
        Column("Sign"), Column("Strongest at", True, "bases"), Column("Place"),
    )  # fmt: skip
    rows = tuple(
        (
            named(str(one["mark"])), named(str(one["label"])),
            named("rises" if float(one["sign"]) > 0 else "falls"), _place(one["offset"]),
            quantity(one.get("mean")), quantity(one.get("z"), 1),
            named("right" if one["right"] else "wrong"), _place(one.get("peak")),
            named("near" if one["near"] else "elsewhere"),
        )
        for one in found.planted
    )  # fmt: skip
    return Table(
        "planted",
        "What the simulated world planted, beside the gradients: rises or falls with expression.",
        columns,
        rows,
        found.file("interpretation.json"),
    )


def strongest_table(found: Explanation) -> Table | None:
    """Tabulate, for every cell type and mark, the bins that raise and lower the output most."""
    if found.marks is None or found.marks.empty:
        return None
    columns = (
        Column("Cell type"), Column("Mark"), Column("Raises most at", True, "bases"),
        Column("Gradient", True, f"{found.mark_unit}, with standard error"),
        Column("Lowers most at", True, "bases"),
        Column("Gradient", True, f"{found.mark_unit}, with standard error"),
        Column("Sum over bins", True), Column("Genes", True),
    )  # fmt: skip
    rows = []
    for (cell, mark), part in found.marks.groupby(["label", "row"], sort=False):
        means = part["mean"].to_numpy()
        ends = tuple(part.iloc[int(at)] for at in (means.argmax(), means.argmin()))
        rows.append(
            (
                named(str(cell)), named(str(mark)), *_ends(ends),
                quantity(float(part["mean"].sum())), counting(float(part["n"].iloc[0])),
            )
        )  # fmt: skip
    return Table(
        "strongest",
        "Every cell type and mark: the bins whose mean gradient is greatest and least.",
        columns,
        tuple(rows),
        found.file("mark_bins.tsv"),
    )


def _ends(ends: Sequence[pd.Series[Any]]) -> list[Cell]:
    cells = []
    for one, sign in zip(ends, (1.0, -1.0), strict=True):
        value = float(one["mean"])
        if value * sign <= 0:
            cells += [Cell(ABSENT), Cell(ABSENT)]
        else:
            cells += [
                _place(one["offset"]),
                Cell(number(value), f"± {number(float(one['se']))}", value),
            ]
    return cells


def _place(offset: float | None) -> Cell:
    if offset is None:
        return Cell(ABSENT)
    return Cell(position_name(float(offset)), order=float(offset))
