"""Clumping: the most significant variant takes those linked with it, then the next that is left."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import Field

from exprimo.core.compiled import compiled
from exprimo.core.config import Config
from exprimo.core.errors import InputError
from exprimo.genetics.clumping.calls import Planes, Words
from exprimo.genetics.clumping.linkage import MEASURES, copies_of, pair_r2

Int = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

LinkageMeasure = Literal["haplotype", "counts"]
UNTAKEN = -1
# r² that is the bar but for rounding is not above it.
_ABOVE = 1 + 1e-12


class ClumpConfig(Config):
    """What a clump is. The defaults are those of scores: p1 1, r² 0.1, 250 kb.

    All comparisons are PLINK 1.9's: nearer than ``window``, r² above ``r2``, p up to ``p1``.
    """

    window: int = Field(default=250_000, ge=0)
    """Variants nearer to the index variant than so many bases can be in its clump."""

    r2: float = Field(default=0.1, ge=0, le=1)
    """A clump takes what has a larger r² with its index variant."""

    p1: float = Field(default=1.0, gt=0, le=1)
    """Largest p-value of an index variant."""

    p2: float = Field(default=1.0, gt=0, le=1)
    """Members with a p-value up to this are listed; any linked variant is taken, listed or not."""

    measure: LinkageMeasure = "haplotype"
    """Which r²: of alleles on haplotypes estimated by maximum likelihood, as PLINK 1.9 clumps, or
    of the number of copies."""


class Clumps(NamedTuple):
    """Which variant took which.

    Attributes
    ----------
    index_rows
        Rows of index variants, the most significant first.
    taken_by
        (variants,): the row of the index variant, its own for an index variant, -1 for none.
    """

    index_rows: Int
    taken_by: Int


def clump(
    planes: Planes,
    chrom: npt.NDArray[np.int64],
    position: Int,
    p: Floats,
    config: ClumpConfig | None = None,
) -> Clumps:
    """Clump variants by p-value and linkage.

    Parameters
    ----------
    planes
        Genotypes of the people in whom linkage is measured.
    chrom
        (variants,), number of the chromosome.
    position
        (variants,), in any order.
    p
        (variants,); NaN: the variant takes no part. Of equal ones the first row goes first.

    Examples
    --------
    >>> from exprimo.genetics.clumping.calls import pack_calls
    >>> calls = np.array([[0, 1, 2, 0] * 2, [0, 1, 2, 0] * 2, [0] * 4 + [2] * 4], np.int8)
    >>> at = np.array([10, 20, 30])
    >>> found = clump(pack_calls(calls), np.zeros(3, int), at, np.array([0.01, 1e-4, 0.5]))
    >>> found.index_rows.tolist(), found.taken_by.tolist()
    ([1, 2], [1, 1, 2])
    """
    config = config or ClumpConfig()
    _refuse_unfit(planes, chrom, position, p)
    order = np.lexsort((position, chrom))
    sorted_planes = planes.of(order)
    first, last = _reach(chrom[order], position[order], config.window)
    rank = np.lexsort((order, p[order]))
    rank = rank[p[order][rank] <= config.p1]
    taken = _clump(
        rank,
        ~np.isnan(p[order]),
        first,
        last,
        (sorted_planes.carrier, sorted_planes.double, sorted_planes.called),
        sorted_planes.n_called,
        copies_of(sorted_planes),
        planes.n_people,
        MEASURES[config.measure],
        config.r2,
    )
    index = rank[taken[rank] == rank]
    taken_by = np.full(len(p), UNTAKEN, dtype=np.int64)
    taken_by[order] = np.where(taken >= 0, order[taken], UNTAKEN)
    return Clumps(order[index], taken_by)


def _reach(chrom: Int, position: Int, window: int) -> tuple[Int, Int]:
    """Give for each variant, sorted, the first row in its window and the one after the last."""
    first, last = np.empty(len(chrom), np.int64), np.empty(len(chrom), np.int64)
    edges = np.flatnonzero(np.diff(chrom)) + 1
    for rows in np.split(np.arange(len(chrom)), edges):
        if len(rows):
            here = position[rows]
            first[rows] = rows[0] + np.searchsorted(here, here - window, side="right")
            last[rows] = rows[0] + np.searchsorted(here, here + window, side="left")
    return first, last


@compiled
def _clump(
    rank: Int,
    present: npt.NDArray[np.bool_],
    first: Int,
    last: Int,
    planes: tuple[Words, Words, Words],
    n_called: Int,
    copies: Floats,
    n_people: int,
    measure: int,
    bar: float,
) -> Int:
    taken = np.full(present.shape[0], -1, dtype=np.int64)
    for i in rank:
        if taken[i] >= 0:
            continue
        taken[i] = i
        for j in range(first[i], last[i]):
            if taken[j] >= 0 or not present[j]:
                continue
            if pair_r2(i, j, planes, n_called, copies, n_people, measure, bar) > bar * _ABOVE:
                taken[j] = i
    return taken


def _refuse_unfit(planes: Planes, chrom: Int, position: Int, p: Floats) -> None:
    lengths = {len(planes.carrier), len(chrom), len(position), len(p)}
    if len(lengths) != 1:
        raise InputError(
            "variants, places and p-values do not go together",
            found=f"{len(planes.carrier)} rows of genotypes, {len(chrom)} chromosomes, "
            f"{len(position)} positions, {len(p)} p-values",
            expected="one of each a variant",
        )
    wrong = np.flatnonzero((p < 0) | (p > 1))
    if len(wrong):
        raise InputError(
            "not a p-value",
            record=f"variant {wrong[0] + 1}",
            found=p[wrong[0]],
            expected="between 0 and 1, or missing",
        )
