"""The page of a study of individuals: its figures, and what its sections say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from exprimo.report.charts.chart import Chart
from exprimo.report.document.html import pretty_json
from exprimo.report.document.page import Page, Summary
from exprimo.report.document.table import Table
from exprimo.report.individual.association.answer import sentences, tiles
from exprimo.report.individual.association.view import AssociationView, association_view
from exprimo.report.individual.distrust import study_doubts
from exprimo.report.individual.figures import study_charts
from exprimo.report.individual.reading import IndividualFolder, interval_of
from exprimo.report.individual.tables import genes_table, models_table, top_table
from exprimo.report.runs.answer import Answer, Tile
from exprimo.report.runs.doubt import Doubt, Weight
from exprimo.report.wording import counted, interval, number, percent


class IndividualView(NamedTuple):
    """What the template is filled with, besides figures."""

    study: IndividualFolder
    answer: Answer
    follows: bool | None
    doubts: list[Doubt]
    tables: dict[str, Table | None]
    created: str
    command: str
    settings: str
    association: AssociationView | None
    data: tuple[tuple[str, str], ...]
    told: str
    """All that the models' scores say, of which the answer gives the first sentence."""


def individual_page(study: IndividualFolder) -> Page:
    """Make the page of a study."""
    half: AssociationView | None = None
    charts: list[Chart] = []
    if study.association is not None:
        half, charts = association_view(study.association)
    shown = _view(study, half)
    values: dict[str, Any] = {
        "title": "What people's own sequences tell of their expression",
        "kicker": "Study · individual",
        "s": shown,
    }
    summary = Summary(study.question, shown.answer.sentences[0], _verdicts(shown))
    return Page("individual.html.j2", [*study_charts(study), *charts], values, summary)


def _verdicts(shown: IndividualView) -> tuple[tuple[Weight, str], ...]:
    """Say in few words whether predictions follow people, and what beats elastic net."""
    told: list[tuple[Weight, str]] = []
    if shown.follows is not None:
        told = [
            ("checked", "predictions follow people")
            if shown.follows
            else ("serious", "predictions are not shown to follow people")
        ]
    return (*told, *(shown.association.verdicts if shown.association else ()))


def _view(study: IndividualFolder, half: AssociationView | None) -> IndividualView:
    told = study.facts["verdict"]
    found = study.association
    more = () if found is None else sentences(found)
    whole = _sentences(str(told["text"]))
    said = [whole[0], *(_sentences(text)[0] for text in more[:2])] if more else whole[:3]
    numbers = [*_tiles(study), *([] if found is None else tiles(found))]
    return IndividualView(
        study=study,
        answer=Answer(tuple(said), tuple(numbers), ("study.json",)),
        follows=told.get("follows"),
        doubts=study_doubts(study),
        tables={
            "models": models_table(study),
            "genes": genes_table(study),
            "top": top_table(study),
        },
        created=str(study.facts.get("created") or "")[:10],
        command=" ".join(map(str, study.facts.get("command") or ())),
        settings=pretty_json(study.facts.get("config")),
        association=half,
        data=tuple(_data(study)),
        told=str(told["text"]) if len(whole) > len(said) or more else "",
    )


def _sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.])\s+", text)


def _data(study: IndividualFolder) -> Iterator[tuple[str, str]]:
    """Say in a few lines whom and what the study is about."""
    facts, config = study.facts, study.facts.get("config") or {}
    genes = counted(int(facts.get("n_genes") or 0), "gene")
    which = {"held-out": ", those that no model learned from", "all": ""}
    yield "genes", genes + which.get(str(facts.get("genes")), "")
    if facts.get("n_people"):
        yield "people", f"{facts['n_people']:,}"
    for name, words in (("genotypes", "people"), ("expression", "people"), ("fasta", "genes")):
        if path := (config.get(words) or {}).get(name):
            yield {"fasta": "genome"}.get(name, name), str(path)
    for name, one in study.models.items():
        pairs = counted(int((one.get("variants") or {}).get("n") or 0), "pair")
        yield f"model {name}", f"{pairs} of variant and gene scored"


def _tiles(study: IndividualFolder) -> list[Tile]:
    tiles = []
    people, effects = study.own("people"), study.own("effects") or {}
    if people is not None:
        across = people["across_people"]
        tiles.append(_tile("r over people, mean of genes", across["mean_r"]))
        if (best := people.get("ceiling")) is not None:
            tiles.append(_tile("Ceiling: r of the true genetic part", best["across_people"]))
    if "auroc_in_site" in effects:
        tiles.append(_tile("AUROC of variants in sites", effects["auroc_in_site"]))
    if "sign" in effects:
        value, low, high = interval_of(effects["sign"])
        detail = f"95% [{percent(low)}, {percent(high)}]"
        tiles.append(Tile("Acting variants with the right sign", percent(value), detail, ""))
    if not tiles:
        scored = study.models[study.answer]["variants"]["n"]
        tiles.append(Tile("Pairs of variant and gene scored", f"{scored:,}", "", "study.json"))
    return tiles


def _tile(label: str, found: Mapping[str, Any]) -> Tile:
    value, low, high = interval_of(found)
    return Tile(label, number(value), f"95% {interval(low, high)}", "study.json")
