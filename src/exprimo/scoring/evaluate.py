"""``exprimo evaluate``: judge a Run on its test part, or on other data after the leak check."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from exprimo.core.dataset import Dataset
from exprimo.core.errors import InputError, MismatchError
from exprimo.core.run import Run, write_json
from exprimo.core.split import Part, Split
from exprimo.scoring.inputs import open_inputs
from exprimo.scoring.resolve import learned_classes, model_on
from exprimo.scoring.targets import learned_target
from exprimo.splits import resampling_groups
from exprimo.training.batches import Rows
from exprimo.training.judging import Judged, check_leaks, confusion, judge, leak_facts
from exprimo.training.predicting import predict_rows


class Evaluation(NamedTuple):
    """What `evaluate` found: ``metrics`` name -> value, low, high, n, n_groups, unit.

    ``confusion`` counts calls by observed class (None for numbers).
    """

    run: Path
    dataset: Path
    part: str
    n_examples: int
    task: str
    headline: str
    metrics: dict[str, dict[str, Any]]
    leaks: list[dict[str, Any]]
    threshold: float | None
    confusion: dict[str, Any] | None = None


def evaluate(
    run: str | Path,
    dataset: str | Path | None = None,
    *,
    on: Part | None = None,
    out: str | Path | None = None,
    allow_leak: bool = False,
    embeddings: str | Path | None = None,
    device: str = "auto",
    threads: int | None = None,
) -> Evaluation:
    """Judge a Run.

    Parameters
    ----------
    run
        A Run's folder.
    dataset
        By default the Run's own. On the own one the test part is judged, unless ``on`` says
        otherwise; on another one all rows are.
    on
        ``train``, ``val`` or ``test`` of the Run's own dataset.
    out
        Write the result as JSON too.
    allow_leak
        Show the number even where the Run learned from what it is judged on; the result lists
        the leaks. Without it, a `LeakError` names them.
    embeddings
        A store with the dataset's sequences, for a Run that reads embeddings; by default the one
        that it was trained on.

    Examples
    --------
    >>> exprimo.evaluate("RUN").metrics["pearson_r"]["value"]    # doctest: +SKIP
    """
    finished = Run.open(run)
    own = Path(finished.provenance["dataset"]["path"])
    path = Path(dataset) if dataset is not None else own
    if dataset is None and not own.exists():
        raise InputError(
            "the dataset of this run has moved",
            file=own,
            remedy=f"Give its place: exprimo evaluate {run} D.h5",
        )
    metrics = finished.metrics
    threshold = metrics["threshold"]["value"] if metrics["threshold"] else None
    with open_inputs(path, finished, embeddings) as data:
        split = finished.split
        mine = data.sha256 == split.dataset_sha256
        rows, used, part = _rows(data, split, on, mine)
        rows = rows[~np.isnan(learned_target(data, metrics)[rows])]
        if not len(rows):
            raise InputError(f"no example with a value of {metrics['target']}", file=path)
        judged_on_itself = on in ("train", "val")
        leaks = check_leaks(
            finished.ledger,
            data,
            rows,
            split.held_out,
            allow=allow_leak or judged_on_itself,
        )
        predictor = model_on(run, device=device, threads=threads).predictor
        prediction = predict_rows(predictor, data, rows, description=f"Predicting {part}")
        judged = Judged(rows, learned_target(data, metrics)[rows], prediction)
        classes = learned_classes(metrics)
        found = Evaluation(
            run=finished.path,
            dataset=path,
            part=part,
            n_examples=len(rows),
            task=metrics["task"],
            headline=metrics["headline"],
            metrics=judge(judged, used, metrics["task"], threshold),
            leaks=leak_facts(leaks),
            threshold=threshold,
            confusion=None
            if metrics["task"] == "regression"
            else confusion(judged, threshold, classes),
        )
    if out is not None:
        write_json(out, {**found._asdict(), "run": str(found.run), "dataset": str(found.dataset)})
    return found


def _rows(data: Dataset, split: Split, on: Part | None, mine: bool) -> tuple[Rows, Split, str]:
    if mine:
        part = on or "test"
        return split.rows(part), split, part
    if on is not None:
        raise MismatchError(
            "this split belongs to another dataset",
            file=data.path,
            found=f"--on {on}",
            expected="the dataset that the run was trained on",
            remedy="Leave --on out to judge all its rows",
        )
    labels, unit = resampling_groups(data)
    every = np.arange(len(data), dtype=np.int64)
    ids = data.column("example_id")
    outside = Split(
        ids, np.full(len(ids), "test"), "all", 0, data.sha256, split.held_out, {}, labels, unit
    )
    return every, outside, "all"
