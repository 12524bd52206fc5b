"""Who was taken for whom: counts of calls by observed class."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from exprimo.evaluate.inputs import check_class_probabilities, check_classes, observed_rows
from exprimo.evaluate.metric import calls
from exprimo.evaluate.multiclass.metrics import most_likely


def binary_confusion(observed: ArrayLike, scores: ArrayLike, threshold: float) -> dict[str, int]:
    """Count calls at a threshold: true and false negatives and positives.

    Examples
    --------
    >>> binary_confusion([0, 0, 1, 1], [0.2, 0.6, 0.5, 0.9], 0.5)
    {'tn': 1, 'fp': 1, 'fn': 0, 'tp': 2}
    """
    rows = observed_rows(observed, scores)
    check_classes(rows.observed)
    cells = (2 * rows.observed + calls(rows.single, threshold)).astype(np.int64)
    counts = np.bincount(cells, minlength=4).tolist()
    return dict(zip(("tn", "fp", "fn", "tp"), counts, strict=True))


def confusion_matrix(observed: ArrayLike, probability: ArrayLike) -> NDArray[np.int64]:
    """Count calls of the most likely class, (classes, classes): observed by called.

    Examples
    --------
    >>> p = [[0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0.4, 0.5, 0.1]]
    >>> confusion_matrix([0, 1, 2], p).tolist()
    [[1, 0, 0], [0, 1, 0], [0, 1, 0]]
    """
    rows = observed_rows(observed, np.asarray(probability, dtype=np.float64)[None])
    check_class_probabilities(rows.observed, rows.predicted)
    n_classes = rows.predicted.shape[2]
    cells = rows.observed.astype(np.int64) * n_classes + most_likely(rows.predicted[0])
    counts = np.bincount(cells, minlength=n_classes**2)
    return counts.reshape(n_classes, n_classes).astype(np.int64, copy=False)
