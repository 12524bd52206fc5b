"""Ridge or logistic regression on all bins: how far a model goes that has no layers.

Five marks in 100 bins are 500 numbers, 1,500 with the cell statistics. One pass adds up their
products with each other, block by block, so memory does not grow with the examples.
"""

from __future__ import annotations

import numpy as np

from exprimo.core.errors import MismatchError
from exprimo.core.predictor import Batch, Prediction
from exprimo.models.baselines.baseline import ClassWeights, Floats, Stream
from exprimo.models.baselines.chromatin.blocks import in_blocks
from exprimo.models.baselines.chromatin.within_cell import SignalConfig, inputs_of, signal_of
from exprimo.models.baselines.linear import LinearBaseline
from exprimo.models.zoo import ModelSpec, Task

# Adding up the products of a block moves as much memory whatever its size: 18 MB for 1,500 numbers.
_BLOCK_EXAMPLES = 2048


class BinsRidgeConfig(SignalConfig):
    """Options of ``bins_ridge``; every row in every bin is standardised."""


class BinsRidge(LinearBaseline):
    """A `LinearBaseline` on rows x bins numbers."""

    def __init__(self, config: BinsRidgeConfig, task: Task) -> None:
        self._config = config
        super().__init__(self._flat, task, inputs=inputs_of(config))

    def _flat(self, batch: Batch) -> Floats:
        read = [signal_of(batch, self._config)]
        if self._config.cell_statistics:
            read.append(batch["cell_context"])
        parts = [values.reshape(len(values), -1) for values in read]
        return np.concatenate(parts, axis=1).astype(np.float64)

    def fit(self, train: Stream, val: Stream, weights: ClassWeights | None = None) -> None:
        super().fit(in_blocks(train, _BLOCK_EXAMPLES), in_blocks(val, _BLOCK_EXAMPLES), weights)

    def predict(self, batch: Batch) -> Prediction:
        expected = len(self._state["center"])
        read = self.inputs if self._config.cell_statistics else ("signal",)
        found = sum(int(np.prod(batch[name].shape[1:])) for name in read)
        if found != expected:
            raise MismatchError(
                "the model reads other marks or bins",
                found=f"{found:,} numbers for each example",
                expected=f"{expected:,}",
                remedy="Build the dataset with the marks and bins that the model was trained on",
            )
        return super().predict(batch)


SPEC = ModelSpec(
    name="bins_ridge",
    kind="baseline",
    config=BinsRidgeConfig,
    build=BinsRidge,
    inputs=("signal",),
    reads=inputs_of,
    tasks=("regression", "classification"),
    summary="ridge or logistic regression on all bins, penalty chosen on validation",
    citation="Hoerl & Kennard 1970; Karlic et al. 2010 for marks as predictors of expression",
    imbalance=("class_weights", "oversample", "downsample"),
)
