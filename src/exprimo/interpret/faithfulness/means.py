"""Means over examples with intervals that resample whole groups."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exprimo.evaluate.inputs import group_codes
from exprimo.evaluate.results import MIN_GROUPS, Estimate, FloatArray
from exprimo.interpret.importance import group_draws

_LEVEL = 0.95
_RESAMPLES = 1000


class Units(NamedTuple):
    """The independent unit of each example, (n,), and what it is."""

    groups: NDArray[Any]
    name: str

    def of(self, rows: Any) -> Units:
        """Give those of some examples."""
        return Units(self.groups[rows], self.name)


def mean_estimate(values: Any, units: Units, seed: int = 0) -> Estimate:
    """Give the mean over examples, (n,), with its 95% interval over groups.

    Examples
    --------
    >>> found = mean_estimate(np.arange(20.0), Units(np.repeat(np.arange(10), 2), "gene"))
    >>> found.value, found.low < 9.5 < found.high, found.n_groups
    (9.5, True, 10)
    """
    given = np.asarray(values, dtype=np.float64)
    lows, highs = mean_interval(given[:, None], units, seed)
    n_groups = len(np.unique(units.groups))
    return Estimate(
        float(given.mean()), float(lows[0]), float(highs[0]), len(given), n_groups, units.name
    )


def mean_interval(values: FloatArray, units: Units, seed: int = 0) -> tuple[FloatArray, FloatArray]:
    """Give the ends of the interval of each column's mean, from (n, columns); NaN of too few."""
    codes, n_groups = group_codes(units.groups, np.ones(len(values), dtype=bool))
    if n_groups < MIN_GROUPS:
        none = np.full(values.shape[1], np.nan)
        return none, none.copy()
    sums = np.zeros((n_groups, values.shape[1]))
    np.add.at(sums, codes, values)
    counts = np.bincount(codes, minlength=n_groups).astype(float)
    drawn = np.empty((_RESAMPLES, values.shape[1]))
    for here, times in group_draws(n_groups, _RESAMPLES, np.random.default_rng(seed)):
        drawn[here] = (times @ sums) / (times @ counts)[:, None]
    tail = (1 - _LEVEL) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=0)
    return low, high
