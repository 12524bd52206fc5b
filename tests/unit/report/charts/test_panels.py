"""Plots above one another that share an x axis, in both drawings, and series that are offered."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import numpy as np
import pytest

from exprimo.report.charts.chart import (
    DARK,
    LIGHT,
    STEPS,
    Axis,
    Box,
    Chart,
    Panel,
    Rule,
    Series,
    Word,
    floats,
    luminance,
)
from exprimo.report.charts.interactive import plotly_figure
from exprimo.report.charts.static import draw

PLACES = floats([46_123.456, 46_123.457, 46_190.0])


def stacked() -> Chart:
    above = Series("above", PLACES, floats([1, 2, 3]), "c1", hover=("a", "b", "c"))
    below = Series("below", PLACES, floats([-1, 0, 1]), "l5", symbol="triangle-right")
    panels = (
        Panel(Axis("height"), (above,), 1.5),
        Panel(
            Axis("score", (-2, 2)), (below,), 1.0, rules=(Rule("y", 0.0),),
            boxes=(Box((46_120.0, 46_130.0), None, "c6", 0.2),), title="what is scored",
        ),
        Panel(
            Axis("genes", (0, 1)), (), 0.5, named=False,
            boxes=(Box((46_150.0, 46_160.0), (0.2, 0.4), "muted"),),
            words=(Word(46_155.0, 0.6, "GENE <b>"), Word(46_170.0, 0.6, "MINOR", minor=True)),
        ),
    )  # fmt: skip
    return Chart(
        "k", "Stacked", "c", "alt", Axis("position (kb)", (46_100.0, 46_200.0)), Axis(""), (),
        (Rule("x", 46_140.0, "TSS"),), panels=panels,
    )  # fmt: skip


def test_panels_lie_above_one_another_and_share_the_lowest_axis() -> None:
    layout = plotly_figure(stacked())["layout"]
    first, second, third = (layout[name]["domain"] for name in ("yaxis", "yaxis2", "yaxis3"))
    assert first[1] == 1
    assert third[0] == pytest.approx(0, abs=1e-9)
    assert first[0] > second[1] > second[0] > third[1]
    # Their heights are in proportion.
    assert (first[1] - first[0]) / (third[1] - third[0]) == pytest.approx(3)
    assert layout["xaxis"]["anchor"] == "y3"


def test_neighbours_of_one_base_stay_apart_in_the_browser() -> None:
    trace = plotly_figure(stacked())["data"][0]
    assert trace["x"] == PLACES.tolist()
    assert trace["yaxis"] == "y"
    assert plotly_figure(stacked())["data"][1]["yaxis"] == "y2"


def test_a_rule_of_the_chart_runs_through_all_panels_and_that_of_a_panel_does_not() -> None:
    shapes = plotly_figure(stacked())["layout"]["shapes"]
    through, *rest = shapes
    assert (through["x0"], through["yref"]) == (46_140.0, "paper")
    window = next(one for one in rest if one.get("yref") == "y2 domain")
    assert (window["x0"], window["x1"], window["y0"], window["y1"]) == (46_120, 46_130, 0, 1)
    across = next(one for one in rest if one["type"] == "line")
    assert across["yref"] == "y2"
    exon = next(one for one in rest if one["yref"] == "y3")
    assert (exon["y0"], exon["y1"]) == (0.2, 0.4)


def test_words_are_escaped_and_minor_ones_can_be_left_out() -> None:
    notes = {one["text"]: one for one in plotly_figure(stacked())["layout"]["annotations"]}
    assert "<i>GENE &lt;b&gt;</i>" in notes
    assert notes["<i>MINOR</i>"]["name"] == "note"
    assert notes["<i>GENE &lt;b&gt;</i>"]["name"] == "word"
    assert notes["what is scored"]["yref"] == "y2 domain"
    json.dumps(plotly_figure(stacked()), allow_nan=False)


@pytest.mark.slow
def test_the_picture_writes_places_in_full() -> None:
    svg = draw(stacked()).svg
    words = [e.text for e in ElementTree.fromstring(svg).iter() if e.tag.endswith("text")]
    assert "46,120" in words
    assert not any("e4" in (word or "") for word in words)
    assert {"TSS", "what is scored", "GENE <b>", "above", "below"} <= set(words)
    assert words.count("TSS") == 1
    assert draw(stacked()) == draw(stacked())


@pytest.mark.slow
def test_a_series_that_is_only_offered_is_in_the_browser_alone() -> None:
    points = Series("shown", floats([1, 2]), floats([1, 2]), "c1")
    other = Series("offered", floats([1, 2]), floats([2, 1]), "c2", shown=False)
    chart = Chart("k", "t", "c", "alt", Axis("x"), Axis("y"), (points, other))
    traces = {one["name"]: one for one in plotly_figure(chart)["data"]}
    assert traces["offered"]["visible"] == "legendonly"
    assert "visible" not in traces["shown"]
    svg = draw(chart).svg.decode()
    assert "shown" in svg
    assert "offered" not in svg


@pytest.mark.parametrize(("palette", "darker"), [(LIGHT, True), (DARK, False)])
def test_steps_are_ordered_by_lightness(palette: dict[str, str], darker: bool) -> None:
    light = np.array([luminance(palette[name]) for name in STEPS])
    assert (np.diff(light) < 0).all() if darker else (np.diff(light) > 0).all()
