"""Boosted trees on every base of the window: is the letter at this position an A?

These are the trees on flattened one-hot columns, grown from one column of letters per position: a
tree asks for one letter against the rest, as it would ask one of four columns. That takes a
quarter of the time and memory. N is a letter, too, where one-hot columns would all be zero.

The final figures of a published study on 2 kb promoters came from such trees, after its majority
class was downsampled. There the examples that judged also stopped the training; here the
validation part stops it, and the test part is never seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from exprimo.core.config import Config
from exprimo.core.errors import MismatchError
from exprimo.core.predictor import Batch, Prediction
from exprimo.core.sequence import Codes
from exprimo.models.baselines.baseline import ClassWeights, Floats, Stream, point, weight_of
from exprimo.models.trees import Block, BoostedTrees, Grown, TreeSettings, grow, quantise
from exprimo.models.zoo import ModelSpec, Preset, Task, output_names

# Bases read at once: blocks of a few rows would make xgboost's passes slow.
_BLOCK_BASES = 1 << 20


class OnehotXgboostConfig(Config):
    """Options of ``onehot_xgboost``; defaults are xgboost's, but for a slower rate."""

    depth: int = Field(6, ge=1, le=20)
    """Largest depth of a tree."""
    rate: float = Field(0.1, gt=0, le=1)
    """Share of each tree's correction that is taken (eta)."""
    rounds: int = Field(500, ge=1)
    """Most rounds of boosting; several classes grow one tree each per round."""
    patience: int = Field(25, ge=0)
    """Rounds without a better validation loss before stopping; 0 grows all rounds."""
    least_weight: float = Field(1.0, ge=0)
    """Least sum of curvature in a leaf (min_child_weight)."""
    penalty: float = Field(1.0, ge=0)
    """Ridge penalty of leaf values (lambda)."""
    rows: float = Field(1.0, gt=0, le=1)
    """Share of the examples that each tree sees, drawn with `seed`."""
    columns: float = Field(1.0, gt=0, le=1)
    """Share of the positions that each tree sees, drawn with `seed`."""
    seed: int = Field(0, ge=0)
    """Seed of the shares above; without them nothing is drawn."""


class OnehotXgboost:
    """A `Baseline` of boosted trees on one-hot bases."""

    inputs: tuple[str, ...] = ("sequence",)

    def __init__(
        self, config: OnehotXgboostConfig, task: Task, classes: tuple[str, ...] = ()
    ) -> None:
        self._config = config
        self._task = task
        self.outputs: tuple[str, ...] = output_names(task, classes)
        self.window: int | None = None
        self._trees: BoostedTrees | None = None
        self._grown: Grown | None = None

    def fit(self, train: Stream, val: Stream, weights: ClassWeights | None = None) -> None:
        fitting, choosing = weights or (None, None)
        self.window = int(next(iter(train()))[0]["sequence"].shape[1])
        matrices = quantise(
            lambda: _blocks(train, fitting), lambda: _blocks(val, choosing), kinds=True
        )
        settings = TreeSettings(**self._config.model_dump())
        n_classes = len(self.outputs) if self._task == "multiclass" else 0
        self._grown = grow(matrices, settings, self._task, n_classes)
        self._trees = self._grown.trees

    @property
    def n_parameters(self) -> int:
        """Splits and leaves."""
        return self._fitted().n_parameters

    def chosen(self) -> dict[str, Any]:
        """Tell what validation chose."""
        return {} if self._grown is None else {"trees": [self._grown.facts()]}

    def state(self) -> dict[str, npt.NDArray[Any]]:
        return {"trees": self._fitted().to_bytes(), "window": np.array([self.window])}

    def restore(self, state: dict[str, npt.NDArray[Any]]) -> None:
        self._trees = BoostedTrees.from_bytes(state["trees"])
        self.window = int(state["window"][0])

    def predict(self, batch: Batch) -> Prediction:
        codes = batch["sequence"]
        if codes.shape[1] != self.window:
            raise MismatchError(
                "the model reads another sequence",
                found=f"shape ({codes.shape[1]},)",
                expected=f"shape ({self.window},)",
                remedy="Build the dataset with the window that the model was trained on",
            )
        return point(self._fitted().predict(codes))

    def _fitted(self) -> BoostedTrees:
        if self._trees is None:
            raise RuntimeError("not fitted")
        return self._trees


def _blocks(stream: Stream, weights: Floats | None) -> Iterator[Block]:
    """Join batches into blocks of about `_BLOCK_BASES` bases."""
    codes: list[Codes] = []
    targets: list[Floats] = []
    for batch, target in stream():
        codes.append(batch["sequence"])
        targets.append(target)
        if sum(map(np.size, codes)) >= _BLOCK_BASES:
            yield _block(codes, targets, weights)
            codes, targets = [], []
    if codes:
        yield _block(codes, targets, weights)


def _block(codes: list[Codes], targets: list[Floats], weights: Floats | None) -> Block:
    target = np.concatenate(targets)
    weight = None if weights is None else weight_of(target, weights)
    return np.concatenate(codes), target, weight


SPEC = ModelSpec(
    name="onehot_xgboost",
    kind="baseline",
    config=OnehotXgboostConfig,
    build=OnehotXgboost,
    inputs=("sequence",),
    tasks=("regression", "classification", "multiclass"),
    summary="boosted trees on the one-hot bases of the window, stopped on validation",
    citation="Chen & Guestrin 2016",
    imbalance=("class_weights", "oversample", "downsample"),
    # Fitted in one call as baselines are, but a contender.
    rival=False,
    presets={
        "published": Preset(
            {},
            {"imbalance": "downsample"},
            "after downsampling once; stopped on validation, where the source stopped on the "
            "examples that judged",
        )
    },
)
