"""What models of chromatin read: rows of numbers along the bins around a TSS.

The marks come first, then what the example's cell type has on average, then k-mer counts. All
networks of this folder read the same rows in the same order, so that what differs between them is
what stands behind.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field, field_validator
from torch import Tensor, nn

from exprimo.core.config import Config
from exprimo.core.dataset import Dataset
from exprimo.core.errors import InputError, MismatchError
from exprimo.core.sequence import ALPHABET
from exprimo.features.chromatin import choose_vocabulary
from exprimo.models.standardise import InputStatistics, Standardise
from exprimo.models.zoo import Shapes

KMER_LENGTH = 3
LEAST_SD = 1e-3
"""A mark that hardly varies over the genes of a cell type is not blown up beyond this."""
SETTLES = {"vocabulary": "k-mer vocabulary"}
"""What training fills in, and its name in the ledger."""
N_KMERS = len(ALPHABET) ** KMER_LENGTH


class RowsConfig(Config):
    """Which rows are read beside the marks."""

    cell_statistics: bool = False
    """Read mean and standard deviation of each mark over the genes of the example's cell type."""
    within_cell: bool = False
    """Read the marks in standard deviations from the mean of the example's own cell type, in each
    bin: what a library's depth and an antibody's strength do to a whole cell type is gone, and so
    is what truly differs between whole cell types."""
    kmers: bool = False
    """Read counts of 3-mers in each bin."""
    vocabulary: tuple[str, ...] | None = None
    """Which 3-mers; unset: training chooses those that its sequences often hold. A network that
    is built without a choice reads all 125."""
    kmer_least: int = Field(10_000, ge=1)
    """Occurrences in the training part's distinct sequences from which on a 3-mer is chosen."""

    @field_validator("vocabulary")
    @classmethod
    def _are_kmers(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for kmer in value or ():
            if len(kmer) != KMER_LENGTH or not set(kmer) <= set(ALPHABET):
                raise ValueError(f"{kmer!r} is not a {KMER_LENGTH}-mer of {ALPHABET}")
        if value is not None and (not value or len(set(value)) != len(value)):
            raise ValueError("name each 3-mer once, and at least one; or leave vocabulary unset")
        return value


class NetRowsConfig(RowsConfig):
    """Options that all networks over bins share."""

    standardise: bool = True
    """Standardise each row in each bin by the mean and standard deviation of the training part."""


def settle_vocabulary(
    config: RowsConfig, dataset: Dataset, rows: npt.NDArray[np.int64]
) -> RowsConfig:
    """Choose the 3-mers by the sequences of the training examples, where they are open."""
    if not config.kmers or config.vocabulary is not None:
        return config
    chosen = choose_vocabulary(dataset, rows, config.kmer_least)
    if not chosen:
        raise InputError(
            "no 3-mer occurs often enough in the training part",
            file=dataset.path,
            record="kmer_least",
            expected=f"{config.kmer_least:,} occurrences",
            remedy="Lower kmer_least, or leave k-mers out",
        )
    return config.model_copy(update={"vocabulary": chosen})


def rows_inputs(config: RowsConfig) -> tuple[str, ...]:
    """Name the inputs that the options read.

    Examples
    --------
    >>> rows_inputs(RowsConfig(kmers=True))
    ('signal', 'kmer_bins')
    """
    context = config.cell_statistics or config.within_cell
    asked = {"cell_context": context, "kmer_bins": config.kmers}
    return ("signal", *(name for name, wanted in asked.items() if wanted))


def kmer_row(kmer: str) -> int:
    """Give a 3-mer's row among the 125 of ``kmer_bins``: AAA, AAC, ... in the order of ACGTN.

    Examples
    --------
    >>> kmer_row("AAA"), kmer_row("AAC"), kmer_row("NNN")
    (0, 1, 124)
    """
    row = 0
    for letter in kmer:
        row = row * len(ALPHABET) + ALPHABET.index(letter)
    return row


def kept_kmers(config: RowsConfig) -> list[int] | None:
    """Give the rows of ``kmer_bins`` that the vocabulary names, None for all.

    Examples
    --------
    >>> kept_kmers(RowsConfig(vocabulary=("AAC", "CAA")))
    [1, 25]
    """
    return None if config.vocabulary is None else [kmer_row(k) for k in config.vocabulary]


def rows_shape(config: RowsConfig, shapes: Shapes) -> tuple[int, int]:
    """Count rows and bins, after checking that all inputs have the same bins.

    Examples
    --------
    >>> shapes = Shapes({"signal": (5, 100), "cell_context": (10, 100)}, "regression")
    >>> rows_shape(RowsConfig(cell_statistics=True), shapes)
    (15, 100)
    """
    rows, bins = 0, shapes.inputs["signal"][1]
    for name in rows_inputs(config):
        here = shapes.inputs[name]
        if here[1] != bins:
            raise MismatchError(
                f"{name} and signal have different bins",
                found=f"{here[1]} bins",
                expected=f"{bins} bins",
                remedy="Build the dataset anew, with sequences as long as all bins together",
            )
        if name == "cell_context" and not config.cell_statistics:
            continue
        chosen = config.vocabulary if name == "kmer_bins" else None
        rows += here[0] if chosen is None else len(chosen)
    return rows, bins


class StandardiseSome(Standardise):
    """`Standardise` of some rows of an input: (batch, all, bins) to (batch, kept, bins).

    Examples
    --------
    >>> import numpy as np
    >>> layer = StandardiseSome((3, 1), [2, 0])
    >>> layer.learn(InputStatistics(np.float32([[1], [2], [3]]), np.float32([[1], [1], [2]])))
    >>> layer(torch.tensor([[[1.0], [9.0], [7.0]]])).tolist()
    [[[2.0], [0.0]]]
    """

    kept: Tensor

    def __init__(self, shape: tuple[int, int], kept: list[int]) -> None:
        super().__init__((len(kept), shape[1]))
        self.register_buffer("kept", torch.tensor(kept), persistent=False)

    def learn(self, statistics: InputStatistics) -> None:
        """Take the statistics of all rows of the input."""
        kept = self.kept.cpu().numpy()
        super().learn(InputStatistics(statistics.mean[kept], statistics.sd[kept]))

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.index_select(1, self.kept))


