"""The page of a differential-promoter study: its figures, and what its sections say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from exprimo.report.charts.chart import Chart
from exprimo.report.dge import tables as dge_tables
from exprimo.report.dge.figures import dge_charts
from exprimo.report.dge.reading import DgeFolder
from exprimo.report.document.html import pretty_json
from exprimo.report.document.page import Page, Summary
from exprimo.report.document.table import Table
from exprimo.report.runs.answer import Answer
from exprimo.report.runs.confusion import calls_of
from exprimo.report.runs.doubt import Doubt, Weight
from exprimo.report.runs.view import RunsView, run_charts, view
from exprimo.report.study import augmentation, examination, imbalance, motifs
from exprimo.report.study.answer import (
    study_answer,
    truth_sentences,
    verdict_chart,
    verdict_table,
)
from exprimo.report.study.distrust import study_doubts
from exprimo.report.study.reading import Study
from exprimo.report.study.targets import TargetTable, target_summary, target_tables


class StudyView(NamedTuple):
    """What the template of a study is filled with, besides figures.

    `said` holds the sentences of each section and `tables` its tables, by the section's name.
    """

    study: Study
    answer: Answer
    doubts: list[Doubt]
    beats: bool | None
    said: dict[str, list[str]]
    tables: dict[str, list[Table]]
    targets: list[TargetTable]
    settings: str
    dge_summary: str


def study_page(study: Study) -> Page:
    """Make the page of a study."""
    own = _charts(study)
    from_runs = run_charts(study.benchmark) if study.benchmark else []
    if any(chart.key == "verdict" for chart in own):
        # It has the pairs that matter; the table of pairs has all of them.
        from_runs = [chart for chart in from_runs if chart.key != "pairs"]
    charts = [*own, *from_runs]
    runs: RunsView | None = view(study.benchmark, from_runs) if study.benchmark else None
    values: dict[str, Any] = {
        "title": _title(study),
        "kicker": "Study · differential promoter",
        "b": runs,
        "s": _view(study),
    }
    return Page("study.html.j2", charts, values, _summary(study))


def dge_page(dge: DgeFolder) -> Page:
    """Make the page of a test for differential expression alone."""
    study = Study(name="", facts={}, dge=dge)
    values: dict[str, Any] = {
        "title": f"Differential expression: {dge.contrast.get('text')}",
        "kicker": "Differential expression",
        "b": None,
        "s": _view(study),
    }
    return Page("study.html.j2", _charts(study), values, _summary(study))


def _summary(study: Study) -> Summary:
    beats = study.verdict.get("beats")
    told: tuple[Weight, str] = (
        ("checked", "a model beats the baselines")
        if beats
        else ("serious", "no model beats the baselines")
    )
    first = study_answer(study).sentences[0]
    return Summary(study.question, first, () if beats is None else (told,))


def _title(study: Study) -> str:
    if study.dge is None:
        return "Which genes change, told from their promoters"
    return f"Which genes change, told from their promoters: {study.dge.contrast.get('text')}"


def _prevalence(study: Study) -> float | None:
    """Give the share of positives in the test part that the treatments were judged on.

    It is counted there: that of all tested genes is another number.
    """
    if study.imbalance is None or study.benchmark is None:
        return None
    splits = set(study.imbalance.table["split"])
    for trained in study.benchmark.trained:
        calls = calls_of(trained)
        if splits == {trained.split} and calls is not None and len(calls.classes) == 2:
            return float(calls.counts[1].sum() / max(int(calls.counts.sum()), 1))
    return None


def _charts(study: Study) -> list[Chart]:
    made: list[Chart | None] = [verdict_chart(study)]
    if study.dge is not None:
        made += dge_charts(study.dge)
    if study.examination is not None:
        made.append(examination.covariate_chart(study.examination))
    if study.imbalance is not None:
        made += imbalance.imbalance_charts(study.imbalance, _prevalence(study))
    if study.enrichment is not None:
        made += [motifs.motif_chart(study.enrichment), motifs.balance_chart(study.enrichment)]
    return [chart for chart in made if chart is not None]


def _view(study: Study) -> StudyView:
    beats = study.verdict.get("beats")
    return StudyView(
        study=study,
        answer=study_answer(study),
        doubts=study_doubts(study),
        beats=None if beats is None else bool(beats),
        said=_said(study),
        tables=_tables(study),
        targets=target_tables(study.targets),
        settings=pretty_json(study.facts.get("config")),
        dge_summary=pretty_json(dict(study.dge.summary)) if study.dge else "",
    )


def _said(study: Study) -> dict[str, list[str]]:
    said: dict[str, list[str]] = {
        # Without a model the answer says how many genes are called.
        "dge": dge_tables.sentences(study.dge)[: None if study.benchmark else 1]
        if study.dge
        else [],
        "models": [],
        "labels": examination.sentences(study.examination) if study.examination else [],
        "imbalance": [],
        "motifs": [motifs.sentence(study.enrichment)] if study.enrichment else [],
    }
    if study.imbalance is not None:
        said["imbalance"] = [
            imbalance.verdict_sentence(study.imbalance),
            *augmentation.sentences(study.imbalance),
            imbalance.note(study.imbalance, _prevalence(study)),
        ]
    for section, sentence in truth_sentences(study).items():
        said[section].append(sentence)
    return said


def _tables(study: Study) -> dict[str, list[Table]]:
    made: dict[str, Iterable[Table | None]] = {
        "verdict": [verdict_table(study)],
        "targets": [target_summary(study.targets)],
    }
    if study.dge is not None:
        made["genes"] = [dge_tables.gene_counts(study.dge)]
        made["dge"] = [dge_tables.top_genes(study.dge), dge_tables.sample_table(study.dge)]
    if study.examination is not None:
        made["labels"] = [examination.covariate_table(study.examination)]
    if study.imbalance is not None:
        made["imbalance"] = [
            imbalance.score_table(study.imbalance),
            imbalance.difference_table(study.imbalance),
            augmentation.generator_table(study.imbalance),
        ]
    if study.enrichment is not None:
        made["motifs"] = [
            motifs.motif_table(study.enrichment),
            motifs.balance_table(study.enrichment),
        ]
    return {section: [t for t in tables if t is not None] for section, tables in made.items()}
