"""The page of a promoter-halflife study: from its files, in order, and with parts absent."""

from __future__ import annotations

import html
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from exprimo.core.errors import FormatError, VersionError
from exprimo.report import build_report
from exprimo.report.document.html import render
from exprimo.report.halflife.reading import is_halflife_study, read_halflife_study
from exprimo.report.halflife.tables import (
    ceiling_table,
    explained_sentence,
    parts_table,
    recovery_sentence,
    steps_chart,
)
from exprimo.report.page import make_page
from exprimo.report.wording import interval, number

pytestmark = pytest.mark.slow

SECTIONS = ["answer", "distrust", "data", "rows", "splits", "curves", "interpretation",
            "gene", "provenance"]  # fmt: skip


def sections(page: str) -> list[str]:
    return re.findall(r'<section id="(\w+)"', page)


def words(folder: Path) -> str:
    """Give the page without its figures, which take seconds to draw."""
    return html.unescape(render(make_page(folder), {}))


def keys(folder: Path) -> set[str]:
    return {chart.key for chart in make_page(folder).charts}


@pytest.fixture(scope="module")
def page(halflife_folder: Path) -> str:
    return build_report(halflife_folder).read_text(encoding="utf-8")


def test_a_study_is_told_from_others(halflife_folder: Path, tmp_path: Path) -> None:
    assert is_halflife_study(halflife_folder)
    assert not is_halflife_study(tmp_path)
    (tmp_path / "study.json").write_text('{"kind": "differential-promoter"}')
    assert not is_halflife_study(tmp_path)


def test_sections_stand_in_order_and_none_is_empty(page: str) -> None:
    assert sections(page) == SECTIONS
    links = set(re.findall(r'href="#(\w+)"', page))
    assert set(SECTIONS) <= links
    for name in SECTIONS:
        body = page.split(f'<section id="{name}"')[1].split("</section>")[0]
        text = re.sub(r"<h2.*?</h2>|<[^>]*>", " ", body, flags=re.S)
        assert len(text.split()) > 15, name


def test_nothing_is_loaded_from_elsewhere(page: str) -> None:
    text = re.sub(r"<script[^>]*>.*?</script>", "", page, flags=re.S)
    # A drawing stands in its page as text, with quotes of its own.
    text, n_drawings = re.subn(r"(?<=src=)'data:image/svg[^']*'", '""', text)
    assert n_drawings
    assert not re.search(r"(?:src|href|action)='", text)
    for found in filter(None, re.findall(r'(?:src|href|action)="([^"]*)"', text)):
        assert found.startswith(("data:", "#", "figures/")), found
    assert "default-src 'none'" in html.unescape(page)


def test_every_figure_is_on_the_page_and_names_its_files(halflife_folder: Path, page: str) -> None:
    for chart in make_page(halflife_folder).charts:
        assert f'id="figure-{chart.key}"' in page, chart.key
        assert chart.sources, chart.key
        for source in chart.sources:
            assert (halflife_folder / source).is_file(), (chart.key, source)


def test_rows_have_their_numbers_of_validation_and_test(halflife_folder: Path) -> None:
    study = read_halflife_study(halflife_folder)
    table = parts_table(study)
    labels = [column.label for column in table.columns]
    assert labels[:3] == ["Model", "Part", "AUROC"]
    names = {"validation": "validation.tsv", "test": "table.tsv"}
    files = {
        part: pd.read_csv(halflife_folder / "benchmark" / name, sep="\t")
        for part, name in names.items()
    }
    assert len(table.rows) == 8
    for row in table.rows:
        scores = files[row[1].text]
        here = scores[(scores["split"] == "homology") & (scores["model"] == row[0].text)]
        here = here.set_index("metric")
        for column, metric in ((2, "auroc"), (3, "precision"), (4, "recall"), (5, "f1")):
            assert row[column].text == number(here.loc[metric, "value"])
            assert row[column].detail == interval(here.loc[metric, "low"], here.loc[metric, "high"])
    assert "benchmark/validation.tsv" in table.source


def test_metrics_of_a_regression_are_those_that_are_computed(
    make_halflife: Any, tmp_path: Path
) -> None:
    folder = make_halflife(tmp_path / "s", task="regression")
    labels = [column.label for column in parts_table(read_halflife_study(folder)).columns]
    assert len(labels) == 7
    assert "Spearman" in " ".join(labels)
    assert "intervals" in sections(words(folder))


def test_steps_are_coloured_by_what_they_show(halflife_folder: Path) -> None:
    chart = steps_chart(read_halflife_study(halflife_folder))
    assert chart is not None
    assert {text for _, text in chart.y.ticks} == {"half-life features", "promoter"}
    assert {series.name: series.x.tolist() for series in chart.series} == {
        "better": [0.05],
        "undecided (0 inside)": [-0.01],
    }
    assert "half-life features: cnn − lstm; promoter: cnn − half." in chart.caption
    assert "nothing else" in chart.caption
    assert chart.sources == ("benchmark/paired.tsv", "study.json")


