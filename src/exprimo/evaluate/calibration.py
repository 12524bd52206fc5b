"""Do probabilities, and predicted standard deviations, mean what they say?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, special, stats

from exprimo.core.errors import ConfigError, InputError
from exprimo.evaluate.inputs import (
    IntArray,
    check_classes,
    check_probabilities,
    observed_rows,
    side_by_side,
)
from exprimo.evaluate.proportions import proportion
from exprimo.evaluate.results import Calibrator, FloatArray, Reliability, SdCoverage


def equal_mass_bins(values: FloatArray, n_bins: int) -> tuple[IntArray, int]:
    """Put values into at most `n_bins` bins of about equal size; equal values share a bin.

    Returns the bin of each value, `(n,)`, in ascending order of the values, and the number of
    bins that hold any.

    Examples
    --------
    >>> bins, n = equal_mass_bins(np.array([0.9, 0.1, 0.2, 0.8]), 2)
    >>> bins.tolist(), n
    ([1, 0, 0, 1], 2)
    """
    if n_bins < 1:
        raise ConfigError("too few bins", found=n_bins, expected="at least 1")
    if values.size == 0:
        return np.zeros(0, dtype=np.int64), 0
    edges = np.quantile(values, np.arange(1, n_bins) / n_bins)
    _, bins = np.unique(np.searchsorted(edges, values, side="right"), return_inverse=True)
    bins = bins.astype(np.int64, copy=False).reshape(-1)
    return bins, int(bins.max()) + 1


def reliability(
    observed: ArrayLike,
    probability: ArrayLike,
    groups: Any = None,
    *,
    n_bins: int = 10,
    level: float = 0.95,
) -> Reliability:
    """Compare predicted probabilities with the share of positives, in bins of equal mass.

    The interval of each share is Wilson's, at the effective sample size where `groups` are given
    (NaN for a bin of fewer than three groups).

    Examples
    --------
    >>> curve = reliability([0, 0, 1, 0, 1, 1], [0.1, 0.1, 0.1, 0.8, 0.8, 0.8], n_bins=2)
    >>> curve.predicted.round(2).tolist(), curve.observed.round(2).tolist(), curve.n.tolist()
    ([0.1, 0.8], [0.33, 0.67], [3, 3])
    """
    rows = observed_rows(observed, probability, groups)
    y, p = rows.observed, rows.single
    check_classes(y)
    check_probabilities(p)
    bins, found = equal_mass_bins(p, n_bins)
    shares = [proportion(y[bins == b], rows.group[bins == b], level=level) for b in range(found)]
    return Reliability(
        predicted=np.array([p[bins == b].mean() for b in range(found)]),
        observed=np.array([share.value for share in shares]),
        low=np.array([share.low for share in shares]),
        high=np.array([share.high for share in shares]),
        n=np.array([share.n for share in shares], dtype=np.int64),
    )


def fit_calibrator(
    observed_val: ArrayLike, probability_val: ArrayLike, *, temperature_only: bool = False
) -> Calibrator:
    """Fit Platt scaling (slope and intercept of the logit) or a temperature, on validation.

    Platt's softened targets, (n₊ + 1) / (n₊ + 2) and 1 / (n₋ + 2), keep the fit finite where the
    classes separate (Platt 1999, Advances in Large Margin Classifiers).

    Parameters
    ----------
    observed_val, probability_val
        Labels and probabilities, `(n,)`, of validation examples only.
    temperature_only
        Fit the slope alone: ranks and the 0.5 threshold stay as they are.

    Examples
    --------
    >>> overconfident = [0.01] * 5 + [0.99] * 5
    >>> fit = fit_calibrator([0, 0, 0, 0, 1, 1, 1, 1, 1, 0], overconfident)
    >>> fit.slope < 0.5
    True
    """
    rows = observed_rows(observed_val, probability_val)
    y, p = rows.observed, rows.single
    check_classes(y)
    check_probabilities(p)
    n_positive, n_negative = int(y.sum()), int((1 - y).sum())
    if min(n_positive, n_negative) == 0:
        raise InputError(
            "validation holds one class only, so probabilities cannot be calibrated",
            found=f"{n_positive} positives, {n_negative} negatives",
            expected="both classes",
        )
    target = np.where(y == 1, (n_positive + 1) / (n_positive + 2), 1 / (n_negative + 2))
    edge = np.finfo(np.float64).eps
    x = special.logit(np.clip(p, edge, 1 - edge))
    if x.min() == x.max() and not temperature_only:
        # A constant score has no slope to learn; the intercept carries the base rate.
        return Calibrator(1.0, float(special.logit(target.mean()) - x[0]), y.size)

    def loss(parameters: FloatArray) -> tuple[float, FloatArray]:
        z = parameters[0] * x + (0.0 if temperature_only else parameters[1])
        error = special.expit(z) - target
        gradient = np.array([np.mean(error * x), np.mean(error)])[: parameters.size]
        return float(np.mean(np.logaddexp(0.0, z) - target * z)), gradient

    start = np.array([1.0] if temperature_only else [1.0, 0.0])
    fit = optimize.minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-8})
    return Calibrator(float(fit.x[0]), 0.0 if temperature_only else float(fit.x[1]), y.size)


def sd_coverage(
    observed: ArrayLike,
    predicted: ArrayLike,
    sd: ArrayLike,
    groups: Any = None,
    *,
    z: Sequence[float] = (0.674, 1.0, 1.645, 1.96),
    level: float = 0.95,
    unit: str = "example",
) -> list[SdCoverage]:
    """Measure how often the truth lies within z predicted standard deviations.

    `expected` is what a normal distribution would give. An ensemble's spread is usually too
    narrow, since it does not hold the noise of the assay: that is what conformal intervals mend.

    Parameters
    ----------
    sd
        Predicted standard deviation in units of the target, `(n,)`, not negative.
    """
    rows = observed_rows(observed, side_by_side(predicted=predicted, sd=sd), groups)
    centre, width = rows.predicted
    if (width < 0).any():
        raise InputError("a standard deviation is negative", found=float(width.min()))
    gap = np.abs(rows.observed - centre)
    return [
        SdCoverage(
            z=float(k),
            expected=float(2 * stats.norm.cdf(k) - 1),
            measured=proportion(gap <= k * width, rows.group, level=level, unit=unit),
        )
        for k in z
    ]
