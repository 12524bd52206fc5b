"""The two drawings of logarithmic axes, heat maps, rings and notes."""

from __future__ import annotations

import io
import json
import re
from xml.etree import ElementTree

import matplotlib.image
import numpy as np
import pytest

from exprimo.report.charts.chart import (
    SCALE_DARK,
    SCALE_LIGHT,
    Axis,
    Chart,
    Matrix,
    Note,
    Rule,
    Series,
    decade_ticks,
    floats,
    ink_on,
    luminance,
)
from exprimo.report.charts.interactive import plotly_figure
from exprimo.report.charts.static import draw

pytestmark = pytest.mark.slow


def cloud(**changes: object) -> Chart:
    points = Series(
        "genes", floats([0.1, 10, 1e5]), floats([1e-3, 1, 100]), "c1", size=4,
        hover=("a", "b", "c"), live=np.array([0, 2]),
    )  # fmt: skip
    rings = Series("rings", floats([10]), floats([1]), "c2", hollow=True)
    values: dict[str, object] = {
        "notes": (Note(10.0, 1.0, "b", 12.0, -5.0),),
        "rules": (Rule("x", 10.0, "ten"), Rule("y", 0.01, "hundredth")),
    }
    return Chart(
        "cloud", "t", "c", "alt", Axis("x", (0.05, 2e5), log=True), Axis("y", log=True),
        (points, rings), tall=True, **(values | changes),  # type: ignore[arg-type]  # by name
    )  # fmt: skip


def heat(n: int = 3, **changes: object) -> Chart:
    names = tuple(f"s{i}" for i in range(n))
    matrix = Matrix(
        floats(np.arange(n * n).reshape(n, n)), names, names, "distance", **changes  # type: ignore[arg-type]  # by name
    )  # fmt: skip
    return Chart("heat", "t", "c", "alt", Axis("x"), Axis("y"), (), matrix=matrix)


def text_of(svg: bytes) -> list[str]:
    return [e.text or "" for e in ElementTree.fromstring(svg).iter() if e.tag.endswith("text")]


def test_powers_of_ten_are_written_alike_in_both_drawings() -> None:
    figure = plotly_figure(cloud())
    axis = figure["layout"]["xaxis"]
    assert axis["type"] == "log"
    assert axis["range"] == pytest.approx(np.log10([0.05, 2e5]))
    assert dict(zip(axis["tickvals"], axis["ticktext"], strict=True))[1e5] == "10⁵"
    assert {"0.1", "1,000", "10⁵"} <= set(text_of(draw(cloud()).svg))


def test_decades_are_exact() -> None:
    names = [name for _, name in decade_ticks(-4, 5)]
    assert names == ["10⁻⁴", "0.001", "0.01", "0.1", "1", "10", "100", "1,000", "10,000", "10⁵"]


def test_on_logarithmic_axes_lines_and_words_stand_where_plotly_wants_them() -> None:
    layout = plotly_figure(cloud())["layout"]
    assert layout["shapes"][0]["x0"] == 10.0
    ten, hundredth, note = layout["annotations"]
    assert (ten["x"], hundredth["y"]) == (1.0, -2.0)
    assert (note["x"], note["y"], note["name"]) == (1.0, 0.0, "note")
    # Upwards on paper is downwards on a screen.
    assert note["ax"] > 0
    assert note["ay"] > 0


def test_the_browser_gets_the_chosen_points_and_paper_all() -> None:
    trace = plotly_figure(cloud())["data"][0]
    assert trace["x"] == [0.1, 1e5]
    assert trace["text"] == ["a", "c"]
    everything = cloud()
    markers = draw(everything).svg.decode()
    assert len(re.findall(r"<use ", markers)) > len(re.findall(r"<use ", draw(
        Chart("e", "t", "c", "alt", everything.x, everything.y,
              (everything.series[1],))).svg.decode()))  # fmt: skip


def test_rings_are_hollow() -> None:
    data = plotly_figure(cloud())["data"]
    assert data[1]["marker"]["symbol"] == "circle-open"
    assert data[0]["marker"]["symbol"] == "circle"


