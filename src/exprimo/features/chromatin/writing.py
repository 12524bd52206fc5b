"""Write a chromatin dataset: the same for tracks and for binned files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.dataset.writer import DatasetWriter
from exprimo.core.progress import task
from exprimo.core.sequence import Codes
from exprimo.features.build_summary import TargetValues
from exprimo.features.chromatin.context import CellContext, context_labels

Signal = npt.NDArray[np.float32]

# 1,024 contexts of ten rows and a hundred bins are 4 MB.
_ROWS_AT_ONCE = 1024


@dataclass(frozen=True)
class ChromatinChoice:
    """What the user chose; see `dataset_chromatin`."""

    out: Path
    genes: Path | None
    fasta: Path | None
    expression: Path | None
    marks: tuple[str, ...]
    scale: str
    expression_scale: str
    library_size: bool
    bins: int
    bin_size: int
    gene_names: Path | None
    chrom_style: str | Path
    tss: str | Path
    biotype: str | None


@dataclass
class Built:
    """What a builder tells: size of the dataset, what was left out, sentences."""

    n_examples: int
    n_bins: int
    cells: tuple[str, ...]
    marks: tuple[str, ...]
    targets: dict[str, TargetValues]
    dropped: dict[str, int]
    notes: list[str] = field(default_factory=list)


class Stretch(NamedTuple):
    """Consecutive examples of one cell type."""

    cell: str
    n_examples: int


@dataclass
class Contexts:
    """The context of each cell type, which grows while its signal passes."""

    by_cell: dict[str, CellContext] = field(default_factory=dict)

    def passing(self, cell: str, signal: Signal) -> Signal:
        """Learn from the signal of some examples, and give it on."""
        self.by_cell.setdefault(cell, CellContext()).add(signal)
        return signal

    def rows(self, stretches: Sequence[Stretch]) -> Iterator[Signal]:
        """Give the context of each example, in order."""
        known = {cell: context.statistics() for cell, context in self.by_cell.items()}
        for cell, n_examples in stretches:
            for start in range(0, n_examples, _ROWS_AT_ONCE):
                some = min(_ROWS_AT_ONCE, n_examples - start)
                yield np.broadcast_to(known[cell], (some, *known[cell].shape))


class Contents(NamedTuple):
    """What goes into the file; ``signal`` and ``sequence`` run through the examples in order."""

    examples: pd.DataFrame
    stretches: Sequence[Stretch]
    marks: Sequence[str]
    signal: Iterator[Signal]
    contexts: Contexts
    sequence: Iterator[Codes] | None
    targets: Mapping[str, TargetValues]


def write_contents(dataset: DatasetWriter, contents: Contents) -> None:
    """Store examples, inputs and targets; the signal is read before its context is known."""
    dataset.examples(contents.examples)
    dataset.input("signal", contents.signal, labels=contents.marks)
    n_examples = len(contents.examples)
    context = _counted(contents.contexts.rows(contents.stretches), "Storing contexts", n_examples)
    dataset.input("cell_context", context, labels=context_labels(contents.marks))
    if contents.sequence is not None:
        dataset.input("sequence", _counted(contents.sequence, "Storing sequences", n_examples))
    for name, found in contents.targets.items():
        dataset.target(name, found.values, kind=found.kind)


def _counted(
    chunks: Iterable[npt.NDArray[Any]], description: str, total: int
) -> Iterator[npt.NDArray[Any]]:
    with task(description, total) as bar:
        for chunk in chunks:
            yield chunk
            bar.advance(len(chunk))


def example_ids(cells: npt.ArrayLike, genes: npt.ArrayLike) -> list[str]:
    """Name examples ``CELL_GENE``.

    Examples
    --------
    >>> example_ids(["K562"], ["ENSG1"])
    ['K562_ENSG1']
    """
    return [f"{c}_{g}" for c, g in zip(np.asarray(cells), np.asarray(genes), strict=True)]
