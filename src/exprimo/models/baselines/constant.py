"""The mean (or base rate) of the training examples: what knowing nothing scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from exprimo.core.config import Config
from exprimo.core.predictor import Batch, Prediction
from exprimo.models.baselines.baseline import Stream, point
from exprimo.models.zoo import ModelSpec, Task, output_names


class ConstantConfig(Config):
    """The constant predictor has no options."""


class Constant:
    """Predict the training mean; for classes that is the base rate, of class 1 or of each."""

    inputs: tuple[str, ...] = ()
    window: int | None = None

    def __init__(self, config: ConstantConfig, task: Task, classes: tuple[str, ...] = ()) -> None:
        self.outputs: tuple[str, ...] = output_names(task, classes)
        self._mean = np.full(len(self.outputs), np.nan)

    def fit(self, train: Stream, val: Stream) -> None:
        total, n = np.zeros(len(self.outputs)), 0
        for _, target in train():
            several = len(total) > 1
            each = (target[:, None] == np.arange(len(total))) if several else target[:, None]
            total, n = total + each.sum(axis=0), n + len(target)
        self._mean = total / n

    def state(self) -> dict[str, npt.NDArray[Any]]:
        return {"mean": self._mean}

    def restore(self, state: dict[str, npt.NDArray[Any]]) -> None:
        self._mean = state["mean"]

    def predict(self, batch: Batch) -> Prediction:
        return point(np.tile(self._mean, (len(next(iter(batch.values()))), 1)))


MEAN = ModelSpec(
    name="mean",
    kind="baseline",
    config=ConstantConfig,
    build=Constant,
    inputs=(),
    tasks=("regression",),
    summary="mean of the training examples",
    citation="",
)
MAJORITY = MEAN._replace(
    name="majority",
    tasks=("classification", "multiclass"),
    summary="base rate of the training examples, so always the largest class",
)
