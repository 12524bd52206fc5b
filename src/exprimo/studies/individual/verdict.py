"""The sentences that a reader looks for: does the model follow people, and which variants act?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exprimo.report.wording import number

_FEW = 0.05


def verdict(facts: Mapping[str, Mapping[str, Any]], answer: str) -> dict[str, Any]:
    """Say what the answering model knows of people, and of variants where the truth is known.

    Parameters
    ----------
    facts
        Model -> what `agreement`, and `judge_effects` under ``effects``, gave of it.
    answer
        The model that the study asks about.

    Returns
    -------
    dict
        ``text``; ``follows``: whether its mean r over people lies above the null (None where
        there is no expression).
    """
    said: list[str] = []
    own = facts[answer]
    follows = None
    if (people := own.get("people")) is not None:
        follows = bool(people["across_people"]["p"] < _FEW and _mean(people) > 0)
        said += _people(people, follows)
    if (effects := own.get("effects")) is not None:
        said += _effects(effects)
    if not said:
        n = own["variants"]["n"]
        said = [
            f"{n:,} pairs of variant and gene were scored. There is no expression to judge the "
            "scores by: they are what the model says, and no more."
        ]
    return {"text": " ".join(said), "follows": follows, "model": answer}


def _mean(people: Mapping[str, Any]) -> float:
    return float(people["across_people"]["mean_r"]["value"])


def _people(people: Mapping[str, Any], follows: bool) -> list[str]:
    found = people["across_people"]
    text = (
        f"Over {people['n_people']} people, predictions from personal sequence correlate with "
        f"expression at r {_interval(found['mean_r'])} in the mean of {people['n_genes']:,} genes"
    )
    null = f"{number(found['null_low'])} to {number(found['null_high'])} with people shuffled"
    if follows:
        told = [f"{text}, above chance ({null})."]
    else:
        told = [f"{text}, which is not shown to be above chance ({null})."]
    if found["n_constant"]:
        n = found["n_constant"]
        told.append(
            f"{n:,} {'gene has' if n == 1 else 'genes have'} no variant within the model's window; "
            "everybody is predicted the same there, and they count as 0."
        )
    if (best := people.get("ceiling")) is not None:
        told.append(f"The true genetic part itself reaches {_interval(best['across_people'])}.")
    told.append(_between_genes(people["across_genes"]))
    return told


def _between_genes(found: Mapping[str, Any]) -> str:
    text = f"Between genes r is {_interval(found)}"
    if found["low"] is not None and found["low"] > 0:
        return (
            f"{text}: most of that the reference genome tells, and it says nothing of how people "
            "differ."
        )
    return (
        f"{text}, which is not shown to be above 0: a model of this genome that knows which genes "
        "are high would have it above 0."
    )


def _effects(effects: Mapping[str, Any]) -> list[str]:
    told = []
    if (found := effects.get("auroc_in_site")) is not None:
        told.append(
            f"Variants within a factor's site rank above the others with AUROC {_interval(found)}."
        )
    if (found := effects.get("auroc_acting")) is not None:
        told.append(
            f"Variants that change expression rank above the others with AUROC {_interval(found)}."
        )
    if (found := effects.get("sign")) is not None:
        told.append(f"Of those that act, {_share(found)} have the right sign.")
    return told


def _interval(found: Mapping[str, Any]) -> str:
    return f"{number(found['value'])} [{number(found['low'])}, {number(found['high'])}]"


def _share(found: Mapping[str, Any]) -> str:
    low, high = found["low"], found["high"]
    return f"{found['value']:.0%} [{low:.0%}, {high:.0%}]"
