"""A picture of contributions that failed their check, or were not checked, says so on itself."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib.image
import numpy as np
import pandas as pd
import pytest

from exprimo.evaluate.results import Estimate
from exprimo.interpret.faithfulness.verdict import Verdict, judged, write_verdict
from exprimo.interpret.files import About, Interpretation, top_table, write_interpretation
from exprimo.interpret.importance import importance_profile, top_positions
from exprimo.report.charts.chart import Chart
from exprimo.report.charts.interactive import plotly_figure
from exprimo.report.charts.static import draw
from exprimo.report.charts.static_marks import banner_lines
from exprimo.report.interpret.figures import interpretation_charts, write_interpretation_figures
from exprimo.report.interpret.reading import read_interpretation

IDS = [f"g{i}" for i in range(12)]
FAILING = "deletes no better than random order"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    values = np.random.default_rng(0).normal(size=(12, 30))
    about = About("regression", "value", "target SD", 12, method="DeepLIFT")
    profile = importance_profile(values, 20)
    top = top_table(top_positions(values, np.arange(12.0), 20, n_positions=4), IDS)
    return write_interpretation(tmp_path / "I", Interpretation(about, profile, top))


def judge(folder: Path, low: float) -> None:
    found = Estimate(low + 0.2, low, low + 0.4, 12, 12, "gene")
    check = judged("deletion", "sequence", found, 0.0, "Area.", FAILING)
    share = np.array([0.0, 0.5, 1.0])
    curves = pd.concat(
        pd.DataFrame(
            {
                "input": "sequence", "curve": curve, "order": order, "share": share,
                "mean": share, "low": share - 0.1, "high": share + 0.1,
            }
        )
        for curve in ("deletion", "insertion")
        for order in ("explained", "random")
    )  # fmt: skip
    write_verdict(folder, Verdict((check,)), {}, curves)


def charts_of(folder: Path) -> dict[str, Chart]:
    return {chart.key: chart for chart in interpretation_charts(read_interpretation(folder))}


@pytest.mark.parametrize("key", ["importance", "top_positions"])
def test_a_failed_check_stands_on_the_picture(folder: Path, key: str) -> None:
    before = charts_of(folder)[key]
    judge(folder, -0.1)
    chart = charts_of(folder)[key]
    words = f"Fails its check: {FAILING}"
    assert chart.banner == words
    assert chart.alt == words + ". " + before.alt.split(". ", 1)[1]
    figure = plotly_figure(chart)
    texts = [note["text"] for note in figure["layout"]["annotations"]]
    assert words in " ".join(texts).replace("<br>", " ")
    assert figure["banner"] > 0
    svg = draw(chart).svg.decode()
    assert all(line in svg for line in banner_lines(words, 6.8) if key == "importance")
    assert "Fails its check" in svg


def test_what_passes_says_nothing_and_is_smaller(folder: Path, tmp_path: Path) -> None:
    unchecked = charts_of(folder)["importance"]
    assert unchecked.banner == "Not checked for faithfulness"
    assert unchecked.alt.startswith("Not checked for faithfulness. ")
    judge(folder, 0.1)
    chart = charts_of(folder)["importance"]
    assert chart.banner == ""
    assert "banner" not in plotly_figure(chart)
    sizes = []
    for number, one in enumerate((unchecked, chart)):
        (tmp_path / f"{number}.png").write_bytes(draw(one).png)
        sizes.append(matplotlib.image.imread(tmp_path / f"{number}.png").shape[0])
    assert sizes[0] > sizes[1]


def test_the_curves_are_drawn_with_their_result(folder: Path) -> None:
    judge(folder, -0.1)
    chart = charts_of(folder)["faithfulness"]
    deletion, insertion = chart.panels
    assert deletion.y.label == "After deletion (target SD)"
    assert [s.name for s in insertion.series if not s.in_legend]
    np.testing.assert_allclose(deletion.series[0].y, [0, 0.5, 1])
    assert "fails" in chart.caption
    json.dumps(plotly_figure(chart), allow_nan=False)
    assert "faithfulness.png" in {p.name for p in write_interpretation_figures(folder)}


def test_figures_name_the_method(folder: Path) -> None:
    chart = charts_of(folder)["importance"]
    assert chart.y.label == "Mean |DeepLIFT| (target SD per base)"
    assert "A gradient is a slope" not in chart.caption
