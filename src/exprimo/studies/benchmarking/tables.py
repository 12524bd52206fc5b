"""Tables of a benchmark from the Runs that it holds: one row a number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.run import Run, probability_columns
from exprimo.core.split import Part, Split
from exprimo.evaluate import (
    Difference,
    JudgedSet,
    bootstrap,
    difference_between_test_sets,
    paired_difference,
)
from exprimo.evaluate.curves import more_data_helps
from exprimo.models import Task
from exprimo.studies.benchmarking.plan import PlannedRun
from exprimo.training.judging import METRICS_OF

_PAIR = ("kind", "split_a", "model_a", "split_b", "model_b", "metric")


class Cell(NamedTuple):
    """A model under a split: its seeds' predictions for a part, (seeds, n) or (.., classes)."""

    model: str
    split: str
    observed: npt.NDArray[np.float64]
    predicted: npt.NDArray[np.float64]
    groups: npt.NDArray[Any]
    unit: str
    thresholds: list[float] | None
    role: str = "model"


def read_cells(
    runs: Iterable[PlannedRun],
    folder: Path,
    splits: dict[str, Split],
    role: Callable[[str], str],
    part: Part = "test",
) -> list[Cell]:
    """Read the predictions for one part of every (model, split) with the whole training part.

    ``role`` tells a row that must be beaten (``baseline``) from the others (``model``).
    """
    found: dict[tuple[str, str], list[Run]] = {}
    for planned in runs:
        if planned.fraction >= 1:
            key = (planned.model, planned.split)
            found.setdefault(key, []).append(Run.open(folder / planned.folder))
    return [
        _cell(model, split, members, splits[split], part)._replace(role=role(model))
        for (model, split), members in found.items()
    ]


def _cell(model: str, split: str, runs: list[Run], used: Split, part: Part = "test") -> Cell:
    rows = used.rows(part)
    wanted = pd.Index(used.example_id[rows])
    tables = [run.predictions().set_index("example_id") for run in runs]
    present = wanted.isin(tables[0].index)
    ids = wanted[present]
    thresholds = [run.metrics["threshold"] for run in runs]
    groups = used.example_id if used.group is None else used.group
    return Cell(
        model,
        split,
        tables[0].loc[ids, "target"].to_numpy(np.float64),
        np.stack(
            [_predicted(run, table.loc[ids]) for run, table in zip(runs, tables, strict=True)]
        ),
        groups[rows][present],
        used.unit,
        [t["value"] for t in thresholds] if all(thresholds) else None,
    )


def _predicted(run: Run, table: pd.DataFrame) -> npt.NDArray[np.float64]:
    classes = run.metrics.get("classes")
    return table[probability_columns(classes) if classes else "prediction"].to_numpy(np.float64)


def score_table(cells: Sequence[Cell], task: Task) -> pd.DataFrame:
    """Give every metric of every cell: model, role, split, metric, value, low, high, ..."""
    metrics = list(METRICS_OF[task])
    rows = []
    for cell in cells:
        estimates = bootstrap(
            cell.observed,
            cell.predicted,
            cell.groups,
            metrics,
            threshold=cell.thresholds,
            unit=cell.unit,
        )
        for metric, estimate in estimates.items():
            rows.append(
                {
                    "model": cell.model,
                    "role": cell.role,
                    "split": cell.split,
                    "metric": metric,
                    **estimate._asdict(),
                    "n_seeds": len(cell.predicted),
                }
            )
    return pd.DataFrame(rows)


def paired_table(cells: Sequence[Cell], metric: str) -> pd.DataFrame:
    """Give paired differences: models under one split, then one model under two splits."""
    rows = []
    for split in dict.fromkeys(cell.split for cell in cells):
        for b, a in combinations([cell for cell in cells if cell.split == split], 2):
            difference = paired_difference(
                a.observed, a.predicted, b.predicted, a.groups, metric, unit=a.unit
            )
            rows.append(_row("model", a, b, metric, difference._asdict()))
    for model in dict.fromkeys(cell.model for cell in cells):
        for b, a in combinations([cell for cell in cells if cell.model == model][::-1], 2):
            difference = difference_between_test_sets(
                JudgedSet(a.observed, a.predicted, a.groups),
                JudgedSet(b.observed, b.predicted, b.groups),
                metric,
                unit=a.unit,
            )
            rows.append(_row("split", a, b, metric, difference._asdict()))
    # Header and all, even where there is nothing to compare.
    return pd.DataFrame(rows, columns=[*_PAIR, *Difference._fields])


def _row(kind: str, a: Cell, b: Cell, metric: str, values: dict[str, Any]) -> dict[str, Any]:
    named = (kind, a.split, a.model, b.split, b.model, metric)
    return {**dict(zip(_PAIR, named, strict=True)), **values}


def learning_curve(
    runs: Sequence[PlannedRun], folder: Path, splits: dict[str, Split], metric: str
) -> tuple[pd.DataFrame, dict[str, Any] | None]:
    """Give the score at each share of the training part, and whether more data would help."""
    shares = [run for run in runs if run.fraction < 1]
    if not shares:
        return pd.DataFrame(), None
    model, split = shares[0].model, shares[0].split
    whole = [r for r in runs if r.fraction >= 1 and (r.model, r.split) == (model, split)]
    rows = []
    for planned in [*shares, *whole]:
        facts = Run.open(folder / planned.folder).metrics
        rows.append(
            {
                "model": model,
                "split": split,
                "seed": planned.seed,
                "fraction": planned.fraction,
                "n_train": facts["n_train"],
                "metric": metric,
                "value": facts["parts"]["test"][metric]["value"],
            }
        )
    table = pd.DataFrame(rows).sort_values(["fraction", "seed"]).reset_index(drop=True)
    most = max(run.fraction for run in shares)
    all_data, less_data = (
        _cell(model, split, [Run.open(folder / run.folder) for run in chosen], splits[split])
        for chosen in (whole, [run for run in shares if run.fraction == most])
    )
    last_step = paired_difference(
        all_data.observed, all_data.predicted, less_data.predicted, all_data.groups, metric
    )
    wide = table.pivot_table(index="fraction", columns="seed", values="value")
    found = more_data_helps(
        wide.index.to_numpy(float), wide.to_numpy(float), metric, last_step=last_step
    )
    return table, {"model": model, "split": split, **found._asdict()}
