"""The page of a promoter-halflife study: its figures, and what its sections say."""

from __future__ import annotations

from typing import Any, NamedTuple

from exprimo.report.charts.chart import Chart
from exprimo.report.document.html import pretty_json
from exprimo.report.document.page import Page, Summary
from exprimo.report.document.table import Table
from exprimo.report.halflife.reading import HalflifeFolder
from exprimo.report.halflife.tables import (
    ceiling_table,
    explained_sentence,
    parts_table,
    recovery_sentence,
    steps_chart,
)
from exprimo.report.interpret.figures import interpretation_charts
from exprimo.report.runs.answer import Answer
from exprimo.report.runs.answer import answer as benchmark_answer
from exprimo.report.runs.distrust import doubts
from exprimo.report.runs.doubt import Doubt, by_weight
from exprimo.report.runs.view import run_charts, run_verdicts, view


class HalflifeView(NamedTuple):
    """What the template is filled with, besides figures and the benchmark's sections."""

    study: HalflifeFolder
    answer: Answer
    doubts: list[Doubt]
    parts: Table
    ceilings: Table | None
    explained: str
    """Which row was explained, on how many genes, and what a gradient says."""
    recovery: str
    maps: tuple[str, ...]
    """Keys of the figures of the layer's map."""
    settings: str


def halflife_page(study: HalflifeFolder) -> Page:
    """Make the page of a study."""
    made = [steps_chart(study)]
    explained = [] if study.interpretation is None else interpretation_charts(study.interpretation)
    own: list[Chart] = [*(chart for chart in made if chart is not None), *explained]
    from_runs = run_charts(study.benchmark)
    shown = _view(study, tuple(chart.key for chart in explained))
    values: dict[str, Any] = {
        "title": f"Telling {study.benchmark.target} from promoter and half-life",
        "kicker": "Study · promoter and half-life",
        "b": view(study.benchmark, from_runs),
        "s": shown,
    }
    question = str(study.facts.get("question") or "")
    verdicts = tuple(run_verdicts(study.benchmark))
    told = str((study.facts.get("verdict") or {}).get("text") or shown.answer.sentences[0])
    summary = Summary(question, told, verdicts)
    return Page("halflife.html.j2", [*own, *from_runs], values, summary)


def _view(study: HalflifeFolder, explained: tuple[str, ...]) -> HalflifeView:
    return HalflifeView(
        study=study,
        answer=_answer(study),
        doubts=by_weight([*_doubts(study), *doubts(study.benchmark)]),
        parts=parts_table(study),
        ceilings=ceiling_table(study),
        explained=explained_sentence(study),
        recovery=recovery_sentence(study),
        maps=tuple(key for key in explained if key.startswith("map_")),
        settings=pretty_json(study.facts.get("config")),
    )


def _answer(study: HalflifeFolder) -> Answer:
    """Put what each input adds behind the benchmark's headline."""
    own = benchmark_answer(study.benchmark)
    first, *rest = own.sentences
    text = str((study.facts.get("verdict") or {}).get("text") or "")
    return Answer(
        (first, *([text] if text else []), *rest),
        own.tiles,
        tuple(dict.fromkeys((*own.sources, "study.json"))),
    )


def _doubts(study: HalflifeFolder) -> list[Doubt]:
    if study.facts.get("preset") != "published":
        return []
    return [
        Doubt(
            "caution",
            "Published settings differ from model to model",
            "Trunk, budget and size are each source's own, so a difference between models is not "
            "that of their inputs alone; the preset controlled compares inputs.",
            "study.json",
        )
    ]
