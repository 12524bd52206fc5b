"""Metrics of a run: on validation and test, with intervals, threshold and conformal coverage."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.dataset import Dataset
from exprimo.core.ledger import Leak, Ledger, keys_of
from exprimo.core.split import Part, Split
from exprimo.evaluate import Estimate, bootstrap, choose_threshold
from exprimo.evaluate.classification import CLASSIFICATION_METRICS
from exprimo.evaluate.conformal import conformal_quantile, coverage
from exprimo.evaluate.regression import REGRESSION_METRICS
from exprimo.evaluate.threshold import Criterion
from exprimo.models.zoo import Task
from exprimo.training.batches import Rows

HEADLINE: dict[Task, str] = {"regression": "pearson_r", "classification": "auroc"}
CRITERION: Criterion = "mcc"
# Fewer validation examples than this make no interval worth printing.
_MIN_CONFORMAL = 20
_MEMBERS_FOR_SCALING = 4


class Judged(NamedTuple):
    """Predictions with their observed values for some rows, (rows,) each."""

    rows: Rows
    observed: npt.NDArray[np.float32]
    predicted: npt.NDArray[np.float32]
    sd: npt.NDArray[np.float32]


def as_facts(estimate: Estimate) -> dict[str, Any]:
    """Turn an estimate into plain values for JSON."""
    return dict(estimate._asdict())


def judge_parts(
    parts: dict[Part, Judged], split: Split, task: Task, *, level: float, members: int = 1
) -> dict[str, Any]:
    """Compute the part of ``metrics.json`` that depends on predictions.

    The threshold and the conformal width come from validation and are applied to test. The
    width follows the spread of an ensemble from four ``members`` on: that of two or three says
    too little about one example.
    """
    val = parts["val"]
    threshold = None
    if task == "classification":
        threshold = choose_threshold(val.observed, val.predicted, CRITERION)
    limit = threshold.value if threshold else None
    found: dict[str, Any] = {
        "headline": HEADLINE[task],
        "unit": split.unit,
        "parts": {part: judge(judged, split, task, limit) for part, judged in parts.items()},
        "threshold": {"value": limit, "chosen_on": "val", "criterion": CRITERION}
        if threshold
        else None,
        "majority": _majority(parts) if task == "classification" else None,
        "conformal": _conformal(parts, split, level, members) if task == "regression" else None,
    }
    return found


def judge(
    judged: Judged, split: Split, task: Task, threshold: float | None
) -> dict[str, dict[str, Any]]:
    """Compute every metric of a task with its interval over the split's unit."""
    metrics = CLASSIFICATION_METRICS if task == "classification" else REGRESSION_METRICS
    groups = None if split.group is None else split.group[judged.rows]
    estimates = bootstrap(
        judged.observed,
        judged.predicted,
        groups,
        list(metrics),
        threshold=threshold,
        unit=split.unit,
    )
    return {name: as_facts(estimate) for name, estimate in estimates.items()}


def _majority(parts: dict[Part, Judged]) -> dict[str, float]:
    # The class that is larger in training, scored on test: what accuracy stands beside.
    larger = float(parts["train"].observed.mean() >= 0.5) if "train" in parts else 0.0
    judged = parts.get("test", parts["val"])
    return {"accuracy": float((judged.observed == larger).mean()), "class": larger}


def _conformal(
    parts: dict[Part, Judged], split: Split, level: float, members: int
) -> dict[str, Any] | None:
    val, test = parts["val"], parts.get("test")
    if len(val.rows) < _MIN_CONFORMAL:
        return None
    scaled = members >= _MEMBERS_FOR_SCALING
    fitted = conformal_quantile(
        val.observed, val.predicted, val.sd if scaled else None, level=level
    )
    facts: dict[str, Any] = {
        "level": level,
        "halfwidth": fitted.scale,
        "scaled": scaled,
        "least_sd": fitted.least_sd,
        "n": fitted.n,
        "coverage": None,
    }
    if test is not None:
        low, high = fitted.interval(test.predicted, test.sd if scaled else None)
        groups = None if split.group is None else split.group[test.rows]
        facts["coverage"] = as_facts(coverage(test.observed, low, high, groups, unit=split.unit))
    return facts


def check_leaks(
    ledger: Ledger, dataset: Dataset, rows: Rows, held_out: tuple[str, ...], *, allow: bool
) -> list[Leak]:
    """Refuse, or with ``allow`` list, what the run learned from among ``rows``."""
    return ledger.check(keys_of(dataset, rows), held_out, allow=allow)


def leak_facts(leaks: list[Leak]) -> list[dict[str, Any]]:
    """Turn leaks into plain values for JSON, naming up to ten keys each."""
    return [
        {"fitted": leak.fitted, "unit": leak.unit, "n": len(leak.keys), "examples": leak.keys[:10]}
        for leak in leaks
    ]