def test_published_rows_are_not_said_to_differ_in_inputs_alone(
    make_halflife: Any, tmp_path: Path
) -> None:
    folder = make_halflife(tmp_path / "s", preset="published")
    chart = steps_chart(read_halflife_study(folder))
    assert chart is not None
    assert "nothing else" not in chart.caption
    view = make_page(folder).values["s"]
    titles = [doubt.title for doubt in view.doubts]
    assert "Published settings differ from model to model" in titles
    weights = [doubt.weight for doubt in view.doubts]
    assert weights == sorted(weights, key=["serious", "caution", "checked"].index)


def test_the_answer_has_what_inputs_add_and_the_baseline_too(
    halflife_folder: Path, page: str
) -> None:
    sentences = make_page(halflife_folder).values["s"].answer.sentences
    # lstm is made to be the best on validation; it answers, whatever test says.
    assert read_halflife_study(halflife_folder).benchmark.chosen == "lstm"
    assert "lstm predicts" in sentences[0]
    assert "the ceiling" in sentences[0]
    assert sentences[1] == "Half-life features add to the promoter."
    assert "best baseline" in sentences[2]
    text = html.unescape(page)
    assert text.index(sentences[1]) < text.index("What to distrust</h2>")


def test_ceilings_are_those_of_the_file(halflife_folder: Path) -> None:
    study = read_halflife_study(halflife_folder)
    table = ceiling_table(study)
    assert table is not None
    assert [row[0].text for row in table.rows] == [
        "promoter and half-life",
        "promoter",
        "half-life",
    ]
    assert table.rows[0][1].text == "0.930"
    assert table.rows[0][1].detail == interval(0.9, 0.95)
    assert study.benchmark.ceiling is not None
    assert study.benchmark.ceiling[0] == 0.93


def test_recovery_is_told_beside_its_baselines(halflife_folder: Path) -> None:
    study = read_halflife_study(halflife_folder)
    facts = json.loads((halflife_folder / "interpretation" / "interpretation.json").read_text())
    sentence = recovery_sentence(study)
    assert number(facts["recovery"]["mean"]["value"]) in sentence
    assert number(facts["recovery"]["shifted"]["mean"]) in sentence
    assert number(facts["recovery"]["swapped"]["mean"]) in sentence
    assert "promoter + half-life" in explained_sentence(study)
    assert "60 test genes of the homology split" in explained_sentence(study)


def test_what_has_no_interval_is_drawn_without_one(make_halflife: Any, tmp_path: Path) -> None:
    folder = make_halflife(tmp_path / "s", null=True)
    study = read_halflife_study(folder)
    table = ceiling_table(study)
    assert table is not None
    assert table.rows[0][1].detail == "[no interval]"
    assert "no interval" in words(folder)
    assert "undecided (0 inside)" in {
        series.name
        for chart in make_page(folder).charts
        if chart.key == "steps"
        for series in chart.series
    }


def test_real_data_have_no_ceiling_and_no_recovery(make_halflife: Any, tmp_path: Path) -> None:
    folder = make_halflife(tmp_path / "s", truth=False)
    study = read_halflife_study(folder)
    assert ceiling_table(study) is None
    assert recovery_sentence(study) == ""
    page = words(folder)
    assert "how much could be reached at all is not known here" in page
    assert "planted" not in page.split('<section id="interpretation"')[1].split("</section>")[0]


def test_a_study_that_was_stopped_before_the_interpretation(
    make_halflife: Any, tmp_path: Path
) -> None:
    folder = make_halflife(tmp_path / "s", explained=False)
    study = read_halflife_study(folder)
    assert study.interpretation is None
    # `words` gives the page alone, without what is added to every page.
    assert sections(words(folder)) == [name for name in SECTIONS if name != "gene"]
    assert "No model has been explained yet" in words(folder)
    assert not {"importance", "top_positions"} & keys(folder)


def test_no_steps_no_figure(make_halflife: Any, tmp_path: Path) -> None:
    folder = make_halflife(tmp_path / "s", verdict={"text": "", "steps": []})
    assert steps_chart(read_halflife_study(folder)) is None
    assert "steps" not in keys(folder)
    assert "answer" in sections(words(folder))


def test_a_newer_study_is_refused(halflife_folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(halflife_folder, tmp_path / "s")
    facts = json.loads((copy / "study.json").read_text())
    (copy / "study.json").write_text(json.dumps(facts | {"format_version": 99}))
    with pytest.raises(VersionError, match="newer Exprimo"):
        read_halflife_study(copy)
    (copy / "study.json").write_text(json.dumps({**facts, "parts": None}))
    with pytest.raises(FormatError, match="parts"):
        read_halflife_study(copy)
    (copy / "study.json").write_text(json.dumps(facts))
    (copy / "benchmark" / "validation.tsv").unlink()
    with pytest.raises(FormatError, match=r"validation\.tsv is missing"):
        read_halflife_study(copy)
