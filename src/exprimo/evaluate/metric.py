"""What a metric is: a function of the data and of how often each group counts.

A bootstrap resample of whole groups is a vector of multiplicities. Preparing a metric once (sums
per group, or one sort) and then applying it to many such vectors gives every resample without
copying a row, and the plain value is the same code with each group counted once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from exprimo.evaluate.inputs import (
    IntArray,
    check_class_probabilities,
    check_classes,
    check_probabilities,
    check_scores,
    observed_rows,
)
from exprimo.evaluate.results import FloatArray

Resampled = Callable[[FloatArray], FloatArray]
"""Multiplicities `(resamples, groups)` -> values `(resamples,)`."""

Prepare = Callable[[FloatArray, FloatArray, IntArray, int], Resampled]
"""Observed `(n,)`, predicted `(n,)` or `(n, classes)`, group codes `(n,)`, number of groups."""

Takes = Literal["number", "score", "probability", "call", "classes"]


@dataclass(frozen=True)
class Metric:
    """One metric: its name, how to read it, and how to compute it.

    Attributes
    ----------
    name, label
        The key in tables and the text on axes.
    higher_is_better
        The direction.
    takes
        What it is computed from: a predicted `number`, a `score` (any ranking), a
        `probability`, a `call` (a score at or above the threshold), or the probabilities of
        several `classes`.
    function
        `f(observed, predicted)`, and `f(observed, scores, threshold)` for calls, -> float.
    prepare
        The form that the bootstrap uses.
    shifts_in_resamples
        Whether resamples are biased (calibration error grows with duplicated rows); the
        interval is then moved back by that bias.
    """

    name: str
    label: str
    higher_is_better: bool
    takes: Takes
    function: Callable[..., float]
    prepare: Prepare
    shifts_in_resamples: bool = False

    @property
    def needs_threshold(self) -> bool:
        """Tell whether the metric is about calls, and so needs a threshold."""
        return self.takes == "call"

    @property
    def is_classification(self) -> bool:
        """Tell whether the observed values must be classes."""
        return self.takes != "number"


def check_values(takes: Takes, observed: FloatArray, predicted: FloatArray) -> None:
    """Refuse values that a metric of this kind cannot judge."""
    if takes == "classes":
        check_class_probabilities(observed, predicted)
    elif takes != "number":
        check_classes(observed)
    if takes == "probability":
        check_probabilities(predicted)
    if takes == "score":
        check_scores(predicted)


def additive(
    terms: Callable[[FloatArray, FloatArray], FloatArray],
    finish: Callable[[FloatArray], FloatArray],
) -> Prepare:
    """Make a metric of sums over rows.

    `terms(observed, predicted)` gives `(k, n)`; `finish` turns their sums `(k, resamples)` into
    values `(resamples,)`. Summing within groups first makes a resample cost groups, not rows.
    """

    def prepare(y: FloatArray, s: FloatArray, group: IntArray, n_groups: int) -> Resampled:
        columns = [np.bincount(group, term, minlength=n_groups) for term in terms(y, s)]
        by_group = np.stack(columns).astype(np.float64, copy=False)
        return lambda times: finish(weighted_sums(by_group, times))

    return prepare


def weighted_sums(by_group: FloatArray, times: FloatArray) -> FloatArray:
    """Sum `(k, groups)` over groups, each as often as a resample holds it: `(k, resamples)`.

    Not a matrix product: these are thin, and BLAS threads on a busy machine made them take ten
    times as long (6 s against 0.1 s for 10,000 rows); this way they also add up the same on any
    number of threads.
    """
    sums: FloatArray = np.einsum("kg,bg->kb", by_group, times)
    return sums


def plain_value(
    prepare: Prepare,
    takes: Takes,
    observed: ArrayLike,
    predicted: ArrayLike,
    threshold: float | None = None,
) -> float:
    """Compute a metric on the rows that have an observation, each counted once."""
    rows = observed_rows(observed, predicted)
    y, s = rows.observed, rows.single
    check_values(takes, y, s)
    return value_of(prepare, y, s if threshold is None else calls(s, threshold))


def calls(scores: FloatArray, threshold: float) -> FloatArray:
    """Call an example positive (1) where its score is at or above the threshold."""
    return (scores >= threshold).astype(np.float64)


def value_of(prepare: Prepare, y: FloatArray, s: FloatArray) -> float:
    """Compute a metric on rows that were already checked; NaN where there are none."""
    if y.size == 0:
        return float("nan")
    one_group = np.zeros(y.size, dtype=np.int64)
    return float(prepare(y, s, one_group, 1)(np.ones((1, 1)))[0])


def ratio(above: FloatArray, below: FloatArray, otherwise: float) -> FloatArray:
    """Divide, with a stated value where the denominator is 0."""
    above, below = np.broadcast_arrays(above, below)
    quotient = np.full(above.shape, otherwise)
    np.divide(above, below, out=quotient, where=below != 0)
    return quotient
