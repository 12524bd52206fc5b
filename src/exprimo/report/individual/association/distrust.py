"""What a sceptical reviewer would ask of eQTLs, predictors and overlap."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from exprimo.report.individual.association.answer import holds_all, verdict_words, window_words
from exprimo.report.individual.association.reading import Association
from exprimo.report.individual.reading import interval_of
from exprimo.report.runs.doubt import Doubt, Weight
from exprimo.report.wording import (
    counted,
    number,
    p_value,
    percent,
    percent_with_interval,
    with_interval,
)

_FEW_PEOPLE = 100
_FEW_SETS = 10
_FEW_GENES = 30
_SURE = 0.05
_LITTLE_R2 = 0.01


def association_doubts(found: Association) -> list[Doubt]:
    """Collect the doubts about this half of the study."""
    return [*_mapping(found), *_predicting(found), *_overlapping(found), *_listing(found)]


def _mapping(found: Association) -> Iterator[Doubt]:
    eqtl = found.facts["eqtl"]
    people, n = int(eqtl["n_people"]), int(eqtl["n_egenes"] or 0)
    if people < _FEW_PEOPLE:
        yield Doubt(
            "caution",
            f"{counted(people, 'person')} for eQTLs",
            "Only strong eQTLs are found, and their slopes come out too large.",
            "study.json",
        )
    if n == 0:
        yield Doubt(
            "serious",
            "No gene has a significant eQTL",
            "A ranking by p is then that of noise, and no overlap with it speaks for or against a "
            "model.",
            "egenes.tsv",
        )
    sets = int(found.facts["finemap"].get("n_sets") or 0)
    if n > 0 and sets < _FEW_SETS:
        yield Doubt(
            "caution",
            f"{counted(sets, 'credible set')} only",
            "What is said of credible sets rests on few genes.",
            "association/finemap",
        )
    if late := int(found.facts["finemap"].get("n_not_converged") or 0):
        yield Doubt(
            "caution",
            f"Fine-mapping did not converge in {counted(late, 'gene')}",
            "Their posterior probabilities may not be the final ones.",
            "association/finemap",
        )
    yield from _known_errors(found)
    if factors := int(found.facts.get("factors") or 0):
        yield Doubt(
            "caution",
            f"{counted(factors, 'hidden factor')} among the covariates",
            "They were found from all genes, the tested one included, so they see a little of it "
            "and take a little of its eQTL away.",
            "study.json",
        )
    yield Doubt(
        "caution",
        "Ancestry can make eQTLs",
        "Where groups of people differ in allele frequencies and in expression, a variant goes "
        "with expression and does nothing. Principal components of the genotypes among the "
        "covariates take the most of it away.",
        "study.json",
    )
    yield Doubt(
        "caution",
        "An eQTL is a stretch, not a variant",
        "The strongest variant is often only linked to the one that acts; that is why credible "
        "sets stand beside it.",
        "egenes.tsv",
    )


def _known_errors(found: Association) -> Iterator[Doubt]:
    """Hold the discoveries against the truth of a simulated world."""
    wrong = found.truth.get("false_discovery")
    if wrong is not None and wrong["value"] is not None:
        value, low, high = interval_of(wrong)
        asked = float(found.facts["eqtl"]["fdr"])
        yield Doubt(
            "serious" if low > asked else "checked",
            f"{percent(value)} of eGenes are false",
            f"By the simulated truth no variant, near or far, acts on "
            f"{percent_with_interval(value, low, high)} of the eGenes; {percent(asked)} were "
            "allowed.",
            "study.json",
        )
    yield from _probabilities(found)
    held = (found.truth.get("pip") or {}).get("sets_with_causal")
    if held is not None and held["value"] is not None:
        value, low, high = interval_of(held)
        short = high < 0.95
        yield Doubt(
            "caution" if short else "checked",
            f"{percent(value)} of credible sets hold an acting variant",
            f"{percent_with_interval(value, low, high)}, where 95% are promised"
            + (": the sets are too small or their model is wrong." if short else "."),
            "study.json",
        )


def _probabilities(found: Association) -> Iterator[Doubt]:
    """Name the bins of PIPs of which the interval of the share that acts excludes their mean."""
    bins = [one for one in (found.truth.get("pip") or {}).get("calibration") or () if one["n"]]
    wrong = [
        one
        for one in bins
        if one["ci_low"] is not None
        and one["ci_high"] is not None
        and not one["ci_low"] <= one["mean_pip"] <= one["ci_high"]
    ]
    if wrong:
        told = "; ".join(
            f"mean PIP {number(one['mean_pip'], 2)}: "
            f"{percent_with_interval(one['share_causal'], one['ci_low'], one['ci_high'])} of "
            f"{counted(int(one['n']), 'variant')} act"
            for one in wrong
        )
        high = all(one["mean_pip"] > one["ci_high"] for one in wrong)
        yield Doubt(
            "caution",
            "Some posterior probabilities are " + ("too large" if high else "not what they say"),
            f"By the simulated truth, in {counted(len(wrong), 'bin')} of {len(bins)}: {told}.",
            "study.json",
        )
    elif bins:
        yield Doubt(
            "checked",
            "Posterior probabilities are what they say",
            f"In all {counted(len(bins), 'bin')} the interval of the share that acts holds the "
            "mean PIP.",
            "study.json",
        )


def _predicting(found: Association) -> Iterator[Doubt]:
    best = found.scores.get(found.best)
    if best is not None and int(best["n_genes"]) < _FEW_GENES:
        yield Doubt(
            "caution",
            f"Predictors on {counted(int(best['n_genes']), 'gene')} only",
            "Intervals over so few genes come out too narrow, and one gene can move any of them: "
            "association.stack_genes sets how many there are.",
            "study.json",
        )
    if best is not None:
        value, low, high = interval_of(best["r2"])
        if not low > 0:
            yield Doubt(
                "serious",
                "No predictor is shown to beat the mean",
                f"The best, {found.best}, has R² {with_interval(value, low, high)}.",
                "study.json",
            )
        elif value < _LITTLE_R2:
            yield Doubt(
                "caution",
                "R² is near 0",
                f"The best predictor explains {percent(value)} of the variance of a gene's "
                "expression, on average.",
                "study.json",
            )
    yield from _behind(found, found.best_of("stack"), "The stack", "serious")
    # A model that saw one genome need not beat a score that was fitted to these people.
    yield from _behind(found, found.calibrated, "The model", "caution")
    if best is not None and any(one.ours == found.best for one in found.contests):
        yield Doubt(
            "caution",
            "The best predictor was chosen by these very numbers",
            "Its lead over close rivals is a little too large. Pairs that were chosen beforehand "
            "(the stack or the model against elastic net) do not have this fault.",
            "study.json",
        )


def _behind(found: Association, name: str | None, what: str, if_worse: Weight) -> Iterator[Doubt]:
    if name is None or found.rival is None or name == found.rival:
        return
    contest = found.contest(name, found.rival)
    if contest is None:
        return
    gap = with_interval(contest.value, contest.low, contest.high)
    if contest.is_above and name == found.calibrated and not found.model_follows:
        yield Doubt(
            "caution",
            "The calibrated predictor beats elastic net, the model as it stands does not",
            f"{verdict_words(contest)}: R² {gap} more, paired by gene. {window_words(found)}",
            "study.json",
        )
        return
    if contest.is_above:
        yield Doubt(
            "checked",
            f"{what} against elastic net",
            f"{verdict_words(contest)}: R² {gap} more, paired by gene.",
            "study.json",
        )
        return
    yield Doubt(
        if_worse if contest.high < 0 else "caution",
        f"{what} is {'worse' if contest.high < 0 else 'not better'} than elastic net",
        f"{contest.ours} minus {contest.theirs}: R² {gap}, paired by gene. The genotypes "
        "around a gene tell as much without it.",
        "study.json",
    )


def _overlapping(found: Association) -> Iterator[Doubt]:
    told = {
        name: one
        for name, one in (found.facts.get("overlap") or {}).items()
        if isinstance(one, Mapping)
    }
    if not told:
        return
    statement = (found.facts.get("overlap") or {}).get("statement") or ""
    yield Doubt(
        "caution",
        "How to read the overlap",
        "Only variants within a model's window are compared, and neighbours share p-values: the "
        f"hypergeometric p is too small, that of the shifts is not. {statement}".rstrip(),
        "association/overlap.json",
    )
    own = told.get(found.answer)
    if own is not None:
        yield from _own_overlap(found.answer, own)


def _own_overlap(name: str, own: Mapping[str, Any]) -> Iterator[Doubt]:
    p = own.get("p_shift")
    if holds_all(own):
        yield Doubt(
            "caution",
            "The overlap could not be otherwise",
            f"No gene has more variants within the window of {name} than the top that is compared "
            "(top in the settings), so both tops hold them all.",
            "association/overlap.json",
        )
    elif p is None or not p < _SURE:
        yield Doubt(
            "caution",
            f"{name} shares no more with eQTLs than its neighbours would",
            f"{int(own['overlap']):,} variants, {number(float(own['expected']), 1)} expected; p of "
            f"the shifts {p_value(p)}.",
            "association/overlap.json",
        )


def _listing(found: Association) -> Iterator[Doubt]:
    if len(found.candidates):
        yield Doubt(
            "caution",
            "Candidates are no findings",
            "They were chosen for a large effect of the model and a large PIP; nothing on that "
            "list was measured by an experiment.",
            "candidates.tsv",
        )
