"""The sentence that a reader looks for: does any model beat what needs no model?"""

from __future__ import annotations

from typing import Any

import pandas as pd

from exprimo.core.run import Run
from exprimo.studies.benchmarking import Benchmarked
from exprimo.studies.benchmarking.plan import PlannedRun

RIVALS = ("kmer_linear", "gc_content", "mean_expression")
_NAMES = {
    "kmer_linear": "k-mer counts",
    "gc_content": "GC content",
    "mean_expression": "mean expression",
}


def verdict(benchmark: Benchmarked, split: str, seed: int) -> dict[str, Any]:
    """Judge the models against the baselines under one split.

    The model that speaks for all is chosen by its score on validation, so the test part is
    looked at once; how many of the others beat every baseline is said beside it, uncorrected
    for their number.

    Returns
    -------
    dict
        ``text``, ``beats`` (the chosen model beats every baseline), ``model``, and ``rows``:
        model, baseline, difference, low, high.
    """
    paired = benchmark.paired
    here = paired[(paired["kind"] == "model") & (paired["split_a"] == split)]
    scores = benchmark.scores[
        (benchmark.scores["split"] == split) & (benchmark.scores["metric"] == benchmark.headline)
    ]
    models = list(scores.loc[scores["role"] == "model", "model"])
    rows = [row for model in models for row in _rows(here, model)]
    winners = [model for model in models if _beats_all(rows, model)]
    chosen = max(models, key=lambda name: _validation(benchmark, name, split, seed))
    beats = chosen in winners
    value = float(scores.loc[scores["model"] == chosen, "value"].iloc[0])
    return {
        "text": _sentence(chosen, value, rows, beats, winners, len(models), split),
        "beats": beats,
        "model": chosen,
        "rows": rows,
    }


def _rows(paired: pd.DataFrame, model: str) -> list[dict[str, Any]]:
    found = []
    for rival in RIVALS:
        forward = paired[(paired["model_a"] == model) & (paired["model_b"] == rival)]
        backward = paired[(paired["model_a"] == rival) & (paired["model_b"] == model)]
        if len(forward):
            line, sign = forward.iloc[0], 1.0
        elif len(backward):
            line, sign = backward.iloc[0], -1.0
        else:
            continue
        ends = sorted((sign * float(line["low"]), sign * float(line["high"])))
        found.append(
            {
                "model": model,
                "baseline": rival,
                "difference": sign * float(line["value"]),
                "low": ends[0],
                "high": ends[1],
            }
        )
    return found


def _beats_all(rows: list[dict[str, Any]], model: str) -> bool:
    own = [row for row in rows if row["model"] == model]
    return bool(own) and all(row["low"] > 0 for row in own)


def _validation(benchmark: Benchmarked, model: str, split: str, seed: int) -> float:
    run = Run.open(benchmark.path / "runs" / PlannedRun(model, split, seed, 1.0).folder)
    return float(run.metrics["parts"]["val"][benchmark.headline]["value"])


def _sentence(
    chosen: str,
    value: float,
    rows: list[dict[str, Any]],
    beats: bool,
    winners: list[str],
    n_models: int,
    split: str,
) -> str:
    own = [row for row in rows if row["model"] == chosen]
    lost = [_NAMES[row["baseline"]] for row in own if row["low"] <= 0]
    where = f"under the {split} split"
    if beats:
        text = (
            f"{chosen}, the best of {n_models} on validation, tells changed from unchanged genes "
            f"with AUROC {value:.3f} {where} and beats k-mer counts, GC content and mean "
            "expression: each paired interval excludes 0."
        )
    else:
        text = (
            f"{chosen}, the best of {n_models} on validation, reaches AUROC {value:.3f} {where} "
            f"and does not clearly beat {' or '.join(lost) if lost else 'every baseline'}: the "
            "paired interval includes 0."
        )
    others = [name for name in winners if name != chosen]
    if others:
        text += f" {', '.join(others)} would, but was not the choice of validation."
    elif not beats and not winners:
        text += " No other model does either."
    return text
