"""Boosted trees on a summary of the bins: mean, maximum, centre of mass, and coarse zones.

With the cell statistics, their zone means stand beside the summary of the marks. The number of
trees is where the loss on validation is smallest.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from exprimo.core.errors import MismatchError
from exprimo.core.predictor import Batch, Prediction
from exprimo.models.baselines.baseline import ClassWeights, Floats, Stream, point, weight_of
from exprimo.models.baselines.chromatin.blocks import in_blocks
from exprimo.models.baselines.chromatin.summaries import summarise, zone_means
from exprimo.models.baselines.chromatin.within_cell import SignalConfig, inputs_of, signal_of
from exprimo.models.trees import Block, BoostedTrees, Grown, TreeSettings, grow, quantise
from exprimo.models.zoo import ModelSpec, Task, output_names

# Examples read at once: blocks of a few rows would make xgboost's passes slow.
_BLOCK_EXAMPLES = 16_384


class BinsBoostingConfig(SignalConfig):
    """Options of ``bins_boosting``."""

    zones: int = Field(10, ge=1)
    """Coarse zones that the bins are averaged in."""
    depth: int = Field(6, ge=1, le=20)
    """Largest depth of a tree."""
    rate: float = Field(0.1, gt=0, le=1)
    """Share of each tree's correction that is taken (eta)."""
    rounds: int = Field(500, ge=1)
    """Most rounds of boosting."""
    patience: int = Field(25, ge=0)
    """Rounds without a better validation loss before stopping; 0 grows all rounds."""
    rows: float = Field(0.8, gt=0, le=1)
    """Share of the examples that each tree sees, drawn with `seed`."""
    columns: float = Field(0.8, gt=0, le=1)
    """Share of the numbers that each tree sees, drawn with `seed`."""
    seed: int = Field(0, ge=0)
    """Seed of the shares above."""

    def tree_settings(self) -> TreeSettings:
        """Give the settings of the trees."""
        return TreeSettings(
            self.depth,
            self.rate,
            self.rounds,
            self.patience,
            rows=self.rows,
            columns=self.columns,
            seed=self.seed,
        )


class BinsBoosting:
    """A `Baseline` of boosted trees on a summary of the bins."""

    window: int | None = None

    def __init__(self, config: BinsBoostingConfig, task: Task) -> None:
        self._config = config
        self._task = task
        self.inputs: tuple[str, ...] = inputs_of(config)
        self.outputs: tuple[str, ...] = output_names(task)
        self._shape: tuple[int, ...] = ()
        self._trees: BoostedTrees | None = None
        self._grown: Grown | None = None

    def fit(self, train: Stream, val: Stream, weights: ClassWeights | None = None) -> None:
        fitting, choosing = weights or (None, None)
        self._shape = next(iter(train()))[0]["signal"].shape[1:]
        matrices = quantise(
            lambda: self._blocks(train, fitting), lambda: self._blocks(val, choosing)
        )
        self._grown = grow(matrices, self._config.tree_settings(), self._task)
        self._trees = self._grown.trees

    def features(self, batch: Batch) -> npt.NDArray[np.float32]:
        """Give what the trees read, (batch, numbers)."""
        found = [summarise(signal_of(batch, self._config), self._config.zones)]
        if self._config.cell_statistics:
            context = zone_means(batch["cell_context"], self._config.zones)
            found.append(context.reshape(len(context), -1))
        return np.concatenate(found, axis=1)

    def _blocks(self, stream: Stream, weights: Floats | None) -> Iterator[Block]:
        for batch, target in in_blocks(stream, _BLOCK_EXAMPLES)():
            weight = None if weights is None else weight_of(target, weights)
            yield self.features(batch), target, weight

    @property
    def n_parameters(self) -> int:
        """Splits and leaves."""
        return self._fitted().n_parameters

    def chosen(self) -> dict[str, Any]:
        """Tell what validation chose."""
        return {} if self._grown is None else {"trees": [self._grown.facts()]}

    def state(self) -> dict[str, npt.NDArray[Any]]:
        return {"trees": self._fitted().to_bytes(), "shape": np.array(self._shape)}

    def restore(self, state: dict[str, npt.NDArray[Any]]) -> None:
        self._trees = BoostedTrees.from_bytes(state["trees"])
        self._shape = tuple(int(n) for n in state["shape"])

    def predict(self, batch: Batch) -> Prediction:
        if batch["signal"].shape[1:] != self._shape:
            raise MismatchError(
                "the model reads another signal",
                found=f"shape {batch['signal'].shape[1:]}",
                expected=f"shape {self._shape}",
                remedy="Build the dataset with the marks and bins that the model was trained on",
            )
        return point(self._fitted().predict(self.features(batch)))

    def _fitted(self) -> BoostedTrees:
        if self._trees is None:
            raise RuntimeError("not fitted")
        return self._trees


SPEC = ModelSpec(
    name="bins_boosting",
    kind="baseline",
    config=BinsBoostingConfig,
    build=BinsBoosting,
    inputs=("signal",),
    reads=inputs_of,
    tasks=("regression", "classification"),
    summary="boosted trees on each mark's mean, maximum, centre of mass and zone means",
    citation="Chen & Guestrin 2016",
    imbalance=("class_weights", "oversample", "downsample"),
)
