"""What a baseline must offer: fit in one call, plain arrays as its state."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from exprimo.core.predictor import Batch, Prediction

Floats = npt.NDArray[np.float64]
# Called once per pass; memory stays that of one batch, however many examples there are.
Stream = Callable[[], Iterable[tuple[Batch, Floats]]]


@runtime_checkable
class Baseline(Protocol):
    """A model without epochs, and itself a `Predictor`."""

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


def point(mean: npt.NDArray[Any]) -> Prediction:
    """Make a prediction, (batch,), without a spread.

    Examples
    --------
    >>> point(np.zeros(2)).mean.shape
    (2, 1)
    """
    values = np.asarray(mean, dtype=np.float32).reshape(-1, 1)
    return Prediction(values, np.full_like(values, np.nan))
