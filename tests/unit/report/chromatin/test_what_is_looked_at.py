"""Figures and tables of what a network looks at, from the files of an interpretation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from exprimo.report.charts.chart import Chart
from exprimo.report.charts.interactive import plotly_figure
from exprimo.report.charts.static import draw
from exprimo.report.chromatin.explained import (
    explained_charts,
    explained_sentence,
    planted_sentence,
    planted_table,
    raised_sentence,
    strongest_table,
)
from exprimo.report.chromatin.reading import Explanation, read_chromatin_study


@pytest.fixture(scope="module")
def found(chromatin_folder: Path) -> Explanation:
    explanation = read_chromatin_study(chromatin_folder).explanation
    assert explanation is not None
    return explanation


@pytest.fixture(scope="module")
def charts(found: Explanation) -> dict[str, Chart]:
    return {chart.key: chart for chart in explained_charts(found)}


def test_gradients_share_one_scale_centred_at_zero(
    charts: dict[str, Chart], chromatin_folder: Path
) -> None:
    drawn = [charts[f"marks-{k}"] for k in (1, 2, 3)]
    ends = {chart.matrix.ends for chart in drawn if chart.matrix}
    assert len(ends) == 1
    low, high = ends.pop()
    assert low == -high < 0
    table = pd.read_csv(chromatin_folder / "interpretation" / "mark_bins.tsv", sep="\t")
    here = table[(table["label"] == "skin") & (table["row"] == "H3K27me3")]
    matrix = charts["marks-2"].matrix
    assert matrix is not None
    assert matrix.signed
    assert matrix.rows == ("H3K4me3", "H3K27me3")
    np.testing.assert_allclose(matrix.values[1], here["mean"])
    assert matrix.column_ticks == ((0, "−2000"), (10, "−1000"), (20, "TSS"), (30, "+1000"))
    assert matrix.columns[20] == "0 to +100"


def test_planted_marks_stand_on_their_cells(charts: dict[str, Chart]) -> None:
    rises, falls = charts["marks-1"].series
    # 50 bases downstream lie in the bin that begins at the TSS; 250 upstream in the third before.
    assert (rises.symbol, rises.x.tolist(), rises.y.tolist()) == ("triangle-up", [20], [0])
    assert (falls.symbol, falls.x.tolist(), falls.y.tolist()) == ("triangle-down", [17], [1])
    figure = plotly_figure(charts["marks-1"])
    heat, up, down = figure["data"]
    assert up["x"] == [heat["x"][20]]
    assert down["y"] == ["H3K27me3"]
    assert draw(charts["marks-1"]).png


def test_no_more_than_six_cell_types_are_drawn(make_chromatin: Any, tmp_path: Path) -> None:
    cells = tuple(f"C{number}" for number in range(8))
    folder = make_chromatin(tmp_path / "s", cells=cells, binary=False)
    study = read_chromatin_study(folder)
    assert study.explanation is not None
    keys = [chart.key for chart in explained_charts(study.explanation)]
    assert sum(key.startswith("marks-") for key in keys) == 6
    assert "Of 8 the first 6 are drawn" in explained_sentence(study)
    table = strongest_table(study.explanation)
    assert table is not None
    assert {row[0].text for row in table.rows} == set(cells)


def test_kmers_are_those_of_the_greatest_gradients(charts: dict[str, Chart]) -> None:
    shown = [chart.matrix for key, chart in charts.items() if key.startswith("kmers-")]
    assert len(shown) == 3
    for matrix in shown:
        assert matrix is not None
        assert len(matrix.rows) == 24
        assert (matrix.rows[0], matrix.rows[-1]) == ("AAA", "TTC")
    assert "all test genes" in charts["kmers-1"].title
    assert "G1" in charts["kmers-2"].title
    assert shown[1] is not None
    assert shown[2] is not None
    assert shown[1].ends == shown[2].ends


def test_attention_is_drawn_against_even_weights(
    charts: dict[str, Chart], chromatin_folder: Path
) -> None:
    matrix = charts["attention-marks"].matrix
    assert matrix is not None
    assert matrix.columns == ("H3K4me3", "H3K27me3")
    assert matrix.rows == ("liver", "skin", "T cell")
    # Even weights are 0: 0.7 is 1.4 times a half.
    np.testing.assert_allclose(matrix.values, [np.log2([1.4, 0.6])] * 3)
    assert matrix.cells[0] == ("0.70", "0.30")
    assert matrix.ends == (-1.0, 1.0)
    bins = charts["attention-1"].matrix
    assert bins is not None
    assert bins.signed
    inside = np.abs(bins.values) < 3
    assert inside.any()
    table = pd.read_csv(chromatin_folder / "interpretation" / "attention.tsv", sep="\t")
    here = table[(table["level"] == "bins") & (table["label"] == "liver")]
    weights = here["mean"].to_numpy().reshape(2, -1)
    np.testing.assert_allclose((2**bins.values / 40)[inside], weights[inside])
    low = plotly_figure(charts["attention-marks"])["layout"]["annotations"][0]
    assert low["text"] == "0.70"
    assert draw(charts["attention-marks"]).png


def test_what_raises_the_output_stands_in_its_bounds(charts: dict[str, Chart]) -> None:
    chart = charts["raised-1"]
    band, before, after = chart.series
    assert band.band
    assert band.low is not None
    assert band.high is not None
    assert (band.low.min(), band.high.max()) == (0.0, 2.0)
    np.testing.assert_allclose(after.y, 1.5 * before.y)
    assert before.x[20] == 50
    assert chart.x.range == (-2000.0, 2000.0)
    filled = plotly_figure(chart)["data"][0]
    assert filled["fill"] == "toself"
    assert len(filled["x"]) == 80
    assert draw(chart).svg


def test_the_bounds_are_told_and_why(found: Explanation) -> None:
    said = raised_sentence(found)
    assert "from −1.000 to 2.000 (target SD)" in said
    assert "within the central 98% that training examples show" in said
    assert "Without such bounds" in said


def test_planted_and_found_stand_side_by_side(found: Explanation) -> None:
    table = planted_table(found)
    assert table is not None
    assert len(table.rows) == 6
    first = [cell.text for cell in table.rows[0]]
    assert first == ["H3K4me3", "liver", "rises", "+50", "0.100", "4.0", "right", "+100", "near"]
    assert "of 6 pairs of mark and cell type 6 have the planted sign" in planted_sentence(found)
    assert "in 2 the strongest bin" in planted_sentence(found)


def test_real_data_have_nothing_planted(make_chromatin: Any, tmp_path: Path) -> None:
    folder = make_chromatin(tmp_path / "s", truth=False, binary=False)
    found = read_chromatin_study(folder).explanation
    assert found is not None
    assert planted_table(found) is None
    assert planted_sentence(found) == ""
    chart = next(chart for chart in explained_charts(found) if chart.key == "marks-1")
    assert chart.series == ()
    assert "planted" not in chart.caption


def test_strongest_bins_are_those_of_the_file(found: Explanation) -> None:
    table = strongest_table(found)
    assert table is not None
    assert found.marks is not None
    here = found.marks[(found.marks["label"] == "liver") & (found.marks["row"] == "H3K27me3")]
    row = next(r for r in table.rows if (r[0].text, r[1].text) == ("liver", "H3K27me3"))
    assert row[5].order == here["mean"].min()
    assert row[4].order == here.loc[here["mean"].idxmin(), "offset"]
