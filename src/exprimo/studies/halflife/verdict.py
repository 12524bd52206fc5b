"""The sentence that a reader looks for: what does each input add?"""

from __future__ import annotations

from math import isnan
from typing import Any, NamedTuple

import pandas as pd

from exprimo.report.wording import metric_label
from exprimo.studies.benchmarking import Benchmarked
from exprimo.studies.benchmarking.steps import paired_step, scored, signed
from exprimo.studies.halflife.config import HALFLIFE_ALONE

BOTH, ENCODED, PROMOTER = (
    "promoter + half-life",
    "promoter + encoded half-life",
    "promoter alone",
)


class Step(NamedTuple):
    """What is asked of two rows: what does ``more`` have that ``less`` lacks? Its ``input``."""

    input: str
    name: str
    more: str
    less: str


STEPS = (
    Step("half-life features", "half-life features add to the promoter", BOTH, PROMOTER),
    Step("promoter", "the promoter adds to half-life features", BOTH, HALFLIFE_ALONE),
    Step(
        "contrastive encoder",
        "the contrastive encoder adds to the features as they are",
        ENCODED,
        BOTH,
    ),
)


def verdict(benchmark: Benchmarked, split: str) -> dict[str, Any]:
    """Say what each input adds under one split, with paired intervals.

    Returns
    -------
    dict
        ``text``, and ``steps``: input, name, more, less, difference, low, high, adds (the
        interval lies above 0).
    """
    scores = benchmark.scores
    here = scores[(scores["split"] == split) & (scores["metric"] == benchmark.headline)]
    steps = [found for step in STEPS if (found := _step(step, benchmark.paired, split))]
    said = []
    for _, both in here[here["model"] == BOTH].iterrows():
        said.append(
            f"Promoter and half-life features together reach {metric_label(benchmark.headline)} "
            f"{scored(both)} under the {split} split{_trainings(both)}."
        )
    said += [_sentence(step) for step in steps]
    return {"text": " ".join(said), "steps": steps}


def _step(step: Step, paired: pd.DataFrame, split: str) -> dict[str, Any] | None:
    found = paired_step(paired, split, step.more, step.less)
    return None if found is None else {**step._asdict(), **found}


def _sentence(step: dict[str, Any]) -> str:
    difference, low, high = (signed(step[name]) for name in ("difference", "low", "high"))
    if isnan(step["low"]):
        return (
            f"Whether {step['name']} cannot be told from so few genes: {difference}, without an "
            "interval."
        )
    interval = f"{difference} [{low}, {high}]"
    if step["adds"]:
        return f"{step['name'][0].upper()}{step['name'][1:]}: {interval}."
    if step["high"] < 0:
        return f"The row {step['more']} is worse than {step['less']}: {interval}."
    return f"It is not shown that {step['name']}: {interval}."


def _trainings(score: pd.Series[Any]) -> str:
    """Say so where no interval holds variation from one training to the next."""
    return ", from one training" if score.get("n_seeds") == 1 else ""
