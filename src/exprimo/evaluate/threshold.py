"""The score from which an example is called positive, chosen on validation examples only."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from exprimo.core.errors import ConfigError, InputError
from exprimo.evaluate.inputs import check_classes, check_scores, observed_rows
from exprimo.evaluate.metric import ratio
from exprimo.evaluate.results import FloatArray, Threshold

Criterion = Literal["mcc", "f1", "youden"]

# Criteria are sums of few products of counts: closer than this they are equal.
_TIE = 1e-12


def choose_threshold(
    observed_val: ArrayLike, score_val: ArrayLike, criterion: Criterion = "mcc"
) -> Threshold:
    """Choose the threshold that is best on validation.

    Candidates lie half-way between neighbouring scores, and at both ends (call all, call none).
    Ties go to the higher accuracy, then to the higher threshold, so that a constant score (the
    majority baseline) calls the majority class under `mcc` and `youden`. Under `f1` a constant
    score calls everything positive, because that is where F1 is highest.

    Parameters
    ----------
    observed_val, score_val
        Labels 0 or 1 (NaN rows are left out) and scores, `(n,)`, of validation examples; the
        threshold's ledger entry must name them.
    criterion
        `mcc`, `f1`, or `youden` (recall minus false positive rate).

    Raises
    ------
    InputError
        If validation holds only one class: no threshold can be chosen there.

    Examples
    --------
    >>> choose_threshold([0, 0, 1, 1], [0.1, 0.2, 0.6, 0.9]).value
    0.4
    """
    if criterion not in get_args(Criterion):
        raise ConfigError(
            "unknown criterion", found=criterion, expected=", ".join(get_args(Criterion))
        )
    rows = observed_rows(observed_val, score_val)
    y, s = rows.observed, rows.single
    check_classes(y)
    check_scores(s)
    if y.size == 0 or y.min() == y.max():
        raise InputError(
            "validation holds one class only, so no threshold can be chosen",
            found=f"{y.size} labelled examples",
            expected="positives and negatives",
            remedy="Enlarge the validation part or stratify the split",
        )
    candidates = _candidates(s)
    # Sorted once, every candidate's calls are a count from the right.
    order = np.argsort(s, kind="stable")
    first = np.searchsorted(s[order], candidates, side="left")
    positives_from = np.r_[np.cumsum(y[order][::-1])[::-1], 0.0]
    tp = positives_from[first]
    fp = (y.size - first) - tp
    fn, tn = y.sum() - tp, (1 - y).sum() - fp
    reached = _criterion(criterion, tp, fp, fn, tn)
    best = np.flatnonzero(reached >= reached.max() - _TIE)
    right = (tp + tn)[best]
    chosen = best[right == right.max()][-1]
    return Threshold(float(candidates[chosen]), criterion, float(reached[chosen]), y.size)


def _candidates(scores: FloatArray) -> FloatArray:
    distinct = np.unique(scores)
    between = distinct[:-1] + (distinct[1:] - distinct[:-1]) / 2
    # Between neighbouring floats the middle rounds to one of them; the upper separates them.
    between = np.where(between > distinct[:-1], between, distinct[1:])
    # The next float32, so that it lies above every score also where scores are kept as float32.
    above = np.nextafter(np.float32(distinct[-1]), np.float32(np.inf))
    return np.concatenate([distinct[:1], between, [np.float64(above)]])


def _criterion(
    criterion: Criterion, tp: FloatArray, fp: FloatArray, fn: FloatArray, tn: FloatArray
) -> FloatArray:
    if criterion == "f1":
        return ratio(2 * tp, 2 * tp + fp + fn, 0.0)
    if criterion == "youden":
        return ratio(tp, tp + fn, 0.0) - ratio(fp, fp + tn, 0.0)
    root = np.sqrt((tp + fn) * (tn + fp)) * np.sqrt((tp + fp) * (tn + fn))
    return ratio(tp * tn - fp * fn, root, 0.0)
