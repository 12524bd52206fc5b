"""The page of an explanation that stands alone, as ``exprimo explain`` writes it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from exprimo.core.errors import InputError
from exprimo.interpret.files import SUMMARY_FILE
from exprimo.interpret.importance import NEAR, strongest
from exprimo.report.document.html import pretty_json
from exprimo.report.document.page import Page, Summary
from exprimo.report.document.provenance import Reproduction, Step
from exprimo.report.document.table import Column, Table, counting, named
from exprimo.report.files import read_json
from exprimo.report.interpret.distrust import explanation_doubts
from exprimo.report.interpret.figures import interpretation_charts
from exprimo.report.interpret.profile import position_name
from exprimo.report.interpret.reading import InterpretationFolder, read_interpretation
from exprimo.report.interpret.section import sentences
from exprimo.report.interpret.tables import bin_tables, check_table, feature_table, kmer_table
from exprimo.report.runs.answer import Answer, Tile
from exprimo.report.runs.doubt import Weight
from exprimo.report.wording import interval, listed, number, percent

_FAITHFUL: Mapping[str, tuple[Weight, str]] = {
    "passes": ("checked", "passes its checks of faithfulness"),
    "fails": ("serious", "fails a check of faithfulness"),
    "not judged": ("caution", "faithfulness not judged"),
    "unchecked": ("serious", "not checked for faithfulness"),
}


def explanation_page(folder: Path) -> Page:
    """Make the page of an explanation's folder."""
    if "task" not in read_json(folder / SUMMARY_FILE):
        raise InputError(
            "no explanation of its own, but part of a study",
            file=folder / SUMMARY_FILE,
            expected="a folder made by: exprimo explain",
            remedy="The report of the study shows it: give the study's folder",
        )
    found = read_interpretation(folder)
    charts = interpretation_charts(found)
    keys = [chart.key for chart in charts]
    told = found.summary
    said = _answer(found)
    question = _question(found)
    faithful = tuple(key for key in keys if key.startswith("faithfulness"))
    values: dict[str, Any] = {
        "title": f"What {_model(found)} looks at: {found.method}",
        "question": question,
        "created": str((told.get("provenance") or {}).get("created") or "")[:10],
        "answer": said,
        "doubts": explanation_doubts(found),
        "wide": tuple(k for k in keys if k not in faithful and not k.startswith("map_")),
        "maps": tuple(key for key in keys if key.startswith("map_")),
        "curves": faithful,
        "checks": check_table(found),
        "contributions": [
            table
            for table in (
                feature_table(folder, found), *bin_tables(folder, found), kmer_table(folder, found)
            )
            if table is not None
        ],
        "settings": pretty_json(told.get("settings")),
    }  # fmt: skip
    verdicts = [_FAITHFUL[found.verdict.word]]
    if found.n_learned:
        verdicts.append(("caution", "learned from some of the examples"))
    # The first sentence says what was explained; the list wants the last, whether to believe it.
    summary = Summary(question, f"{said.sentences[0]} {said.sentences[-1]}", tuple(verdicts))
    return Page("explanation.html.j2", charts, values, summary)


def explanation_reproduction(folder: Path) -> Reproduction:
    """Tell from an explanation's own file how it was made."""
    told = read_json(folder / SUMMARY_FILE)
    origin: Mapping[str, Any] = told.get("provenance") or {}
    return Reproduction(
        (Step("exprimo report .", "This page alone, from the files that are there."),),
        shlex.join(map(str, origin.get("command") or ())),
        tuple(_facts(told, origin)),
        _sources(origin),
        (SUMMARY_FILE,),
    )


def _model(found: InterpretationFolder) -> str:
    return Path(str(found.summary.get("model") or "the model")).name


def _question(found: InterpretationFolder) -> str:
    inputs = listed([str(name) for name in found.summary.get("inputs") or ()]) or "the input"
    return f"Which parts of {inputs} move {found.explained} of {_model(found)}?"


def _answer(found: InterpretationFolder) -> Answer:
    sources = [found.file(SUMMARY_FILE)]
    if found.profile is not None:
        sources.append(found.file("importance.tsv"))
    return Answer(tuple(sentences(found)), tuple(_tiles(found)), tuple(sources))


def _tiles(found: InterpretationFolder) -> Iterator[Tile]:
    told = found.summary
    if found.profile is not None and (peak := strongest(found.profile)) is not None:
        position, share = peak
        near = f"{percent(share)} of importance within {NEAR} bases"
        source = found.file("importance.tsv")
        yield Tile("Most important position", position_name(position), near, source)
    for check in found.verdict.checks:
        if check.check == "deletion":
            source = found.file("faithfulness.json")
            label = f"Deletion beats random order by ({check.input})"
            yield Tile(label, number(check.value), f"95% {interval(check.low, check.high)}", source)
            break
    learned = found.n_learned
    words = f"part {told.get('part') or 'test'}"
    if learned is not None:
        words += f"; {learned:,} learned from"
    yield Tile("Examples", f"{told['n_examples']:,}", words, found.file(SUMMARY_FILE))


def _facts(told: Mapping[str, Any], origin: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    facts = (
        ("Model", told.get("model")),
        ("Dataset", told.get("dataset")),
        ("Seed", (told.get("settings") or {}).get("seed")),
        ("Exprimo", origin.get("exprimo")),
        ("Python", origin.get("python")),
        ("Created", origin.get("created")),
    )
    return ((name, str(value)) for name, value in facts if value not in (None, ""))


def _sources(origin: Mapping[str, Any]) -> Table | None:
    rows = tuple(
        (
            named(str(one.get("path", ""))),
            counting(one.get("bytes")),
            named(str(one.get("sha256", ""))),
        )
        for one in origin.get("sources") or ()
    )
    columns = (Column("File"), Column("Bytes", True), Column("SHA-256"))
    caption = "Files that were read, with their checksums."
    return Table("read", caption, columns, rows, SUMMARY_FILE) if rows else None
