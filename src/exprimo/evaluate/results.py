"""What evaluation returns: small named tuples that every report and table shares."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

FEW_GROUPS = 10
"""Below this many independent units an interval is rough, and is flagged."""

MIN_GROUPS = 3
"""Below this many independent units no interval is claimed."""


class Estimate(NamedTuple):
    """A value with its interval; `low` and `high` are NaN where none can be claimed.

    `n` counts rows, `n_groups` the independent units that were resampled, `unit` names them.
    """

    value: float
    low: float
    high: float
    n: int
    n_groups: int
    unit: str

    @property
    def few_groups(self) -> bool:
        """Tell whether too few units stand behind the interval to trust its width."""
        return self.n_groups < FEW_GROUPS


class Difference(NamedTuple):
    """The metric of `a` minus the metric of `b`, with interval and two-sided bootstrap p.

    `n_groups` counts the units of the smaller side; `n_shared` those that both sides hold and
    that were therefore resampled together.
    """

    value: float
    low: float
    high: float
    p: float
    n_groups: int
    n_shared: int
    unit: str

    @property
    def few_groups(self) -> bool:
        """Tell whether too few units stand behind the interval to trust its width."""
        return self.n_groups < FEW_GROUPS


class SeededDifference(NamedTuple):
    """The mean over seeds of the metric of `a` minus the metric of `b`.

    `per_seed` holds the difference of each seed on the whole test set, `(seeds,)`.
    """

    value: float
    low: float
    high: float
    p: float
    n_groups: int
    unit: str
    per_seed: FloatArray

    @property
    def seeds(self) -> int:
        """Count the seeds."""
        return int(self.per_seed.size)

    @property
    def seed_sd(self) -> float:
        """Return the standard deviation of the differences over seeds; NaN for one seed."""
        return float(self.per_seed.std(ddof=1)) if self.seeds > 1 else math.nan


class JudgedSet(NamedTuple):
    """One model on one test set: observed `(n,)`, predicted `(n,)` or `(seeds, n)`, groups."""

    observed: FloatArray
    predicted: FloatArray
    groups: NDArray[np.generic] | None = None


class Threshold(NamedTuple):
    """The score from which an example is called positive, and what it reached on validation."""

    value: float
    criterion: str
    reached: float
    n: int


class Reliability(NamedTuple):
    """A reliability curve: per bin the mean probability, the share of positives, its interval."""

    predicted: FloatArray
    observed: FloatArray
    low: FloatArray
    high: FloatArray
    n: NDArray[np.int64]

    @property
    def expected_error(self) -> float:
        """Return the expected calibration error: the mean gap, weighted by bin size."""
        if self.n.sum() == 0:
            return math.nan
        return float(np.average(np.abs(self.predicted - self.observed), weights=self.n))


class Calibrator(NamedTuple):
    """A map of probabilities, `p -> expit(slope * logit(p) + intercept)`, and what it learned on.

    A temperature T is a slope of 1 / T with no intercept.
    """

    slope: float
    intercept: float
    n: int

    def apply(self, probability: FloatArray) -> FloatArray:
        """Return the calibrated probabilities, of the same shape."""
        edge = np.finfo(np.float64).eps
        clipped = np.clip(np.asarray(probability, dtype=np.float64), edge, 1 - edge)
        calibrated: FloatArray = expit(self.slope * logit(clipped) + self.intercept)
        return calibrated


class SdCoverage(NamedTuple):
    """How often the truth lay within `z` predicted standard deviations, and how often it should."""

    z: float
    expected: float
    measured: Estimate


class SetSummary(NamedTuple):
    """Prediction sets on a test set: coverage, mean size, and the share of each size."""

    coverage: Estimate
    mean_size: float
    empty: float
    single: float
    both: float


class Curve(NamedTuple):
    """Points of a curve, ready to draw; `x` and `y` of the same length."""

    x: FloatArray
    y: FloatArray


class BinnedPairs(NamedTuple):
    """Observed against predicted in bins of equal mass: means and the observed quartiles."""

    predicted: FloatArray
    observed: FloatArray
    lower_quartile: FloatArray
    upper_quartile: FloatArray
    n: NDArray[np.int64]


class MoreData(NamedTuple):
    """What a learning curve says about more data.

    `gain` is the improvement of the last step (positive is better, whatever the metric), with
    its interval; `next_doubling` is the same per doubling of the data, an upper guess of what
    the next doubling brings, because learning curves flatten.
    """

    verdict: str
    gain: float
    low: float
    high: float
    next_doubling: float
    next_low: float
    next_high: float
