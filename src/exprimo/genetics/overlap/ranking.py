"""Rankings within each gene's region, with one stated rule for ties."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.genetics.overlap.tables import SCORE

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

TIES = (
    "by p, then by |slope / slope_se| where both are known, then at random (seeded); "
    "scores by size, then at random"
)
SMALLEST_P = float(np.nextafter(0, 1))
"""What a p-value of 0 counts as where its logarithm is taken."""


class Region(NamedTuple):
    """The variants of one gene along the chromosome, ranked by both tables.

    Attributes
    ----------
    rows
        Numbers of its rows in the joined table, (n,).
    score
        Scores, ALT - REF, (n,).
    size_rank, p_rank
        0 for the variant that is ranked last, n - 1 for the first, ties broken: by |score|, and
        by p.
    top
        How many of each ranking are compared, at most n.
    size_tied, p_tied
        Variants tied across the end of the top, of which some are in it.
    """

    rows: Ints
    score: Floats
    size_rank: Ints
    p_rank: Ints
    top: int
    size_tied: int
    p_tied: int

    @property
    def n(self) -> int:
        return len(self.rows)

    @property
    def size_top(self) -> Bools:
        """Which are in the model's top."""
        return self.size_rank >= self.n - self.top

    @property
    def p_top(self) -> Bools:
        """Which are in the associations' top."""
        return self.p_rank >= self.n - self.top


def ranked(order: Sequence[Floats], rng: np.random.Generator) -> Ints:
    """Rank by several keys, the first leading, larger first; what is then tied at random.

    Examples
    --------
    >>> ranked([np.array([0.1, 3.0, 3.0]), np.array([0.0, 1.0, 2.0])], np.random.default_rng(0))
    array([0, 1, 2])
    """
    n = len(order[0])
    rank = np.empty(n, dtype=np.int64)
    rank[np.lexsort((rng.permutation(n), *reversed(order)))] = np.arange(n)
    return rank


def tied_at(order: Sequence[Floats], rank: Ints, top: int) -> int:
    """Count rows that are tied across the end of the top; 0 where its end is sharp.

    Examples
    --------
    >>> tied_at([np.array([1.0, 2.0, 2.0, 3.0])], np.array([0, 1, 2, 3]), 2)
    2
    """
    if not 0 < top < len(rank):
        return 0
    last, following = (int(np.flatnonzero(rank == len(rank) - at)[0]) for at in (top, top + 1))
    if any(key[last] != key[following] for key in order):
        return 0
    return int(np.logical_and.reduce([key == key[last] for key in order]).sum())


def regions(rows: pd.DataFrame, column: str, top: int, seed: int = 0) -> list[Region]:
    """Rank the variants of each gene.

    Parameters
    ----------
    rows
        Of `join`, with a p-value and a score in each row, in order of gene and position.
    column
        Name of the score.
    top
        Length of the two lists that are compared in each gene.
    seed
        Of what is tied.
    """
    rng = np.random.default_rng(seed)
    score = rows[SCORE + column].to_numpy(np.float64)
    p = rows["p"].to_numpy(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.abs(rows["slope"].to_numpy() / rows["slope_se"].to_numpy())
    z = np.where(np.isnan(z), -1.0, z)
    found = []
    for low, high in pairwise(gene_bounds(rows)):
        at = np.arange(low, high)
        length = min(top, high - low)
        by_size, by_p = [np.abs(score[at])], [-p[at], z[at]]
        size_rank, p_rank = ranked(by_size, rng), ranked(by_p, rng)
        size_tied, p_tied = tied_at(by_size, size_rank, length), tied_at(by_p, p_rank, length)
        found.append(Region(at, score[at], size_rank, p_rank, length, size_tied, p_tied))
    return found


def gene_bounds(rows: pd.DataFrame) -> list[int]:
    """Give where genes begin in rows that are in order of gene, and the end.

    Examples
    --------
    >>> gene_bounds(pd.DataFrame({"gene_id": ["a", "a", "b"]}))
    [0, 2, 3]
    """
    gene = pd.factorize(rows["gene_id"])[0]
    return np.flatnonzero(np.diff(gene, prepend=-1, append=-1)).tolist() if len(gene) else [0]


def log_p(p: Floats) -> Floats:
    """Give -log10 p; a p of 0 counts as the smallest positive number.

    Examples
    --------
    >>> log_p(np.array([0.01])).tolist()
    [2.0]
    """
    return -np.log10(np.maximum(p, SMALLEST_P))