class ReadsRows(nn.Module):
    """Base of the networks of this folder: inputs to (batch, rows, bins).

    Parameters
    ----------
    config
        Which rows are read.
    shapes
        Shapes of the inputs: ``signal`` (marks, bins), ``cell_context`` (2 x marks, bins),
        ``kmer_bins`` (125, bins).
    """

    kept: Tensor

    def __init__(self, config: NetRowsConfig, shapes: Shapes) -> None:
        super().__init__()
        stacked = config.cell_statistics
        self.read = tuple(n for n in rows_inputs(config) if stacked or n != "cell_context")
        self.within_cell = config.within_cell
        self.n_rows, self.n_bins = rows_shape(config, shapes)
        self.n_marks = shapes.inputs["signal"][0]
        kept = kept_kmers(config)
        self.register_buffer(
            "kept", torch.arange(N_KMERS) if kept is None else torch.tensor(kept), persistent=False
        )
        if config.standardise:
            # By this name training finds the layers and hands them their statistics. What is
            # told in deviations of the cell type already needs none.
            scaled = [n for n in self.read if not (config.within_cell and n == "signal")]
            self.standardise = nn.ModuleDict(
                {name: _standardise(shapes.inputs[name], name, kept) for name in scaled}
            )
        self.standardises = config.standardise

    def one_input(self, name: str, inputs: dict[str, Tensor]) -> Tensor:
        """Give one input as it is read, (batch, its rows, bins)."""
        if name == "signal" and self.within_cell:
            mean, sd = inputs["cell_context"].chunk(2, dim=1)
            return (inputs["signal"] - mean) / sd.clamp_min(LEAST_SD)
        if self.standardises:
            values: Tensor = self.standardise[name](inputs[name])
            return values
        chosen = inputs[name].index_select(1, self.kept) if name == "kmer_bins" else inputs[name]
        return chosen.float()

    def rows(self, inputs: dict[str, Tensor]) -> Tensor:
        """Give all rows, (batch, rows, bins): marks, what the cell type has, k-mers."""
        return torch.cat([self.one_input(name, inputs) for name in self.read], dim=1)


def _standardise(shape: tuple[int, ...], name: str, kept: list[int] | None) -> Standardise:
    if name != "kmer_bins" or kept is None:
        return Standardise(shape)
    return StandardiseSome((shape[0], shape[1]), kept)
