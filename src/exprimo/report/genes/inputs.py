"""What a dataset holds of a gene besides its sequence: half-life features, chromatin profiles."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from exprimo.core.dataset import Dataset
from exprimo.report.genes.examples import Shown
from exprimo.report.genes.packing import bounded_bytes, packed
from exprimo.report.wording import counted

Rows = npt.NDArray[np.int64]
_BIN_SIZE = 100


def embedded_features(shown: Shown, data: Dataset) -> dict[str, Any] | None:
    """Give the half-life features of the shown examples; None where the dataset has none."""
    info = data.inputs.get("halflife")
    if info is None or len(info.shape) != 1:
        return None
    values = data.rows("halflife", shown.rows)
    every = data.rows("halflife", _sample(len(data)))
    labels = info.labels or tuple(f"feature {k + 1}" for k in range(info.shape[0]))
    return {
        "labels": list(labels),
        "values": packed(values),
        "mean": packed(np.nanmean(every, 0)),
        "sd": packed(np.nanstd(every, 0)),
    }


def _sample(n: int, most: int = 20_000) -> Rows:
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(np.int64))


def embedded_signal(
    shown: Shown, data: Dataset, most: int
) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
    """Give the chromatin profiles of as many test genes as find room, and what was left out.

    Parameters
    ----------
    most
        Numbers that may be kept: examples times marks times bins.
    """
    info = data.inputs.get("signal")
    if info is None or len(info.shape) != 2:
        return None, ()
    marks, bins = info.shape
    at, n_genes, n_of = _genes_within(shown, most // (marks * bins))
    if not len(at):
        return None, ()
    found = bounded_bytes(data.rows("signal", shown.rows[at]).reshape(-1, bins))
    made = data.provenance.get("settings") or {}
    labels = info.labels if len(info.labels) == marks else tuple(map(str, range(marks)))
    left = (
        (f"Chromatin profiles of {n_genes:,} of {counted(n_of, 'test gene')} are here.",)
        if n_genes < n_of
        else ()
    )
    return {
        "example": packed(at, "i4"),
        "marks": list(labels),
        "bins": bins,
        "bin_size": int(made.get("bin_size") or _BIN_SIZE),
        "units": "" if "provenance" in info.units else info.units,
        "steps": packed(found.steps, "u1"),
        "low": packed(found.low),
        "high": packed(found.high),
    }, left


def _genes_within(shown: Shown, most: int) -> tuple[Rows, int, int]:
    """Choose whole genes of the test part, evenly: positions, how many genes, out of how many."""
    test = np.flatnonzero(shown.table["part"] == "test")
    if not len(test):
        test = np.arange(len(shown.table))
    genes = shown.table["gene_id"].iloc[test]
    order = genes.unique()
    n = min(len(order), most * len(order) // max(len(test), 1))
    if n <= 0:
        return np.empty(0, np.int64), 0, len(order)
    kept = order[np.linspace(0, len(order) - 1, n).round().astype(int)]
    return test[genes.isin(kept).to_numpy()].astype(np.int64), n, len(order)
