"""Boosted trees: xgboost behind a small interface, fed in batches, stored without pickle.

Features are quantised as they come, one byte each (Chen & Guestrin 2016, KDD: histograms), so the
table of features never stands in memory as floats. The number of trees is chosen on validation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field, model_validator

from exprimo.core.config import Config
from exprimo.core.errors import FormatError
from exprimo.models.zoo import Task

if TYPE_CHECKING:
    import xgboost

# Features (rows, columns), target (rows,), weight (rows,) or None; called once per pass.
Block = tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any] | None]
Blocks = Callable[[], Iterable[Block]]

# What one byte tells apart.
_BINS = 256
_OBJECTIVES: dict[Task, tuple[str, str]] = {
    "regression": ("reg:squarederror", "rmse"),
    "classification": ("binary:logistic", "logloss"),
    "multiclass": ("multi:softprob", "mlogloss"),
}


class TreeSettings(NamedTuple):
    """How trees are grown; ``patience`` 0 grows all rounds and asks validation nothing."""

    depth: int
    rate: float
    rounds: int
    patience: int
    least_weight: float = 1.0
    penalty: float = 1.0
    rows: float = 1.0
    columns: float = 1.0
    seed: int = 0


class TreesConfig(Config):
    """Trees on a network's features; the lists are tried against each other on validation."""

    depths: tuple[int, ...] = Field((2, 4, 6), min_length=1)
    """Largest depths of a tree to try."""
    rates: tuple[float, ...] = Field((0.05, 0.2), min_length=1)
    """Shares of each tree's correction (eta) to try."""
    rounds: int = Field(400, ge=1)
    """Most rounds of boosting."""
    patience: int = Field(20, ge=0)
    """Rounds without a better validation loss before stopping; 0 grows all of them."""
    penalty: float = Field(1.0, ge=0)
    """Ridge penalty of leaf values (lambda)."""
    rows: float = Field(1.0, gt=0, le=1)
    """Share of the examples that each tree sees."""
    columns: float = Field(1.0, gt=0, le=1)
    """Share of the features that each tree sees."""

    @model_validator(mode="after")
    def _tried_means_judged(self) -> Self:
        if not self.patience and len(self.depths) * len(self.rates) > 1:
            raise ValueError("patience 0 asks validation nothing: give one depth and one rate")
        return self

    def tree_settings(self) -> TreeSettings:
        """Give the settings to start the search from."""
        return TreeSettings(
            self.depths[0],
            self.rates[0],
            self.rounds,
            self.patience,
            penalty=self.penalty,
            rows=self.rows,
            columns=self.columns,
        )


class Grown(NamedTuple):
    """Trees, the settings that grew them, and their validation loss (NaN where not asked)."""

    trees: BoostedTrees
    settings: TreeSettings
    loss: float

    def facts(self) -> dict[str, Any]:
        """Give what was chosen, as plain values for JSON."""
        return {
            "depth": self.settings.depth,
            "rate": self.settings.rate,
            "rounds": self.trees.rounds,
            "validation_loss": self.loss,
        }


class BoostedTrees:
    """Fitted trees of one task."""

    def __init__(self, booster: xgboost.Booster) -> None:
        self._booster = booster

    @classmethod
    def from_bytes(cls, raw: npt.NDArray[np.uint8]) -> BoostedTrees:
        """Read what `to_bytes` gave; the format is data only (UBJSON)."""
        import xgboost

        booster = xgboost.Booster()
        try:
            booster.load_model(bytearray(raw.tobytes()))
        except xgboost.core.XGBoostError as error:
            raise FormatError(
                "the boosted trees cannot be read", found=str(error).splitlines()[0]
            ) from error
        return cls(booster)

    def to_bytes(self) -> npt.NDArray[np.uint8]:
        """Give the trees as bytes, (n,) uint8."""
        return np.frombuffer(self._booster.save_raw("ubj"), np.uint8).copy()

    @property
    def rounds(self) -> int:
        """Rounds of boosting that were kept."""
        return int(self._booster.num_boosted_rounds())

    @property
    def n_parameters(self) -> int:
        """Splits and leaves."""
        return sum(tree.count("\n") for tree in self._booster.get_dump())

    def predict(self, features: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Predict values or probabilities, (rows, outputs)."""
        self._booster.set_param({"nthread": torch.get_num_threads()})
        found = np.asarray(self._booster.inplace_predict(features), dtype=np.float32)
        return found.reshape(len(features), -1)


class Matrices(NamedTuple):
    """Quantised features of the training and the validation part."""

    train: Any
    val: Any


def quantise(train: Blocks, val: Blocks, *, kinds: bool = False) -> Matrices:
    """Read both parts into at most 256 steps per feature, which training examples set.

    With ``kinds``, features are codes of kinds (0, 1, ...) without an order, and a tree asks for
    one kind against the rest: the same trees as with a column per kind, from fewer columns.
    """
    learned = _matrix(train, kinds, None)
    return Matrices(learned, _matrix(val, kinds, learned))


def grow(matrices: Matrices, settings: TreeSettings, task: Task, n_classes: int = 0) -> Grown:
    """Fit trees; with patience, as many as are best on validation."""
    import xgboost

    objective, metric = _OBJECTIVES[task]
    parameters: dict[str, Any] = {
        "objective": objective,
        "eval_metric": metric,
        "tree_method": "hist",
        "max_bin": _BINS,
        "max_cat_to_onehot": _BINS,
        "max_depth": settings.depth,
        "eta": settings.rate,
        "min_child_weight": settings.least_weight,
        "lambda": settings.penalty,
        "subsample": settings.rows,
        "colsample_bytree": settings.columns,
        "seed": settings.seed,
        "nthread": torch.get_num_threads(),
        "verbosity": 0,
    }
    if n_classes:
        parameters["num_class"] = n_classes
    scores: dict[str, Any] = {}
    patient = settings.patience > 0
    stop = [xgboost.callback.EarlyStopping(rounds=settings.patience, save_best=True)]
    booster = xgboost.train(
        parameters,
        matrices.train,
        settings.rounds,
        evals=[(matrices.val, "val")] if patient else [],
        evals_result=scores,
        callbacks=stop if patient else [],
        verbose_eval=False,
    )
    loss = min(scores["val"][metric]) if patient else math.nan
    return Grown(BoostedTrees(booster), settings, float(loss))


def tune(
    matrices: Matrices,
    start: TreeSettings,
    depths: Iterable[int],
    rates: Iterable[float],
    task: Task,
    n_classes: int = 0,
) -> Grown:
    """Try every depth with every rate and keep what has the smallest validation loss."""
    tried = [
        grow(matrices, start._replace(depth=depth, rate=rate), task, n_classes)
        for depth, rate in product(depths, rates)
    ]
    return min(tried, key=lambda grown: grown.loss)


def _matrix(blocks: Blocks, kinds: bool, reference: Any) -> Any:
    import xgboost

    class Reader(xgboost.DataIter):
        """Hands blocks over one by one; xgboost asks for two passes."""

        def reset(self) -> None:
            self._left = iter(blocks())

        def next(self, input_data: Callable[..., None]) -> bool:
            block = next(self._left, None)
            if block is None:
                return False
            features, target, weight = block
            types = features.shape[1] * ["c"] if kinds else None
            input_data(data=features, label=target, weight=weight, feature_types=types)
            return True

    reader = Reader()
    reader.reset()
    return xgboost.QuantileDMatrix(
        reader,
        max_bin=_BINS,
        ref=reference,
        nthread=torch.get_num_threads(),
        enable_categorical=kinds,
    )
