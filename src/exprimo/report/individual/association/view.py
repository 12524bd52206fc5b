"""This half of the page: its figures, and what its sections say."""

from __future__ import annotations

from typing import NamedTuple

from exprimo.report.charts.chart import Chart
from exprimo.report.document.table import Table
from exprimo.report.individual.association.answer import (
    candidates_sentence,
    mapped_sentence,
    predicted_sentence,
    shared_sentence,
    verdicts,
)
from exprimo.report.individual.association.discoveries import discovery_charts
from exprimo.report.individual.association.locus import locus_charts, read_loci
from exprimo.report.individual.association.predictors import followed_charts, predictor_charts
from exprimo.report.individual.association.reading import Association
from exprimo.report.individual.association.tables import association_tables
from exprimo.report.runs.doubt import Weight


class LocusView(NamedTuple):
    """A gene that is drawn, and the keys of its figures."""

    name: str
    gene: str
    figures: tuple[str, ...]


class AssociationView(NamedTuple):
    """What the template is filled with, besides figures.

    `verdicts` are a few words each with their weight; `said` has the sentences, `figures` the keys
    of the figures of each part.
    """

    verdicts: tuple[tuple[Weight, str], ...]
    said: dict[str, str]
    tables: dict[str, Table | None]
    figures: dict[str, tuple[str, ...]]
    loci: tuple[LocusView, ...]


def association_view(found: Association) -> tuple[AssociationView, list[Chart]]:
    """Make this half of the page and its figures."""
    mapped, predicted = discovery_charts(found), predictor_charts(found)
    loci, drawn = [], []
    for locus in read_loci(found):
        charts = locus_charts(found, locus)
        loci.append(LocusView(locus.name, locus.gene, tuple(chart.key for chart in charts)))
        drawn += charts
    followed = followed_charts(found)
    statement = str((found.facts.get("overlap") or {}).get("statement") or "")
    view = AssociationView(
        verdicts=verdicts(found),
        said={
            "mapped": mapped_sentence(found),
            "predicted": predicted_sentence(found),
            "overlap": " ".join(part for part in (shared_sentence(found), statement) if part),
            "candidates": candidates_sentence(found),
        },
        tables=association_tables(found),
        figures={
            "mapped": tuple(chart.key for chart in mapped),
            "predicted": tuple(chart.key for chart in predicted),
            "followed": tuple(chart.key for chart in followed),
        },
        loci=tuple(loci),
    )
    return view, [*mapped, *predicted, *followed, *drawn]
