"""Check what is evaluated, once: shapes, missing observations, classes, groups."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from exprimo.core.errors import InputError, MismatchError
from exprimo.evaluate.results import FloatArray

IntArray = NDArray[np.int64]

HARD_LABELS_FROM = 10
"""From this many rows on, scores of only 0 and 1 are taken for calls rather than chance."""

SUM_TOLERANCE = 1e-3
"""How far probabilities of all classes may be from 1 together: float32, and means over members."""


class Rows(NamedTuple):
    """The rows that can be judged, and how many could not.

    Shapes: observed `(n,)`, predicted `(seeds, n)`, or `(seeds, n, classes)` for probabilities of
    several classes, group codes `(n,)` in `0..n_groups-1`.
    """

    observed: FloatArray
    predicted: FloatArray
    group: IntArray
    n_groups: int
    n_missing: int

    @property
    def single(self) -> FloatArray:
        """Return the predictions `(n,)` of the only seed, or refuse several."""
        if self.predicted.shape[0] != 1:
            raise InputError(
                "one model at a time can be judged here",
                found=f"predictions of {self.predicted.shape[0]} seeds",
                expected="predictions of shape (n,)",
                remedy="Use bootstrap, which averages metrics over seeds, or average predictions",
            )
        predicted: FloatArray = self.predicted[0]
        return predicted


def observed_rows(observed: ArrayLike, predicted: ArrayLike, groups: Any = None) -> Rows:
    """Leave out the rows without an observation (NaN) and count them.

    Parameters
    ----------
    observed
        Truth, `(n,)`; NaN marks a value that was not measured.
    predicted
        Predictions, `(n,)`, or `(seeds, n)` where a model was trained with several seeds;
        probabilities of several classes as `(seeds, n, classes)`, for one seed too.
    groups
        The independent unit of each row (gene, homology group, person), `(n,)`; None makes
        every row a unit of its own.

    Raises
    ------
    MismatchError
        If the lengths differ.
    InputError
        If a prediction is not finite where there is an observation, or a group is missing.

    Examples
    --------
    >>> rows = observed_rows([1.0, float("nan"), 3.0], [1.1, 2.0, 2.9], ["g1", "g1", "g2"])
    >>> rows.observed.tolist(), rows.group.tolist(), rows.n_missing
    ([1.0, 3.0], [0, 1], 1)
    """
    truth = _numbers(observed, "observed values")
    guess = _numbers(predicted, "predictions")
    rows_of_guess = guess.shape[1:2] if guess.ndim == 3 else guess.shape[-1:]
    if truth.ndim != 1 or guess.ndim not in (1, 2, 3) or rows_of_guess != truth.shape:
        raise MismatchError(
            "observed and predicted values do not fit together",
            found=f"observed of shape {truth.shape}, predicted of shape {guess.shape}",
            expected="observed (n,), predicted (n,), (seeds, n) or (seeds, n, classes)",
        )
    if guess.ndim > 1 and guess.shape[0] == 0:
        raise InputError("no predictions were given", found="0 seeds", expected="at least one")
    if np.isinf(truth).any():
        raise _at("an observed value is infinite", np.isinf(truth), "a number, or NaN if missing")
    known = ~np.isnan(truth)
    guess = np.atleast_2d(guess)[:, known]
    bad = ~np.isfinite(guess).all(axis=(0, *range(2, guess.ndim)))
    if bad.any():
        rows = np.zeros(truth.size, dtype=bool)
        rows[np.flatnonzero(known)[bad]] = True
        raise _at("a prediction is missing or infinite", rows, "a finite number for every row")
    codes, n_groups = group_codes(groups, known)
    return Rows(truth[known], guess, codes, n_groups, int((~known).sum()))


def group_codes(groups: Any, keep: NDArray[np.bool_]) -> tuple[IntArray, int]:
    """Number the groups of the kept rows from 0, in sorted order of their names."""
    if groups is None:
        n = int(keep.sum())
        return np.arange(n, dtype=np.int64), n
    names = np.asarray(groups)
    if names.shape != keep.shape:
        raise MismatchError(
            "groups and observed values differ in length",
            found=f"{names.shape} groups for {keep.size} rows",
            expected="one group per row",
        )
    names = named_groups(names[keep])
    distinct, codes = np.unique(names, return_inverse=True)
    return codes.astype(np.int64, copy=False).reshape(-1), int(distinct.size)


def named_groups(names: NDArray[Any]) -> NDArray[Any]:
    """Refuse missing group names and return the rest in a form that sorts."""
    if names.dtype.kind == "O":
        missing = np.array([not isinstance(g, (str, int, np.integer)) for g in names], dtype=bool)
        names = names.astype(str)
    elif names.dtype.kind == "f":
        missing = np.isnan(names)
    else:
        missing = np.zeros(names.shape, dtype=bool)
    if missing.any():
        raise _at("a group is missing", missing, "the name or number of each row's group")
    return names


def check_classes(observed: FloatArray) -> None:
    """Refuse observed values other than 0 and 1 (missing rows are gone by now)."""
    wrong = (observed != 0) & (observed != 1)
    if wrong.any():
        raise InputError(
            "a class label is neither 0 nor 1",
            found=float(observed[wrong][0]),
            expected="0, 1 or missing (NaN)",
        )


def check_probabilities(predicted: FloatArray) -> None:
    """Refuse predictions outside 0..1."""
    wrong = (predicted < 0) | (predicted > 1)
    if wrong.any():
        raise InputError(
            "a predicted probability lies outside 0..1",
            found=float(predicted[wrong][0]),
            expected="probabilities",
            remedy="Turn logits into probabilities first",
        )


def check_class_probabilities(observed: FloatArray, predicted: FloatArray) -> None:
    """Refuse what is not codes with probabilities of their classes, `(seeds, n, classes)`."""
    if predicted.ndim != 3:
        raise InputError(
            "one number per row cannot be judged as several classes",
            found=f"predictions of shape {predicted.shape}",
            expected="probabilities of every class, (n, classes) or (seeds, n, classes)",
        )
    n_classes = predicted.shape[2]
    wrong = ~np.isin(observed, np.arange(n_classes))
    if wrong.any():
        raise InputError(
            "an observed class has no probability",
            found=f"{float(observed[wrong][0]):g}",
            expected=f"codes 0 to {n_classes - 1}, or missing (NaN)",
        )
    check_probabilities(predicted)
    sums = predicted.sum(axis=2)
    off = np.abs(sums - 1) > SUM_TOLERANCE
    if off.any():
        raise InputError(
            "the probabilities of a row do not add up to 1",
            found=float(sums[off][0]),
            expected="the probabilities of all classes",
        )
    if predicted.shape[1] >= HARD_LABELS_FROM:
        hard = ((predicted == 0) | (predicted == 1)).all(axis=(1, 2))
        if (hard & (predicted != predicted[:, :1]).any(axis=(1, 2))).any():
            raise InputError(
                "hard calls were given where probabilities are ranked",
                found=f"{predicted.shape[1]} rows that are all 0 and 1",
                expected="probabilities, as the model gives them",
            )


def check_scores(predicted: FloatArray) -> None:
    """Refuse hard labels where scores are ranked.

    The area under a curve of hard calls is a different, lower number that has been published as
    AUC. A constant score (the majority baseline) is fine, and so are a handful of rows that
    happen to be 0 and 1.
    """
    if predicted.shape[-1] < HARD_LABELS_FROM:
        return
    for scores in np.atleast_2d(predicted):
        if ((scores == 0) | (scores == 1)).all() and scores.min() != scores.max():
            raise InputError(
                "an area under a curve was asked of hard labels",
                found=f"{scores.size} scores that are all 0 or 1",
                expected="scores or probabilities, as the model gives them before any threshold",
            )


def side_by_side(**columns: ArrayLike) -> FloatArray:
    """Stack columns of equal length, `(k, n)`, or refuse with their names and lengths."""
    values = {name: _numbers(column, name) for name, column in columns.items()}
    shapes = {name: column.shape for name, column in values.items()}
    if len(set(shapes.values())) > 1 or any(len(shape) != 1 for shape in shapes.values()):
        raise MismatchError(
            "columns that belong together differ in length",
            found=", ".join(f"{name} {shape}" for name, shape in shapes.items()),
            expected="the same number of rows, (n,)",
        )
    return np.stack(list(values.values()))


def _numbers(values: ArrayLike, what: str) -> FloatArray:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"the {what} are not numbers", found=str(error)) from error


def _at(problem: str, rows: NDArray[np.bool_], expected: str) -> InputError:
    return InputError(
        problem,
        record=f"row {int(np.flatnonzero(rows)[0])} (counted from 0)",
        found=f"{int(rows.sum())} such rows of {rows.size}",
        expected=expected,
    )
