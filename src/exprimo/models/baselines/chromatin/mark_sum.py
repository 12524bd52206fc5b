"""How much of one mark there is around the TSS: linear in its sum over all bins.

Which mark is the one whose sum correlates best with the target among training examples, whatever
the sign, unless the options say.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from pydantic import model_validator

from exprimo.core.config import Config
from exprimo.core.dataset import Dataset
from exprimo.core.errors import ConfigError, TrainingError
from exprimo.core.predictor import Batch, Prediction
from exprimo.models.baselines.baseline import ClassWeights, Floats, Stream
from exprimo.models.baselines.linear import LinearBaseline
from exprimo.models.zoo import ModelSpec, Task


class MarkSumConfig(Config):
    """Options of ``mark_sum``."""

    mark: str | int | None = None
    """The mark, by name or by its place from 0; unset: the best on training examples."""
    marks: tuple[str, ...] = ()
    """Names of the dataset's marks in order; training fills them in."""

    @model_validator(mode="after")
    def _mark_is_known(self) -> Self:
        if isinstance(self.mark, str) and self.marks and self.mark not in self.marks:
            raise ValueError(f"no mark {self.mark}; there are {', '.join(self.marks)}")
        return self


def name_marks(
    config: MarkSumConfig, dataset: Dataset, rows: npt.NDArray[np.int64]
) -> MarkSumConfig:
    """Fill in how the dataset names its marks, and refuse a mark that it does not hold."""
    named = {"marks": dataset.inputs["signal"].labels}
    return MarkSumConfig.checked(config.model_dump() | named, file=dataset.path)


class MarkSum:
    """A `Baseline` on the sum over bins of one mark; logistic for classes."""

    inputs: tuple[str, ...] = ("signal",)
    window: int | None = None

    def __init__(self, config: MarkSumConfig, task: Task) -> None:
        self._config = config
        self._row = -1
        self._linear = LinearBaseline(self._sum, task, inputs=self.inputs)
        self.outputs: tuple[str, ...] = self._linear.outputs

    def fit(self, train: Stream, val: Stream, weights: ClassWeights | None = None) -> None:
        r = correlations(train)
        self._row = int(np.argmax(np.abs(r))) if self._config.mark is None else self._named(len(r))
        self._linear.fit(train, val, weights)

    def _named(self, n_marks: int) -> int:
        mark, marks = self._config.mark, self._config.marks
        if isinstance(mark, str) and mark in marks:
            return marks.index(mark)
        if isinstance(mark, int) and 0 <= mark < n_marks:
            return mark
        raise ConfigError(
            "no such mark",
            record="options.mark",
            found=mark,
            expected=f"one of {', '.join(marks)}" if marks else f"a place from 0 to {n_marks - 1}",
        )

    def chosen(self) -> dict[str, Any]:
        """Tell which mark it is."""
        marks = self._config.marks
        return {"mark": marks[self._row] if marks else self._row}

    def _sum(self, batch: Batch) -> Floats:
        return np.asarray(batch["signal"][:, [self._row]].sum(axis=2, dtype=np.float64))

    def state(self) -> dict[str, npt.NDArray[Any]]:
        return self._linear.state() | {"mark": np.array([self._row])}

    def restore(self, state: dict[str, npt.NDArray[Any]]) -> None:
        self._row = int(state["mark"][0])
        self._linear.restore({name: values for name, values in state.items() if name != "mark"})

    def predict(self, batch: Batch) -> Prediction:
        return self._linear.predict(batch)


def correlations(train: Stream) -> Floats:
    """Give Pearson's r of each mark's sum with the target, (marks,); 0 where one is constant."""
    mean, squares, n = np.zeros(0), np.zeros((0, 0)), 0
    for batch, target in train():
        values = np.column_stack([batch["signal"].sum(axis=2, dtype=np.float64), target])
        if not n:
            mean, squares = np.zeros(values.shape[1]), np.zeros(2 * values.shape[1:])
        # Chan, Golub & LeVeque (1983): sums of squares of two lots joined without cancellation.
        level = values.mean(axis=0)
        apart, total = level - mean, n + len(values)
        centred = values - level
        squares += centred.T @ centred + np.outer(apart, apart) * (n * len(values) / total)
        mean, n = mean + apart * (len(values) / total), total
    if not n:
        raise TrainingError("no training example has a target")
    spread = np.sqrt(np.diag(squares))
    both = spread[:-1] * spread[-1]
    return np.asarray(np.where(both > 0, squares[:-1, -1] / np.where(both > 0, both, 1), 0))


SPEC = ModelSpec(
    name="mark_sum",
    kind="baseline",
    config=MarkSumConfig,
    build=MarkSum,
    inputs=("signal",),
    settle=name_marks,
    tasks=("regression", "classification"),
    summary="linear in the sum of one mark over all bins, the best on training examples",
    citation="Karlic et al. 2010 for marks as predictors of expression",
    imbalance=("class_weights", "oversample", "downsample"),
)
