"""What a sceptical reviewer would ask of a whole study, beyond its models."""

from __future__ import annotations

from collections.abc import Iterator

from exprimo.report.dge.tables import replicates
from exprimo.report.runs.distrust import doubts as benchmark_doubts
from exprimo.report.runs.doubt import Doubt, by_weight
from exprimo.report.study.examination import followed
from exprimo.report.study.imbalance import verdict_sentence
from exprimo.report.study.motifs import BALANCED, unbalanced
from exprimo.report.study.reading import Study
from exprimo.report.wording import counted, covariate_words, listed, percent, with_interval

FEW_REPLICATES = 3
FAR_FROM_CHANCE = 0.05
"""An AUROC this far from 0.5 among tested genes is worth a reader's attention."""


def study_doubts(study: Study) -> list[Doubt]:
    """Collect every doubt about the study and its benchmark, the serious ones first."""
    found = [
        *_simulated(study),
        *_replicates(study),
        *_formal(study),
        *_warnings(study),
        *_covariates(study),
        *_joined(study),
        *(benchmark_doubts(study.benchmark) if study.benchmark else ()),
        *_imbalance(study),
        *_matching(study),
        *_missing(study),
    ]
    return by_weight(found)


def _simulated(study: Study) -> Iterator[Doubt]:
    if study.truth:
        yield Doubt(
            "caution",
            "The data are simulated",
            "They test the method; they say nothing about a living cell.",
            "study.json",
        )


def _replicates(study: Study) -> Iterator[Doubt]:
    if study.dge is None or not (sides := replicates(study.dge)):
        return
    counts = listed([f"{n} of {side}" for side, n in sides.items()])
    few = min(sides.values()) < FEW_REPLICATES
    yield Doubt(
        "serious" if few else "checked",
        "Few replicates" if few else "Each side is replicated",
        f"Samples: {counts}."
        + (" The spread between samples is hardly known, so the calls are uncertain." * few),
        study.dge.file("samples.tsv"),
    )


def _formal(study: Study) -> Iterator[Doubt]:
    if study.dge is None:
        return
    formal = study.dge.summary.get("formal_test") or {}
    n, called = formal.get("n_called"), (study.dge.summary.get("calls") or {}).get("n_called")
    if n is None or not called or n >= called:
        return
    yield Doubt(
        "caution",
        "The threshold of the fold change is not tested",
        f"Of {counted(int(called), 'called gene')} {int(n):,} ({percent(n / called)}) pass a test "
        f"of |log2 fold change| > {study.dge.lfc:g} itself; the others may lie below it.",
        study.dge.file("summary.json"),
    )


def _warnings(study: Study) -> Iterator[Doubt]:
    if study.dge is None:
        return
    for warning in study.dge.summary.get("warnings") or ():
        text = str(warning).rstrip(".")
        yield Doubt("caution", "The test itself warns", f"{text}.", study.dge.file("summary.json"))


def _covariates(study: Study) -> Iterator[Doubt]:
    if study.examination is None or not (known := followed(study.examination)):
        return
    source = f"{study.examination.place}covariates.tsv"
    far = [f for f in known if f.tells and abs(f.tested["auroc"] - 0.5) > FAR_FROM_CHANCE]
    if not far:
        yield Doubt(
            "checked",
            "The labels follow no covariate",
            f"Among tested genes none of {counted(len(known), 'covariate')} is shown to tell "
            f"called genes from others by more than {FAR_FROM_CHANCE:g} of AUROC.",
            source,
        )
        return
    names = listed(
        [f"{f.covariate} {with_interval(*f.tested[['auroc', 'low', 'high']])}" for f in far]
    )
    yield Doubt(
        "caution",
        "The labels follow more than promoters",
        f"Among tested genes one covariate alone reaches an AUROC of: {names}.",
        source,
    )


def _joined(study: Study) -> Iterator[Doubt]:
    if study.examination is None:
        return
    facts = study.examination.prevalence
    joined, tested = facts.get("n_joined"), facts.get("n_tested")
    if joined is None or not tested:
        return
    lost = int(tested) - int(joined)
    if not lost:
        yield Doubt(
            "checked",
            "Every tested gene has a promoter",
            f"All {int(tested):,} are in the annotation.",
            f"{study.examination.place}prevalence.json",
        )
        return
    yield Doubt(
        "caution" if lost > 0.2 * tested else "checked",
        f"{counted(lost, 'tested gene')} without a promoter",
        f"{percent(lost / tested)} of those tested are not in the annotation, so no number of "
        "the models speaks of them.",
        f"{study.examination.place}prevalence.json",
    )


def _imbalance(study: Study) -> Iterator[Doubt]:
    if study.imbalance is not None:
        yield Doubt(
            "checked",
            "Treatments of rare positives were compared",
            verdict_sentence(study.imbalance),
            f"{study.imbalance.place}paired.tsv",
        )


def _matching(study: Study) -> Iterator[Doubt]:
    if study.enrichment is None:
        return
    source = f"{study.enrichment.place}balance.tsv"
    if off := unbalanced(study.enrichment):
        yield Doubt(
            "caution",
            "Matching left differences",
            f"{listed(off)}: beyond ±{BALANCED:g} standardised mean differences after matching, "
            "so an enriched motif may stand for it.",
            source,
        )
    elif len(study.enrichment.balance):
        yield Doubt(
            "checked",
            "Matched promoters are alike",
            f"{listed([covariate_words(n) for n in study.enrichment.balance['covariate']])}: "
            f"within ±{BALANCED:g} standardised mean differences after matching.",
            source,
        )


def _missing(study: Study) -> Iterator[Doubt]:
    if study.missing:
        yield Doubt(
            "caution",
            f"{counted(len(study.missing), 'part')} missing",
            f"Named in study.json and not found: {listed(list(study.missing))}.",
            "study.json",
        )
