"""The learners of a stack: from scaled features and expression to a way of predicting others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exprimo.core.errors import InputError
from exprimo.genetics.scores.elastic_net import fit_elastic_nets
from exprimo.genetics.stacking.config import Member, StackConfig
from exprimo.genetics.stacking.learners.ridge import fit_polynomial, fit_ridge

FloatArray = NDArray[np.float64]
Predict = Callable[[FloatArray], FloatArray]
"""Features (rows, features) -> (rows,)."""
Grown = Callable[[FloatArray, int | None], FloatArray]
"""Features, and how many of the first trees (None: all) -> (rows,)."""

_FEWEST_PEOPLE = 8
_ELASTIC_FOLDS = 10

CALIBRATED: frozenset[Member] = frozenset({"forest", "boosting", "xgboost"})
"""Learners that choose no penalty of their own: they say too much of few people."""


def fit_member(
    name: Member, features: FloatArray, target: FloatArray, settings: StackConfig, seed: int
) -> Predict:
    """Fit one learner.

    Parameters
    ----------
    features, target
        (rows, features), (rows,): training rows only. Without any feature that varies, each
        learner predicts the mean.

    Examples
    --------
    >>> x = np.arange(20.0)[:, None]
    >>> predict = fit_member("ridge", x, 2 * x[:, 0], StackConfig(), 0)
    >>> predict(np.array([[30.0]])).round(1).tolist()
    [60.0]
    """
    if len(target) < _FEWEST_PEOPLE:
        raise InputError("too few rows to learn from", found=len(target), expected=_FEWEST_PEOPLE)
    used = np.flatnonzero(np.ptp(features, axis=0) > 0)
    if not len(used) or np.ptp(target) == 0:
        return _constant(float(target.mean()))
    predict = _FITS[name](features[:, used], target, settings, seed)
    return lambda more: predict(more[:, used])


def _constant(mean: float) -> Predict:
    return lambda more: np.full(len(more), mean)


def _ridge(x: FloatArray, y: FloatArray, settings: StackConfig, seed: int) -> Predict:
    return fit_ridge(x, y).predict


def _polynomial(x: FloatArray, y: FloatArray, settings: StackConfig, seed: int) -> Predict:
    return fit_polynomial(x, y).predict


def _elastic_net(x: FloatArray, y: FloatArray, settings: StackConfig, seed: int) -> Predict:
    n_inner = min(_ELASTIC_FOLDS, len(y) // 2)
    (net,) = fit_elastic_nets(
        x.T,
        y,
        np.ones((1, len(y)), dtype=bool),
        alpha=settings.elastic_net_alpha,
        n_inner=n_inner,
        seed=seed,
    )
    return lambda more: net.predict(more.T)


def _forest(x: FloatArray, y: FloatArray, settings: StackConfig, seed: int) -> Predict:
    from sklearn.ensemble import RandomForestRegressor

    # A third of the features at each split, as Breiman 2001 (Mach Learn 45:5) has it for numbers.
    model = RandomForestRegressor(
        settings.forest_trees,
        min_samples_leaf=settings.forest_leaf,
        max_features=max(1, x.shape[1] // 3),
        random_state=seed,
        n_jobs=1,
    ).fit(x, y)
    return _as_float64(model)


def _boosting(x: FloatArray, y: FloatArray, settings: StackConfig, seed: int) -> Predict:
    from sklearn.ensemble import GradientBoostingRegressor

    model = GradientBoostingRegressor(
        n_estimators=settings.boosting_rounds,
        max_depth=settings.boosting_depth,
        learning_rate=settings.boosting_rate,
        subsample=settings.boosting_rows,
        min_samples_leaf=max(1, min(settings.boosting_leaf, len(y) // 4)),
        max_features=max(1, x.shape[1] // 3),
        random_state=seed,
    ).fit(x, y)
    return _as_float64(model)


def _as_float64(model: Any) -> Predict:
    return lambda more: np.asarray(model.predict(more), dtype=np.float64)


def _xgboost(x: FloatArray, y: FloatArray, settings: StackConfig, seed: int) -> Predict:
    grown = grow_trees(
        x,
        y,
        rounds=settings.boosting_rounds,
        depth=settings.boosting_depth,
        rate=settings.boosting_rate,
        rows=settings.boosting_rows,
        seed=seed,
        least_rows=settings.boosting_leaf,
    )
    return lambda more: grown(more, None)


def grow_trees(
    x: FloatArray,
    y: FloatArray,
    *,
    rounds: int,
    depth: int,
    rate: float,
    rows: float,
    seed: int,
    least_rows: int = 1,
    rising: bool = False,
) -> Grown:
    """Fit XGBoost's trees on one thread; they start from the mean.

    Parameters
    ----------
    rows
        Share of the rows that each tree sees.
    least_rows
        In a leaf.
    rising
        Whether a prediction may only rise with each feature.
    """
    import xgboost

    parameters = {
        "objective": "reg:squarederror",
        "base_score": float(y.mean()),
        "tree_method": "hist",
        "max_depth": depth,
        "eta": rate,
        "subsample": rows,
        "min_child_weight": least_rows,
        "monotone_constraints": (int(rising),) * x.shape[1],
        "seed": seed,
        "nthread": 1,
        "verbosity": 0,
    }
    booster = xgboost.train(parameters, xgboost.DMatrix(x, y, nthread=1), rounds)

    def predict(more: FloatArray, first: int | None) -> FloatArray:
        given = xgboost.DMatrix(more, nthread=1)
        return np.asarray(
            booster.predict(given, iteration_range=(0, first or rounds)), dtype=np.float64
        )

    return predict


def calibration(told: FloatArray, target: FloatArray) -> float:
    """Give what a learner's predictions have to be multiplied with, from 0 to 1.

    The slope of expression on predictions of people whom the learner had not seen. Both are
    distances from the training mean. A learner that says nothing true gets 0, and none is trusted
    for more than it says.

    Examples
    --------
    >>> calibration(np.array([2.0, -2.0]), np.array([1.0, -1.0]))
    0.5
    >>> calibration(np.array([2.0, -2.0]), np.array([-1.0, 1.0]))
    0.0
    """
    size = float(told @ told)
    return min(1.0, max(0.0, float(told @ target) / size)) if size > 0 else 0.0


_FITS: dict[Member, Callable[[FloatArray, FloatArray, StackConfig, int], Predict]] = {
    "ridge": _ridge,
    "polynomial": _polynomial,
    "forest": _forest,
    "elastic_net": _elastic_net,
    "boosting": _boosting,
    "xgboost": _xgboost,
}
