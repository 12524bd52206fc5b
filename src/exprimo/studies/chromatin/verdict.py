"""The sentences that a reader looks for: what does each input add, and what beats what?"""

from __future__ import annotations

from math import isnan
from typing import Any, NamedTuple

import pandas as pd

from exprimo.report.wording import metric_label
from exprimo.studies.benchmarking import Benchmarked
from exprimo.studies.benchmarking.steps import paired_step, scored, signed
from exprimo.studies.chromatin.config import ALL, KMERS, MARKS, RIDGE_WITHIN, STATISTICS, WITHIN


class Step(NamedTuple):
    """What is asked of two rows: what does ``more`` have that ``less`` lacks? Its ``input``."""

    input: str
    more: str
    less: str


STEPS = (
    Step("cell statistics", STATISTICS, MARKS),
    Step("k-mers", KMERS, MARKS),
    Step("both", ALL, MARKS),
    Step("the scale of each cell type", WITHIN, MARKS),
    Step("k-mers", ALL, STATISTICS),
    Step("cell statistics", ALL, KMERS),
)
_RIVALS = ("gene_mean", "bins_ridge", RIDGE_WITHIN)


def verdict(benchmark: Benchmarked, split: str, row: str) -> dict[str, Any]:
    """Say under one split what each input adds, and what the explained row beats.

    Returns
    -------
    dict
        ``text``; ``steps``: input, more, less, difference, low, high, adds (the interval lies
        above 0); ``rivals``: the same against the strongest baselines.
    """
    steps = [found for step in STEPS if (found := _step(step, benchmark.paired, split))]
    against = [
        found
        for rival in _RIVALS
        if (found := _step(Step(rival, row, rival), benchmark.paired, split))
    ]
    of_marks = [step for step in steps if step["less"] == MARKS]
    said = [*_headline(benchmark, split, row), *map(_beaten, against), *map(_added, of_marks)]
    return {"text": " ".join(said), "steps": steps, "rivals": against, "row": row}


def _headline(benchmark: Benchmarked, split: str, row: str) -> list[str]:
    scores = benchmark.scores
    here = scores[(scores["split"] == split) & (scores["metric"] == benchmark.headline)]
    return [
        f"{row} reaches {metric_label(benchmark.headline)} {scored(found)} under the {split} split."
        for _, found in here[here["model"] == row].iterrows()
    ]


def _step(step: Step, paired: pd.DataFrame, split: str) -> dict[str, Any] | None:
    found = paired_step(paired, split, step.more, step.less)
    return None if found is None else {**step._asdict(), **found}


def _beaten(step: dict[str, Any]) -> str:
    if step["adds"]:
        return f"It beats {step['less']}: {_interval(step)}."
    if step["high"] < 0:
        return f"It is worse than {step['less']}: {_interval(step)}."
    return f"It is not shown to beat {step['less']}: {_interval(step)}."


def _added(step: dict[str, Any]) -> str:
    name = "cell statistics and k-mers" if step["input"] == "both" else step["input"]
    thing = name[0].upper() + name[1:]
    several = name.split()[-1] in ("statistics", "k-mers")
    if step["adds"]:
        return f"{thing} {'add' if several else 'adds'} to {step['less']}: {_interval(step)}."
    if step["high"] < 0:
        return f"{thing} {'make' if several else 'makes'} {step['less']} worse: {_interval(step)}."
    return (
        f"It is not shown that {name} {'add' if several else 'adds'} to {step['less']}: "
        f"{_interval(step)}."
    )


def _interval(step: dict[str, Any]) -> str:
    value = signed(step["difference"])
    if isnan(step["low"]):
        return value
    return f"{value} [{signed(step['low'])}, {signed(step['high'])}]"
