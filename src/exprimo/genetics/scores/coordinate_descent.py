"""Elastic nets by coordinate descent with covariance updates, many fits in step.

A cross-validation fits the same variants on many subsets of people. All fits walk their paths of
penalties together, so what costs, the covariance of every variant with every residual, is one
matrix product per step for all of them, and the genotypes stand in memory once.

Friedman, Hastie & Tibshirani 2010 (J Stat Softw 33:1): the updates; Tibshirani et al. 2012
(J R Stat Soc B 74:245): the strong rule, whose choices are checked and mended here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from exprimo.core.compiled import compiled

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# A path stops where it explains this share of the training variance, as glmnet's does.
_EXPLAINED = 0.999
# And where a step adds less than this share of it.
_LEAST_GAIN = 1e-5
_LEAST_STEPS = 5
# The strong rule admits everything where a path takes a long step; the mending finds the rest.
_WIDEST_GUESS = 0.7


class Scales(NamedTuple):
    """Mean and standard deviation of each variant among the training people of each fit.

    Both (variants, fits). Missing dosages are left out of the mean, and count as the mean in the
    deviation. A variant that does not vary has an inverse deviation of 0, so it never enters.
    """

    mean: FloatArray
    inverse: FloatArray


class Paths(NamedTuple):
    """Fits along their penalties.

    Attributes
    ----------
    predicted
        (fits, penalties, people): for everybody, training people or not.
    support
        ``support[fit][step]``: the variants that weigh, and ``weights[fit][step]`` their weights,
        per unit of dosage.
    scales, intercept
        Of each fit; a prediction is ``intercept + sum(weight * (dosage - mean))``.
    """

    predicted: FloatArray
    support: list[list[IntArray]]
    weights: list[list[FloatArray]]
    scales: Scales
    intercept: FloatArray


def scale_variants(
    dosage: FloatArray, missing: NDArray[np.bool_] | None, training: NDArray[np.bool_]
) -> Scales:
    """Measure each variant among the training people of each fit.

    Parameters
    ----------
    dosage
        (variants, people), with 0 where ``missing``.
    missing
        (variants, people), or None where nothing is.
    training
        (fits, people).
    """
    chosen = training.T.astype(np.float64)
    n = chosen.sum(axis=0)
    known = n if missing is None else n - missing @ chosen
    total = dosage @ chosen
    mean = total / np.maximum(known, 1)
    squares = (dosage * dosage) @ chosen - mean * total
    variance = np.maximum(squares, 0.0) / n
    # Below rounding error of the sums, a variant is constant.
    varies = variance > 1e-12 * np.maximum(mean * mean, 1e-6)
    inverse = np.divide(1.0, np.sqrt(variance), out=np.zeros_like(variance), where=varies)
    return Scales(mean, inverse)


class Covariance:
    """Covariance of every variant with the residual of every fit, in one product."""

    def __init__(
        self, dosage: FloatArray, missing: NDArray[np.bool_] | None, scales: Scales, n: FloatArray
    ) -> None:
        self._dosage = dosage
        self._missing = None if missing is None else missing.astype(np.float64)
        self._scales = scales
        self._n = n

    def of(self, residual: FloatArray, fits: IntArray) -> FloatArray:
        """Give (variants, fits) of residuals (fits, people), 0 outside the training people."""
        found: FloatArray = self._dosage @ residual[fits].T
        if self._missing is not None:
            found += self._scales.mean[:, fits] * (self._missing @ residual[fits].T)
        # Residuals add up to 0 over training people, so the variants need no centring.
        found *= self._scales.inverse[:, fits]
        found /= self._n[fits]
        return found


class Fit:
    """One elastic net on its way along the path: what has entered, and their products."""

    def __init__(self, training: NDArray[np.bool_], target: FloatArray) -> None:
        self.training = training
        self.n = int(training.sum())
        self.intercept = float(target[training].mean())
        self.centred = np.where(training, target - self.intercept, 0.0)
        self.total = float(self.centred @ self.centred)
        self.entered: IntArray = np.empty(0, dtype=np.int64)
        self.rows: FloatArray = np.empty((0, len(target)))
        self.gram: FloatArray = np.empty((0, 0))
        self.start: FloatArray = np.empty(0)
        self.weights: FloatArray = np.empty(0)
        self.done = self.total == 0.0

    def admit(self, new: IntArray, rows: FloatArray) -> None:
        """Take in variants, ``rows`` (new, people) standardised over the training people."""
        inside = rows * self.training
        old = self.rows * self.training
        across = inside @ old.T / self.n
        own = inside @ inside.T / self.n
        self.gram = np.ascontiguousarray(np.block([[self.gram, across.T], [across, own]]))
        self.start = np.concatenate([self.start, inside @ self.centred / self.n])
        self.rows = np.concatenate([self.rows, rows])
        self.entered = np.concatenate([self.entered, new])
        self.weights = np.concatenate([self.weights, np.zeros(len(new))])

    def solve(self, lasso: float, ridge: float, tolerance: float, sweeps: int) -> None:
        """Descend over what has entered."""
        if len(self.weights):
            scaled = tolerance * np.sqrt(self.total / self.n)
            _descend(self.gram, self.start, self.weights, lasso, ridge, scaled, sweeps)

    def told(self) -> FloatArray:
        """Give what the weights add for everybody, (people,)."""
        added: FloatArray = self.weights @ self.rows
        return added


@compiled
def _shrunk(pull: float, lasso: float) -> float:
    """Move towards 0 by the penalty, and not past it."""
    if pull > lasso:
        return pull - lasso
    if pull < -lasso:
        return pull + lasso
    return 0.0


@compiled
def _descend(
    gram: FloatArray,
    start: FloatArray,
    weights: FloatArray,
    lasso: float,
    ridge: float,
    tolerance: float,
    sweeps: int,
) -> int:
    """Minimise 1/2 w'Gw - c'w + lasso |w| + ridge/2 w'w over w, in place; return the sweeps.

    Sweeps over all are followed by sweeps over those that weigh, until neither moves.
    """
    size = len(weights)
    slope = start - gram @ weights
    weighing = np.empty(size, np.int64)
    for sweep in range(sweeps):
        largest = 0.0
        for j in range(size):
            before = weights[j]
            after = _shrunk(slope[j] + gram[j, j] * before, lasso) / (gram[j, j] + ridge)
            change = after - before
            if change != 0.0:
                weights[j] = after
                for k in range(size):
                    slope[k] -= change * gram[j, k]
                largest = max(largest, abs(change))
        if largest <= tolerance:
            return sweep + 1
        n = 0
        for j in range(size):
            if weights[j] != 0.0:
                weighing[n] = j
                n += 1
        for _ in range(sweeps):
            largest = 0.0
            for at in range(n):
                j = weighing[at]
                before = weights[j]
                after = _shrunk(slope[j] + gram[j, j] * before, lasso) / (gram[j, j] + ridge)
                change = after - before
                if change != 0.0:
                    weights[j] = after
                    for other in range(n):
                        slope[weighing[other]] -= change * gram[j, weighing[other]]
                    largest = max(largest, abs(change))
            if largest <= tolerance:
                break
        slope = start - gram @ weights
    return sweeps


def follow_paths(
    dosage: FloatArray,
    target: FloatArray,
    training: NDArray[np.bool_],
    penalties: FloatArray,
    *,
    alpha: float = 0.5,
    missing: NDArray[np.bool_] | None = None,
    tolerance: float = 1e-4,
    sweeps: int = 10_000,
    stop_early: bool = True,
    ended: Callable[[int, FloatArray], NDArray[np.bool_]] | None = None,
) -> Paths:
    """Fit elastic nets for a path of penalties, for many sets of training people at once.

    The function that is minimised is glmnet's and scikit-learn's, over standardised variants:
    ``|y - Xw|^2 / 2n + penalty * (alpha * |w|_1 + (1 - alpha) / 2 * |w|^2)``.

    Parameters
    ----------
    dosage, missing
        (variants, people); 0 in the dosage where something is missing.
    target
        (people,).
    training
        (fits, people).
    penalties
        (fits, steps), each falling.
    tolerance
        A descent ends when no standardised weight moves by more than this share of the standard
        deviation of the target; glmnet stops at 3e-4.
    stop_early
        Whether a path ends (its last weights are kept) when it explains all, or gains nothing.
    ended
        Asked after each step with its number and the predictions (fits, people): which fits
        need go no further.

    Examples
    --------
    >>> x = np.array([[0.0, 1.0, 2.0, 1.0], [1.0, 0.0, 1.0, 2.0]])
    >>> all_people = np.ones((1, 4), dtype=bool)
    >>> paths = follow_paths(x, np.array([0.0, 1.0, 2.0, 1.0]), all_people, np.array([[0.1]]))
    >>> paths.support[0][0].tolist(), paths.predicted[0, 0].round(3).tolist()
    ([0], [0.115, 1.0, 1.885, 1.0])
    """
    walk = _Walk(dosage, missing, target, training, (tolerance, sweeps))
    fits = walk.fits
    predicted = np.empty((len(fits), penalties.shape[1], len(target)))
    support: list[list[IntArray]] = [[] for _ in fits]
    weights: list[list[FloatArray]] = [[] for _ in fits]
    explained = np.zeros(len(fits))
    before = walk.steepest()
    for step in range(penalties.shape[1]):
        lasso = alpha * penalties[:, step]
        walk.settle(lasso, before, (1 - alpha) * penalties[:, step])
        before = lasso
        for at, fit in enumerate(fits):
            if fit.done and step:
                predicted[at, step] = predicted[at, step - 1]
                support[at].append(support[at][-1])
                weights[at].append(weights[at][-1])
                continue
            here = np.flatnonzero(fit.weights)
            chosen = fit.entered[here]
            predicted[at, step] = fit.intercept + fit.told()
            support[at].append(chosen)
            weights[at].append(fit.weights[here] * walk.scales.inverse[chosen, at])
            if stop_early and not fit.done:
                share = walk.share_explained(at)
                late = step >= _LEAST_STEPS and share > 0
                no_gain = late and share - explained[at] < _LEAST_GAIN * share
                fit.done = share > _EXPLAINED or no_gain
                explained[at] = share
        if ended is not None:
            for fit, stop in zip(fits, ended(step, predicted[:, step]), strict=True):
                fit.done = fit.done or bool(stop)
    intercepts = np.array([fit.intercept for fit in fits])
    return Paths(predicted, support, weights, walk.scales, intercepts)


def steepest_slopes(
    dosage: FloatArray,
    target: FloatArray,
    training: NDArray[np.bool_],
    *,
    missing: NDArray[np.bool_] | None = None,
) -> FloatArray:
    """Give each fit's largest covariance of a standardised variant with the target, (fits,).

    At ``penalty * alpha`` above it, no variant enters.
    """
    return _Walk(dosage, missing, target, training, (0.0, 0)).steepest()


class _Walk:
    """All fits, their residuals, and the covariance of every variant with these."""

    def __init__(
        self,
        dosage: FloatArray,
        missing: NDArray[np.bool_] | None,
        target: FloatArray,
        training: NDArray[np.bool_],
        stop: tuple[float, int],
    ) -> None:
        self._dosage, self._missing, self._stop = dosage, missing, stop
        self.scales = scale_variants(dosage, missing, training)
        self.fits = [Fit(mask, target) for mask in training]
        n = training.sum(axis=1).astype(np.float64)
        self._covariance = Covariance(dosage, missing, self.scales, n)
        self._residual = np.stack([fit.centred for fit in self.fits])
        self._slopes = self._covariance.of(self._residual, np.arange(len(self.fits)))

    def steepest(self) -> FloatArray:
        """Give the largest covariance of each fit: above it no variant enters."""
        largest: FloatArray = np.abs(self._slopes).max(axis=0, initial=0.0)
        return largest

    def share_explained(self, at: int) -> float:
        """Give the share of the training variance that a fit explains."""
        return 1.0 - float(self._residual[at] @ self._residual[at]) / self.fits[at].total

    def settle(self, lasso: FloatArray, before: FloatArray, ridge: FloatArray) -> None:
        """Solve each fit at its penalty: guess what enters, descend, mend the guess."""
        going = [at for at, fit in enumerate(self.fits) if not fit.done]
        guess = np.maximum(2 * lasso - before, _WIDEST_GUESS * lasso)
        for at in going:
            self._admit(at, guess[at])
        while going:
            for at in going:
                fit = self.fits[at]
                fit.solve(lasso[at], ridge[at], *self._stop)
                self._residual[at] = np.where(fit.training, fit.centred - fit.told(), 0.0)
            self._slopes[:, going] = self._covariance.of(self._residual, np.array(going))
            # Where no variant outside pulls harder than the penalty, that is the solution.
            going = [at for at in going if self._admit(at, lasso[at] * (1 + 1e-9))]

    def _admit(self, at: int, bar: float) -> bool:
        """Let in what pulls at least so hard and is not in yet; tell whether anything was."""
        fit = self.fits[at]
        pulls = np.abs(self._slopes[:, at]) > bar
        pulls[fit.entered] = False
        new = np.flatnonzero(pulls)
        if len(new):
            fit.admit(new, _standardised(self._dosage, self._missing, self.scales, new, at))
        return len(new) > 0


def _standardised(
    dosage: FloatArray,
    missing: NDArray[np.bool_] | None,
    scales: Scales,
    variants: IntArray,
    fit: int,
) -> FloatArray:
    """Give some variants for everybody on the scale of one fit; missing is the mean, 0."""
    rows = dosage[variants] - scales.mean[variants, fit, None]
    if missing is not None:
        rows[missing[variants]] = 0.0
    rows *= scales.inverse[variants, fit, None]
    return rows
