"""Ridge and logistic regression, in the memory of one Gram matrix and a little more.

Ridge solves (XᵀX + λD) b = Xᵀy; the logistic fit is Newton's method on the same normal
equations (Hastie, Tibshirani & Friedman, The Elements of Statistical Learning, eq. 3.44, 4.26).
Features are standardised with training statistics; the intercept is not penalised. The penalty
is the one with the smallest validation loss.

Features that fit in memory are computed once; others are streamed anew in each pass. Where
examples are fewer than features, the solution lies in the span of the examples (ibid., 18.3.5):
with Xᵀ = QR the same penalty is laid on Rᵀ, which has as many columns as there are examples.

Several classes are as many fits of one class against the rest, each with its own penalty, whose
probabilities are scaled to add up to 1. A multinomial fit would need a Gram matrix (classes x
features) wide; this way memory and arithmetic are those of two classes, and the headline metric,
one class against the rest, is what is fitted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
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
# A step that is not this much shorter than the last asks for a new curvature.
_SHRINKS = 0.3
# Of features; on the way to the design there are up to four copies of them.
_HELD_BYTES = 2**27
_BLOCK_ROWS = 1024
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
        learned, chosen = _kept(self._features, train), _kept(self._features, val)
        center, scale, n = _moments(learned)
        if n == 0:
            raise TrainingError("no training example has a target")
        basis = _span(learned, center, scale, n)

        def design(
            rows: Rows, each: Floats | None, code: int | None, turn: Floats | None = None
        ) -> Iterator[Weighed]:
            for values, target in rows():
                standard = (values - center) / scale
                standard = standard if turn is None else standard @ turn
                X = np.column_stack([np.ones(len(standard)), standard])
                y = target if code is None else (target == code).astype(np.float64)
                yield X, y, weight_of(target, each)

        def best_of_path(code: int | None) -> tuple[Floats, float]:
            fitting, choosing = weights or (None, None)
            solve = _ridge_path if self._task == "regression" else _logistic_path
            found = solve(_once(lambda: design(learned, fitting, code, basis), n, center), n)
            candidates = found if basis is None else [_turned_back(b, basis) for b in found]
            losses = _losses(lambda: design(chosen, choosing, code), candidates, self._task)
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


# Features and target, block by block, anew at each call.
Rows = Callable[[], Iterable[tuple[Floats, Floats]]]


def _kept(features: Callable[[Batch], Floats], stream: Stream) -> Rows:
    """Compute features once where they fit in memory, else anew in each pass, in larger blocks.

    Adding up a Gram matrix moves as much memory for four rows as for a thousand.
    """
    blocks: list[tuple[Floats, Floats]] = []
    held = 0
    for batch, target in stream():
        blocks.append((features(batch), target))
        held += blocks[-1][0].nbytes
        if held > _HELD_BYTES:
            return lambda: _joined((features(batch), target) for batch, target in stream())
    whole = list(_joined(blocks, rows=None))
    return lambda: whole


def _joined(
    blocks: Iterable[tuple[Floats, Floats]], rows: int | None = _BLOCK_ROWS
) -> Iterator[tuple[Floats, Floats]]:
    """Join blocks until each has so many rows; all of them without a number."""
    waiting: list[tuple[Floats, Floats]] = []
    n = 0
    for block in blocks:
        waiting.append(block)
        n += len(block[0])
        if rows is not None and n >= rows:
            yield _one(waiting)
            waiting, n = [], 0
    if waiting:
        yield _one(waiting)


def _one(blocks: list[tuple[Floats, Floats]]) -> tuple[Floats, Floats]:
    return np.concatenate([x for x, _ in blocks]), np.concatenate([y for _, y in blocks])


def _moments(rows: Rows) -> tuple[Floats, Floats, int]:
    # Shifted sums: k-mer counts are small numbers, so doubles lose nothing here.
    total: Floats | None = None
    squares: Floats | None = None
    n = 0
    for values, _ in rows():
        n += len(values)
        total = values.sum(0) if total is None else total + values.sum(0)
        square = np.einsum("ij,ij->j", values, values)
        squares = square if squares is None else squares + square
    if total is None or squares is None:
        return np.zeros(0), np.ones(0), 0
    center = total / n
    variance = np.maximum(squares / n - center**2, 0)
    return center, np.where(variance > 1e-12, np.sqrt(np.maximum(variance, 1e-12)), 1.0), n


def _span(rows: Rows, center: Floats, scale: Floats, n: int) -> Floats | None:
    """Give an orthonormal basis of the examples, (features, n); None where it is no shorter."""
    if n >= len(center) or n * len(center) * 8 > _HELD_BYTES:
        return None
    standard = np.concatenate([(values - center) / scale for values, _ in rows()])
    return np.asarray(scipy.linalg.qr(standard.T, mode="economic")[0])


def _turned_back(b: Floats, basis: Floats) -> Floats:
    return np.concatenate([b[:1], basis @ b[1:]])


def _once(design: Design, n: int, center: Floats) -> Design:
    """Make the design once for all passes where it fits in memory."""
    if n * len(center) * 8 > _HELD_BYTES:
        return design
    whole = list(design())
    return lambda: iter(whole)


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
    """Take Newton's steps, with the curvature of an earlier one while they shrink fast."""
    b, penalty = start, lam * _penalty_matrix(len(start))
    factor: Any = None
    last = np.inf
    made = 0
    while made <= _NEWTON_STEPS:
        fresh = factor is None
        if fresh:
            gradient, hessian = _sum(_derivatives(X, y, w, _sigmoid(X @ b)) for X, y, w in design())
            # A single class drives p to 0 or 1; jitter keeps the intercept's curvature positive.
            factor = scipy.linalg.cho_factor(hessian + penalty + 1e-8 * np.eye(len(b)))
            made += 1
        else:
            gradient = _gradient(design, b)
        step = scipy.linalg.cho_solve(factor, gradient - penalty @ b)
        length = float(np.abs(step).max())
        b = b + np.clip(step, -5, 5)
        if length < _TOLERANCE:
            break
        if length > _SHRINKS * last:
            factor = None
        last = length
    return b


def _gradient(design: Design, b: Floats) -> Floats:
    total = np.zeros_like(b)
    for X, y, w in design():
        total += X.T @ (w * (y - _sigmoid(X @ b)))
    return total


def _derivatives(X: Floats, y: Floats, w: Floats, p: Floats) -> tuple[Floats, Floats]:
    # A product with its own transpose is half the arithmetic of any other.
    rooted = X * np.sqrt(w * p * (1 - p))[:, None]
    return X.T @ (w * (y - p)), rooted.T @ rooted


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
