"""What a chromatin study is made of."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from exprimo.core.config import Config
from exprimo.studies.benchmarking import ComparisonConfig

# Rows of the table: name -> model of the zoo and the options that make the row.
ROWS: dict[str, tuple[str, dict[str, Any]]] = {
    "marks": ("histone_fcn", {}),
    "marks + cell statistics": ("histone_fcn", {"cell_statistics": True}),
    "marks within cells": ("histone_fcn", {"within_cell": True}),
    "marks + k-mers": ("histone_fcn", {"kmers": True}),
    "marks + statistics + k-mers": ("histone_fcn", {"cell_statistics": True, "kmers": True}),
    "ridge within cells": ("bins_ridge", {"within_cell": True}),
    "deepchrome": ("deepchrome", {}),
    "attentive_chrome": ("attentive_chrome", {}),
    "histone_autoencoder": ("histone_autoencoder", {}),
    "histone_crnn": ("histone_crnn", {}),
}
MARKS, STATISTICS, WITHIN, KMERS, ALL = tuple(ROWS)[:5]
RIDGE_WITHIN = "ridge within cells"
BASELINES = ("gene_mean", "mark_sum", "bins_ridge", "bins_boosting")


class TrackSource(Config):
    """Signal tracks of each mark in each cell type, around the genes of an annotation."""

    genes: str
    """Annotation: GTF, GFF3 or BED."""
    signals: tuple[str, ...] = ()
    """Tracks as ``CELL:MARK:FILE``: BigWig, bedGraph, reads in BED or BAM."""
    signal_table: str | None = None
    """Or a table of tracks with the columns cell_type, mark, file."""
    expression: str
    """A column per cell type, or gene_id, cell_type, expression."""
    fasta: str | None = None
    """Genome of the tracks; without it no row can read k-mers."""
    bins: int = Field(100, ge=2)
    """Bins around the TSS."""
    bin_size: int = Field(100, ge=1)
    """Bases of a bin."""
    marks: tuple[str, ...] = ()
    """The marks to use, in order; unset: all."""
    scale: Literal["raw", "log1p", "asinh"] = "log1p"
    """Of the signal."""
    library_size: bool = False
    """Divide by the size of each library."""
    expression_scale: Literal["raw", "log2", "asinh"] = "raw"
    """Of expression; log2 is of x + 1."""
    gene_names: str | None = None
    """Two columns that join the names in ``expression`` to those of the annotation."""
    chrom_style: str = "auto"
    """``auto``, or a table: name in ``genes``, name in the other files."""
    tss: str = "canonical"
    """``canonical``, ``most5prime``, or a table gene_id, chrom, tss, strand."""
    biotype: str | None = None
    """Keep only genes of this biotype."""

    @model_validator(mode="after")
    def _tracks_are_named(self) -> Self:
        if bool(self.signals) == bool(self.signal_table):
            raise ValueError("give signals or signal_table, one of the two")
        return self


class BinnedSource(Config):
    """Signal that is binned already: CSV, NPZ or NPY files."""

    files: tuple[str, ...] = Field(min_length=1)
    """``FILE`` or ``CELL:FILE``."""
    sequences: str | None = None
    """Lines of ``gene id,sequence``; without them no row can read k-mers."""
    marks: tuple[str, ...] = ()
    """Names of the marks, where the files have none."""
    expression: str | None = None
    """Expression, where the files hold none."""
    scale: Literal["raw", "log1p", "asinh"] = "raw"
    """Of the signal."""
    expression_scale: Literal["raw", "log2", "asinh"] = "raw"
    """Of expression; log2 is of x + 1."""
    genes: str | None = None
    """An annotation that adds chromosomes, for splits by chromosome."""


class ChromatinComparison(ComparisonConfig):
    """Rows × splits; the first rows differ in what they read alone."""

    models: tuple[str, ...] = (*BASELINES, *ROWS)
    """Rows of the table, and further models; unset: those whose inputs the dataset has."""
    splits: tuple[str, ...] = Field(("gene*cell", "cell", "gene", "example"), min_length=1)
    """Strategies to compare; the strictest answers. ``example`` deals every pair of gene and
    cell type for itself: it leaks, and shows what that is worth."""
    ensemble: int = Field(3, ge=1)
    """Members of each network."""
    members: Literal["seeds", "folds"] = "folds"
    """By ``folds`` each member stops by a fold of the training part and learns from the rest; by
    ``seeds`` all learn from all of it."""


class Binary(Config):
    """High or low: above or below the median of the training examples of the same cell type."""

    models: tuple[str, ...] = (ALL,)
    """Rows that are trained once more for it, under the split that answers; none: leave it out.
    How well the predicted values of all rows rank high over low is given in any case."""


class Explained(Config):
    """What a network looks at, over test genes of the split that answers."""

    row: str = ALL
    """The row that is explained; unset, and not compared: the first of those that read most."""
    examples: int = Field(400, ge=10)
    """Most test genes of each cell type to explain."""
    genes: tuple[str, ...] = ()
    """Genes whose k-mers are shown; unset: the four of the most extreme predictions."""
    raised: int = Field(50, ge=0)
    """Examples that are changed so that the output rises, within the observed range; 0: none."""
    attention: str | None = None
    """The row whose attention is shown; unset: attentive_chrome where it is compared."""


class ChromatinStudy(Config):
    """A study of histone marks and expression over cell types. Paths are relative to this file.

    Run it with: exprimo run FILE
    """

    kind: Literal["chromatin"] = "chromatin"
    """What this file describes."""
    out: str = "results"
    """The folder to write: dataset.h5, benchmark/, binary/, interpretation/, report.html."""
    question: str = ""
    """What the report asks in its first line; unset: made from the splits."""
    tracks: TrackSource | None = None
    """Signal tracks; or give [binned], or dataset."""
    binned: BinnedSource | None = None
    """Files of binned signal."""
    dataset: str | None = None
    """A dataset with ``signal`` that was built before, an .h5 file."""
    benchmark: ChromatinComparison = ChromatinComparison()
    """What is compared."""
    binary: Binary = Binary()
    """High or low."""
    interpretation: Explained = Explained()
    """What is explained."""
    truth: str | None = None
    """The truth folder of a simulated world: ceilings, and where marks were planted."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [name for name in ("tracks", "binned", "dataset") if getattr(self, name)]
        if len(given) != 1:
            raise ValueError(
                "a study needs exactly one of [tracks], [binned] and dataset, "
                f"and {' and '.join(given) or 'none'} is given"
            )
        return self
