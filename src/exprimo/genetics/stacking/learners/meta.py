"""Meta-learners: put members together by what they said of people whom they had not seen."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from exprimo.genetics.stacking.config import Meta, StackConfig
from exprimo.genetics.stacking.learners.members import (
    Grown,
    Predict,
    calibration,
    grow_trees,
)

FloatArray = NDArray[np.float64]

# A leaf of the meta-learner's trees holds at least so many people.
_LEAST_ROWS = 10
_FOLDS = 5
# Of the row that holds a sum, against the largest other entry.
_HEAVY = 1e4


class Together(NamedTuple):
    """A fitted meta-learner.

    Attributes
    ----------
    predict
        Predictions of members (rows, members) -> (rows,).
    weights
        (members,) of the linear one, else None.
    """

    predict: Predict
    weights: FloatArray | None


def fit_meta(
    name: Meta, told: FloatArray, target: FloatArray, settings: StackConfig, seed: int
) -> Together:
    """Learn how to put members together.

    Parameters
    ----------
    told
        (rows, members), out of fold: nobody's row was predicted by a member that learned from it.
        Distances from the mean of those who trained.
    target
        (rows,), on the same scale, with a mean of 0.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.normal(size=200)
    >>> told = np.stack([truth + rng.normal(size=200), rng.normal(size=200)], axis=1)
    >>> fit_meta("stack_linear", told, truth, StackConfig(), 0).weights.round(1).tolist()
    [0.5, 0.0]
    """
    if name == "stack_linear":
        return _linear(told, target)
    if not np.ptp(told, axis=0).any():
        # Trees on draws of the rows would each add the error of that draw's mean.
        mean = float(target.mean())
        return Together(lambda more: np.full(len(more), mean), None)
    return Together(_trees(told, target, settings, seed), None)


def _trees(told: FloatArray, target: FloatArray, settings: StackConfig, seed: int) -> Predict:
    """Grow as many trees as predict left-out rows best, none if the mean does; then shrink.

    Rows are dealt into folds. How many trees, and what their predictions are multiplied with,
    come from rows that the trees had not seen.
    """
    fold = np.random.default_rng(seed).permutation(len(target)) % _FOLDS
    tried = [n for n in (5, 10, 20, 40, 80, 160) if n < settings.meta_rounds]
    tried.append(settings.meta_rounds)
    away, said = np.empty(len(target)), np.empty((len(tried), len(target)))
    for number in range(_FOLDS):
        held = fold == number
        mean = float(target[~held].mean())
        away[held] = target[held] - mean
        grown = _grow(told[~held], target[~held], settings.meta_rounds, settings, seed)
        for at, rounds in enumerate(tried):
            said[at, held] = grown(told[held], rounds) - mean
    shares = np.array([calibration(one, away) for one in said])
    errors = ((away - shares[:, None] * said) ** 2).mean(axis=1)
    best = int(np.argmin(errors))
    mean = float(target.mean())
    if shares[best] == 0:
        return lambda more: np.full(len(more), mean)
    final = _grow(told, target, tried[best], settings, seed)
    return lambda more: mean + shares[best] * (final(more, None) - mean)


def _grow(
    told: FloatArray, target: FloatArray, rounds: int, settings: StackConfig, seed: int
) -> Grown:
    return grow_trees(
        told,
        target,
        rounds=rounds,
        depth=2,
        rate=0.1,
        rows=settings.boosting_rows,
        seed=seed,
        least_rows=_LEAST_ROWS,
        # As in the linear one, no member is bet against.
        rising=True,
    )


def _linear(told: FloatArray, target: FloatArray) -> Together:
    """Weigh members by 0 or more (Breiman 1996, Mach Learn 24:49), and the mean by the rest.

    None is bet against, and together they weigh 1 at most: what members say is a distance from
    the training mean, so members that say nothing true get no weight and the mean is predicted.
    Without that limit, a member that hardly leaves the mean could get any weight by chance.
    """
    weights, _ = nnls(told, target)
    if weights.sum() > 1:
        # Then the best is on the edge; a heavy row holds the sum to 1.
        heavy = _HEAVY * max(float(np.abs(told).max()), float(np.abs(target).max()))
        edge = np.full((1, told.shape[1]), heavy)
        weights, _ = nnls(np.concatenate([told, edge]), np.append(target, heavy))

    def predict(more: FloatArray) -> FloatArray:
        found: FloatArray = more @ weights
        return found

    return Together(predict, np.asarray(weights, dtype=np.float64))
