"""The sentence that a reader looks for: does any model beat what needs no model?"""

from __future__ import annotations

from math import inf, isnan
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
    value = run.metrics["parts"]["val"][benchmark.headline]["value"]
    # A validation part of one class has no AUROC: such a model is the last to be chosen.
    return -inf if value is None else float(value)


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
    who = f"{chosen}, the best of {n_models} on validation," if n_models > 1 else chosen
    where = f"AUROC {value:.3f} under the {split} split"
    if beats:
        names = _listed([_NAMES[row["baseline"]] for row in own], "and")
        text = (
            f"{who} tells changed from unchanged genes with {where} and beats {names}: each "
            "paired interval lies above 0."
        )
    else:
        text = f"{who} reaches {where} and {_not_beaten(own)}."
    others = [name for name in winners if name != chosen]
    if others:
        text += f" {_listed(others, 'and')} would, but {_was(others)} not the choice of validation."
    elif not beats and n_models > 1:
        text += " No other model beats them all either."
    return text


def _not_beaten(rows: list[dict[str, Any]]) -> str:
    """Say which baselines a model does not beat: those above it, and those not told apart."""
    above = [_NAMES[row["baseline"]] for row in rows if row["high"] < 0]
    alike = [_NAMES[row["baseline"]] for row in rows if row["low"] <= 0 <= row["high"]]
    unsure = [_NAMES[row["baseline"]] for row in rows if isnan(row["low"]) or isnan(row["high"])]
    said = []
    if above:
        said.append(f"is beaten by {_listed(above, 'and')}: the paired interval lies below 0")
    if alike:
        said.append(f"does not clearly beat {_listed(alike, 'or')}: the paired interval includes 0")
    if unsure:
        said.append(
            f"is not shown to beat {_listed(unsure, 'or')}: there are too few independent genes "
            "for an interval"
        )
    return "; it ".join(said) or "was compared with no baseline"


def _listed(names: list[str], last: str) -> str:
    """Join names as a sentence does."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {last} {names[-1]}"


def _was(names: list[str]) -> str:
    return "was" if len(names) == 1 else "were"
