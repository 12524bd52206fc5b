"""Linkage disequilibrium of two variants from their genotypes: compiled, on planes of bits.

Two measures. ``haplotype``: the squared correlation of alleles on a haplotype, whose frequencies
are the maximum-likelihood ones given unphased genotypes (Hill 1974, Heredity 33:229); the
likelihood's stationary points are the roots of a cubic. ``counts``: the squared correlation of the
numbers of copies. People with a missing genotype at either variant are left out of the pair.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from exprimo.core.compiled import compiled
from exprimo.genetics.clumping.calls import Planes, Words

HAPLOTYPE, COUNTS = 0, 1
MEASURES = {"haplotype": HAPLOTYPE, "counts": COUNTS}

_ONES = np.uint64(0x5555555555555555)
_TWOS = np.uint64(0x3333333333333333)
_FOURS = np.uint64(0x0F0F0F0F0F0F0F0F)
_BYTES = np.uint64(0x0101010101010101)
_TOLERANCE = 1e-9


@compiled
def _bits(word: Any) -> Any:
    # The compiler makes one instruction of this where the machine has it.
    word = word - ((word >> np.uint64(1)) & _ONES)
    word = (word & _TWOS) + ((word >> np.uint64(2)) & _TWOS)
    word = (word + (word >> np.uint64(4))) & _FOURS
    return (word * _BYTES) >> np.uint64(56)


@compiled
def _both(a: Words, b: Words) -> float:
    total = np.uint64(0)
    for w in range(a.shape[0]):
        total += _bits(a[w] & b[w])
    return float(total)


@compiled
def _log_term(count: float, frequency: float) -> float:
    if count <= 0:
        return 0.0
    return count * np.log(frequency) if frequency > 0 else -np.inf


@compiled
def _log_likelihood(
    f: float, p: float, q: float, known: tuple[float, float, float, float], hets: float
) -> float:
    """Give the log-likelihood of haplotype 11 having frequency ``f``; ``known``: 11, 10, 01, 00."""
    f10, f01, f00 = p - f, q - f, 1 - p - q + f
    return (
        _log_term(known[0], f)
        + _log_term(known[1], f10)
        + _log_term(known[2], f01)
        + _log_term(known[3], f00)
        + _log_term(hets, f * f00 + f10 * f01)
    )


@compiled
def _cubic_roots(b: float, c: float, d: float) -> tuple[int, float, float, float]:
    """Give the real roots of x³ + bx² + cx + d, and how many of the three places hold one."""
    shift = b / 3
    m = c / 3 - shift * shift
    n = shift * shift * shift - shift * c / 2 + d / 2
    inside = n * n + m * m * m
    if inside > 0:
        # The larger cube root first: the other by division loses no digits.
        big = np.cbrt(-n - np.sqrt(inside)) if n > 0 else np.cbrt(-n + np.sqrt(inside))
        small = -m / big if big != 0 else 0.0
        return 1, big + small - shift, 0.0, 0.0
    root = np.sqrt(max(-m, 0.0))
    if root == 0:
        return 1, -shift, 0.0, 0.0
    angle = np.arccos(min(1.0, max(-1.0, -n / (root * root * root)))) / 3
    turn = 2 * np.pi / 3
    return (
        3,
        2 * root * np.cos(angle) - shift,
        2 * root * np.cos(angle - turn) - shift,
        2 * root * np.cos(angle + turn) - shift,
    )


@compiled
def _haplotype_frequency(
    p: float, q: float, known: tuple[float, float, float, float], hets: float, n: float
) -> float:
    """Give the likeliest frequency of haplotype 11; ``n`` haplotypes, ``hets`` double ones."""
    low = known[0] / n
    share = hets / n
    slope = 1 - 2 * p - 2 * q
    roots = _cubic_roots(
        (slope - 2 * low - share) / 2,
        (p * q - low * slope - share * (1 - p - q)) / 2,
        -low * p * q / 2,
    )
    best, best_value = low + share / 2, -np.inf
    for k in range(roots[0]):
        f = roots[1] if k == 0 else (roots[2] if k == 1 else roots[3])
        if f < low - _TOLERANCE or f > low + share + _TOLERANCE:
            continue
        f = min(max(f, low), low + share)
        value = _log_likelihood(f, p, q, known, hets)
        if value > best_value:
            best, best_value = f, value
    return best


@compiled
def _haplotype_r2(
    total: float, one: float, other: float, product: float, hets: float, bar: float
) -> float:
    """Give r² of alleles, or a value below ``bar`` as soon as r² is known to be.

    ``total`` people have ``one`` and ``other`` copies, ``product`` in the sum of products, and
    ``hets`` of them are heterozygous at both.
    """
    n = 2 * total
    p, q = one / n, other / n
    spread = p * (1 - p) * q * (1 - q)
    if spread <= 0:
        return 0.0
    both = (product - hets) / 2
    low = both / n - p * q
    high = low + hets / n
    if max(low * low, high * high) < bar * spread:
        return 0.0
    if hets == 0:
        return low * low / spread
    known = (both, one - both - hets, other - both - hets, n - one - other + both)
    d = _haplotype_frequency(p, q, known, hets, n) - p * q
    return d * d / spread


@compiled
def _counts_r2(total: float, sums: tuple[float, float, float, float, float]) -> float:
    """Give r² of copies from the sums of x, y, x², y² and xy."""
    x, y, xx, yy, xy = sums
    spread = (total * xx - x * x) * (total * yy - y * y)
    if spread <= 0:
        return 0.0
    d = total * xy - x * y
    return d * d / spread


@compiled
def pair_r2(
    i: int,
    j: int,
    planes: tuple[Words, Words, Words],
    n_called: npt.NDArray[np.int64],
    copies: npt.NDArray[np.float64],
    n_people: int,
    measure: int,
    bar: float,
) -> float:
    """Give r² of variants ``i`` and ``j``, or a value below ``bar`` if r² is below it.

    Parameters
    ----------
    planes
        Carriers, doubles and called, each (variants, words).
    copies
        (variants, 2): how many carry at least one, how many two.
    """
    carrier, double, called = planes
    total = float(n_people)
    a1, a2, b1, b2 = copies[i, 0], copies[i, 1], copies[j, 0], copies[j, 1]
    if n_called[i] < n_people or n_called[j] < n_people:
        total = _both(called[i], called[j])
        a1, a2 = _both(carrier[i], called[j]), _both(double[i], called[j])
        b1, b2 = _both(called[i], carrier[j]), _both(called[i], double[j])
        if total == 0:
            return 0.0
    if measure == HAPLOTYPE and not _reachable((a1 + a2) / 2, (b1 + b2) / 2, total, bar):
        return 0.0
    cc, dd = 0, 0
    mixed, x, y = 0, carrier[i], carrier[j]
    z, v = double[i], double[j]
    for w in range(x.shape[0]):
        cc += _bits(x[w] & y[w])
        dd += _bits(z[w] & v[w])
        mixed += _bits(x[w] & v[w]) + _bits(z[w] & y[w])
    product = float(cc + dd + mixed)
    if measure == HAPLOTYPE:
        # Both het: both carry, less those of whom one or the other has two.
        hets = float(cc + dd - mixed)
        return _haplotype_r2(total, a1 + a2, b1 + b2, product, hets, bar)
    return _counts_r2(total, (a1 + a2, b1 + b2, a1 + 3 * a2, b1 + 3 * b2, product))


@compiled
def _reachable(one: float, other: float, total: float, bar: float) -> bool:
    """Tell whether alleles so common can have r² of ``bar`` at all, whichever way they pair."""
    p, q = one / total, other / total
    spread = p * (1 - p) * q * (1 - q)
    if spread <= 0:
        return False
    top = min(p, q) - p * q
    bottom = max(0.0, p + q - 1) - p * q
    return max(top * top, bottom * bottom) >= bar * spread


def linkage_r2(planes: Planes, i: int, j: int, measure: str = "haplotype") -> float:
    """Give r² of two variants.

    Examples
    --------
    >>> from exprimo.genetics.clumping.calls import pack_calls
    >>> planes = pack_calls(np.array([[0, 0, 1, 2], [0, 0, 1, 2]], np.int8))
    >>> round(linkage_r2(planes, 0, 1), 9), round(linkage_r2(planes, 0, 1, "counts"), 9)
    (1.0, 1.0)
    """
    parts = (planes.carrier, planes.double, planes.called)
    return float(
        pair_r2(
            i,
            j,
            parts,
            planes.n_called,
            copies_of(planes),
            planes.n_people,
            MEASURES[measure],
            0.0,
        )
    )


def copies_of(planes: Planes) -> npt.NDArray[np.float64]:
    """Count carriers and doubles of each variant, (variants, 2)."""
    return np.stack(
        [
            np.bitwise_count(planes.carrier).sum(axis=1),
            np.bitwise_count(planes.double).sum(axis=1),
        ],
        axis=1,
    ).astype(np.float64)
