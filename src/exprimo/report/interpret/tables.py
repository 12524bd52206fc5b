"""Tables of an explanation: its checks, and what contributes most of inputs that are no DNA."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from exprimo.interpret.faithfulness.verdict import FAITHFULNESS_FILE
from exprimo.report.document.table import Cell, Column, Table, counting, named, quantity
from exprimo.report.files import read_table
from exprimo.report.interpret.faithfulness import RESULTS
from exprimo.report.interpret.reading import InterpretationFolder
from exprimo.report.wording import with_interval

_FEATURES, _KMERS = "features.tsv", "kmers.tsv"
_BINS = ("mark_bins.tsv", "kmer_bins.tsv", "context_bins.tsv", "embedding_bins.tsv")
_MOST = 50


def check_table(found: InterpretationFolder) -> Table | None:
    """List the checks of faithfulness; None where nothing was checked."""
    checks = found.verdict.checks
    if not checks:
        return None
    columns = (
        Column("Check"),
        Column("Value", True, "with its 95% interval"),
        Column("Baseline", True, "what the value is compared with"),
        Column("Result"),
        Column("What it means"),
        Column("Examples", True),
    )
    rows = tuple(
        (
            named(check.check.replace("_", " "), check.input),
            Cell(with_interval(check.value, check.low, check.high), order=check.value),
            quantity(check.baseline),
            named(RESULTS[check.passed]),
            named(check.words),
            counting(check.n),
        )
        for check in checks
    )
    caption = "Whether the model uses what is shown, check by check."
    return Table("checks", caption, columns, rows, found.file(FAITHFULNESS_FILE))


def feature_table(folder: Path, found: InterpretationFolder) -> Table | None:
    """List the features that contribute most; None where none was explained."""
    path = folder / _FEATURES
    if not path.is_file():
        return None
    numbers = ("mean", "signed_mean", "along", "n")
    table: pd.DataFrame = read_table(path, ("input", "feature"), numbers)
    shown = table.sort_values("mean", ascending=False, kind="stable").head(_MOST)
    columns = (
        Column("Feature"),
        Column("Size", True, "mean of |contribution|"),
        Column("Signed mean", True),
        Column("Along", True, "correlation of contribution and value: its sign says which way"),
    )
    rows = tuple(
        (
            named(row["feature"], row["input"]),
            *(quantity(row[name]) for name in ("mean", "signed_mean", "along")),
        )
        for _, row in shown.iterrows()
    )
    caption = "Contributions of features, the largest first."
    if words := found.verdict.banner(str(shown["input"].iloc[0])):
        caption = f"{words}. {caption}"
    return Table("explained_features", caption, columns, rows, found.file(_FEATURES))


def bin_tables(folder: Path, found: InterpretationFolder) -> list[Table]:
    """List the bins of greatest mean contribution, input by input."""
    return [
        _bins(folder / name, found, name, f"explained_{name.removesuffix('.tsv')}")
        for name in _BINS
        if (folder / name).is_file()
    ]


def _bins(path: Path, found: InterpretationFolder, name: str, key: str) -> Table:
    table = read_table(path, ("label", "row"), ("bin", "offset", "mean", "se", "n"))
    shown = table.loc[_largest(table["mean"])]
    columns = (
        Column("Row"),
        Column("Offset", True, "first base of the bin, relative to the TSS"),
        Column("Mean contribution", True, "signed"),
        Column("Standard error", True),
        Column("Examples", True),
    )
    rows = tuple(
        (
            named(row["row"], row["label"]),
            counting(row["offset"]),
            quantity(row["mean"]),
            quantity(row["se"]),
            counting(row["n"]),
        )
        for _, row in shown.iterrows()
    )
    caption = _cut(f"Mean contributions in bins ({name.split('_')[0]}), the largest first.", table)
    if words := found.verdict.banner():
        caption = f"{words}. {caption}"
    return Table(key, caption, columns, rows, found.file(name))


def kmer_table(folder: Path, found: InterpretationFolder) -> Table | None:
    """List the k-mers of greatest weight; None where no linear model on k-mers was explained."""
    path = folder / _KMERS
    if not path.is_file():
        return None
    table = read_table(path, ("kmer",), ("weight", "mean_count", "mean", "signed_mean"))
    shown = table.loc[_largest(table["weight"])]
    columns = (
        Column("k-mer"),
        Column("Weight", True, "what one more occurrence adds to the output"),
        Column("Mean count", True),
        Column("Size", True, "mean of |contribution|"),
        Column("Signed mean", True),
    )
    rows = tuple(
        (
            named(row["kmer"]),
            *(quantity(row[name]) for name in ("weight", "mean_count", "mean", "signed_mean")),
        )
        for _, row in shown.iterrows()
    )
    caption = _cut("What one more occurrence of a k-mer adds, the largest first.", table)
    return Table("explained_kmers", caption, columns, rows, found.file(_KMERS))


def _largest(values: pd.Series[float]) -> pd.Index[int]:
    order = np.argsort(-np.abs(values.to_numpy()), kind="stable")
    return values.index[order[:_MOST]]


def _cut(caption: str, table: pd.DataFrame) -> str:
    return f"{caption} {_MOST} of {len(table):,} are here." if len(table) > _MOST else caption
