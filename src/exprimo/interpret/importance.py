"""Importance along the window: mean |gradient × input| per position, and where it is greatest.

Contributions are (examples, length) in gene orientation, as `exprimo.scoring.gradients` gives
them for ``sequence``: the gradient at the base that is there, 0 at N.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from exprimo.core.errors import ConfigError, InputError, MismatchError
from exprimo.evaluate.inputs import group_codes
from exprimo.evaluate.proportions import check_level
from exprimo.evaluate.results import MIN_GROUPS, FloatArray

# Multiplicities of groups that are drawn at once: 32 MiB.
_DRAWS = 1 << 22
# Cells of contributions that are widened to float64 at once.
_CELLS = 1 << 22

NEAR = 100
"""Bases on either side of the most important position that count as near it."""

PROFILE_COLUMNS = ("position", "mean", "lower", "upper", "signed_mean")


class TopPositions(NamedTuple):
    """The positions of greatest importance, in a choice of examples.

    Attributes
    ----------
    positions
        Relative to the TSS, (positions,), upstream first.
    ranks
        1 for the most important, (positions,).
    examples
        Row numbers of the chosen examples, (examples,), by rising prediction.
    predictions
        Of the chosen examples, (examples,).
    values
        Contributions with their sign, (positions, examples).
    """

    positions: NDArray[np.int64]
    ranks: NDArray[np.int64]
    examples: NDArray[np.int64]
    predictions: FloatArray
    values: FloatArray


def importance_profile(
    contributions: NDArray[Any],
    tss_index: int,
    *,
    window: tuple[int, int] | None = None,
    smooth: int = 1,
    groups: Any = None,
    n_boot: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Average |contribution| and contribution over examples, per position around the TSS.

    Parameters
    ----------
    contributions
        Gradient × input, (examples, length), in gene orientation.
    tss_index
        Column of the TSS base, which is position 0; upstream is negative.
    window
        First and last position relative to the TSS, both inside; all unless given.
    smooth
        Width of a moving mean in bases, odd; 1 leaves positions as they are. At the ends of the
        contributions it averages over the positions that exist.
    groups
        Independent unit of each example (gene, homology group), (examples,); None makes every
        example a unit. Intervals resample whole units.
    n_boot, level, seed
        Resamples, level and seed of the percentile intervals; these hold for one position at a
        time. With fewer than three groups none is claimed (NaN).

    Returns
    -------
    pandas.DataFrame
        Columns ``position, mean, lower, upper, signed_mean``: mean |contribution| with its
        interval, and mean contribution, in the unit of the contributions per base.

    Examples
    --------
    >>> found = importance_profile(np.array([[0.0, 2.0, 1.0], [0.0, -4.0, 1.0]]), tss_index=2)
    >>> found[["position", "mean", "signed_mean"]].values.tolist()
    [[-2.0, 0.0, 0.0], [-1.0, 3.0, -1.0], [0.0, 1.0, 1.0]]
    """
    check_level(level)
    check_contributions(contributions, tss_index)
    n, length = contributions.shape
    check_smoothing(smooth, length)
    first, last = _columns(window, tss_index, length)
    codes, n_groups = group_codes(groups, np.ones(n, dtype=bool))
    counts = np.bincount(codes, minlength=n_groups).astype(float)
    size = np.empty((n_groups, last - first + 1))
    signed = np.empty_like(size)
    for columns, wide, inside in _column_blocks(n, first, last, smooth // 2, length):
        values = contributions[:, wide].astype(np.float64)
        signed[:, columns] = _smoothed(_group_sums(values, codes, n_groups), smooth)[:, inside]
        size[:, columns] = _smoothed(_group_sums(abs(values), codes, n_groups), smooth)[:, inside]
    lower, upper = _interval(size, counts, n_boot, level, seed)
    return pd.DataFrame(
        {
            "position": np.arange(first, last + 1) - tss_index,
            "mean": size.sum(0) / n,
            "lower": lower,
            "upper": upper,
            "signed_mean": signed.sum(0) / n,
        }
    )


def top_positions(
    contributions: NDArray[Any],
    predictions: NDArray[Any],
    tss_index: int,
    *,
    window: tuple[int, int] | None = None,
    n_positions: int = 20,
    n_examples: int = 100,
) -> TopPositions:
    """Choose the positions of greatest mean |contribution|, and examples over all predictions.

    Parameters
    ----------
    contributions, tss_index, window
        As `importance_profile` takes them; positions are not smoothed.
    predictions
        (examples,). The examples are chosen evenly by the rank of their prediction, with the
        least and the greatest; ties stay in their order.

    Examples
    --------
    >>> found = top_positions(np.array([[0, 3, -9.0], [0, 5, 1]]), np.array([0.9, 0.1]), 0,
    ...                       n_positions=2)
    >>> found.positions.tolist(), found.ranks.tolist(), found.examples.tolist()
    ([1, 2], [2, 1], [1, 0])
    >>> found.values.tolist()
    [[5.0, 3.0], [1.0, -9.0]]
    """
    check_contributions(contributions, tss_index)
    n, length = contributions.shape
    if np.shape(predictions) != (n,):
        raise MismatchError(
            "predictions and contributions do not fit together",
            found=f"predictions of shape {np.shape(predictions)} for {n} examples",
        )
    if n_positions < 1 or n_examples < 1:
        raise ConfigError("nothing to choose", found=f"{n_positions} × {n_examples}")
    first, last = _columns(window, tss_index, length)
    mean = np.concatenate(
        [
            abs(contributions[:, wide].astype(np.float64)).mean(0)
            for _, wide, _ in _column_blocks(n, first, last, 0, length)
        ]
    )
    by_importance = np.argsort(-mean, kind="stable")[:n_positions]
    places = np.argsort(by_importance)
    columns = by_importance[places] + first
    order = np.argsort(predictions, kind="stable")
    even = np.linspace(0, n - 1, min(n, n_examples)).round().astype(np.int64)
    chosen = order[even]
    return TopPositions(
        columns - tss_index,
        places + 1,
        chosen,
        np.asarray(predictions, dtype=np.float64)[chosen],
        contributions[np.ix_(chosen, columns)].T.astype(np.float64),
    )


def check_smoothing(width: int, length: int | None) -> None:
    """Refuse what is no width of a moving mean, or wider than a window of ``length`` bases."""
    if width < 1 or width % 2 == 0:
        raise ConfigError("not a width to smooth by", found=width, expected="1, 3, 5 or more, odd")
    if length is not None and width > length:
        raise ConfigError(
            "a width to smooth by that is wider than the window",
            found=width,
            expected=f"at most the {length:,} bases of the window",
        )


def strongest(profile: pd.DataFrame) -> tuple[int, float] | None:
    """Give the position of greatest mean importance, and the share of all that lies near it.

    Near is within `NEAR` bases. None where nothing has any importance.

    Examples
    --------
    >>> strongest(pd.DataFrame({"position": [-300, -20, 0], "mean": [1.0, 2.0, 1.0]}))
    (-20, 0.75)
    """
    mean = profile["mean"]
    if not mean.sum() > 0:
        return None
    position = int(profile["position"].iloc[int(mean.argmax())])
    near = (profile["position"] - position).abs() <= NEAR
    return position, float(mean[near].sum() / mean.sum())


def check_contributions(contributions: NDArray[Any], tss_index: int) -> None:
    """Refuse what is no table of contributions, or a TSS outside it."""
    if contributions.ndim != 2 or not contributions.size:
        raise InputError(
            "not a table of contributions",
            found=f"shape {contributions.shape}",
            expected="(examples, length)",
        )
    if not 0 <= tss_index < contributions.shape[1]:
        raise ConfigError(
            "the TSS lies outside the window",
            found=tss_index,
            expected=f"a column from 0 to {contributions.shape[1] - 1}",
        )


def group_draws(
    n_groups: int, n_boot: int, rng: np.random.Generator
) -> Iterator[tuple[slice, FloatArray]]:
    """Draw groups with replacement: which resamples, and how often each group is in them."""
    block = max(1, _DRAWS // max(n_groups, 1))
    even = np.full(n_groups, 1.0 / n_groups)
    for start in range(0, n_boot, block):
        stop = min(start + block, n_boot)
        yield slice(start, stop), rng.multinomial(n_groups, even, stop - start).astype(float)


def _columns(window: tuple[int, int] | None, tss_index: int, length: int) -> tuple[int, int]:
    low, high = window or (-tss_index, length - 1 - tss_index)
    first, last = low + tss_index, high + tss_index
    if not 0 <= first <= last < length:
        raise ConfigError(
            "this window is not inside what the model reads",
            found=f"{low} to {high}",
            expected=f"positions from {-tss_index} to {length - 1 - tss_index}",
        )
    return first, last


def _column_blocks(
    n: int, first: int, last: int, margin: int, length: int
) -> Iterator[tuple[slice, slice, slice]]:
    """Cut columns into blocks: where they go, what is read for them, and which of that is kept."""
    size = max(1, _CELLS // n)
    for start in range(first, last + 1, size):
        stop = min(start + size, last + 1)
        low, high = max(0, start - margin), min(length, stop + margin)
        yield (
            slice(start - first, stop - first),
            slice(low, high),
            slice(start - low, stop - low),
        )


def _group_sums(values: FloatArray, codes: NDArray[np.int64], n_groups: int) -> FloatArray:
    if n_groups == len(values):
        sums = np.empty_like(values)
        sums[codes] = values
        return sums
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(n_groups))
    return np.add.reduceat(values[order], starts, axis=0)


def _smoothed(values: FloatArray, width: int) -> FloatArray:
    """Average over neighbouring columns that exist."""
    if width == 1:
        return values
    half, length = width // 2, values.shape[1]
    sums = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)
    low = np.maximum(np.arange(length) - half, 0)
    high = np.minimum(np.arange(length) + half + 1, length)
    averaged: FloatArray = (sums[:, high] - sums[:, low]) / (high - low)
    return averaged


def _interval(
    sums: FloatArray, counts: FloatArray, n_boot: int, level: float, seed: int
) -> tuple[FloatArray, FloatArray]:
    n_groups, length = sums.shape
    if n_boot < 1:
        raise ConfigError("too few resamples", found=n_boot, expected="at least 1")
    if n_groups < MIN_GROUPS:
        return np.full(length, np.nan), np.full(length, np.nan)
    drawn = np.empty((n_boot, length))
    for here, times in group_draws(n_groups, n_boot, np.random.default_rng(seed)):
        drawn[here] = (times @ sums) / (times @ counts)[:, None]
    tail = (1 - level) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=0)
    return low, high
