"""Metrics of three or more classes, from probabilities ``(n, classes)``.

Observed values are codes 0, 1, ...; rows without one (NaN) are left out. A macro mean counts every
class alike, however rare. It has no meaning (NaN) where a class was not observed. A call is the
most likely class, the first of equally likely ones: there is no threshold to choose.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from exprimo.evaluate.classification import CLASSIFICATION_METRICS
from exprimo.evaluate.inputs import IntArray, check_class_probabilities, observed_rows
from exprimo.evaluate.metric import Metric, Prepare, Resampled, additive, ratio, value_of
from exprimo.evaluate.results import FloatArray


def auroc_macro(observed: ArrayLike, probability: ArrayLike) -> float:
    """Average over classes the area under the ROC curve of that class against the rest.

    Examples
    --------
    >>> p = [[0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0.4, 0.2, 0.4], [0.1, 0.3, 0.6]]
    >>> auroc_macro([0, 1, 2, 2], p)
    1.0
    """
    return _plain(_auroc, observed, probability)


def auprc_macro(observed: ArrayLike, probability: ArrayLike) -> float:
    """Average over classes the average precision of that class against the rest."""
    return _plain(_auprc, observed, probability)


def mcc_multiclass(observed: ArrayLike, probability: ArrayLike) -> float:
    """Compute the correlation of calls and classes; 0 where all calls are the same.

    R_K of Gorodkin 2004, Computational Biology and Chemistry 28:367, which for two classes is
    Matthews' coefficient.
    """
    return _plain(_mcc, observed, probability)


def accuracy_multiclass(observed: ArrayLike, probability: ArrayLike) -> float:
    """Compute the share of right calls; read it beside the majority baseline's.

    Examples
    --------
    >>> accuracy_multiclass([0, 2], [[0.5, 0.3, 0.2], [0.1, 0.6, 0.3]])
    0.5
    """
    return _plain(_accuracy, observed, probability)


def f1_macro(observed: ArrayLike, probability: ArrayLike) -> float:
    """Average over classes the harmonic mean of precision and recall."""
    return _plain(_f1, observed, probability)


def brier_multiclass(observed: ArrayLike, probability: ArrayLike) -> float:
    """Compute the squared differences of probabilities and outcome, summed over classes.

    As in Brier 1950, Monthly Weather Review 78:1: from 0 to 2, and for two classes twice what
    `brier` gives.
    """
    return _plain(_brier, observed, probability)


def log_loss_multiclass(observed: ArrayLike, probability: ArrayLike) -> float:
    """Compute the mean negative log likelihood in nats; probabilities are kept 2e-16 from 0."""
    return _plain(_log_loss, observed, probability)


def most_likely(probability: NDArray[np.floating[Any]]) -> IntArray:
    """Give the code of the most likely class, (n,); the first of equally likely ones."""
    codes: IntArray = np.argmax(probability, axis=-1).astype(np.int64, copy=False)
    return codes


def _plain(prepare: Prepare, observed: ArrayLike, probability: ArrayLike) -> float:
    rows = observed_rows(observed, np.asarray(probability, dtype=np.float64)[None])
    check_class_probabilities(rows.observed, rows.predicted)
    return value_of(prepare, rows.observed, rows.predicted[0])


def _one_against_rest(binary: Prepare) -> Prepare:
    """Make the mean over classes of a metric of two classes."""

    def prepare(y: FloatArray, p: FloatArray, group: IntArray, n_groups: int) -> Resampled:
        each = [
            binary((y == code).astype(np.float64), p[:, code], group, n_groups)
            for code in range(p.shape[1])
        ]
        return lambda times: np.mean([one(times) for one in each], axis=0)

    return prepare


def _confusion(y: FloatArray, p: FloatArray) -> FloatArray:
    """Mark each row in its cell of the matrix, (classes², n), observed class by called class."""
    n_classes = p.shape[1]
    cells = y.astype(np.int64) * n_classes + most_likely(p)
    marks: FloatArray = (cells == np.arange(n_classes**2)[:, None]).astype(np.float64)
    return marks


def _sides(totals: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Give, for each class, how many were right, observed and called: (classes, resamples)."""
    n_classes = round(len(totals) ** 0.5)
    matrix = totals.reshape(n_classes, n_classes, -1)
    return np.einsum("kkr->kr", matrix), matrix.sum(axis=1), matrix.sum(axis=0)


def _mcc_finish(totals: FloatArray) -> FloatArray:
    right, observed, called = _sides(totals)
    n = observed.sum(axis=0)
    covariance = right.sum(axis=0) * n - (observed * called).sum(axis=0)
    spread_observed = n**2 - (observed**2).sum(axis=0)
    spread_called = n**2 - (called**2).sum(axis=0)
    root = np.sqrt(spread_observed) * np.sqrt(spread_called)
    return np.where(spread_observed == 0, np.nan, ratio(covariance, root, 0.0))


def _accuracy_finish(totals: FloatArray) -> FloatArray:
    right, observed, _ = _sides(totals)
    return ratio(right.sum(axis=0), observed.sum(axis=0), np.nan)


def _f1_finish(totals: FloatArray) -> FloatArray:
    right, observed, called = _sides(totals)
    f1 = ratio(2 * right, observed + called, 0.0).mean(axis=0)
    return np.where((observed == 0).any(axis=0), np.nan, f1)


def _squared(y: FloatArray, p: FloatArray) -> FloatArray:
    happened = y[:, None] == np.arange(p.shape[1])
    return np.stack([np.ones_like(y), ((p - happened) ** 2).sum(axis=1)])


def _surprise(y: FloatArray, p: FloatArray) -> FloatArray:
    of_truth = p[np.arange(y.size), y.astype(np.int64)]
    return np.stack([np.ones_like(y), -np.log(np.maximum(of_truth, np.finfo(np.float64).eps))])


def _mean(totals: FloatArray) -> FloatArray:
    n, total = totals
    return ratio(total, n, np.nan)


_auroc = _one_against_rest(CLASSIFICATION_METRICS["auroc"].prepare)
_auprc = _one_against_rest(CLASSIFICATION_METRICS["auprc"].prepare)
_mcc = additive(_confusion, _mcc_finish)
_accuracy = additive(_confusion, _accuracy_finish)
_f1 = additive(_confusion, _f1_finish)
_brier = additive(_squared, _mean)
_log_loss = additive(_surprise, _mean)

MULTICLASS_METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("auroc_macro", "AUROC (macro)", True, "classes", auroc_macro, _auroc),
        Metric("auprc_macro", "AUPRC (macro)", True, "classes", auprc_macro, _auprc),
        Metric("mcc_multiclass", "MCC (R_K)", True, "classes", mcc_multiclass, _mcc),
        Metric("f1_macro", "F1 (macro)", True, "classes", f1_macro, _f1),
        Metric("accuracy_multiclass", "Accuracy", True, "classes", accuracy_multiclass, _accuracy),
        Metric(
            "brier_multiclass", "Brier score (0 to 2)", False, "classes", brier_multiclass, _brier
        ),
        Metric(
            "log_loss_multiclass",
            "Log loss (nats)",
            False,
            "classes",
            log_loss_multiclass,
            _log_loss,
        ),
    )
}
