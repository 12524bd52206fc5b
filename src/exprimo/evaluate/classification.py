"""Metrics of two classes, observed 0 or 1; rows without a label (NaN) are left out.

Where a metric has no meaning it is NaN: no rows at all; AUROC, AUPRC and MCC where only one
class was observed; recall and F1 where no positive was. A model that calls nothing positive has
precision, F1 and MCC 0, and a constant score has AUROC 0.5.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import xlogy

from exprimo.evaluate.calibration import equal_mass_bins
from exprimo.evaluate.inputs import IntArray
from exprimo.evaluate.metric import Metric, Resampled, additive, plain_value, ratio, weighted_sums
from exprimo.evaluate.results import FloatArray

CALIBRATION_BINS = 10


def auroc(observed: ArrayLike, scores: ArrayLike) -> float:
    """Compute the area under the ROC curve, from scores; tied pairs count one half.

    Raises
    ------
    InputError
        If the scores are hard labels (ten rows or more, all 0 or 1, not all equal).

    Examples
    --------
    >>> auroc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    return plain_value(_auroc, "score", observed, scores)


def auprc(observed: ArrayLike, scores: ArrayLike) -> float:
    """Compute the area under the precision-recall curve as average precision.

    Precision is summed over the steps in recall, without interpolation. Its chance level is the
    share of positives, not 0.5. Hard labels are refused, as by `auroc`.
    """
    return plain_value(_auprc, "score", observed, scores)


def mcc(observed: ArrayLike, scores: ArrayLike, threshold: float) -> float:
    """Compute Matthews' correlation of the calls; 0 where all calls are the same."""
    return plain_value(_mcc, "call", observed, scores, threshold)


def f1(observed: ArrayLike, scores: ArrayLike, threshold: float) -> float:
    """Compute the harmonic mean of precision and recall of the positive class."""
    return plain_value(_f1, "call", observed, scores, threshold)


def precision(observed: ArrayLike, scores: ArrayLike, threshold: float) -> float:
    """Compute the share of positive calls that are right; 0 where there are none."""
    return plain_value(_precision, "call", observed, scores, threshold)


def recall(observed: ArrayLike, scores: ArrayLike, threshold: float) -> float:
    """Compute the share of observed positives that are called."""
    return plain_value(_recall, "call", observed, scores, threshold)


def accuracy(observed: ArrayLike, scores: ArrayLike, threshold: float) -> float:
    """Compute the share of right calls; read it beside the majority baseline's.

    Examples
    --------
    >>> accuracy([0, 0, 1, 1], [0.2, 0.6, 0.5, 0.9], threshold=0.5)
    0.75
    """
    return plain_value(_accuracy, "call", observed, scores, threshold)


def brier(observed: ArrayLike, probability: ArrayLike) -> float:
    """Compute the mean squared difference of probability and label."""
    return plain_value(_brier, "probability", observed, probability)


def log_loss(observed: ArrayLike, probability: ArrayLike) -> float:
    """Compute the mean negative log likelihood in nats.

    Probabilities are kept 2e-16 away from 0 and 1, so a certain prediction that is wrong costs
    36, not infinity.
    """
    return plain_value(_log_loss, "probability", observed, probability)


def calibration_error(observed: ArrayLike, probability: ArrayLike) -> float:
    """Compute the expected calibration error over ten bins of equal mass.

    It is the mean over rows of the gap, within the row's bin, between the mean probability and
    the share of positives. A perfect model still has a small one, by chance.
    """
    return plain_value(_calibration, "probability", observed, probability)


def _auroc(y: FloatArray, s: FloatArray, group: IntArray, n_groups: int) -> Resampled:
    order = np.argsort(s, kind="stable")
    y, s, group = y[order], s[order], group[order]
    start = np.flatnonzero(np.r_[True, s[1:] != s[:-1]])

    def resampled(times: FloatArray) -> FloatArray:
        both, positive = _blocks(times, group, y, start)
        negative = both - positive
        below = np.cumsum(negative, axis=1)
        n_negative = below[:, -1].copy()
        below -= 0.5 * negative
        wins = np.einsum("ij,ij->i", positive, below)
        return ratio(wins, positive.sum(axis=1) * n_negative, np.nan)

    return resampled


def _auprc(y: FloatArray, s: FloatArray, group: IntArray, n_groups: int) -> Resampled:
    order = np.argsort(-s, kind="stable")
    y, s, group = y[order], s[order], group[order]
    start = np.flatnonzero(np.r_[True, s[1:] != s[:-1]])

    def resampled(times: FloatArray) -> FloatArray:
        both, positive = _blocks(times, group, y, start)
        called = np.cumsum(both, axis=1)
        right = np.cumsum(positive, axis=1)
        n_rows, n_positive = called[:, -1].copy(), right[:, -1].copy()
        # Until a resample's first row comes, nothing is called and nothing is right: 0 / 1.
        right /= np.maximum(called, 1.0, out=called)
        total = np.einsum("ij,ij->i", positive, right)
        return np.where(n_positive == n_rows, np.nan, ratio(total, n_positive, np.nan))

    return resampled


