"""The page of a chromatin study: its figures, and what its sections say."""

from __future__ import annotations

from typing import Any, NamedTuple

from exprimo.report.chromatin.answer import study_answer
from exprimo.report.chromatin.distrust import study_doubts
from exprimo.report.chromatin.explained import (
    explained_charts,
    explained_sentence,
    kmer_sentence,
    planted_sentence,
    planted_table,
    raised_sentence,
    strongest_table,
)
from exprimo.report.chromatin.figures import comparing_charts
from exprimo.report.chromatin.reading import ChromatinFolder
from exprimo.report.chromatin.tables import (
    binary_table,
    ceiling_table,
    cell_table,
    gene_table,
    split_rows,
)
from exprimo.report.document.html import pretty_json
from exprimo.report.document.page import Page, Summary
from exprimo.report.document.table import Table
from exprimo.report.runs.answer import Answer
from exprimo.report.runs.doubt import Doubt
from exprimo.report.runs.view import run_charts, run_verdicts, view


class ChromatinView(NamedTuple):
    """What the template is filled with, besides the benchmark's sections.

    `tables` has the tables, `said` the sentences, and `figures` the keys of the figures of each
    part, by its name.
    """

    study: ChromatinFolder
    answer: Answer
    doubts: list[Doubt]
    tables: dict[str, Table | None]
    said: dict[str, str]
    figures: dict[str, tuple[str, ...]]
    settings: str


def chromatin_page(study: ChromatinFolder) -> Page:
    """Make the page of a study."""
    own = comparing_charts(study)
    made = {chart.key for chart in own}
    from_runs = [chart for chart in run_charts(study.benchmark) if chart.key not in made]
    explained = [] if study.explanation is None else explained_charts(study.explanation)
    material = study.benchmark
    shown = _view(study, tuple(chart.key for chart in explained))
    values: dict[str, Any] = {
        "title": f"Telling {material.target} from histone marks",
        "kicker": "Study · chromatin",
        "b": view(material, from_runs),
        "s": shown,
    }
    question = str(study.facts.get("question") or "")
    verdicts = tuple(run_verdicts(material))
    summary = Summary(question, shown.answer.sentences[0], verdicts)
    return Page("chromatin.html.j2", [*own, *from_runs, *explained], values, summary)


def _view(study: ChromatinFolder, explained: tuple[str, ...]) -> ChromatinView:
    found = study.explanation
    said = {"explained": explained_sentence(study)}
    tables = {
        "cells": cell_table(study),
        "genes": gene_table(study),
        "ceilings": ceiling_table(study),
        "binary": binary_table(study),
        "splits": split_rows(study),
    }
    if found is not None:
        said |= {
            "planted": planted_sentence(found),
            "kmers": kmer_sentence(found),
            "raised": raised_sentence(found),
        }
        tables |= {"planted": planted_table(found), "strongest": strongest_table(found)}
    return ChromatinView(
        study=study,
        answer=study_answer(study),
        doubts=study_doubts(study),
        tables=tables,
        said=said,
        figures={
            part: tuple(key for key in explained if key.startswith(f"{part}-"))
            for part in ("marks", "kmers", "attention", "raised")
        },
        settings=pretty_json(study.facts.get("config")),
    )
