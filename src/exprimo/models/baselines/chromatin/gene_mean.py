"""Each gene's own mean over the cell types that trained: what knowing the gene's name scores.

The rival of models for unseen cell types. Most of the variance of expression lies between genes,
so a model that predicts a cell type no better than this has learned nothing of the cell type. A
gene that no training example holds gets the mean of all training examples.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from exprimo.core.config import Config
from exprimo.core.errors import TrainingError
from exprimo.core.predictor import Batch, Prediction
from exprimo.features.derived.gene_keys import NO_GENE
from exprimo.models.baselines.baseline import Floats, Stream, point
from exprimo.models.zoo import ModelSpec, Task, output_names

Keys = npt.NDArray[np.int64]


class GeneMeanConfig(Config):
    """The mean of each gene has no options."""


class GeneMean:
    """A `Baseline` that looks each gene up; of classes it gives the gene's share of class 1."""

    inputs: tuple[str, ...] = ("gene",)
    window: int | None = None

    def __init__(self, config: GeneMeanConfig, task: Task) -> None:
        self.outputs: tuple[str, ...] = output_names(task)
        self._state: dict[str, npt.NDArray[Any]] = {}

    def fit(self, train: Stream, val: Stream) -> None:
        parts = [_sums(batch["gene"][:, 0], target) for batch, target in train()]
        if not parts:
            raise TrainingError("no training example has a target")
        keys = np.concatenate([part[0] for part in parts])
        total = np.concatenate([part[1] for part in parts])
        count = np.concatenate([part[2] for part in parts])
        overall = float(total.sum() / count.sum())
        genes, place = np.unique(keys, return_inverse=True)
        mean = np.bincount(place, total) / np.bincount(place, count)
        named = genes != NO_GENE
        self._state = {
            "genes": genes[named],
            "means": mean[named],
            "overall": np.array([overall]),
        }

    def state(self) -> dict[str, npt.NDArray[Any]]:
        return dict(self._state)

    def restore(self, state: dict[str, npt.NDArray[Any]]) -> None:
        self._state = dict(state)

    def predict(self, batch: Batch) -> Prediction:
        genes, means = self._state["genes"], self._state["means"]
        wanted = batch["gene"][:, 0]
        if not len(genes):
            return point(np.full(len(wanted), self._state["overall"][0]))
        place = np.searchsorted(genes, wanted).clip(max=len(genes) - 1)
        return point(np.where(genes[place] == wanted, means[place], self._state["overall"][0]))


def _sums(keys: Keys, target: Floats) -> tuple[Keys, Floats, Floats]:
    """Give the genes of a batch, the sums of their targets, and how many there are of each."""
    genes, place = np.unique(keys, return_inverse=True)
    total = np.bincount(place, target).astype(np.float64)
    return genes, total, np.bincount(place).astype(np.float64)


SPEC = ModelSpec(
    name="gene_mean",
    kind="baseline",
    config=GeneMeanConfig,
    build=GeneMean,
    inputs=("gene",),
    tasks=("regression", "classification"),
    summary="each gene's mean over the training examples; the overall mean for unseen genes",
    citation="the rival of models for unseen cell types",
)
