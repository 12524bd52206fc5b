"""Ridge and logistic regression from a stream, in the memory of one Gram matrix.

Ridge solves (XᵀX + λD) b = Xᵀy; the logistic fit is Newton's method on the same normal
equations (Hastie, Tibshirani & Friedman, The Elements of Statistical Learning, eq. 3.44, 4.26).
Features are standardised with training statistics; the intercept is not penalised. The penalty
is the one with the smallest validation loss.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.linalg

from exprimo.core.errors import MismatchError, TrainingError
from exprimo.core.predictor import Batch, Prediction
from exprimo.models.baselines.baseline import Floats, Stream, point
from exprimo.models.zoo import Task

# λ per training example, on standardised features: from nearly none to nearly the mean.
PENALTIES = (1e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0, 3.0)
_NEWTON_STEPS = 25
_TOLERANCE = 1e-6


class LinearBaseline:
    """A linear model on features that a function makes of a batch."""

    inputs: tuple[str, ...] = ("sequence",)

    def __init__(self, features: Callable[[Batch], Floats], task: Task) -> None:
        self._features = features
        self.window: int | None = None
        self._task = task
        self.outputs: tuple[str, ...] = ("probability",) if task == "classification" else ("value",)
        self._state: dict[str, npt.NDArray[Any]] = {}

    def fit(self, train: Stream, val: Stream) -> None:
        center, scale, n = _moments(self._features, train)
        if n == 0:
            raise TrainingError("no training example has a target")

        def design(stream: Stream) -> Iterator[tuple[Floats, Floats]]:
            for batch, target in stream():
                standard = (self._features(batch) - center) / scale
                yield np.column_stack([np.ones(len(standard)), standard]), target

        solve = _logistic_path if self._task == "classification" else _ridge_path
        candidates = solve(lambda: design(train), n)
        losses = _losses(lambda: design(val), candidates, self._task)
        best = int(np.argmin(losses))
        self.window = _window(train)
        self._state = {
            "window": np.array([self.window]),
            "coefficients": candidates[best],
            "center": center,
            "scale": scale,
            "penalty": np.array([PENALTIES[best]]),
        }

    def state(self) -> dict[str, npt.NDArray[Any]]:
        return dict(self._state)

    def restore(self, state: dict[str, npt.NDArray[Any]]) -> None:
        self._state = dict(state)
        self.window = int(state["window"][0]) if "window" in state else None

    def predict(self, batch: Batch) -> Prediction:
        s = self._state
        found = batch["sequence"].shape[1]
        if self.window is not None and found != self.window:
            # Counts grow with the length: the line would be followed far beyond its data.
            raise MismatchError(
                "the model reads another sequence",
                found=f"shape ({found},)",
                expected=f"shape ({self.window},)",
                remedy="Build the dataset with the window that the model was trained on",
            )
        standard = (self._features(batch) - s["center"]) / s["scale"]
        linear = s["coefficients"][0] + standard @ s["coefficients"][1:]
        return point(_sigmoid(linear) if self._task == "classification" else linear)


def _moments(features: Callable[[Batch], Floats], stream: Stream) -> tuple[Floats, Floats, int]:
    # Shifted sums: k-mer counts are small numbers, so doubles lose nothing here.
    total: Floats | None = None
    squares: Floats | None = None
    n = 0
    for batch, _ in stream():
        values = features(batch)
        n += len(values)
        total = values.sum(0) if total is None else total + values.sum(0)
        square = (values**2).sum(0)
        squares = square if squares is None else squares + square
    if total is None or squares is None:
        return np.zeros(0), np.ones(0), 0
    center = total / n
    variance = np.maximum(squares / n - center**2, 0)
    return center, np.where(variance > 1e-12, np.sqrt(np.maximum(variance, 1e-12)), 1.0), n


def _window(stream: Stream) -> int:
    return int(next(iter(stream()))[0]["sequence"].shape[1])


Design = Callable[[], Iterator[tuple[Floats, Floats]]]


def _penalty_matrix(size: int) -> Floats:
    diagonal = np.eye(size)
    diagonal[0, 0] = 0.0
    return diagonal


def _sum(terms: Iterator[tuple[Floats, Floats]]) -> tuple[Floats, Floats]:
    first, second = next(terms)
    for one, other in terms:
        first, second = first + one, second + other
    return first, second


def _ridge_path(design: Design, n: int) -> list[Floats]:
    gram, moment = _sum((X.T @ X, X.T @ y) for X, y in design())
    penalty = _penalty_matrix(len(gram))
    return [
        np.asarray(scipy.linalg.solve(gram + n * lam * penalty, moment, assume_a="pos"))
        for lam in PENALTIES
    ]


def _logistic_path(design: Design, n: int) -> list[Floats]:
    # From the strongest penalty to the weakest: each solution starts the next one.
    found: list[Floats] = []
    start = np.zeros(next(design())[0].shape[1])
    for lam in reversed(PENALTIES):
        start = _newton(design, n * lam, start)
        found.append(start)
    return found[::-1]


def _newton(design: Design, lam: float, start: Floats) -> Floats:
    b, penalty = start, lam * _penalty_matrix(len(start))
    for _ in range(_NEWTON_STEPS):
        gradient, hessian = _sum(_derivatives(X, y, _sigmoid(X @ b)) for X, y in design())
        # A single class drives p to 0 or 1; the jitter keeps the intercept's curvature positive.
        curvature = hessian + penalty + 1e-8 * np.eye(len(b))
        step = scipy.linalg.solve(curvature, gradient - penalty @ b, assume_a="pos")
        b = b + np.clip(step, -5, 5)
        if np.abs(step).max() < _TOLERANCE:
            break
    return b


def _derivatives(X: Floats, y: Floats, p: Floats) -> tuple[Floats, Floats]:
    return X.T @ (y - p), (X * (p * (1 - p))[:, None]).T @ X


def _losses(design: Design, candidates: list[Floats], task: Task) -> Floats:
    B = np.column_stack(candidates)
    losses = np.zeros(B.shape[1])
    for X, y in design():
        linear = X @ B
        if task == "classification":
            losses += (np.logaddexp(0, linear) - y[:, None] * linear).sum(0)
        else:
            losses += ((y[:, None] - linear) ** 2).sum(0)
    return losses


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * x)))
