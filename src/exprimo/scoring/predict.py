"""``exprimo predict``: a model and a dataset give a table of predictions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.dataset import Dataset
from exprimo.core.errors import ConfigError, InputError
from exprimo.core.predictor import Prediction
from exprimo.core.run import check_predictions_path, write_predictions
from exprimo.scoring.inputs import open_inputs
from exprimo.scoring.resolve import Resolved, for_dataset, learned_classes, model_on
from exprimo.scoring.targets import learned_target
from exprimo.training.predicting import predict_rows, prediction_columns

PredictionFormat = Literal["parquet", "tsv", "csv", "json", "jsonl"]


class Predicted(NamedTuple):
    """What `predict` wrote; ``table`` has the columns of ``predictions.parquet``."""

    path: Path
    n_examples: int
    table: pd.DataFrame


def predict(
    model: str | Path,
    dataset: str | Path,
    out: str | Path,
    *,
    target: str | None = None,
    intervals: bool = False,
    format: PredictionFormat | None = None,
    columns: Sequence[str] = (),
    embeddings: str | Path | None = None,
    precision: Literal["fp32", "bf16"] | None = None,
    device: str = "auto",
    threads: int | None = None,
) -> Predicted:
    """Predict every example of a dataset.

    Parameters
    ----------
    model
        A Run's folder, or the name of an installed pretrained model (``NAME`` or ``NAME:FILE``).
    dataset
        An ``.h5`` file with the inputs that the model reads.
    out
        The table: ``.parquet``, ``.tsv``, ``.csv``, ``.json`` or ``.jsonl``. Columns
        ``example_id``, ``target`` (observed, NaN where there is none), ``prediction``,
        ``prediction_sd`` (spread of an ensemble, NaN for a single model); of several classes the
        code of the most likely one, and ``probability_CLASS`` for each.
    target
        Which target of the dataset to put beside; by default the one that the model was
        trained for, if the dataset has it.
    intervals
        Add ``prediction_low`` and ``prediction_high``: the conformal interval of the Run.
    format
        What to write, whatever the suffix of ``out``.
    columns
        Only these columns, in this order. Beside those above, ``id`` is the example's, and the
        name of the target that the model learned is its prediction: ``id, expression`` is the
        form in which competitions take them. ``NEW=COLUMN`` gives a column another name.
    embeddings
        A store with the dataset's sequences, for a Run that reads embeddings; by default the one
        that it was trained on.

    precision
        By default that which a Run was trained and judged in. What scores sequences one by one
        (`personal`, `variants`, `mutagenesis`) computes in ``fp32`` unless told otherwise.

    Examples
    --------
    >>> exprimo.predict("RUN", "D.h5", "P.parquet")              # doctest: +SKIP
    """
    check_predictions_path(out, format)
    resolved = model_on(model, device=device, threads=threads, precision=precision)
    with open_inputs(dataset, resolved.run, embeddings) as data:
        rows = np.arange(len(data), dtype=np.int64)
        predictor = for_dataset(resolved, data)
        prediction = predict_rows(predictor, data, rows, description="Predicting")
        table = pd.DataFrame(
            {
                "example_id": data.column("example_id"),
                "target": _observed(data, resolved, target),
                **prediction_columns(prediction, _classes(resolved)),
            }
        )
    if intervals:
        table = table.assign(**_interval(resolved, prediction))
    if columns:
        learned = resolved.run.metrics.get("target") if resolved.run else None
        table = _chosen(table, columns, learned)
    write_predictions(out, table, kind=format)
    return Predicted(Path(out), len(table), table)


def _chosen(table: pd.DataFrame, columns: Sequence[str], target: str | None) -> pd.DataFrame:
    """Keep the columns that were asked for, under the names that were asked for."""
    known = {"id": "example_id", **({target: "prediction"} if target else {})}
    known |= {name: name for name in table.columns}
    chosen = {}
    for text in columns:
        new, equals, column = text.partition("=")
        source = known.get(column if equals else new)
        if source is None:
            raise ConfigError(
                "no such column of predictions",
                record=text,
                expected=", ".join(known),
                remedy="Give one of these, or NEW=COLUMN",
            )
        if new in chosen:
            raise ConfigError("a column is asked for twice", record=new)
        chosen[new] = table[source]
    return pd.DataFrame(chosen)


def _classes(resolved: Resolved) -> tuple[str, ...]:
    return learned_classes(resolved.run.metrics) if resolved.run else ()


def _observed(data: Dataset, resolved: Resolved, target: str | None) -> npt.NDArray[np.float32]:
    metrics = resolved.run.metrics if resolved.run else {}
    name = target or metrics.get("target")
    if name is not None and (target is not None or name in data.targets):
        if _classes(resolved) or metrics.get("above"):
            return learned_target(data, metrics, name)
        return data.target(name)
    return np.full(len(data), np.nan, dtype=np.float32)


def _interval(resolved: Resolved, prediction: Prediction) -> dict[str, npt.NDArray[np.float64]]:
    conformal = resolved.run.metrics["conformal"] if resolved.run else None
    if not conformal:
        raise ConfigError(
            "no conformal interval is known for this model",
            record=resolved.name,
            expected="a Run of a regression with at least 20 validation examples",
            remedy="Leave --intervals out",
        )
    if conformal["halfwidth"] is None:
        raise InputError(
            "too few validation examples for an interval of this level", record=resolved.name
        )
    width = np.full(len(prediction.mean), conformal["halfwidth"])
    if conformal["scaled"]:
        width = width * np.maximum(prediction.sd[:, 0], conformal["least_sd"])
    mean = prediction.mean[:, 0]
    return {"prediction_low": mean - width, "prediction_high": mean + width}
