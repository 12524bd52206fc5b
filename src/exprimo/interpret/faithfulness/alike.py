"""How alike are two explanations of the same examples?"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from exprimo.core.errors import MismatchError
from exprimo.evaluate.results import Estimate, FloatArray
from exprimo.interpret.faithfulness.means import Units, mean_estimate

_SWAPS = 5


class Alike(NamedTuple):
    """Likeness of two explanations, means over examples.

    Attributes
    ----------
    size, signed
        Rank correlation within each example of the sizes of contributions, and of contributions.
    size_swapped, signed_swapped
        The same where examples get one another's contributions: what all examples share.
    overlap, expected
        Share of the positions of greatest size that both have, and its expectation by chance.
    """

    size: Estimate
    size_swapped: float
    signed: Estimate
    signed_swapped: float
    overlap: Estimate
    expected: float


def alike(
    one: npt.NDArray[Any], other: npt.NDArray[Any], units: Units, *, top: int = 20, seed: int = 0
) -> Alike:
    """Compare two explanations of the same examples, each (n, positions).

    Examples
    --------
    >>> values = np.random.default_rng(0).normal(size=(12, 40))
    >>> found = alike(values, -values, Units(np.arange(12), "example"))
    >>> round(found.size.value, 6), round(found.signed.value, 6), found.overlap.value
    (1.0, -1.0, 1.0)
    """
    if one.shape != other.shape:
        raise MismatchError(
            "these explanations differ in shape", found=other.shape, expected=one.shape
        )
    top = min(top, one.shape[1])
    size, signed = rank_correlation(abs(one), abs(other)), rank_correlation(one, other)
    size_swapped, signed_swapped = [], []
    for by in swaps(len(one), seed):
        size_swapped.append(rank_correlation(abs(one), abs(other[by])).mean())
        signed_swapped.append(rank_correlation(one, other[by]).mean())
    return Alike(
        mean_estimate(size, units, seed),
        float(np.mean(size_swapped)),
        mean_estimate(signed, units, seed),
        float(np.mean(signed_swapped)),
        mean_estimate(top_overlap(one, other, top), units, seed),
        top / one.shape[1],
    )


def rank_correlation(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> FloatArray:
    """Give Spearman's correlation within each example, (n,); 0 where either does not vary.

    Examples
    --------
    >>> one, other = np.array([[1, 2, 3], [1, 1, 1]]), np.array([[1, 4, 9], [1, 2, 3]])
    >>> rank_correlation(one, other).tolist()
    [1.0, 0.0]
    """
    a, b = (_centred_ranks(values) for values in (one, other))
    scale = np.sqrt((a**2).sum(1) * (b**2).sum(1))
    found = np.divide((a * b).sum(1), scale, out=np.zeros(len(a)), where=scale > 0)
    return np.asarray(np.clip(found, -1.0, 1.0), dtype=np.float64)


def top_overlap(one: npt.NDArray[Any], other: npt.NDArray[Any], top: int) -> FloatArray:
    """Give the share of the positions of greatest size that both have, (n,)."""
    chosen = [
        np.argsort(-abs(np.asarray(values)), axis=1, kind="stable")[:, :top]
        for values in (one, other)
    ]
    return np.array([len(np.intersect1d(a, b)) / top for a, b in zip(*chosen, strict=True)])


def swaps(n: int, seed: int) -> list[npt.NDArray[np.int64]]:
    """Give orders of examples in which none has its own place (of two or more)."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(_SWAPS):
        order = rng.permutation(n)
        by = np.empty(n, dtype=np.int64)
        by[order] = np.roll(order, 1)
        found.append(by)
    return found


def _centred_ranks(values: npt.NDArray[Any]) -> FloatArray:
    ranks = rankdata(np.nan_to_num(np.asarray(values, dtype=np.float64)), axis=1)
    return np.asarray(ranks - ranks.mean(1, keepdims=True), dtype=np.float64)
