"""Curves to draw: ROC, precision-recall, observed against predicted, learning."""

from __future__ import annotations

import math
from typing import cast

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from exprimo.core.errors import InputError, MismatchError
from exprimo.evaluate.calibration import equal_mass_bins
from exprimo.evaluate.inputs import check_classes, check_scores, observed_rows
from exprimo.evaluate.intervals import find_metric
from exprimo.evaluate.proportions import check_level
from exprimo.evaluate.results import BinnedPairs, Curve, Difference, FloatArray, MoreData

MAX_POINTS = 400

MORE_DATA_HELPS = "more data would help"
MORE_DATA_HARDLY_HELPS = "more data would hardly help"
MORE_DATA_UNCLEAR = "the curve does not tell whether more data would help"


def roc_points(observed: ArrayLike, scores: ArrayLike, max_points: int = MAX_POINTS) -> Curve:
    """Give the ROC curve: x the false positive rate, y the recall, from (0, 0) to (1, 1).

    One point per distinct score, thinned to `max_points`; empty where a class is missing.

    Examples
    --------
    >>> curve = roc_points([0, 1, 1], [0.2, 0.2, 0.9])
    >>> curve.x.tolist(), curve.y.tolist()
    ([0.0, 0.0, 1.0], [0.0, 0.5, 1.0])
    """
    right, called, n_positive = _called(observed, scores)
    n_negative = called[-1] - n_positive if called.size else 0.0
    if n_positive == 0 or n_negative == 0:
        return Curve(np.zeros(0), np.zeros(0))
    x = np.r_[0.0, (called - right) / n_negative]
    y = np.r_[0.0, right / n_positive]
    return _thinned(x, y, max_points)


def pr_points(observed: ArrayLike, scores: ArrayLike, max_points: int = MAX_POINTS) -> Curve:
    """Give the precision-recall curve: x the recall, y the precision, by falling score.

    It starts at recall 0 with the precision of the first call, rather than an invented 1.

    Examples
    --------
    >>> curve = pr_points([0, 1, 1], [0.4, 0.2, 0.9])
    >>> curve.x.tolist(), curve.y.round(2).tolist()
    ([0.0, 0.5, 0.5, 1.0], [1.0, 1.0, 0.5, 0.67])
    """
    right, called, n_positive = _called(observed, scores)
    if n_positive == 0:
        return Curve(np.zeros(0), np.zeros(0))
    precision = right / called
    x, y = np.r_[0.0, right / n_positive], np.r_[precision[0], precision]
    return _thinned(x, y, max_points)


def observed_by_prediction(
    observed: ArrayLike, predicted: ArrayLike, n_bins: int = 20
) -> BinnedPairs:
    """Summarise observed against predicted values in bins of equal mass of the prediction."""
    rows = observed_rows(observed, predicted)
    y, s = rows.observed, rows.single
    bins, found = equal_mass_bins(s, n_bins)
    inside = [y[bins == b] for b in range(found)]
    quartiles = np.array([np.quantile(values, [0.25, 0.75]) for values in inside]).reshape(-1, 2)
    return BinnedPairs(
        predicted=np.array([s[bins == b].mean() for b in range(found)]),
        observed=np.array([values.mean() for values in inside]),
        lower_quartile=quartiles[:, 0],
        upper_quartile=quartiles[:, 1],
        n=np.array([values.size for values in inside], dtype=np.int64),
    )


