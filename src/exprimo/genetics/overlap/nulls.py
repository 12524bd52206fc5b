"""How much two rankings overlap by chance: without LD, and with it.

The hypergeometric distribution takes each variant for a draw of its own. Neighbours in LD have
alike p-values, and often alike scores, so the overlap varies more than that: the p-value is too
small. Shifting the scores along the region, as on a ring, keeps both runs of neighbours whole
and breaks only what one has to do with the other (the torus test of spatial statistics, Lotwick &
Silverman 1982; used for annotations by GoShifter, Trynka et al. 2015).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from exprimo.genetics.overlap.ranking import Bools, Floats, Ints, Region

N_DRAWS = 9_999
"""Draws where the shifts of several genes are combined."""
ALL_SHIFTS_TO = 2_000
"""Up to so many variants every shift is computed where each costs a sort; beyond, a sample."""
_SMALLEST_STRATUM = 20
# Of one quantity, and of each of two.
_MOST_BINS = (10, 5)
# Without it, sums over thousands of genes would have long tails of nothing.
_NEGLIGIBLE = 1e-100
# Sums of 0 and 1 through a Fourier transform are whole but for rounding.
_ROUNDING = 1e-7


class ShiftTest(NamedTuple):
    """An observed value against the same under shifts.

    Attributes
    ----------
    p
        Share of shifts, the unshifted among them, with a value at least as large (or as far from
        the mean of all, of a two-sided test).
    mean, low, high
        Mean and middle 95% of the values under shifts.
    n_shifts
        Shifts, or draws of shifts where there are several genes; no p is below 1 / n_shifts.
    """

    p: float
    mean: float
    low: float
    high: float
    n_shifts: int


def hypergeometric(found: int, lists: Sequence[tuple[int, int, int]]) -> tuple[float, float]:
    """Give the expected overlap and the chance of at least the overlap that was found.

    Parameters
    ----------
    found
        Overlap, summed over genes.
    lists
        Of each gene: variants, and the lengths of its two lists.

    Examples
    --------
    >>> expected, p = hypergeometric(1, [(1402, 50, 50)])
    >>> round(expected, 2), round(p, 3)
    (1.78, 0.843)
    """
    expected = float(sum(one * other / n for n, one, other in lists))
    if len(lists) == 1:
        n, one, other = lists[0]
        return expected, float(stats.hypergeom.sf(found - 1, n, one, other))
    chances, least = np.ones(1), 0
    for n, one, other in lists:
        of_gene = stats.hypergeom.pmf(np.arange(min(one, other) + 1), n, one, other)
        chances = np.convolve(chances, of_gene)
        kept = np.flatnonzero(chances > _NEGLIGIBLE)
        least += int(kept[0])
        chances = chances[kept[0] : kept[-1] + 1]
    p = float(chances[max(0, found - least) :].sum())
    return expected, min(1.0, max(p, _NEGLIGIBLE))


def shifted_products(mine: Floats | Bools, theirs: Floats | Bools) -> Floats:
    """Sum products of two rows of numbers, with one shifted as on a ring by 0, 1, ..., n - 1.

    Examples
    --------
    >>> shifted_products(np.array([1, 0, 0, 1]), np.array([0, 1, 0, 0])).round(9).tolist()
    [0.0, 1.0, 1.0, 0.0]
    """
    one, other = (np.fft.rfft(np.asarray(side, dtype=np.float64)) for side in (mine, theirs))
    found: Floats = np.fft.irfft(np.conj(one) * other, len(mine))
    return found


def shift_test(
    values: Sequence[Floats], rng: np.random.Generator, *, two_sided: bool = False
) -> ShiftTest | None:
    """Test a sum over genes against shifts of each gene's region.

    Parameters
    ----------
    values
        Of each gene, the value under each shift; the first is the unshifted one.
    rng
        Draws shifts where there are several genes, each gene's apart from the others'.
    two_sided
        Far from the mean in either direction counts, instead of large.

    Returns
    -------
    ShiftTest or None
        None where no region can be shifted.

    Examples
    --------
    >>> shift_test([np.array([2.0, 0.0, 1.0, 0.0])], np.random.default_rng(0)).p
    0.25
    """
    if not values or max(len(of) for of in values) < 2:
        return None
    observed = float(sum(of[0] for of in values))
    if len(values) == 1:
        drawn = values[0]
    else:
        total = np.zeros(N_DRAWS)
        for of in values:
            total += of[rng.integers(len(of), size=N_DRAWS)]
        drawn = np.concatenate([[observed], total])
    mean = float(drawn.mean())
    low, high = np.quantile(drawn, [0.025, 0.975])
    if two_sided:
        extreme = np.abs(drawn - mean) >= abs(observed - mean) - _ROUNDING
    else:
        extreme = drawn >= observed - _ROUNDING
    return ShiftTest(float(extreme.mean()), mean, float(low), float(high), len(drawn))


def strata(maf: Floats, distance: Floats) -> Ints | None:
    """Sort variants into strata by minor allele frequency and distance to the TSS.

    Both are cut at their quantiles, the more finely the more variants there are. A missing value
    is a stratum of its own.

    Returns
    -------
    NDArray or None
        Number of the stratum, (n,); None where neither is known or there are too few variants.

    Examples
    --------
    >>> strata(np.full(40, np.nan), np.arange(40.0)).tolist() == [0] * 20 + [1] * 20
    True
    """
    known = [side for side in (maf, np.abs(distance)) if not np.isnan(side).all()]
    if not known:
        return None
    n_bins = min(
        _MOST_BINS[len(known) - 1], int((len(maf) / _SMALLEST_STRATUM) ** (1 / len(known)) + 1e-9)
    )
    if n_bins < 2:
        return None
    number = np.zeros(len(maf), dtype=np.int64)
    for side in known:
        bins = pd.qcut(side, n_bins, labels=False, duplicates="drop")
        number = number * (n_bins + 1) + np.where(np.isnan(bins), n_bins, bins).astype(np.int64)
    return np.unique(number, return_inverse=True)[1]


def some_shifts(n: int, most: int, rng: np.random.Generator) -> Ints:
    """Give all shifts of a ring, or a sample of them; none (0) stands first.

    Examples
    --------
    >>> some_shifts(4, 10, np.random.default_rng(0)).tolist()
    [0, 1, 2, 3]
    """
    if n <= most:
        return np.arange(n)
    return np.concatenate([[0], 1 + rng.choice(n - 1, size=most - 1, replace=False)])


def matched_overlaps(region: Region, stratum: Ints, shifts: Ints) -> Floats:
    """Give the overlap under shifts that leave each stratum the scores that it has.

    What is shifted is each variant's rank within its stratum. Where it lands, the score of that
    rank in the stratum of that place is taken. So rare variants, or those near the TSS, keep their
    share of the high scores, and neighbours that rank alike stay neighbours.

    Parameters
    ----------
    region
        The variants of one gene.
    stratum
        From `strata`, (n,).
    shifts
        From `some_shifts`; the overlap of shift 0 is the observed one.
    """
    order = np.lexsort((region.size_rank, stratum))
    first = np.searchsorted(stratum[order], np.arange(stratum.max() + 1))
    size = np.bincount(stratum)
    within = np.empty(region.n, dtype=np.int64)
    within[order] = np.arange(region.n) - first[stratum[order]]
    share = (within + 0.5) / size[stratum]
    scores_of = region.size_rank[order]
    theirs, cut = region.p_top, region.n - region.top
    found = np.empty(len(shifts))
    for number, shift in enumerate(shifts):
        landed = np.roll(share, shift)
        at = first[stratum] + (landed * size[stratum]).astype(np.int64)
        # Two that land on one score are told apart by what they were: share lies below 1.
        value = scores_of[at] + landed
        found[number] = theirs[np.argpartition(value, cut)[cut:]].sum() if region.top else 0
    return found
