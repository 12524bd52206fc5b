"""The page of a chromatin study: from its files, in order, and with parts absent."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import pytest

from exprimo.core.errors import FormatError, VersionError
from exprimo.core.split import Split
from exprimo.report.chromatin.answer import study_answer
from exprimo.report.chromatin.distrust import study_doubts
from exprimo.report.chromatin.reading import is_chromatin_study, read_chromatin_study
from exprimo.report.chromatin.tables import (
    FOR_COMPARISON,
    binary_table,
    ceiling_table,
    cell_table,
    gene_table,
    split_rows,
)
from exprimo.report.document.html import render
from exprimo.report.page import make_page
from exprimo.report.wording import interval, shortened
from exprimo.studies.chromatin.config import ALL

SECTIONS = ["answer", "distrust", "data", "rows", "splits", "curves", "intervals",
            "interpretation", "provenance"]  # fmt: skip


def words(folder: Path) -> str:
    """Give the page without its figures, which take seconds to draw."""
    return html.unescape(render(make_page(folder), {}))


def titles(folder: Path) -> dict[str, str]:
    """Give the weight of each doubt by its title."""
    return {doubt.title: doubt.weight for doubt in study_doubts(read_chromatin_study(folder))}


@pytest.fixture(scope="module")
def page(chromatin_folder: Path) -> str:
    return words(chromatin_folder)


def test_a_study_is_told_from_others(chromatin_folder: Path, tmp_path: Path) -> None:
    assert is_chromatin_study(chromatin_folder)
    assert not is_chromatin_study(tmp_path)
    (tmp_path / "study.json").write_text('{"kind": "promoter-halflife"}')
    assert not is_chromatin_study(tmp_path)


def test_sections_stand_in_order_and_none_is_empty(page: str) -> None:
    assert re.findall(r'<section id="(\w+)"', page) == SECTIONS
    assert set(SECTIONS) <= set(re.findall(r'href="#(\w+)"', page))
    for name in SECTIONS:
        body = page.split(f'<section id="{name}"')[1].split("</section>")[0]
        text = re.sub(r"<h2.*?</h2>|<[^>]*>", " ", body, flags=re.S)
        assert len(text.split()) > 10, name


def test_every_figure_has_a_place_on_the_page_and_names_its_files(chromatin_folder: Path) -> None:
    made = make_page(chromatin_folder)
    shown = {key for keys in made.values["s"].figures.values() for key in keys}
    shown |= {"steps", "rivals", "within", "models", "pairs", "splits", "coverage"}
    shown |= {*made.values["b"].curves, *made.values["b"].training}
    for chart in made.charts:
        assert chart.key in shown, chart.key
        assert chart.alt, chart.key
        assert chart.sources, chart.key
        for source in chart.sources:
            assert (chromatin_folder / source).is_file(), (chart.key, source)


def test_the_answer_is_three_sentences_with_intervals(chromatin_folder: Path) -> None:
    answer = study_answer(read_chromatin_study(chromatin_folder))
    first, second, third = answer.sentences
    # The row was chosen beforehand, and answers whatever scores best.
    assert f"{ALL} predicts" in first
    assert "the ceiling" in first
    assert second.startswith(f"It beats gene_mean (0.400 {interval(0.35, 0.45)})")
    assert "it is worse than bins_ridge" in second
    assert f"no gain is shown for k-mers (0.001 {interval(-0.009, 0.011)})" in second
    assert third.startswith("It tells how cell types differ: over the 3 test cell types")
    assert f"Pearson r is 0.300 {interval(0.2, 0.4)}, where the truth itself reaches 0.610" in third


def test_every_test_cell_type_is_shown_with_the_unit_of_its_interval(
    chromatin_folder: Path,
) -> None:
    table = cell_table(read_chromatin_study(chromatin_folder))
    labels = " ".join(column.label for column in table.columns)
    assert all(name in labels for name in ("Mean squared error", "R²", "Pearson", "Spearman"))
    assert table.groups == ("mean", "liver", "skin", "T cell")
    rows = {(row[0].text, row[1].text): row for row in table.rows}
    assert len(rows) == len(table.rows) == 5 * 4
    skin = rows[ALL, "skin"]
    assert skin[2].text == "0.260"
    assert skin[2].detail == interval(0.2, 0.33)
    assert (skin[-1].text, skin[-1].detail) == ("30 homology groups", "90 genes")
    mean = rows[ALL, "mean"]
    assert mean[2].detail == "[no interval]"
    assert mean[-1].text == "3 cell types"
    assert "no interval" in table.caption


def test_from_ten_cell_types_on_the_mean_has_its_interval(
    make_chromatin: Any, tmp_path: Path
) -> None:
    cells = tuple(f"C{number}" for number in range(13))
    folder = make_chromatin(tmp_path / "s", cells=cells, explained=False, binary=False)
    table = cell_table(read_chromatin_study(folder))
    row = next(r for r in table.rows if (r[0].text, r[1].text) == (ALL, "mean"))
    assert row[2].detail == interval(0.23, 0.27)
    assert table.grouped == "row"
    assert len(table.rows) == 5 * 14
    assert titles(folder)["Enough test cell types"] == "checked"


def test_genes_have_a_ceiling_and_a_value_per_gene_says_nothing(chromatin_folder: Path) -> None:
    table = gene_table(read_chromatin_study(chromatin_folder))
    here = {row[0].text: row for row in table.rows if row[1].text == "gene*cell"}
    assert (here["ceiling"][2].text, here["ceiling"][2].detail) == ("0.610", interval(0.58, 0.64))
    assert here[ALL][2].text == "0.300"
    assert here[ALL][5].text == "0.310"
    assert (here["gene_mean"][2].text, here["gene_mean"][2].detail) == ("0.000", interval(0.0, 0.0))
    assert {row[1].text for row in table.rows} == {"gene*cell", "cell", "example"}


def test_the_leaking_split_is_for_comparison_only(chromatin_folder: Path, page: str) -> None:
    study = read_chromatin_study(chromatin_folder)
    rows = {row[0].text: row for row in split_rows(study).rows}
    assert rows["example"][0].detail == FOR_COMPARISON
    assert rows["cell"][0].detail == ""
    for split, row in rows.items():
        pair = study.benchmark.compared(ALL, "gene_mean", split)
        assert pair is not None
        assert row[3].detail == interval(pair.low, pair.high)
    assert titles(chromatin_folder)["The example split is for comparison only"] == "caution"
    models = next(c for c in make_page(chromatin_folder).charts if c.key == "models")
    assert "example split (leaks)" in {series.name for series in models.series}
    assert "for comparison only" in page.split('<section id="data"')[1].split("</section>")[0]


def test_splits_that_share_genes_on_purpose_tear_nothing(
    make_chromatin: Any, tmp_path: Path
) -> None:
    folder = make_chromatin(tmp_path / "s", explained=False, binary=False)
    path = folder / "benchmark" / "splits" / "cell.parquet"
    split = Split.load(path)
    Split(split.example_id, split.part, "cell", 0, split.dataset_sha256, ("cell_type",), {}).save(
        path
    )
    assert set(read_chromatin_study(folder).benchmark.torn) == {"gene*cell", "example"}


def test_splits_are_drawn_for_the_answer_and_the_gene_mean_alone(chromatin_folder: Path) -> None:
    chart = next(c for c in make_page(chromatin_folder).charts if c.key == "splits")
    assert {name.split(":")[0] for _, name in chart.y.ticks} == {shortened(ALL, 18), "gene_mean"}


def test_trained_for_high_or_low_stands_beside_the_ranks(chromatin_folder: Path) -> None:
    study = read_chromatin_study(chromatin_folder)
    table = binary_table(study)
    assert table is not None
    assert study.binary is not None
    (row,) = table.rows
    score = study.binary.score(ALL, "gene*cell", "auroc")
    assert score is not None
    assert row[1].detail == interval(score.low, score.high)
    assert row[2].text == "0.250"


def test_few_cell_types_are_a_doubt(chromatin_folder: Path) -> None:
    found = titles(chromatin_folder)
    assert found["3 test cell types: intervals are over homology groups"] == "caution"
    assert found["Every model that reads marks tells how cell types differ"] == "checked"
    assert found["The mean of each gene is beaten on the cell split"] == "checked"
    assert found["The model that answers was chosen before any was judged"] == "checked"
    assert found["The data are simulated"] == "caution"


def test_what_says_nothing_of_cells_and_beats_no_mean_is_a_serious_doubt(
    make_chromatin: Any, tmp_path: Path
) -> None:
    within = {ALL: 0.05, "marks": 0.02, "attentive_chrome": 0.4}
    folder = make_chromatin(
        tmp_path / "s", within=within, beaten=False, truth=False, explained=False, binary=False
    )
    found = titles(folder)
    assert found[f"{ALL} says nothing of how cell types differ"] == "serious"
    assert found["1 model no better within genes than gene_mean"] == "caution"
    assert found["The mean of each gene is not beaten on the cell split"] == "serious"
    weights = list(found.values())
    assert weights == sorted(weights, key=["serious", "caution", "checked"].index)
    study = read_chromatin_study(folder)
    assert "It is not shown to tell how cell types differ" in study_answer(study).sentences[2]
    assert ceiling_table(study) is None
    assert binary_table(study) is None
    page = words(folder)
    assert "No model has been explained yet" in page
    assert "simulated" not in page


def test_a_split_without_new_cell_types_is_a_serious_doubt(
    make_chromatin: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dataclasses

    folder = make_chromatin(tmp_path / "s", explained=False, binary=False)
    study = read_chromatin_study(folder)
    gene = dataclasses.replace(study.benchmark, splits=("gene",), split_files={"gene": "splits/g"})
    doubts = study_doubts(dataclasses.replace(study, benchmark=gene))
    assert doubts[0].weight == "serious"
    assert "No cell type is new in the test part" in {doubt.title for doubt in doubts}


def test_numbers_without_intervals_are_shown_without(make_chromatin: Any, tmp_path: Path) -> None:
    step = {"input": "k-mers", "more": ALL, "less": "marks", "difference": 0.1, "low": None,
            "high": None, "adds": False}  # fmt: skip
    folder = make_chromatin(
        tmp_path / "s", explained=False, binary=False, verdict={"steps": [step], "rivals": []}
    )
    second = study_answer(read_chromatin_study(folder)).sentences[1]
    assert second.startswith(
        "Added to the marks, no gain is shown for k-mers (0.100 [no interval])"
    )
    made = {chart.key: chart for chart in make_page(folder).charts}
    assert "rivals" not in made
    assert [series.name for series in made["steps"].series] == ["undecided (0 inside)"]


def test_what_a_newer_exprimo_wrote_is_refused(make_chromatin: Any, tmp_path: Path) -> None:
    folder = make_chromatin(tmp_path / "s", explained=False, binary=False, format_version=99)
    with pytest.raises(VersionError):
        read_chromatin_study(folder)


def test_missing_columns_are_named(make_chromatin: Any, tmp_path: Path) -> None:
    folder = make_chromatin(tmp_path / "s", explained=False, binary=False)
    (folder / "genes.tsv").write_text("model\tsplit\nall\tcell\n")
    with pytest.raises(FormatError, match="columns are missing"):
        read_chromatin_study(folder)