def _blocks(
    times: FloatArray, group: IntArray, y: FloatArray, start: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Count rows, and positive rows, in each block of tied scores of each resample."""
    both = times.take(group, axis=1)
    positive = both * y
    if start.size < y.size:
        return np.add.reduceat(both, start, axis=1), np.add.reduceat(positive, start, axis=1)
    return both, positive


def _confusion(y: FloatArray, called: FloatArray) -> FloatArray:
    return np.stack([y * called, (1 - y) * called, y * (1 - called), (1 - y) * (1 - called)])


def _mcc_finish(totals: FloatArray) -> FloatArray:
    tp, fp, fn, tn = totals
    observed = (tp + fn) * (tn + fp)
    root = np.sqrt(observed) * np.sqrt((tp + fp) * (tn + fn))
    return np.where(observed == 0, np.nan, ratio(tp * tn - fp * fn, root, 0.0))


def _f1_finish(totals: FloatArray) -> FloatArray:
    tp, fp, fn, _ = totals
    return np.where(tp + fn == 0, np.nan, ratio(2 * tp, 2 * tp + fp + fn, 0.0))


def _precision_finish(totals: FloatArray) -> FloatArray:
    tp, fp, fn, tn = totals
    return np.where(tp + fp + fn + tn == 0, np.nan, ratio(tp, tp + fp, 0.0))


def _recall_finish(totals: FloatArray) -> FloatArray:
    tp, _, fn, _ = totals
    return ratio(tp, tp + fn, np.nan)


def _accuracy_finish(totals: FloatArray) -> FloatArray:
    tp, fp, fn, tn = totals
    return ratio(tp + tn, tp + fp + fn + tn, np.nan)


def _squared(y: FloatArray, p: FloatArray) -> FloatArray:
    return np.stack([np.ones_like(y), (p - y) ** 2])


def _surprise(y: FloatArray, p: FloatArray) -> FloatArray:
    edge = np.finfo(np.float64).eps
    p = np.clip(p, edge, 1 - edge)
    return np.stack([np.ones_like(y), -xlogy(y, p) - xlogy(1 - y, 1 - p)])


def _mean(totals: FloatArray) -> FloatArray:
    n, total = totals
    return ratio(total, n, np.nan)


def _calibration(y: FloatArray, p: FloatArray, group: IntArray, n_groups: int) -> Resampled:
    """Sum gaps per group and bin; the bins are those of the full data in every resample."""
    bins, n_bins = equal_mass_bins(p, CALIBRATION_BINS)
    cell = group * n_bins + bins
    gap = np.bincount(cell, weights=p - y, minlength=n_groups * n_bins).reshape(-1, n_bins).T
    rows = np.bincount(group, minlength=n_groups)
    sums = np.ascontiguousarray(np.vstack([gap, rows]))

    def resampled(times: FloatArray) -> FloatArray:
        totals = weighted_sums(sums, times)
        return ratio(np.abs(totals[:-1]).sum(axis=0), totals[-1], np.nan)

    return resampled


_mcc = additive(_confusion, _mcc_finish)
_f1 = additive(_confusion, _f1_finish)
_precision = additive(_confusion, _precision_finish)
_recall = additive(_confusion, _recall_finish)
_accuracy = additive(_confusion, _accuracy_finish)
_brier = additive(_squared, _mean)
_log_loss = additive(_surprise, _mean)

CLASSIFICATION_METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("auroc", "AUROC", True, "score", auroc, _auroc),
        Metric("auprc", "AUPRC", True, "score", auprc, _auprc),
        Metric("mcc", "MCC", True, "call", mcc, _mcc),
        Metric("f1", "F1", True, "call", f1, _f1),
        Metric("precision", "Precision", True, "call", precision, _precision),
        Metric("recall", "Recall", True, "call", recall, _recall),
        Metric("accuracy", "Accuracy", True, "call", accuracy, _accuracy),
        Metric("brier", "Brier score", False, "probability", brier, _brier),
        Metric("log_loss", "Log loss (nats)", False, "probability", log_loss, _log_loss),
        Metric(
            "calibration_error",
            "Expected calibration error",
            False,
            "probability",
            calibration_error,
            _calibration,
            shifts_in_resamples=True,
        ),
    )
}
