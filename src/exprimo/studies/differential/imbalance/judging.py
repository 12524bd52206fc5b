"""Tables of treatments: what each reaches over its seeds, and how it differs from another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.run import Run
from exprimo.core.split import Split
from exprimo.evaluate import bootstrap, difference_over_seeds

METRICS = ("auprc", "mcc", "auroc")
SCORES = ("strategy", "model", "split", "metric", "value", "low", "high", "n", "n_groups", "unit",
          "seeds", "gate")  # fmt: skip
DIFFERENCES = ("strategy", "model", "metric", "difference", "low", "high", "p", "seeds", "seed_sd",
               "gate")  # fmt: skip

Floats = npt.NDArray[np.float64]


class Judged(NamedTuple):
    """One treatment of one model on the test part, at the prevalence that it has.

    ``predicted`` is (seeds, n); ``thresholds`` were chosen on validation, one per seed. ``gate``
    is the verdict of the check on generated sequences, empty where there are none.
    """

    treatment: str
    model: str
    observed: Floats
    predicted: Floats
    thresholds: tuple[float, ...]
    groups: npt.NDArray[Any]
    gate: str


def judged(treatment: str, model: str, runs: Sequence[Run], split: Split, gate: str) -> Judged:
    """Read the runs of one treatment, one per seed, in the order of the split's test part."""
    rows = split.rows("test")
    tables = [run.predictions().set_index("example_id") for run in runs]
    wanted = pd.Index(split.example_id[rows])
    present = wanted.isin(tables[0].index)
    ids = wanted[present]
    return Judged(
        treatment,
        model,
        tables[0].loc[ids, "target"].to_numpy(np.float64),
        np.stack([table.loc[ids, "prediction"].to_numpy(np.float64) for table in tables]),
        tuple(float(run.metrics["threshold"]["value"]) for run in runs),
        (split.example_id if split.group is None else split.group)[rows][present],
        gate,
    )


def score_rows(one: Judged, split: Split) -> list[dict[str, Any]]:
    """Give a row per metric: the mean over seeds, with the interval of one training."""
    found = bootstrap(
        one.observed,
        one.predicted,
        one.groups,
        METRICS,
        threshold=one.thresholds,
        unit=split.unit,
    )
    told = {"seeds": len(one.predicted), "gate": one.gate}
    named = {"strategy": one.treatment, "model": one.model, "split": split.strategy}
    return [{**named, "metric": metric, **found[metric]._asdict(), **told} for metric in METRICS]


def difference_rows(one: Judged, other: Judged, split: Split) -> list[dict[str, Any]]:
    """Give a row per metric: one treatment minus another, from the same seeds."""
    rows = []
    for metric in METRICS:
        found = difference_over_seeds(
            one.observed,
            one.predicted,
            other.predicted,
            one.groups,
            metric,
            threshold_a=one.thresholds,
            threshold_b=other.thresholds,
            unit=split.unit,
        )
        rows.append(
            {
                "strategy": one.treatment,
                "model": one.model,
                "metric": metric,
                "difference": found.value,
                "low": found.low,
                "high": found.high,
                "p": found.p,
                "seeds": found.seeds,
                "seed_sd": found.seed_sd,
                "gate": one.gate,
            }
        )
    return rows
