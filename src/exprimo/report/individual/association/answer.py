"""The sentences and numbers that join what was mapped, predicted, compared and listed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exprimo.report.individual.association.predictors import reachable
from exprimo.report.individual.association.reading import Association, Contest
from exprimo.report.individual.association.tables import sign_of
from exprimo.report.individual.reading import interval_of
from exprimo.report.runs.answer import Tile
from exprimo.report.runs.doubt import Weight
from exprimo.report.wording import (
    counted,
    interval,
    number,
    p_value,
    percent,
    percent_with_interval,
    with_interval,
)

_SURE = 0.05


def sentences(found: Association) -> tuple[str, ...]:
    """Say in a few sentences what this half of the study found."""
    made = (mapped_sentence(found), predicted_sentence(found), shared_sentence(found))
    return tuple(text for text in made if text)


def mapped_sentence(found: Association) -> str:
    """Say how many genes have an eQTL, and how closely it is located."""
    eqtl, sets = found.facts["eqtl"], found.facts["finemap"]
    n, tested = int(eqtl["n_egenes"] or 0), int(eqtl["n_tested"])
    text = (
        f"Of {counted(tested, 'gene')} tested in {counted(int(eqtl['n_people']), 'person')}, "
        f"{n:,} {'has' if n == 1 else 'have'} an eQTL at a false discovery rate of "
        f"{percent(float(eqtl['fdr']))}"
    )
    if (power := found.truth.get("power")) is not None and power["value"] is not None:
        text += f"; of the genes with an acting variant {_share(power)} are found"
        wrong = found.truth.get("false_discovery")
        if wrong is not None and wrong["value"] is not None:
            text += f", and {_share(wrong)} of the discoveries are false"
    text += "."
    if n_sets := int(sets.get("n_sets") or 0):
        size = sets.get("median_size")
        of = "" if size is None else f", of {float(size):g} variants in the median"
        text += f" Fine-mapping leaves {counted(n_sets, 'credible set')}{of}."
    return text


def predicted_sentence(found: Association) -> str:
    """Say which predictor is best, how far it reaches, and whether the rest is behind it."""
    one = found.scores.get(found.best)
    if one is None:
        return ""
    value = with_interval(*interval_of(one["r2"]))
    text = (
        f"People who were left out are predicted best by {found.best}: mean R² {value} over "
        f"{counted(int(one['n_genes']), 'gene')}"
    )
    ceiling = reachable(found)
    if ceiling is not None:
        known = "simulated" if ceiling[1] else "estimated"
        text += f", where the {known} heritability is {number(ceiling[0])}"
    told = [text + "."]
    if found.rival is not None:
        told += [
            _against(found, name, found.rival)
            for name in dict.fromkeys((found.best_of("stack"), found.calibrated))
            if name is not None and name != found.rival
        ]
    return " ".join(part for part in told if part)


def _against(found: Association, ours: str, theirs: str) -> str:
    contest = found.contest(ours, theirs)
    if contest is None:
        return ""
    text = f"{verdict_words(contest)} ({_signed(contest)})."
    if ours == found.calibrated and contest.is_above and not found.model_follows:
        text += f" {window_words(found)}"
    return text


def window_words(found: Association) -> str:
    """Say what wins where a model beats a score, and does not follow people by itself."""
    return (
        f"As it stands {found.answer} has r {with_interval(*found.as_it_stands)} over people: "
        "the training people gave each gene its sign, so what wins is the variants in its window, "
        "not the model."
    )


def verdicts(found: Association) -> tuple[tuple[Weight, str], ...]:
    """Say in a few words each whether the stack and the model beat elastic net."""
    made: list[tuple[Weight, str]] = []
    for name, what in ((found.best_of("stack"), "stack"), (found.calibrated, "model")):
        if name is None or found.rival is None:
            continue
        contest = found.contest(name, found.rival)
        if contest is None:
            continue
        if contest.is_above and what == "model" and not found.model_follows:
            made.append(("caution", "model beats elastic net only once calibrated"))
        elif contest.is_above:
            made.append(("checked", f"{what} beats elastic net"))
        elif contest.high < 0:
            made.append(("serious", f"elastic net beats the {what}"))
        else:
            made.append(("caution", f"{what} not shown to beat elastic net"))
    return tuple(made)


def verdict_words(contest: Contest) -> str:
    """Say who is better, or that it is not shown.

    Examples
    --------
    >>> verdict_words(Contest("a", "b", 0.1, 0.05, 0.15))
    'a is better than b'
    >>> verdict_words(Contest("a", "b", 0.1, -0.05, 0.25))
    'a is not shown to be better or worse than b'
    """
    if contest.is_above:
        return f"{contest.ours} is better than {contest.theirs}"
    if contest.high < 0:
        return f"{contest.ours} is worse than {contest.theirs}"
    return f"{contest.ours} is not shown to be better or worse than {contest.theirs}"


def _signed(contest: Contest) -> str:
    sign = "+" if contest.value > 0 else ""
    return f"R² {sign}{with_interval(contest.value, contest.low, contest.high)}, paired by gene"


def shared_sentence(found: Association) -> str:
    """Say what the answering model's ranking of variants shares with that by p."""
    own: Mapping[str, Any] | None = (found.facts.get("overlap") or {}).get(found.answer)
    if not own or not own.get("n"):
        return ""
    text = (
        f"The variants with {found.answer}'s largest scores share {int(own['overlap']):,} with "
        f"those of the smallest p in the same genes, where {number(float(own['expected']), 1)} "
        f"are expected by chance"
    )
    if holds_all(own):
        return (
            f"The overlap of {found.answer}'s scores with eQTLs says nothing here: no gene has "
            "more variants within the model's window than the top of both rankings holds."
        )
    p = own.get("p_shift")
    if p is not None:
        sure = "more than" if p < _SURE else "not shown to be more than"
        text += f": {sure} neighbours alone give (p {p_value(p)} with scores shifted)"
    text += "."
    if (sign := sign_of(own.get("sign"))) is not None:
        text += f" Of its largest scores, {percent(sign['share'])} have the sign of the slope."
    return text


