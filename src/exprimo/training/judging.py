"""Metrics of a run: on validation and test, with intervals, threshold and conformal coverage."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.dataset import Dataset
from exprimo.core.ledger import Leak, Ledger, keys_of
from exprimo.core.predictor import Prediction
from exprimo.core.split import Part, Split
from exprimo.evaluate import Estimate, bootstrap, choose_threshold
from exprimo.evaluate.classification import CLASSIFICATION_METRICS
from exprimo.evaluate.conformal import conformal_quantile, coverage
from exprimo.evaluate.metric import Metric
from exprimo.evaluate.multiclass import MULTICLASS_METRICS, binary_confusion, confusion_matrix
from exprimo.evaluate.regression import REGRESSION_METRICS
from exprimo.evaluate.threshold import Criterion
from exprimo.models.zoo import Task
from exprimo.training.batches import Rows

HEADLINE: dict[Task, str] = {
    "regression": "pearson_r",
    "classification": "auroc",
    "multiclass": "auroc_macro",
}
METRICS_OF: dict[Task, dict[str, Metric]] = {
    "regression": REGRESSION_METRICS,
    "classification": CLASSIFICATION_METRICS,
    "multiclass": MULTICLASS_METRICS,
}
CRITERION: Criterion = "mcc"
# Fewer validation examples than this make no interval worth printing.
_MIN_CONFORMAL = 20
_MEMBERS_FOR_SCALING = 4
# Predictions closer than this part of their size differ by rounding alone.
_SAME = 1e-6


class Judged(NamedTuple):
    """Predictions with their observed values for some rows.

    ``observed`` is (rows,); ``prediction`` as the model gave it, (rows, outputs).
    """

    rows: Rows
    observed: npt.NDArray[np.float32]
    prediction: Prediction

    @property
    def predicted(self) -> npt.NDArray[np.float32]:
        """Values or probabilities, (rows,), of a task with one output."""
        return self.prediction.mean[:, 0]

    @property
    def sd(self) -> npt.NDArray[np.float32]:
        """The spread of the members, (rows,), of a task with one output."""
        return self.prediction.sd[:, 0]


def as_facts(estimate: Estimate) -> dict[str, Any]:
    """Turn an estimate into plain values for JSON."""
    return dict(estimate._asdict())


def judge_parts(
    parts: dict[Part, Judged],
    split: Split,
    task: Task,
    *,
    level: float,
    members: int = 1,
    classes: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Compute the part of ``metrics.json`` that depends on predictions.

    The threshold and the conformal width come from validation and are applied to test. The
    width follows the spread of an ensemble from four ``members`` on: that of two or three says
    too little about one example. Several ``classes`` have neither: the most likely class is
    called, and there is no width of a class.
    """
    val = parts["val"]
    threshold = None
    if task == "classification":
        threshold = choose_threshold(val.observed, val.predicted, CRITERION)
    limit = threshold.value if threshold else None
    found: dict[str, Any] = {
        "headline": HEADLINE[task],
        "unit": split.unit,
        "constant": _is_constant(parts.get("test", val)),
        "parts": {part: judge(judged, split, task, limit) for part, judged in parts.items()},
        "threshold": {"value": limit, "chosen_on": "val", "criterion": CRITERION}
        if threshold
        else None,
        "majority": None if task == "regression" else _majority(parts, classes),
        "confusion": None
        if task == "regression"
        else {part: confusion(parts[part], limit, classes) for part in ("val", "test")},
        "conformal": _conformal(parts, split, level, members) if task == "regression" else None,
    }
    return found


def _is_constant(judged: Judged) -> bool:
    """Tell whether every example got the same prediction, as a dead network gives it."""
    mean = judged.prediction.mean
    return len(mean) > 1 and bool(np.ptp(mean, axis=0).max() <= _SAME * np.abs(mean).max())


def judge(
    judged: Judged, split: Split, task: Task, threshold: float | None
) -> dict[str, dict[str, Any]]:
    """Compute every metric of a task with its interval over the split's unit."""
    groups = None if split.group is None else split.group[judged.rows]
    estimates = bootstrap(
        judged.observed,
        judged.prediction.mean[None] if task == "multiclass" else judged.predicted,
        groups,
        list(METRICS_OF[task]),
        threshold=threshold,
        unit=split.unit,
    )
    return {name: as_facts(estimate) for name, estimate in estimates.items()}


def confusion(judged: Judged, threshold: float | None, classes: tuple[str, ...]) -> dict[str, Any]:
    """Count calls by observed class: tn, fp, fn, tp, or a matrix of several classes.

    The rows of ``matrix`` are observed classes, its columns called ones, in the order of
    ``classes``.
    """
    if threshold is None:
        matrix = confusion_matrix(judged.observed, judged.prediction.mean)
        return {"classes": list(classes), "matrix": matrix.tolist()}
    counts = binary_confusion(judged.observed, judged.predicted, threshold)
    return {"threshold": threshold, **counts}


def _majority(parts: dict[Part, Judged], classes: tuple[str, ...]) -> dict[str, Any]:
    # The class that is largest in training, scored on test: what accuracy stands beside.
    learned = parts["train"].observed
    if classes:
        largest = float(np.bincount(learned.astype(np.int64)).argmax())
    else:
        largest = float(learned.mean() >= 0.5)
    judged = parts.get("test", parts["val"])
    named = {"name": classes[int(largest)]} if classes else {}
    return {"accuracy": float((judged.observed == largest).mean()), "class": largest, **named}


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
