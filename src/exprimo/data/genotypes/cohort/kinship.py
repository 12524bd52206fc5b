"""Duplicates and close relatives by the KING-robust estimator (Manichaikul et al. 2010)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtri

from exprimo.core.progress import track
from exprimo.data.genotypes.cohort.tally import HOM_ALT, HOM_REF, GenotypeCodes

# Halfway, on a scale of powers of two, between the kinships of neighbouring degrees (Table 1).
DUPLICATE, FIRST, SECOND, THIRD = (2.0**-power for power in (1.5, 2.5, 3.5, 4.5))
DUPLICATES = "duplicates or twins"

_TILE = 1024
_CHUNK = 4096
# Parent and child share an allele everywhere; siblings have a quarter of a stranger's IBS0.
_PARENT_IBS0 = 0.1

Matrix = npt.NDArray[np.float64]


def relation(kinship: float, ibs0: float) -> str:
    """Name the relation that fits.

    Parameters
    ----------
    ibs0
        Variants at which the two have opposite homozygotes, over the number that strangers
        would have.

    Examples
    --------
    >>> [relation(k, i) for k, i in ((0.5, 0), (0.25, 0.01), (0.25, 0.24), (0.12, 0.5), (0, 1))]
    ['duplicates or twins', 'parent and child', 'siblings', 'second degree', 'unrelated']
    """
    if kinship > DUPLICATE:
        return DUPLICATES
    if kinship > FIRST:
        return "parent and child" if ibs0 < _PARENT_IBS0 else "siblings"
    if kinship > SECOND:
        return "second degree"
    return "third degree" if kinship > THIRD else "unrelated"


def chance_kinship(codes: GenotypeCodes, n_pairs: int) -> float:
    """Give a kinship that, of so many pairs of strangers, none exceeds with a chance of 99%.

    At a variant, heterozygotes in both have the chance 4p²q² and opposite homozygotes 2p²q², so
    the estimator's numerator varies by 12p²q², and its denominator is 4pq.

    Parameters
    ----------
    codes
        (variants, samples), of unlinked variants.

    Examples
    --------
    >>> codes = np.random.default_rng(0).binomial(2, 0.3, (20_000, 90)).astype(np.int8)
    >>> round(chance_kinship(codes, 1000), 3), chance_kinship(codes[:50], 1000) > DUPLICATE
    (0.026, True)
    """
    pq = np.prod(_frequencies(codes), axis=0)
    if not n_pairs or not pq.any():
        return math.inf
    spread = math.sqrt(12 * float(np.square(pq).sum())) / (4 * float(pq.sum()))
    return float(spread * -ndtri(0.01 / n_pairs))


def related_pairs(
    codes: GenotypeCodes, samples: Sequence[str], *, at_least: float = SECOND
) -> pd.DataFrame:
    """Find the pairs of samples with a kinship of ``at_least``.

    Kinship is ½ - Σ(x - y)² / 4h over the variants that both have, with h the smaller number of
    heterozygotes (Manichaikul et al. 2010, equation 11, its terms summed). It may be negative
    between people of different ancestry. Inbred lines without heterozygotes have none.

    Parameters
    ----------
    codes
        (variants, samples): 0, 1, 2 copies of ALT; anything else is missing. Autosomes.
    samples
        Their names.

    Returns
    -------
    pd.DataFrame
        ``sample_1, sample_2, kinship, ibs0`` (share of opposite homozygotes), ``n_variants``
        (known in both), ``relation``; the closest first.

    Examples
    --------
    >>> a = np.random.default_rng(0).integers(0, 3, 500)
    >>> b = np.random.default_rng(1).integers(0, 3, 500)
    >>> found = related_pairs(np.stack([a, b, a], axis=1).astype(np.int8), ["a", "b", "twin"])
    >>> found[["sample_1", "sample_2", "kinship", "relation"]].values.tolist()
    [['a', 'twin', 0.5, 'duplicates or twins']]
    """
    found = []
    n_tiles = -(-codes.shape[1] // _TILE)
    tiles = track(kinship_tiles(codes), "Comparing samples", n_tiles * (n_tiles + 1) // 2)
    for left, right, kinship in tiles:
        rows, columns = np.nonzero(kinship >= at_least)
        for i, j in zip(rows + left, columns + right, strict=True):
            if i < j:
                found.append((i, j, kinship[i - left, j - right]))
    # The chance of opposite homozygotes is 2p²q².
    pq = np.prod(_frequencies(codes), axis=0)
    strangers = float(np.mean(2 * np.square(pq))) if len(pq) else 0.0
    table = pd.DataFrame(
        [_pair(codes, samples, strangers, int(i), int(j), float(k)) for i, j, k in found],
        columns=["sample_1", "sample_2", "kinship", "ibs0", "n_variants", "relation"],
    )
    return table.sort_values("kinship", ascending=False, kind="stable", ignore_index=True)


def kinship_tiles(codes: GenotypeCodes) -> Iterator[tuple[int, int, Matrix]]:
    """Give the kinship of all pairs by tiles: first row, first column, (rows, columns)."""
    complete = bool(((codes >= 0) & (codes <= 2)).all())
    n_samples = codes.shape[1]
    for left in range(0, n_samples, _TILE):
        for right in range(left, n_samples, _TILE):
            yield left, right, _tile(codes, left, right, complete=complete)


def _tile(codes: GenotypeCodes, left: int, right: int, *, complete: bool) -> Matrix:
    """Sum (x - y)² and the heterozygotes of both, where both are known, by matrix products."""
    n_samples = codes.shape[1]
    shape = min(_TILE, n_samples - left), min(_TILE, n_samples - right)
    apart, het_left, het_right = (np.zeros(shape) for _ in range(3))
    for begin in range(0, len(codes), _CHUNK):
        rows = codes[begin : begin + _CHUNK]
        x, x_known = _counts(rows[:, left : left + _TILE])
        y, y_known = _counts(rows[:, right : right + _TILE])
        x_het, y_het = (x == 1).astype(np.float32), (y == 1).astype(np.float32)
        # Sums of a chunk are whole numbers below 2^24, exact in float32.
        apart -= 2 * (x.T @ y)
        if complete:
            apart += np.square(x).sum(axis=0)[:, None] + np.square(y).sum(axis=0)
            het_left += x_het.sum(axis=0)[:, None]
            het_right += y_het.sum(axis=0)
        else:
            apart += np.square(x).T @ y_known + x_known.T @ np.square(y)
            het_left += x_het.T @ y_known
            het_right += x_known.T @ y_het
    fewer = np.minimum(het_left, het_right)
    scaled: Matrix = np.divide(apart, 4 * fewer, out=np.full(shape, np.inf), where=fewer > 0)
    return 0.5 - scaled


def _counts(codes: GenotypeCodes) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    known = (codes >= 0) & (codes <= 2)
    return np.where(known, codes, 0).astype(np.float32), known.astype(np.float32)


def _frequencies(codes: GenotypeCodes) -> Matrix:
    """Give p and q = 1 - p of each variant with genotypes, (2, variants)."""
    known = (codes >= HOM_REF) & (codes <= HOM_ALT)
    copies = 2.0 * known.sum(axis=1)
    alts = np.where(known, codes, 0).sum(axis=1, dtype=np.int64)
    p = alts[copies > 0] / copies[copies > 0]
    return np.stack([p, 1 - p])


def _pair(
    codes: GenotypeCodes, samples: Sequence[str], strangers: float, i: int, j: int, kinship: float
) -> tuple[str, str, float, float, int, str]:
    x, y = codes[:, i], codes[:, j]
    both = (x >= HOM_REF) & (x <= HOM_ALT) & (y >= HOM_REF) & (y <= HOM_ALT)
    opposite = int(((np.abs(x - y) == HOM_ALT) & both).sum())
    share = opposite / max(int(both.sum()), 1)
    name = relation(kinship, share / strangers if strangers else 0.0)
    return samples[i], samples[j], kinship, share, int(both.sum()), name
