"""The mean (or base rate) of the training examples: what knowing nothing scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from exprimo.core.config import Config
from exprimo.core.predictor import Batch, Prediction
from exprimo.models.baselines.baseline import Stream, point
from exprimo.models.zoo import ModelSpec, Task


class ConstantConfig(Config):
    """The constant predictor has no options."""


class Constant:
    """Predict the training mean; for classes that is the base rate of class 1."""

    inputs: tuple[str, ...] = ()
    window: int | None = None

    def __init__(self, config: ConstantConfig, task: Task) -> None:
        self.outputs: tuple[str, ...] = ("probability",) if task == "classification" else ("value",)
        self._mean = float("nan")

    def fit(self, train: Stream, val: Stream) -> None:
        total, n = 0.0, 0
        for _, target in train():
            total, n = total + float(target.sum()), n + len(target)
        self._mean = total / n

    def state(self) -> dict[str, npt.NDArray[Any]]:
        return {"mean": np.array([self._mean])}

    def restore(self, state: dict[str, npt.NDArray[Any]]) -> None:
        self._mean = float(state["mean"][0])

    def predict(self, batch: Batch) -> Prediction:
        return point(np.full(len(next(iter(batch.values()))), self._mean))


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
    tasks=("classification",),
    summary="base rate of the training examples, so always the larger class",
)
