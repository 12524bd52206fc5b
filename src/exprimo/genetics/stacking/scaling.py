"""Levels and spreads of features and expression, measured on training people alone."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from exprimo.core.errors import InputError
from exprimo.genetics.stacking.config import Normalisation

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Mask = NDArray[np.bool_]

# Below this share of the largest value, a spread is rounding error.
_ROUNDING = 1e-12


class Level(NamedTuple):
    """Mean and deviation of a row's gene among training people, both (rows,)."""

    mean: FloatArray
    sd: FloatArray

    def scaled(self, values: FloatArray) -> FloatArray:
        """Take the level off and divide by the spread."""
        found: FloatArray = (values - self.mean) / self.sd
        return found

    def restored(self, values: FloatArray) -> FloatArray:
        """Undo `scaled`."""
        found: FloatArray = values * self.sd + self.mean
        return found


def level_of(target: FloatArray, known: Mask, group: IntArray) -> Level:
    """Measure each group's level and spread on the known rows; a spread of 0 counts as 1.

    Parameters
    ----------
    target, known, group
        (rows,); groups are 0, 1, ... (genes).

    Examples
    --------
    >>> level = level_of(np.array([1.0, 3.0, 9.0]), np.array([True, True, False]), np.zeros(3, int))
    >>> level.mean.tolist(), level.scaled(np.array([1.0, 3.0, 9.0])).tolist()
    ([2.0, 2.0, 2.0], [-1.0, 1.0, 7.0])
    """
    n_groups = int(group.max()) + 1
    n = np.bincount(group[known], minlength=n_groups)
    if (n[np.unique(group)] == 0).any():
        raise InputError("a gene has no training people")
    n = np.maximum(n, 1)
    mean = np.bincount(group[known], target[known], n_groups) / n
    away = (target - mean[group])[known]
    sd = np.sqrt(np.bincount(group[known], away * away, n_groups) / n)
    flat = sd <= _ROUNDING * np.maximum(np.abs(mean), 1.0)
    sd = np.where(flat, 1.0, sd)
    return Level(mean[group], sd[group])


def scale_features(
    features: FloatArray, known: Mask, group: IntArray, how: Normalisation
) -> FloatArray:
    """Scale each feature within each group of rows, by its known rows.

    Parameters
    ----------
    features
        (rows, features).
    how
        ``z``; ``quantile``: the normal quantile of the rank among the known rows, in between by
        interpolation and beyond by the last; ``none``.

    Examples
    --------
    >>> x = np.array([[1.0], [2.0], [3.0], [9.0]])
    >>> known = np.array([True, True, True, False])
    >>> scale_features(x, known, np.zeros(4, int), "quantile").round(2).ravel().tolist()
    [-0.67, 0.0, 0.67, 0.67]
    """
    if how == "none":
        return features
    scaled = np.empty_like(features)
    for code in np.unique(group):
        here = group == code
        learned = features[here & known]
        if not len(learned):
            raise InputError("a gene has no training people")
        if how == "z":
            scaled[here] = _z(features[here], learned)
        else:
            for column in range(features.shape[1]):
                scaled[here, column] = normal_quantiles(features[here, column], learned[:, column])
    return scaled


def _z(values: FloatArray, learned: FloatArray) -> FloatArray:
    mean = learned.mean(axis=0)
    sd = learned.std(axis=0)
    flat = sd <= _ROUNDING * np.maximum(np.abs(mean), 1e-300)
    # What never varied in training says nothing of others.
    found: FloatArray = np.where(flat, 0.0, (values - mean) / np.where(flat, 1.0, sd))
    return found


def normal_quantiles(values: ArrayLike, learned: ArrayLike) -> FloatArray:
    """Give the normal quantile of each value's rank among those learned from; ties share a rank.

    Examples
    --------
    >>> normal_quantiles([5.0, 1.0], [1.0, 1.0, 1.0]).tolist()
    [0.0, 0.0]
    """
    steps, count = np.unique(np.asarray(learned, dtype=np.float64), return_counts=True)
    rank = np.cumsum(count) - (count - 1) / 2
    found: FloatArray = np.interp(
        np.asarray(values, dtype=np.float64), steps, ndtri(rank / (count.sum() + 1))
    )
    return found


def without_covariates(
    target: FloatArray, covariates: FloatArray | None, known: Mask
) -> FloatArray:
    """Take off what covariates explain, by a regression on the known rows alone.

    Parameters
    ----------
    target
        (rows,).
    covariates
        (rows, covariates) without an intercept; None or no column: nothing is taken off.

    Examples
    --------
    >>> age = np.array([[1.0], [2.0], [3.0]])
    >>> known = np.array([True, True, False])
    >>> without_covariates(np.array([1.0, 2.0, 4.0]), age, known).round(6).tolist()
    [1.5, 1.5, 2.5]
    """
    if covariates is None or covariates.shape[1] == 0:
        return target
    centred = covariates - covariates[known].mean(axis=0)
    away = target[known] - target[known].mean()
    effect, *_ = np.linalg.lstsq(centred[known], away, rcond=None)
    left: FloatArray = target - centred @ effect
    return left
