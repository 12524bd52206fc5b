"""Ridge and logistic regression from a stream, in the memory of one Gram matrix.

Ridge solves (XᵀX + λD) b = Xᵀy; the logistic fit is Newton's method on the same normal
equations (Hastie, Tibshirani & Friedman, The Elements of Statistical Learning, eq. 3.44, 4.26).
Features are standardised with training statistics; the intercept is not penalised. The penalty
is the one with the smallest validation loss.

Several classes are as many fits of one class against the rest, each with its own penalty, whose
probabilities are scaled to add up to 1. A multinomial fit would need a Gram matrix (classes x
features) wide; this way memory and arithmetic are those of two classes, and the headline metric,
one class against the rest, is what is fitted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.linalg

from exprimo.core.errors import MismatchError, TrainingError
from exprimo.core.predictor import Batch, Prediction
from exprimo.models.baselines.baseline import ClassWeights, Floats, Stream, point, weight_of
from exprimo.models.zoo import Task, output_names

# λ per training example, on standardised features: from nearly none to nearly the mean.
PENALTIES = (1e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0, 3.0)
_NEWTON_STEPS = 25
_TOLERANCE = 1e-6
# Keeps a row on which no class has any probability from being divided by 0.
_LEAST = 1e-300


class LinearBaseline:
    """A linear model on features that a function makes of a batch."""

    def __init__(
        self,
        features: Callable[[Batch], Floats],
        task: Task,
        classes: tuple[str, ...] = (),
        inputs: tuple[str, ...] = ("sequence",),
    ) -> None:
        self.inputs = inputs
        self._features = features
        self.window: int | None = None
        self._task = task
        self.outputs: tuple[str, ...] = output_names(task, classes)
        self._state: dict[str, npt.NDArray[Any]] = {}

    def fit(self, train: Stream, val: Stream, weights: ClassWeights | None = None) -> None:
        center, scale, n = _moments(self._features, train)
        if n == 0:
            raise TrainingError("no training example has a target")

        def design(stream: Stream, each: Floats | None, code: int | None) -> Iterator[Weighed]:
            for batch, target in stream():
                standard = (self._features(batch) - center) / scale
                X = np.column_stack([np.ones(len(standard)), standard])
                y = target if code is None else (target == code).astype(np.float64)
                yield X, y, weight_of(target, each)

        def best_of_path(code: int | None) -> tuple[Floats, float]:
            fitting, choosing = weights or (None, None)
            solve = _ridge_path if self._task == "regression" else _logistic_path
            candidates = solve(lambda: design(train, fitting, code), n)
            losses = _losses(lambda: design(val, choosing, code), candidates, self._task)
            best = int(np.argmin(losses))
            return candidates[best], PENALTIES[best]

        several = self._task == "multiclass"
        fits = [best_of_path(code if several else None) for code in range(len(self.outputs))]
        coefficients = np.stack([b for b, _ in fits])
        self._state = {}
        if "sequence" in self.inputs:
            self.window = _window(train)
            self._state["window"] = np.array([self.window])
        self._state |= {
            "coefficients": coefficients if several else coefficients[0],
            "center": center,
            "scale": scale,
            "penalty": np.array([penalty for _, penalty in fits]),
        }

    def state(self) -> dict[str, npt.NDArray[Any]]:
        return dict(self._state)

    def restore(self, state: dict[str, npt.NDArray[Any]]) -> None:
        self._state = dict(state)
        self.window = int(state["window"][0]) if "window" in state else None

    def predict(self, batch: Batch) -> Prediction:
        s = self._state
        if self.window is not None and batch["sequence"].shape[1] != self.window:
            # Counts grow with the length: the line would be followed far beyond its data.
            raise MismatchError(
                "the model reads another sequence",
                found=f"shape ({batch['sequence'].shape[1]},)",
                expected=f"shape ({self.window},)",
                remedy="Build the dataset with the window that the model was trained on",
            )
        standard = (self._features(batch) - s["center"]) / s["scale"]
        B = np.atleast_2d(s["coefficients"])
        linear = B[:, 0] + standard @ B[:, 1:].T
        if self._task == "regression":
            return point(linear)
        p = _sigmoid(linear)
        return point(p / (p.sum(axis=1, keepdims=True) + _LEAST) if len(B) > 1 else p)


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


# Standardised features with a leading 1, target, weight.
Weighed = tuple[Floats, Floats, Floats]
Design = Callable[[], Iterator[Weighed]]


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
    gram, moment = _sum((X.T @ X, X.T @ y) for X, y, _ in design())
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
        gradient, hessian = _sum(_derivatives(X, y, w, _sigmoid(X @ b)) for X, y, w in design())
        # A single class drives p to 0 or 1; the jitter keeps the intercept's curvature positive.
        curvature = hessian + penalty + 1e-8 * np.eye(len(b))
        step = scipy.linalg.solve(curvature, gradient - penalty @ b, assume_a="pos")
        b = b + np.clip(step, -5, 5)
        if np.abs(step).max() < _TOLERANCE:
            break
    return b


def _derivatives(X: Floats, y: Floats, w: Floats, p: Floats) -> tuple[Floats, Floats]:
    return X.T @ (w * (y - p)), (X * (w * p * (1 - p))[:, None]).T @ X


def _losses(design: Design, candidates: list[Floats], task: Task) -> Floats:
    B = np.column_stack(candidates)
    losses = np.zeros(B.shape[1])
    for X, y, w in design():
        linear = X @ B
        if task == "regression":
            losses += w @ (y[:, None] - linear) ** 2
        else:
            losses += w @ (np.logaddexp(0, linear) - y[:, None] * linear)
    return losses


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * x)))
