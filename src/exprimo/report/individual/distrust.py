"""What a sceptical reviewer would ask of a study of individuals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from exprimo.report.individual.association.distrust import association_doubts
from exprimo.report.individual.reading import IndividualFolder, interval_of
from exprimo.report.runs.doubt import Doubt, by_weight
from exprimo.report.wording import counted, listed, number, percent, with_interval

_FEW_PEOPLE = 50
_SURE = 0.05
_LITTLE_R = 0.25


def study_doubts(study: IndividualFolder) -> list[Doubt]:
    """Collect every doubt, the serious ones first."""
    more = [] if study.association is None else association_doubts(study.association)
    own = [*_simulated(study), *_people(study), *_genes(study), *_controls(study)]
    return by_weight([*own, *more])


def _simulated(study: IndividualFolder) -> Iterator[Doubt]:
    if (study.facts.get("config") or {}).get("truth"):
        yield Doubt(
            "caution",
            "The data are simulated",
            "They test the method; they say nothing about a living person.",
            "study.json",
        )


def _people(study: IndividualFolder) -> Iterator[Doubt]:
    people = study.own("people")
    if people is None:
        yield Doubt(
            "serious",
            "Nothing was measured",
            "Without expression of these people no number here says that the model is right.",
            "study.json",
        )
        return
    across = people["across_people"]
    if not (across["p"] < _SURE and across["mean_r"]["value"] > 0):
        yield Doubt(
            "serious",
            "Predictions are not shown to follow people",
            f"Mean r {with_interval(*interval_of(across['mean_r']))}, and with people shuffled "
            f"{number(across['null_low'])} to {number(across['null_high'])}.",
            "study.json",
        )
    else:
        yield Doubt(
            "checked",
            "Against people shuffled",
            f"Mean r with people shuffled lies between {number(across['null_low'])} and "
            f"{number(across['null_high'])}; people keep all their genes, so linked genes do not "
            "make that too narrow.",
            "study.json",
        )
    share = across["share_positive"]
    if share is not None and share < 1:
        yield Doubt(
            "caution",
            f"In {percent(1 - share)} of genes the direction is wrong",
            "Where r over people is below 0, taking the model at its word would be worse than "
            "taking everybody for the same.",
            "genes.tsv",
        )
    if people["n_people"] < _FEW_PEOPLE:
        yield Doubt(
            "caution",
            f"{counted(people['n_people'], 'person')}: r of single genes is mostly noise",
            "The mean over genes can be believed further than any one of them.",
            "genes.tsv",
        )
    if across["n_constant"]:
        yield Doubt(
            "caution",
            f"{counted(across['n_constant'], 'gene')} of {people['n_genes']:,} cannot be predicted",
            "No variant of these people lies within the model's window there; they count as 0.",
            "genes.tsv",
        )
    yield from _between_genes(study.answer, people["across_genes"])
    yield Doubt(
        "caution",
        "Neighbouring variants travel together",
        "A model can follow people by a variant that does nothing, next to one that acts; r over "
        "people does not say which variant it is.",
        "study.json",
    )


def _between_genes(name: str, told: Mapping[str, Any]) -> Iterator[Doubt]:
    """Ask whether a model that cannot tell genes apart is of this genome at all."""
    value, low, high = interval_of(told)
    if low > 0:
        return
    yield Doubt(
        # An interval that reaches far is that of few genes.
        "serious" if high < _LITTLE_R else "caution",
        "Is it a model of this genome?",
        f"Between genes r of {name} is {with_interval(value, low, high)}. A model that learned "
        "which genes are high tells it of genes that it never saw too. One of another genome or "
        "another kind of target does not, nor does one that was never trained. Names of genes "
        "cannot tell genomes apart.",
        "study.json",
    )


def _genes(study: IndividualFolder) -> Iterator[Doubt]:
    n_genes = int(study.facts.get("n_genes") or 0)
    learned = {name: int(m.get("n_learned") or 0) for name, m in study.models.items()}
    told = [f"{name} from {n:,} of {n_genes:,}" for name, n in learned.items() if n]
    if told:
        yield Doubt(
            "serious",
            "Genes that a model learned from are judged too",
            f"{listed(told)}. Between genes that flatters it. Over people it does so less, "
            "because no person's sequence was seen.",
            "study.json",
        )
    else:
        yield Doubt(
            "checked",
            "Genes that the models learned from",
            "None is judged, where a model is a run: its ledger says which they are.",
            "study.json",
        )
    for reason, n in (study.facts.get("left_out") or {}).items():
        yield Doubt(
            "caution",
            f"{counted(int(n), 'gene')} {'is' if n == 1 else 'are'} left out",
            f"They lie {reason}."
            if reason.startswith("on ")
            else f"{reason[0].upper()}{reason[1:]}.",
            "study.json",
        )


def _controls(study: IndividualFolder) -> Iterator[Doubt]:
    if len(study.models) == 1:
        yield Doubt(
            "caution",
            "No other model stands beside it",
            "An untrained network under [models.beside] shows what the same path gives for "
            "nothing.",
            "study.json",
        )
