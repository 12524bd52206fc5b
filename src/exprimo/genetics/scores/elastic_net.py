"""The field's strong rival: an elastic net on the variants around a gene, judged by nested folds.

PredictDB's scheme (Gamazon et al. 2015, Nat Genet 47:1091): alpha 0.5, the penalty by inner
folds of the training people, R2 from outer folds that the inner ones never saw.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from exprimo.core.errors import InputError
from exprimo.evaluate.grouped import r2_against_training
from exprimo.genetics.scores.coordinate_descent import (
    FloatArray,
    IntArray,
    Paths,
    follow_paths,
    steepest_slopes,
)

_BOOL = NDArray[np.bool_]

# A path ends when the inner error has not fallen for so many penalties (at 100 of them down to
# 1%, one third of the penalty): what comes then selects hundreds of variants and takes most time.
_PATIENCE = 25
# Two for each of two inner folds.
_FEWEST_PEOPLE = 4


class ElasticNet(NamedTuple):
    """Weights of one gene.

    Attributes
    ----------
    weights
        (variants,), per ALT allele; 0 for what was not selected.
    means
        (variants,), mean dosage of the training people; a missing dosage counts as it.
    intercept
        Mean of the training people.
    penalty
        What the inner folds chose.
    penalties, errors
        The path, falling, and the mean squared error over the inner folds at each.
    """

    weights: FloatArray
    means: FloatArray
    intercept: float
    penalty: float
    penalties: FloatArray
    errors: FloatArray

    def predict(self, dosage: ArrayLike) -> FloatArray:
        """Predict people, (people,), from dosages (variants, people), NaN where missing."""
        values = np.asarray(dosage, dtype=np.float64)
        used = np.flatnonzero(self.weights)
        away = values[used] - self.means[used, None]
        told: FloatArray = self.intercept + self.weights[used] @ np.where(np.isnan(away), 0.0, away)
        return told


class NestedElasticNet(NamedTuple):
    """An elastic net of one gene with honest predictions of everybody.

    Attributes
    ----------
    predicted
        (people,), each by the fit of the folds that person is not in.
    training_mean
        (people,), the mean of those folds.
    r2
        1 - RSS / TSS over all people, against the training means.
    r2_folds
        The same in each fold, in order of fold number.
    n_selected
        Variants with a weight, in each fold's fit.
    final
        The fit on everybody; to be judged on other people only.
    """

    predicted: FloatArray
    training_mean: FloatArray
    r2: float
    r2_folds: FloatArray
    n_selected: IntArray
    final: ElasticNet


def inner_folds(training: _BOOL, n: int, seed: int) -> IntArray:
    """Deal the training people into folds of equal size; -1 for the others.

    Examples
    --------
    >>> inner_folds(np.array([True, True, False, True, True]), 2, 0).tolist()
    [1, 0, -1, 0, 1]
    """
    folds = np.full(len(training), -1, dtype=np.int64)
    people = np.random.default_rng(seed).permutation(np.flatnonzero(training))
    folds[people] = np.arange(len(people)) % n
    return folds


def fit_elastic_nets(
    dosage: ArrayLike,
    target: ArrayLike,
    training: ArrayLike,
    *,
    alpha: float = 0.5,
    n_inner: int = 10,
    n_penalties: int = 100,
    smallest: float = 0.01,
    seed: int = 0,
) -> list[ElasticNet]:
    """Fit an elastic net on each set of training people, its penalty chosen inside that set.

    Parameters
    ----------
    dosage
        (variants, people), ALT alleles, NaN where missing.
    target
        (people,).
    training
        (sets, people), true for those who train.
    n_inner
        Inner folds; fewer where a set has not two people for each.
    smallest
        Last penalty of the path, as a share of the first, at which no variant enters.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> dosage = rng.integers(0, 3, (20, 100)).astype(float)
    >>> target = dosage[7] + 0.1 * rng.normal(size=100)
    >>> net, = fit_elastic_nets(dosage, target, np.ones((1, 100), dtype=bool))
    >>> int(np.abs(net.weights).argmax()), bool(abs(net.weights[7] - 1) < 0.1)
    (7, True)
    """
    values, missing, y, sets = _checked(dosage, target, training, n_inner)
    n_inner = min(n_inner, int(sets.sum(axis=1).min()) // 2)
    inner = np.stack([inner_folds(one, n_inner, seed) for one in sets])
    every = np.concatenate([sets] + [sets & (inner != fold) for fold in range(n_inner)])
    errors = _InnerErrors(y, inner, n_inner, n_penalties)
    first = steepest_slopes(values, y, sets, missing=missing) / alpha
    grid = np.geomspace(1.0, smallest, n_penalties)
    penalties = np.maximum(first, 1e-12)[:, None] * grid
    paths = follow_paths(
        values,
        y,
        every,
        np.tile(penalties, (n_inner + 1, 1)),
        alpha=alpha,
        missing=missing,
        ended=errors.after,
    )
    return [
        _chosen(paths, at, penalties[at], errors.mean[at], len(values)) for at in range(len(sets))
    ]


def nested_elastic_net(
    dosage: ArrayLike,
    target: ArrayLike,
    folds: ArrayLike,
    *,
    alpha: float = 0.5,
    n_inner: int = 10,
    n_penalties: int = 100,
    smallest: float = 0.01,
    seed: int = 0,
) -> NestedElasticNet:
    """Fit one gene and judge it on people that neither weights nor penalty have seen.

    Parameters
    ----------
    dosage
        (variants, people), ALT alleles, NaN where missing.
    target
        Expression, (people,).
    folds
        Outer fold of each person, (people,).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> dosage = rng.integers(0, 3, (20, 100)).astype(float)
    >>> target = dosage[7] + rng.normal(size=100)
    >>> found = nested_elastic_net(dosage, target, np.arange(100) % 5)
    >>> bool(0.2 < found.r2 < 0.6), len(found.r2_folds)
    (True, 5)
    """
    fold_of = np.asarray(folds)
    numbers = np.unique(fold_of)
    if len(numbers) < 2:
        raise InputError("too few folds to judge on", found=len(numbers), expected="2 or more")
    everybody = np.ones((1, len(fold_of)), dtype=bool)
    training = np.concatenate([fold_of != numbers[:, None], everybody])
    *nets, final = fit_elastic_nets(
        dosage,
        target,
        training,
        alpha=alpha,
        n_inner=n_inner,
        n_penalties=n_penalties,
        smallest=smallest,
        seed=seed,
    )
    values, y = np.asarray(dosage, dtype=np.float64), np.asarray(target, dtype=np.float64)
    predicted, mean = np.empty(len(y)), np.empty(len(y))
    for number, net in zip(numbers, nets, strict=True):
        held = fold_of == number
        predicted[held], mean[held] = net.predict(values[:, held]), net.intercept
    of_fold = [fold_of == number for number in numbers]
    return NestedElasticNet(
        predicted=predicted,
        training_mean=mean,
        r2=float(r2_against_training(y, predicted, mean)),
        r2_folds=np.array(
            [float(r2_against_training(y[f], predicted[f], mean[f])) for f in of_fold]
        ),
        n_selected=np.array([np.count_nonzero(net.weights) for net in nets]),
        final=final,
    )


class _InnerErrors:
    """Mean squared error over the inner folds of each set, as the paths go on."""

    def __init__(self, y: FloatArray, inner: IntArray, n_inner: int, n_penalties: int) -> None:
        self._y = y
        self._held = np.stack([inner == fold for fold in range(n_inner)])
        self._n = (inner >= 0).sum(axis=1)
        self.mean = np.full((len(inner), n_penalties), np.nan)

    def after(self, step: int, predicted: FloatArray) -> _BOOL:
        """Take in a step; tell which fits need go no further."""
        n_inner, n_sets, people = self._held.shape
        # The first fits are those on whole sets; then come the inner folds, set by set.
        away = predicted[n_sets:].reshape(n_inner, n_sets, people) - self._y
        self.mean[:, step] = np.where(self._held, away * away, 0.0).sum(axis=(0, 2)) / self._n
        best = np.nanargmin(self.mean, axis=1)
        ended: _BOOL = np.tile(step - best >= _PATIENCE, n_inner + 1)
        return ended


def _chosen(
    paths: Paths, at: int, penalties: FloatArray, errors: FloatArray, n_variants: int
) -> ElasticNet:
    """Choose the penalty with the least error over the inner folds; the larger of equal ones."""
    best = int(np.nanargmin(errors))
    weights = np.zeros(n_variants)
    weights[paths.support[at][best]] = paths.weights[at][best]
    return ElasticNet(
        weights=weights,
        means=paths.scales.mean[:, at].copy(),
        intercept=float(paths.intercept[at]),
        penalty=float(penalties[best]),
        penalties=penalties,
        errors=errors,
    )


def _checked(
    dosage: ArrayLike, target: ArrayLike, training: ArrayLike, n_inner: int
) -> tuple[FloatArray, _BOOL | None, FloatArray, _BOOL]:
    """Refuse what does not fit together; give dosages with 0 where missing."""
    values, y = np.asarray(dosage, dtype=np.float64), np.asarray(target, dtype=np.float64)
    sets = np.atleast_2d(np.asarray(training, dtype=bool))
    if values.ndim != 2 or y.shape != (values.shape[1],) or sets.shape[1] != len(y):
        raise InputError(
            "dosages, expression and training people are not of the same people",
            found=f"{values.shape} dosages, {y.shape} expression, {sets.shape} training",
            expected="(variants, people), (people,), (sets, people)",
        )
    if not np.isfinite(y).all():
        raise InputError("expression is missing", found=f"{(~np.isfinite(y)).sum()} people")
    fewest = int(sets.sum(axis=1).min())
    if n_inner < 2 or fewest < _FEWEST_PEOPLE:
        raise InputError(
            "too few people for the inner folds",
            found=f"{fewest} training people, {n_inner} inner folds",
            expected=f"at least {_FEWEST_PEOPLE} people and 2 folds",
        )
    missing = np.isnan(values)
    if not missing.any():
        return values, None, y, sets
    return np.where(missing, 0.0, values), missing, y, sets
