"""Split conformal prediction: intervals and sets with a stated coverage.

If validation and test rows are exchangeable, a new row is covered with probability at least
`level`, whatever the model (Vovk, Gammerman and Shafer 2005; Lei et al. 2018, JASA 113:1094).
The promise is on average over rows, not for each gene, and it lapses where test rows come from
elsewhere (another chromosome with other genes, another cell type): so coverage on the test set
is always measured and shown beside it.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from exprimo.core.errors import InputError, MismatchError
from exprimo.evaluate.inputs import check_classes, check_probabilities, observed_rows, side_by_side
from exprimo.evaluate.proportions import check_level, proportion
from exprimo.evaluate.results import BoolArray, Estimate, FloatArray, SetSummary

# Spreads below this share of the median count as that: a member-for-member agreement of the
# ensemble must not promise an interval of no width.
_LEAST_SD = 0.01


class Conformal(NamedTuple):
    """A conformal interval: prediction ± scale, or ± scale · sd where `normalised`.

    `reason` says why `scale` is infinite, and is empty otherwise.
    """

    scale: float
    level: float
    n: int
    normalised: bool
    least_sd: float
    reason: str

    def interval(
        self, predicted: ArrayLike, sd: ArrayLike | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """Give the ends of the interval of each prediction, `(n,)` each."""
        centre = np.asarray(predicted, dtype=np.float64)
        if not self.normalised:
            return centre - self.scale, centre + self.scale
        if sd is None:
            raise InputError(
                "this interval is scaled by the ensemble's spread",
                found="no standard deviations",
                expected="one per prediction",
            )
        centre, spread = side_by_side(predicted=predicted, sd=sd)
        half = np.full_like(spread, math.inf)
        if math.isfinite(self.scale):
            half = self.scale * _floored(spread, self.least_sd)
        return centre - half, centre + half


class ConformalSets(NamedTuple):
    """Prediction sets: class c is in where 1 - p(c) <= cutoff."""

    cutoff: float
    level: float
    n: int
    reason: str

    def sets(self, probability: ArrayLike) -> BoolArray:
        """Tell which classes each set holds, `(n, 2)`: column 0 for class 0, column 1 for 1."""
        p = np.asarray(probability, dtype=np.float64)
        check_probabilities(p)
        held: BoolArray = np.stack([p, 1 - p], axis=1) <= self.cutoff
        return held


def conformal_quantile(
    observed_val: ArrayLike,
    predicted_val: ArrayLike,
    sd_val: ArrayLike | None = None,
    level: float = 0.9,
) -> Conformal:
    """Learn the width of intervals from validation residuals.

    The scale is the ⌈(n + 1) · level⌉-th smallest |residual|, or |residual| / sd. With fewer
    than level / (1 - level) rows there is no such one: the interval is infinite and says why.

    Parameters
    ----------
    observed_val, predicted_val
        Truth and prediction of validation examples, `(n,)`; NaN observations are left out.
    sd_val
        Ensemble standard deviation, `(n,)`: intervals are then wider where members disagree.

    Examples
    --------
    >>> got = conformal_quantile(range(9), [0.0] * 9, level=0.8)
    >>> got.scale, [end.tolist() for end in got.interval([10.0])]
    (7.0, [[3.0], [17.0]])
    """
    check_level(level)
    columns = (
        {"predicted": predicted_val}
        if sd_val is None
        else {"predicted": predicted_val, "sd": sd_val}
    )
    rows = observed_rows(observed_val, side_by_side(**columns))
    residual = np.abs(rows.observed - rows.predicted[0])
    least = 0.0
    if sd_val is not None:
        least = _least_sd(rows.predicted[1])
        residual = residual / _floored(rows.predicted[1], least)
    scale, reason = _finite_sample_quantile(residual, level)
    return Conformal(scale, level, residual.size, sd_val is not None, least, reason)


def coverage(
    observed_test: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    groups: Any = None,
    *,
    level: float = 0.95,
    unit: str = "example",
) -> Estimate:
    """Measure on the test set how often intervals hold the truth.

    Examples
    --------
    >>> coverage([1.0, 2.0, 3.0, 9.0], [0, 1, 2, 3], [2, 3, 4, 5]).value
    0.75
    """
    truth, start, end = side_by_side(observed=observed_test, low=low, high=high)
    known = ~np.isnan(truth)
    if np.isnan(start[known]).any() or np.isnan(end[known]).any():
        raise InputError("an interval has no end", found="NaN", expected="numbers, or infinity")
    inside = np.where(known, (start <= truth) & (truth <= end), np.nan)
    return proportion(inside, groups, level=level, unit=unit)


def conformal_sets(
    observed_val: ArrayLike, probability_val: ArrayLike, level: float = 0.9
) -> ConformalSets:
    """Learn from validation which classes to put into a set, for coverage `level`.

    The score of a row is 1 minus the probability of its true class (least ambiguous sets; Sadinle,
    Lei and Wasserman 2019, JASA 114:223). Coverage is over both classes together: a rare class
    may be covered less.

    Examples
    --------
    >>> fit = conformal_sets([0, 0, 1, 1], [0.1, 0.2, 0.7, 0.6], level=0.8)
    >>> fit.sets([0.05, 0.5, 0.65]).tolist()
    [[True, False], [False, False], [False, True]]
    """
    check_level(level)
    rows = observed_rows(observed_val, probability_val)
    y, p = rows.observed, rows.single
    check_classes(y)
    check_probabilities(p)
    cutoff, reason = _finite_sample_quantile(np.where(y == 1, 1 - p, p), level)
    return ConformalSets(cutoff, level, y.size, reason)


def summarise_sets(
    sets: BoolArray,
    observed_test: ArrayLike,
    groups: Any = None,
    *,
    level: float = 0.95,
    unit: str = "example",
) -> SetSummary:
    """Measure the coverage and the sizes of prediction sets `(n, 2)` on the test set."""
    held = np.asarray(sets, dtype=bool)
    truth = np.asarray(observed_test, dtype=np.float64)
    if held.shape != (truth.size, 2):
        raise MismatchError(
            "sets and observed values differ in length",
            found=f"sets of shape {held.shape} for {truth.size} values",
            expected="sets of shape (n, 2)",
        )
    known = ~np.isnan(truth)
    check_classes(truth[known])
    hit = np.where(np.nan_to_num(truth) == 1, held[:, 1], held[:, 0])
    covered = proportion(np.where(known, hit, np.nan), groups, level=level, unit=unit)
    size = held[known].sum(axis=1)
    if size.size == 0:
        return SetSummary(covered, math.nan, math.nan, math.nan, math.nan)
    empty, single, both = (float((size == k).mean()) for k in range(3))
    return SetSummary(covered, float(size.mean()), empty, single, both)


def _finite_sample_quantile(scores: FloatArray, level: float) -> tuple[float, str]:
    n = scores.size
    # (n + 1) * level is often a whole number that floating point overshoots by one bit.
    rank = math.ceil((n + 1) * level - 1e-9)
    if rank > n:
        need = math.ceil(level / (1 - level) - 1e-9)
        reason = f"{n} validation rows are too few for level {level:g}: it takes {need}"
        return math.inf, reason
    return float(np.partition(scores, rank - 1)[rank - 1]), ""


def _least_sd(sd: FloatArray) -> float:
    positive = sd[sd > 0]
    if sd.size and positive.size == 0:
        raise InputError(
            "the ensemble's spread is 0 everywhere, so it cannot scale an interval",
            expected="a standard deviation above 0 for some rows",
            remedy="Leave sd_val out, or train an ensemble of several members",
        )
    return _LEAST_SD * float(np.median(positive)) if positive.size else 0.0


def _floored(sd: FloatArray, least: float) -> FloatArray:
    if not (sd >= 0).all():
        raise InputError(
            "a standard deviation is negative or missing",
            found=float(sd[~(sd >= 0)][0]),
            expected="numbers >= 0",
        )
    return np.maximum(sd, least)
