"""What a baseline must offer: fit in one call, plain arrays as its state."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from exprimo.core.predictor import Batch, Prediction

Floats = npt.NDArray[np.float64]
# Called once per pass; memory stays that of one batch, however many examples there are.
Stream = Callable[[], Iterable[tuple[Batch, Floats]]]


class ClassWeights(NamedTuple):
    """How much an example of each class counts, (classes,), in fitting and in choosing.

    ``fit`` is None where the stream itself was balanced; ``choose`` then still weighs the
    validation examples, whose classes are as unequal as they are.
    """

    fit: Floats | None
    choose: Floats


@runtime_checkable
class Baseline(Protocol):
    """A model without epochs, and itself a `Predictor`.

    One whose entry in the zoo names ways of ``imbalance`` also takes ``weights: ClassWeights``
    in `fit`.
    """

    inputs: tuple[str, ...]
    window: int | None
    outputs: tuple[str, ...]

    def fit(self, train: Stream, val: Stream) -> None:
        """Learn from ``train``; ``val`` may choose a penalty and nothing else."""

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Give all that was learned."""

    def restore(self, state: dict[str, npt.NDArray[Any]]) -> None:
        """Take up what `state` gave."""

    def predict(self, batch: Batch) -> Prediction:
        """Predict for inputs as stored in a Dataset."""


def weight_of(target: Floats, weights: Floats | None) -> Floats:
    """Give the weight of each example, (batch,): that of its class, or 1.

    Examples
    --------
    >>> weight_of(np.array([0.0, 1.0, 1.0]), np.array([0.5, 2.0])).tolist()
    [0.5, 2.0, 2.0]
    """
    return np.ones(len(target)) if weights is None else weights[target.astype(np.int64)]


def point(mean: npt.NDArray[Any]) -> Prediction:
    """Make a prediction, (batch,) or (batch, outputs), without a spread.

    Examples
    --------
    >>> point(np.zeros(2)).mean.shape
    (2, 1)
    """
    values = np.asarray(mean, dtype=np.float32)
    values = values.reshape(len(values), -1)
    return Prediction(values, np.full_like(values, np.nan))