def test_a_heat_map_has_its_first_row_on_top() -> None:
    figure = json.loads(json.dumps(plotly_figure(heat()), allow_nan=False))
    assert figure["layout"]["yaxis"]["autorange"] == "reversed"
    assert figure["data"][0]["y"] == ["s0", "s1", "s2"]
    assert figure["data"][0]["z"][0] == [0.0, 1.0, 2.0]
    assert figure["cells"] == 3
    words = text_of(draw(heat()).svg)
    assert words.count("s1") == 2
    assert "distance" in words


def test_names_of_too_many_samples_are_left_out() -> None:
    words = text_of(draw(heat(200, named=False)).svg)
    assert not [word for word in words if word.startswith("s1")]
    axis = plotly_figure(heat(200, named=False))["layout"]["xaxis"]
    assert axis["tickvals"] == []


@pytest.mark.parametrize("n", [4, 12, 40, 96, 150])
def test_names_are_legible_however_many_there_are(n: int) -> None:
    svg = draw(heat(n)).svg.decode()
    sizes = [float(size) for size in re.findall(r"font-size: ([\d.]+)px", svg)]
    assert min(sizes) >= 5
    wide, high = matplotlib.image.imread(io.BytesIO(draw(heat(n)).png)).shape[1::-1]
    assert max(wide, high) < 4_000


def test_what_stands_in_a_cell_is_black_on_light_and_white_on_dark() -> None:
    cells = (("low", "high"), ("low", "high"))
    chart = heat(2, cells=cells, range=(0.0, 3.0))
    svg = draw(chart).svg.decode()
    assert re.search(r"fill: #ffffff[^>]*>high", svg)
    assert not re.search(r"fill: #ffffff[^>]*>low<", svg.split("high")[0])
    # Numbers are there, so a scale would repeat them.
    figure = plotly_figure(chart)
    assert figure["data"][0]["showscale"] is False
    assert "distance" not in text_of(draw(chart).svg)
    # On a dark page the greatest value is the lightest cell.
    first, *_, last = figure["layout"]["annotations"]
    assert (first["x"], first["y"], first["text"]) == ("s0", "s0", "low")
    assert (last["x"], last["y"], last["text"]) == ("s1", "s1", "high")
    assert (first["font"]["color"], last["font"]["color"]) == ("@ink-kw", "@ink-wk")


@pytest.mark.parametrize("scale", [SCALE_LIGHT, SCALE_DARK])
def test_ink_can_be_read_on_every_colour_of_a_scale(scale: tuple[str, ...]) -> None:
    for share in np.linspace(0, 1, 41):
        ends = [[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in scale]
        colour = [np.interp(share, [0, 0.5, 1], [end[i] for end in ends]) for i in range(3)]
        ground = luminance("#" + "".join(f"{round(part):02X}" for part in colour))
        light, dark = sorted((ground, luminance(ink_on(scale, float(share)))), reverse=True)
        # WCAG asks 4.5 of small text.
        assert (light + 0.05) / (dark + 0.05) >= 4.5


@pytest.mark.parametrize("scale", [SCALE_LIGHT, SCALE_DARK])
def test_a_scale_of_colours_is_told_by_lightness_alone(scale: tuple[str, ...]) -> None:
    grey = [sum(int(c[i : i + 2], 16) * w for i, w in ((1, 0.3), (3, 0.59), (5, 0.11)))
            for c in scale]  # fmt: skip
    steps = np.diff(grey)
    assert (steps < -40).all() or (steps > 40).all()


@pytest.mark.parametrize("name", ["$\\frac{", "<b>&", "\x00\u202e", "日本", "", "x" * 300])
def test_any_name_can_be_drawn_in_a_heat_map(name: str) -> None:
    matrix = Matrix(floats([[0, 1], [1, 0]]), (name, "other"), (name, "other"), name)
    chart = Chart("k", name, name, name, Axis(name), Axis(name), (), matrix=matrix)
    assert draw(chart).png
    text = json.dumps(plotly_figure(chart), allow_nan=False)
    assert "<b>" not in text
    assert "\\u0000" not in text