def holds_all(own: Mapping[str, Any]) -> bool:
    """Tell whether the tops hold every variant, so that the overlap could not be otherwise.

    Examples
    --------
    >>> holds_all({"n": 8, "expected": 8.0}), holds_all({"n": 8, "expected": 2.0})
    (True, False)
    """
    return bool(own["n"]) and float(own["expected"]) >= 0.999 * int(own["n"])


def tiles(found: Association) -> list[Tile]:
    """Give the few numbers of this half."""
    eqtl = found.facts["eqtl"]
    made = [
        Tile(
            "Genes with an eQTL",
            f"{int(eqtl['n_egenes'] or 0):,}",
            f"of {int(eqtl['n_tested']):,} tested, FDR {percent(float(eqtl['fdr']))}",
            "study.json",
        )
    ]
    ceiling = reachable(found)
    for name, label in ((found.best, "best"), (found.calibrated, "model"), (found.rival, "")):
        if name is None or name not in found.scores or any(name in one.label for one in made):
            continue
        value, low, high = interval_of(found.scores[name]["r2"])
        words = f"R² of {name}" + (", the best" if label == "best" else "")
        detail = f"95% {interval(low, high)}"
        if label == "best" and ceiling is not None:
            known = "simulated" if ceiling[1] else "estimated"
            detail += f"; {known} heritability {number(ceiling[0])}"
        made.append(Tile(words, number(value), detail, "study.json"))
    return made


def candidates_sentence(found: Association) -> str:
    """Say what the list of candidates is, and what it is not."""
    told = found.facts.get("candidates") or {}
    n = int(told.get("n") or len(found.candidates))
    if not n:
        return ""
    text = (
        "These variants are where an experiment would start. The list is no evidence: a variant "
        "stands on it because both the model's effect and the posterior probability are large, so "
        "that they go together here says nothing. A PIP cannot tell variants in strong LD apart, "
        "and a model's effect has not been measured."
    )
    parts = []
    if (agree := told.get("n_agree")) is not None:
        parts.append(f"in {int(agree):,} of {n:,} the model's sign is that of the slope")
    if told.get("n_motif"):
        parts.append(f"in {int(told['n_motif']):,} a motif changes")
    top = (found.truth.get("candidates") or {}).get("acting_in_top") or {}
    if top:
        spans = found.truth["candidates"].get("acting_in_top_intervals") or {}
        k, share = max(top.items(), key=lambda one: int(one[0]))
        told_share = _share(spans[k]) if k in spans else percent(share)
        part = f"by the simulated truth {told_share} of the first {k} act"
        alone = found.truth.get("first_by_pip") or {}
        if (other := (alone.get("acting_in_top_intervals") or {}).get(k)) is not None:
            part += f", and of the first {k} by PIP alone within the window {_share(other)}"
        parts.append(part)
    if parts:
        joined = "; ".join(parts)
        text += f" {joined[0].upper()}{joined[1:]}."
    return text


def _share(told: Mapping[str, Any]) -> str:
    return percent_with_interval(*interval_of(told))
