"""The figures: the numbers they show, and that both drawings show the same."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import ModuleType, SimpleNamespace
from xml.etree import ElementTree

import matplotlib as mpl
import matplotlib.image
import numpy as np
import pytest

from exprimo.report.charts.chart import DARK, LIGHT, Axis, Chart, Rule, Series, floats
from exprimo.report.charts.interactive import plotly_figure
from exprimo.report.charts.static import draw
from exprimo.report.runs.confusion import calls_of, confusion_table
from exprimo.report.runs.curves import MAX_POINTS, judged_on
from exprimo.report.runs.reading import read_material
from exprimo.report.runs.view import run_charts as make_charts

pytestmark = pytest.mark.slow


def luminance(colour: str) -> float:
    parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.03928, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize(("palette", "ground"), [(LIGHT, "#ffffff"), (DARK, "#171b21")])
def test_every_colour_stands_out_from_its_ground(palette: dict[str, str], ground: str) -> None:
    for colour in palette.values():
        high, low = sorted((luminance(colour), luminance(ground)), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 3


def test_a_regression_benchmark_has_every_figure(regression: Path) -> None:
    keys = [chart.key for chart in make_charts(read_material(regression))]
    assert keys == ["models", "pairs", "splits", "learning", "coverage", "training-1", "observed"]


def test_a_classification_benchmark_has_every_figure(classification: Path) -> None:
    keys = [chart.key for chart in make_charts(read_material(classification))]
    assert keys == [
        "models", "pairs", "splits", "training-1", "accuracy-1", "roc", "pr", "calibration",
        "confusion-1", "confusion-2", "confusion-3", "confusion-4",
    ]  # fmt: skip


def test_calls_of_several_classes_and_seeds_are_added_up() -> None:
    one = {"test": {"classes": ["down", "none", "up"], "matrix": [[5, 3, 0], [1, 9, 2], [0, 4, 6]]}}
    calls = calls_of(SimpleNamespace(metrics={"confusion": one}))
    assert calls is not None
    assert calls.classes == ("down", "none", "up")
    assert calls.counts[1, 2] == 2
    assert calls.threshold is None
    assert calls_of(SimpleNamespace(metrics={"confusion": None})) is None
    assert calls_of(SimpleNamespace(metrics={})) is None


def test_a_table_of_calls_has_every_run(classification: Path) -> None:
    table = confusion_table(read_material(classification))
    assert table is not None
    row = next(row for row in table.rows if row[0].text == "kmer_linear")
    path = classification / "runs" / "kmer_linear-homology-s0" / "metrics.json"
    counts = json.loads(path.read_text())["confusion"]["test"]
    assert [cell.order for cell in row[2:6]] == [counts[k] for k in ("tn", "fp", "fn", "tp")]
    assert len(table.rows) == 4


def test_the_forest_shows_the_paired_table(regression: Path) -> None:
    material = read_material(regression)
    chart = {c.key: c for c in make_charts(material)}["pairs"]
    names = dict(chart.y.ticks)
    shown = {names[y]: x for s in chart.series for x, y in zip(s.x, s.y, strict=True)}
    for other in ("kmer_linear", "gc_content", "mean"):
        pair = material.compared("cnn", other, "homology")
        assert pair is not None
        assert shown[f"against {other}"] == pair.value


def test_predictions_are_means_over_seeds_on_the_test_part(regression: Path) -> None:
    material = read_material(regression)
    judged = judged_on(material, "cnn", "homology")
    assert judged is not None
    split = material.split_of["homology"]
    assert set(judged.example_id) == set(split.example_id[split.rows("test")])
    tables = [t.run.predictions().set_index("example_id") for t in material.of("cnn", "homology")]
    name = judged.example_id[3]
    expected = np.mean([t.loc[name, "prediction"] for t in tables])
    assert judged.predicted[3] == pytest.approx(expected, abs=1e-12)
    assert judged.n_seeds == 2


def test_many_points_are_sampled_and_it_is_said(made_up: ModuleType, tmp_path: Path) -> None:
    run = made_up.single_run(tmp_path / "run", made_up.World(n=20_000))
    chart = {c.key: c for c in make_charts(read_material(run))}["observed"]
    assert chart.series[0].x.size == MAX_POINTS
    assert "3,000 are drawn" in chart.caption


def test_plotly_values_are_plain_json_and_keep_the_numbers(regression: Path) -> None:
    chart = make_charts(read_material(regression))[0]
    figure = json.loads(json.dumps(plotly_figure(chart), allow_nan=False))
    trace, series = figure["data"][0], chart.series[0]
    assert trace["x"] == pytest.approx(series.x.tolist(), rel=1e-4)
    assert series.high is not None
    assert trace["error_x"]["array"] == pytest.approx((series.high - series.x).tolist(), rel=1e-4)


def hostile_chart(name: str) -> Chart:
    points = Series(
        name, floats([1, 2]), floats([1, np.nan]), "c1", low=floats([np.nan, 0]),
        high=floats([np.nan, 3]), hover=(name, name),
    )  # fmt: skip
    other = Series("other", floats([1, 3]), floats([2, 2]), "c2", dash="dash", symbol=None)
    return Chart(
        "k", name, name, name, Axis(name), Axis("", ticks=((1.0, name), (0.0, "b"))),
        (points, other), (Rule("x", 1.0, name), Rule("y", 1.0, name)),
    )  # fmt: skip


@pytest.mark.parametrize(
    "name", ["$\\frac{", "<b>&", "\x00\u202e", "日本", "a\nb", "_x", "", "%{x}", "@c1"]
)
def test_any_name_can_be_drawn(name: str, made_up: ModuleType) -> None:
    pictures = draw(hostile_chart(name))
    assert ElementTree.fromstring(pictures.svg).tag.endswith("svg")
    assert mpl.image.imread(io.BytesIO(pictures.png)).std() > 0
    text = json.dumps(plotly_figure(hostile_chart(name)), allow_nan=False)
    assert "<b>" not in text
    assert "\\u0000" not in text


def test_a_drawing_is_the_same_each_time_and_leaves_no_settings(regression: Path) -> None:
    chart = make_charts(read_material(regression))[0]
    before = dict(mpl.rcParams)
    assert draw(chart) == draw(chart)
    assert dict(mpl.rcParams) == before
