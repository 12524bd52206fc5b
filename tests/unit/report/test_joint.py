"""A report of several folders: nothing collides, it stays small, and every part says its files."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from exprimo.core.errors import InputError
from exprimo.report import build_report, page
from exprimo.report.charts.chart import Axis, Chart, Series, floats
from exprimo.report.charts.static import Pictures
from exprimo.report.document.html import render_body
from exprimo.report.document.joint import prefixes, study_names, within_size
from exprimo.report.document.page import Drawn, Section
from exprimo.report.document.provenance import reproduction
from exprimo.report.page import make_page


def a_chart(key: str, points: int) -> Chart:
    x = floats(range(points))
    return Chart(
        key, f"The {key}", "It is.", "alt", Axis("x"), Axis("y"), (Series("s", x, x, "c1"),)
    )


def test_the_heaviest_figures_become_pictures_until_the_file_is_small() -> None:
    pictures = Pictures(png=b"p" * 1000, svg=b"s" * 400_000)
    heavy, light = a_chart("heavy", 20_000), a_chart("light", 10)
    drawn = [{"heavy": Drawn(heavy, pictures)}, {"light": Drawn(light, Pictures(b"p", b"s"))}]
    assert within_size(drawn, 0, 14_000_000) == drawn
    fitted = within_size(drawn, 0, 800_000)
    assert fitted[1] == drawn[1]
    shown = fitted[0]["heavy"]
    assert not shown.chart.live
    assert shown.uri.startswith("data:image/png")
    assert "the study's own page has it interactive" in shown.chart.caption


def test_a_still_figure_is_not_said_to_be_demoted() -> None:
    still = replace(a_chart("still", 10), live=False)
    drawn = [{"still": Drawn(still, Pictures(b"p" * 10, b"s" * 900_000))}]
    assert within_size(drawn, 0, 1)[0]["still"].chart.caption == "It is."


def test_names_and_prefixes_differ() -> None:
    sources = [Path("a/run"), Path("b/run"), Path("c/study/benchmark")]
    names = study_names(sources)
    assert names == ["run", "run 2", "study"]
    assert prefixes(names) == ["run-", "run-2-", "study-"]


def test_names_and_prefixes_differ_where_folders_are_called_alike() -> None:
    assert study_names([Path("a/run"), Path("b/run"), Path("run 2")]) == ["run", "run 2", "run 2 2"]
    assert prefixes(["A", "a", "study 2", "Ζ", "2", "study-2"]) == [
        "a-", "a-2-", "study-2-", "study-", "study-3-", "study-2-2-",
    ]  # fmt: skip


def test_several_need_a_file_and_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="say where"):
        build_report([tmp_path, tmp_path])
    with pytest.raises(InputError, match="nothing to report"):
        build_report([], tmp_path / "r.html")


def test_two_folders_make_one_file(run: Path, dge_folder: Path, tmp_path: Path) -> None:
    out = build_report([run, dge_folder], tmp_path / "both.html")
    text = re.sub(r"<script[^>]*>.*?</script>", "", out.read_text(encoding="utf-8"), flags=re.S)
    text = re.sub("src='data:[^']*'", "", text)
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    levels = [int(level) for level in re.findall(r"<h([1-6])", text)]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    for prefix in ("run-", "dge-"):
        assert {f"{prefix}answer", f"{prefix}distrust", f"{prefix}provenance"} <= set(ids)
    assert (tmp_path / "both_figures" / "run" / "observed.svg").is_file()


def test_one_of_several_is_a_page_of_its_own(run: Path, tmp_path: Path) -> None:
    one = build_report([run], tmp_path / "one" / "r.html")
    assert one.read_bytes() == build_report(run, tmp_path / "two" / "r.html").read_bytes()


@pytest.mark.parametrize("folder", ["regression", "classification", "study_folder", "dge_folder"])
def test_every_section_figure_and_table_names_a_file(
    folder: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    source: Path = request.getfixturevalue(folder)
    drawn = {chart.key: Drawn(chart, Pictures(b"", b"")) for chart in make_page(source).charts}
    html = str(render_body(make_page(source), drawn, made=reproduction(source)).html)
    named = r'class="(?:source|where)"'
    for part in re.split(r"<section ", html)[1:]:
        assert re.search(named, part), part[:60]
    for part in re.split(r'<figure |<div class="card table', html)[1:]:
        assert 'class="source"' in part, part[:80]


def test_commands_that_make_it_again(run: Path, regression: Path) -> None:
    told = reproduction(run)
    assert told.steps[0].command == "exprimo run config.toml -o AGAIN"
    assert "provenance.json" in told.files
    commands = [step.command for step in reproduction(regression).steps]
    assert any(re.fullmatch(r"exprimo run runs/\S+/config.toml -o AGAIN", c) for c in commands)
    assert "exprimo benchmark yeast/D.h5" in reproduction(regression).recorded


def test_a_section_that_another_folder_adds(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def maker(folder: Path, sharing: int) -> Section | None:
        values: dict[str, Any] = {"t": None}
        return Section(
            "genes", "Gene by gene", "Genes", "blocks.html.j2", values,
            charts=(a_chart("gene", 5),), data={"of": folder.name},
        )  # fmt: skip

    monkeypatch.setattr(page, "ADDED", (maker, lambda folder, sharing: None))
    text = build_report(run, tmp_path / "r.html").read_text(encoding="utf-8")
    assert text.index('id="distrust"') < text.index('id="genes"') < text.index('id="provenance"')
    assert '<a href="#genes">Genes</a>' in text
    assert re.search(r'class="section-data" data-section="genes">\{"of":"\w+"\}<', text)
    assert (tmp_path / "r_figures" / "gene.svg").is_file()
