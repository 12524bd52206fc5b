"""Reading a differential-expression folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from exprimo.core.errors import FormatError, InputError, MismatchError
from exprimo.report.charts.chart import FloatArray, floats
from exprimo.report.files import as_numbers, needed, read_json, read_table, read_text_table

_RESULTS = ("baseMean", "log2FoldChange", "padj")
_SHRUNKEN = "log2FoldChangeShrunken"
_DISPERSIONS = ("baseMean", "dispGeneEst", "dispFit", "dispersion")


@dataclass(frozen=True)
class DgeFolder:
    """A test for differential expression, as its files tell it.

    Attributes
    ----------
    summary
        ``summary.json``.
    genes
        One row per gene: gene_id, baseMean, log2FoldChange, padj, direction ("up", "down",
        "none", or "" where it was not tested) and, where it was shrunk, log2FoldChangeShrunken.
    samples
        One row per sample: sample, size_factor, and the columns of the sheet, as text.
    dispersions, pca, distances
        The other tables, None where a file is absent; of `distances` rows and columns are samples.
    place
        The folder relative to that of the report, with a slash; empty where they are one.
    """

    summary: Mapping[str, Any]
    genes: pd.DataFrame
    samples: pd.DataFrame
    dispersions: pd.DataFrame | None
    pca: pd.DataFrame | None
    distances: pd.DataFrame | None
    place: str = ""

    def file(self, name: str) -> str:
        """Name a file of the folder as the reader of the report finds it."""
        return f"{self.place}{name}"

    def column(self, name: str) -> FloatArray:
        """Give a column of the genes, (genes,)."""
        return floats(self.genes[name].to_numpy())

    @property
    def direction(self) -> np.ndarray[Any, np.dtype[np.str_]]:
        """Give each gene's call: up, down, none, or nothing where it was not tested."""
        return self.genes["direction"].to_numpy(dtype=str)

    @property
    def contrast(self) -> Mapping[str, Any]:
        """Give what was compared: text, and factor, numerator, denominator if it has them."""
        return dict(self.summary.get("contrast") or {})

    @property
    def lfc(self) -> float:
        """Give the least |log2 fold change| of a called gene; 0 if any would do."""
        return float((self.summary.get("calls") or {}).get("lfc") or 0.0)

    @property
    def padj(self) -> float:
        """Give the adjusted p below which a gene is called."""
        return float((self.summary.get("calls") or {}).get("padj") or self.summary["alpha"])

    @property
    def is_shrunk(self) -> bool:
        """Tell whether there are shrunken fold changes."""
        return _SHRUNKEN in self.genes

    @property
    def fold_change_label(self) -> str:
        """Name the log2 fold change with what stands over what."""
        top, bottom = (self.contrast.get(key) for key in ("numerator", "denominator"))
        if top and bottom:
            return f"log2 fold change ({top} / {bottom})"
        return f"log2 fold change ({self.contrast.get('text') or 'per unit'})"

    def called(self, direction: str) -> str:
        """Say in words where a called gene's expression is higher or lower."""
        top = self.contrast.get("numerator")
        if not top:
            return direction
        return f"{'higher' if direction == 'up' else 'lower'} in {top}"


def is_dge_folder(folder: Path) -> bool:
    """Tell whether a folder holds the results of a test for differential expression."""
    return (folder / "results.tsv").is_file() and (folder / "summary.json").is_file()


def read_dge(source: str | Path, place: str = "") -> DgeFolder:
    """Read a differential-expression folder; `place` is the folder as seen from the report."""
    folder = Path(source)
    if not is_dge_folder(folder):
        raise InputError(
            "not a differential-expression folder",
            file=folder,
            found="no results.tsv, or no summary.json",
            remedy="Give a folder made by: exprimo dge",
        )
    summary = read_json(folder / "summary.json")
    for key in ("contrast", "alpha"):
        needed(summary, key, folder / "summary.json")
    return DgeFolder(
        summary,
        _genes(folder),
        read_table(folder / "samples.tsv", ("sample",), ("size_factor",)),
        _optional(folder / "dispersions.tsv", ("gene_id", "dispOutlier"), _DISPERSIONS),
        _components(folder / "pca.tsv"),
        _square(folder / "sample_distances.tsv"),
        place,
    )


def _genes(folder: Path) -> pd.DataFrame:
    results = read_table(folder / "results.tsv", ("gene_id",), _RESULTS)
    labels = read_table(folder / "labels.tsv", ("gene_id", "direction"), ())
    if not results["gene_id"].equals(labels["gene_id"]):
        raise MismatchError(
            "results.tsv and labels.tsv do not list the same genes in the same order",
            file=folder,
            found=f"{len(results):,} and {len(labels):,} genes",
            remedy="Make the folder again with: exprimo dge",
        )
    wrong = set(labels["direction"]) - {"up", "down", "none", ""}
    if wrong:
        raise FormatError(
            "an unknown direction", file=folder / "labels.tsv", found=sorted(wrong)[0],
            expected="up, down, none or nothing",
        )  # fmt: skip
    genes = results[["gene_id", *_RESULTS]].assign(direction=labels["direction"])
    if _SHRUNKEN in results:
        genes[_SHRUNKEN] = as_numbers(results[_SHRUNKEN], folder / "results.tsv")
    return genes


def _optional(path: Path, text: tuple[str, ...], numbers: tuple[str, ...]) -> pd.DataFrame | None:
    return read_table(path, text, numbers) if path.is_file() else None


def _components(path: Path) -> pd.DataFrame | None:
    table = _optional(path, ("sample",), ("pc1",))
    # Two samples have one component, which is no figure.
    if table is None or "pc2" not in table:
        return None
    return table.assign(pc2=as_numbers(table["pc2"], path))


def _square(path: Path) -> pd.DataFrame | None:
    if not path.is_file():
        return None
    table = read_text_table(path).set_index("sample")
    if table.index.tolist() != table.columns.tolist():
        raise FormatError(
            "rows and columns are not the same samples", file=path,
            expected="one row and one column for each sample, in one order",
        )  # fmt: skip
    return table.apply(as_numbers, path=path)
