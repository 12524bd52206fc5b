"""All that the sections about Runs say, gathered for a page."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import NamedTuple

from exprimo.report.charts.chart import Chart
from exprimo.report.document.html import pretty_json
from exprimo.report.document.page import Page, Summary
from exprimo.report.document.table import Table
from exprimo.report.runs.answer import Answer, answer, baseline_comparison
from exprimo.report.runs.confusion import confusion_charts, confusion_table
from exprimo.report.runs.curves import curve_charts
from exprimo.report.runs.distrust import LeakBanner, doubts, leak_banner
from exprimo.report.runs.doubt import Doubt, Weight
from exprimo.report.runs.material import Material
from exprimo.report.runs.overview import overview_charts
from exprimo.report.runs.tables import (
    count_table,
    input_table,
    interval_table,
    model_table,
    overlap_table,
    pair_table,
    score_table,
    source_table,
    split_table,
    torn_tables,
)
from exprimo.report.runs.training import training_charts
from exprimo.report.wording import counted, listed, split_claim


class Setup(NamedTuple):
    """The complete settings of one Run."""

    title: str
    text: str
    source: str


class RunsView(NamedTuple):
    """What the template's sections about Runs are filled with, besides figures."""

    m: Material
    answer: Answer
    banner: LeakBanner | None
    doubts: list[Doubt]
    tables: dict[str, Table | None]
    torn: list[Table]
    claims: list[tuple[str, str]]
    setups: list[Setup]
    command: str
    versions: list[tuple[str, str]]
    dataset_origin: str
    training: tuple[str, ...]
    """Keys of the figures of training."""
    curves: tuple[str, ...]
    """Keys of the other figures of single models."""


def runs_page(material: Material) -> Page:
    """Make the page of a Run or of a benchmark."""
    charts = run_charts(material)
    shown = view(material, charts)
    values = {"title": _title(material), "b": shown}
    verdicts = tuple(run_verdicts(material))
    summary = Summary(material.question, shown.answer.sentences[0], verdicts)
    return Page("report.html.j2", charts, values, summary)


def run_verdicts(material: Material) -> Iterable[tuple[Weight, str]]:
    """Say in few words what must be known beside the answer."""
    if leak_banner(material) is not None:
        yield "serious", "judged on what it learned from"
    paired = baseline_comparison(material)
    if paired is None:
        yield "caution", "no baseline compared"
    elif paired.verdict == "better":
        yield "checked", "beats the best baseline"
    else:
        yield "serious", "not shown to beat the best baseline"


def run_charts(material: Material) -> list[Chart]:
    """Make every figure for which there are numbers, in the order of the report."""
    return [
        *overview_charts(material),
        *training_charts(material),
        *curve_charts(material),
        *confusion_charts(material),
    ]


def view(material: Material, charts: Iterable[Chart]) -> RunsView:
    """Gather what the sections say."""
    keys = [chart.key for chart in charts]
    training = tuple(k for k in keys if k.startswith(("training-", "accuracy-")))
    single = ("roc", "pr", "calibration", "observed")
    return RunsView(
        m=material,
        answer=answer(material),
        banner=leak_banner(material),
        doubts=doubts(material),
        tables={
            "scores": score_table(material),
            "zoo": model_table(material),
            "counts": count_table(material),
            "pairs": pair_table(material),
            "splits": split_table(material),
            "overlaps": overlap_table(material),
            "intervals": interval_table(material),
            "confusion": confusion_table(material),
            "inputs": input_table(material),
            "sources": source_table(material),
        },
        torn=torn_tables(material),
        claims=[(split, split_claim(split)) for split in material.splits],
        setups=list(_setups(material)),
        command=shlex.join(material.command),
        versions=_versions(material),
        dataset_origin=pretty_json(material.dataset.get("provenance")),
        training=training,
        curves=tuple(k for k in keys if k in single or k.startswith("confusion-")),
    )


def _title(material: Material) -> str:
    models = [m.name for m in material.models if m.role == "model"]
    baselines = len(material.models) - len(models)
    if material.kind == "run" or not models:
        return f"Predicting {material.target} with {listed([m.name for m in material.models])}"
    named = listed(models) if len(models) < 4 else counted(len(models), "model")
    against = f" against {counted(baselines, 'baseline')}" if baselines else ""
    return f"Predicting {material.target}: {named}{against}"


def _setups(material: Material) -> Iterable[Setup]:
    for name in material.names_on(material.answer_split):
        for trained in material.of(name, material.answer_split)[:1]:
            path = trained.run.config_path
            if path.is_file():
                text = path.read_text(encoding="utf-8")
                yield Setup(name, text, f"{trained.place}config.toml")


def _versions(material: Material) -> list[tuple[str, str]]:
    origin = material.trained[0].run.provenance if material.trained else {}
    facts = [
        ("Exprimo", material.exprimo),
        ("Python", origin.get("python")),
        ("Devices", ", ".join(map(str, origin.get("devices") or ()))),
        ("Precision", origin.get("precision")),
        ("Threads", origin.get("threads")),
        ("Created", material.created),
        ("Dataset", material.dataset.get("path")),
        ("Dataset SHA-256", material.dataset.get("sha256")),
        ("Seeds", listed([str(seed) for seed in material.seeds])),
        ("Wall time", material.wall_seconds and f"{material.wall_seconds:,.0f} s"),
    ]
    return [(name, str(value)) for name, value in facts if value not in (None, "")]
