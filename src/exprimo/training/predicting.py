"""Predict rows of a dataset, batch by batch."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

from exprimo.core.dataset import Dataset
from exprimo.core.predictor import Prediction, Predictor
from exprimo.core.progress import task
from exprimo.core.run import probability_columns
from exprimo.evaluate.multiclass import most_likely
from exprimo.training.batches import Rows

# Bases per batch: large enough to feed the cores, small enough for the caches. A base becomes a
# vector in the first layer; other inputs are numbers already.
_BASES_PER_BATCH = 65_536
_NUMBERS_PER_BATCH = 1 << 22
_FEWEST, _MOST = 4, 1024


def batch_rows(dataset: Dataset, names: Collection[str]) -> int:
    """Choose how many examples to predict at once, by what of them is read."""
    most = _MOST
    numbers = 0
    # What the dataset does not hold is refused by name when it is read.
    for name in (name for name in names if name in dataset.inputs):
        shape = dataset.inputs[name].shape
        if name == "sequence":
            most = min(most, _BASES_PER_BATCH // shape[0])
        else:
            numbers += int(np.prod(shape))
    return max(_FEWEST, min(most, _NUMBERS_PER_BATCH // max(numbers, 1)))


def prediction_columns(
    prediction: Prediction, classes: Sequence[str] = ()
) -> dict[str, npt.NDArray[np.float32]]:
    """Give the columns of a table of predictions, (rows,) each.

    Of several ``classes`` the prediction is the code of the most likely one, its spread that of
    the probability of this class, and ``probability_CLASS`` holds each one's probability.

    Examples
    --------
    >>> found = Prediction(np.array([[0.1, 0.7, 0.2]]), np.full((1, 3), np.nan))
    >>> columns = prediction_columns(found, ("down", "none", "up"))
    >>> columns["prediction"].tolist(), columns["probability_up"].tolist()
    ([1.0], [0.2])
    """
    mean, sd = prediction
    if not classes:
        return {"prediction": mean[:, 0], "prediction_sd": sd[:, 0]}
    called = most_likely(mean)
    return {
        "prediction": called.astype(np.float32),
        "prediction_sd": sd[np.arange(len(sd)), called],
        **{name: mean[:, code] for code, name in enumerate(probability_columns(classes))},
    }


def predict_rows(
    predictor: Predictor, dataset: Dataset, rows: Rows, *, description: str | None = None
) -> Prediction:
    """Predict some examples, in their order: (rows, outputs).

    Parameters
    ----------
    description
        Shows progress under this name; None is silent.
    """
    # A constant predictor reads nothing, but needs a batch to know how many to give.
    names = predictor.inputs or tuple(dataset.inputs)[:1]
    size = batch_rows(dataset, names)
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
