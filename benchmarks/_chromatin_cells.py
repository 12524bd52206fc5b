"""The data of ``python -m benchmarks chromatin``: random cells, ours and as the published matrix.

Examples are a cell type times a gene: five marks in 100 bins of 100 bases, mean and standard
deviation of each mark over the genes of the cell type, and the gene's bases, from which 3-mers are
counted. Values are random; only their sizes and their number matter here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.dataset import Dataset, write_dataset

MARKS = ("H3K27me3", "H3K36me3", "H3K4me1", "H3K4me3", "H3K9me3")
BINS, BIN_SIZE = 100, 100
_GENES_AT_ONCE = 4_000
# What a count of reads becomes in the published files: log(count + 1).
_LOGS = np.log1p(np.arange(256, dtype=np.float32))


def write_cells(path: Path, cells: int, genes: int) -> None:
    """Write random cells x genes as our dataset, cell by cell."""
    rng = np.random.default_rng(0)
    context = rng.random((cells, 2 * len(MARKS), BINS), dtype=np.float32)
    codes = rng.integers(0, 4, (genes, BINS * BIN_SIZE), dtype=np.uint8)
    parts = [slice(at, at + _GENES_AT_ONCE) for at in range(0, genes, _GENES_AT_ONCE)]

    def signal() -> Iterator[npt.NDArray[np.float32]]:
        for _ in range(cells):
            for part in parts:
                n = len(range(genes)[part])
                yield _LOGS[rng.integers(0, 256, (n, len(MARKS), BINS), dtype=np.uint8)]

    statistics = [f"{kind} {mark}" for kind in ("mean", "sd") for mark in MARKS]
    with write_dataset(path, {}) as out:
        out.examples(_table(cells, genes))
        out.input("signal", signal(), labels=MARKS)
        repeated = (np.broadcast_to(one, (genes, *one.shape)) for one in context)
        out.input("cell_context", repeated, labels=statistics)
        out.input("sequence", (codes[part] for _ in range(cells) for part in parts))
        out.target("expression", rng.normal(size=cells * genes), kind="regression")


def _table(cells: int, genes: int) -> pd.DataFrame:
    names = [(f"C{cell}", f"G{gene}") for cell in range(cells) for gene in range(genes)]
    return pd.DataFrame(
        {
            "example_id": [f"{cell}_{gene}" for cell, gene in names],
            "gene_id": [gene for _, gene in names],
            "cell_type": [cell for cell, _ in names],
        }
    )


def write_matrix(path: Path, folder: Path, kmers: list[int]) -> None:
    """Write every example's numbers as the published matrix: ``x.npy`` and ``y.npy``.

    ``kmers`` are the rows of ``kmer_bins`` that are kept.
    """
    from exprimo.features.chromatin import attach_kmer_bins

    with Dataset.open(path) as data:
        attach_kmer_bins(data)
        rows = 3 * len(MARKS) + len(kmers)
        x = np.empty((len(data), rows, BINS), dtype=np.float32)
        for start in range(0, len(data), _GENES_AT_ONCE):
            chosen = np.arange(start, min(start + _GENES_AT_ONCE, len(data)))
            part = x[start : start + len(chosen)]
            part[:, : len(MARKS)] = data.rows("signal", chosen)
            part[:, len(MARKS) : 3 * len(MARKS)] = data.rows("cell_context", chosen)
            part[:, 3 * len(MARKS) :] = data.rows("kmer_bins", chosen)[:, kmers]
        np.save(folder / "x.npy", x)
        np.save(folder / "y.npy", data.target("expression"))