def more_data_helps(
    fractions: ArrayLike,
    scores: ArrayLike,
    metric: str,
    *,
    last_step: Difference | None = None,
    worthwhile: float | None = None,
    level: float = 0.95,
) -> MoreData:
    """Judge from a learning curve whether more data would help.

    The evidence is the step between the two largest fractions. Its interval comes from
    `last_step`, the paired difference of the two on the test set; else from the seeds, paired by
    seed (Student's t); with one seed and no `last_step` there is none.

    The verdict is "help" if the whole interval is above 0 and reaches a worthwhile gain, "hardly"
    if no gain within it is worthwhile, and otherwise "does not tell".

    Parameters
    ----------
    fractions
        Share or number of training examples, ascending, `(k,)`, k at least 2.
    scores
        The metric, `(k,)` or `(k, seeds)`.
    metric
        A name from `METRICS`, for its direction.
    last_step
        `paired_difference` of the largest fraction (a) against the second largest (b).
    worthwhile
        The least gain that matters, in units of the metric; by default 1% of the last score.

    Examples
    --------
    >>> curve = [[0.50, 0.52, 0.51], [0.60, 0.61, 0.60], [0.69, 0.70, 0.70]]
    >>> got = more_data_helps([0.25, 0.5, 1.0], curve, "pearson_r")
    >>> got.verdict, round(got.next_doubling, 3)
    ('more data would help', 0.093)
    """
    check_level(level)
    size = np.asarray(fractions, dtype=np.float64)
    values = np.asarray(scores, dtype=np.float64)
    values = values.reshape(-1, 1) if values.ndim == 1 else values
    if size.ndim != 1 or values.ndim != 2 or values.shape[0] != size.size:
        raise MismatchError(
            "fractions and scores do not fit together",
            found=f"{size.shape} fractions, scores of shape {values.shape}",
            expected="fractions (k,), scores (k,) or (k, seeds)",
        )
    if size.size < 2 or size[0] <= 0 or (np.diff(size) <= 0).any():
        raise InputError(
            "a learning curve needs growing amounts of data",
            found=size.tolist(),
            expected="two or more positive fractions in ascending order",
        )
    sign = 1.0 if find_metric(metric).higher_is_better else -1.0
    gain, low, high = _last_gain(sign * (values[-1] - values[-2]), level)
    if last_step is not None:
        ends = sorted((sign * last_step.low, sign * last_step.high))
        gain, low, high = sign * last_step.value, ends[0], ends[1]
    if worthwhile is None:
        worthwhile = 0.01 * abs(float(values[-1].mean()))
    doublings = math.log2(size[-1] / size[-2])
    return MoreData(
        _verdict(low, high, worthwhile),
        gain,
        low,
        high,
        gain / doublings,
        low / doublings,
        high / doublings,
    )


def _last_gain(steps: FloatArray, level: float) -> tuple[float, float, float]:
    gain = float(steps.mean())
    if steps.size < 2:
        return gain, math.nan, math.nan
    error = float(steps.std(ddof=1)) / math.sqrt(steps.size)
    half = float(stats.t.ppf(0.5 + level / 2, steps.size - 1)) * error
    return gain, gain - half, gain + half


def _verdict(low: float, high: float, worthwhile: float) -> str:
    if high < worthwhile:
        return MORE_DATA_HARDLY_HELPS
    return MORE_DATA_HELPS if low > 0 else MORE_DATA_UNCLEAR


def _called(observed: ArrayLike, scores: ArrayLike) -> tuple[FloatArray, FloatArray, float]:
    """Count, at each distinct score from the highest, right calls and all calls."""
    rows = observed_rows(observed, scores)
    y, s = rows.observed, rows.single
    check_classes(y)
    check_scores(s)
    order = np.argsort(-s, kind="stable")
    y, s = y[order], s[order]
    last = np.flatnonzero(np.r_[s[1:] != s[:-1], True]) if s.size else np.zeros(0, dtype=np.int64)
    return np.cumsum(y)[last], (last + 1).astype(np.float64), float(y.sum())


def _thinned(x: FloatArray, y: FloatArray, max_points: int) -> Curve:
    """Keep points evenly along the curve's length, always both ends."""
    if max_points < 2:
        raise InputError("too few points for a curve", found=max_points, expected="at least 2")
    if x.size <= max_points:
        return Curve(x, y)
    walked = np.r_[0.0, np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))]
    at = np.searchsorted(walked, np.linspace(0.0, walked[-1], max_points))
    kept = np.unique(np.r_[0, np.minimum(at, x.size - 1), x.size - 1])[:max_points]
    kept[-1] = x.size - 1
    return Curve(cast(FloatArray, x[kept]), cast(FloatArray, y[kept]))
