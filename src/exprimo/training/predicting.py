"""Predict rows of a dataset, batch by batch."""

from __future__ import annotations

import numpy as np

from exprimo.core.dataset import Dataset
from exprimo.core.predictor import Prediction, Predictor
from exprimo.core.progress import task
from exprimo.training.batches import Rows

# Bases per batch: large enough to feed the cores, small enough for the caches.
_BASES_PER_BATCH = 65_536


def batch_rows(dataset: Dataset) -> int:
    """Choose how many examples to predict at once."""
    length = dataset.inputs["sequence"].shape[0] if "sequence" in dataset.inputs else 256
    return int(np.clip(_BASES_PER_BATCH // length, 4, 1024))


def predict_rows(
    predictor: Predictor, dataset: Dataset, rows: Rows, *, description: str | None = None
) -> Prediction:
    """Predict some examples, in their order: (rows, outputs).

    Parameters
    ----------
    description
        Shows progress under this name; None is silent.
    """
    size = batch_rows(dataset)
    # A constant predictor reads nothing, but needs a batch to know how many to give.
    names = predictor.inputs or tuple(dataset.inputs)[:1]
    means, sds = [], []
    with task(description or "", len(rows) if description else 0) as bar:
        for start in range(0, len(rows), size):
            chosen = rows[start : start + size]
            prediction = predictor.predict(dataset.batch(names, chosen))
            means.append(prediction.mean)
            sds.append(prediction.sd)
            if description:
                bar.advance(len(chosen))
    if not means:
        empty = np.empty((0, len(predictor.outputs)), dtype=np.float32)
        return Prediction(empty, empty.copy())
    return Prediction(np.concatenate(means), np.concatenate(sds))
