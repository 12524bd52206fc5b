"""Heat maps of signed values, stretched heat maps, points on cells, and bands."""

from __future__ import annotations

import io
import re

import matplotlib.image
import numpy as np
import pytest

from exprimo.report.charts.chart import (
    SIGNED_DARK,
    SIGNED_LIGHT,
    Axis,
    Chart,
    Matrix,
    Series,
    floats,
    luminance,
)
from exprimo.report.charts.interactive import plotly_figure
from exprimo.report.charts.static import draw
from exprimo.report.document.html import _palette

pytestmark = pytest.mark.slow


def signed_map(rows: int = 3, **changes: object) -> Chart:
    values = np.zeros((rows, 100))
    values[0, :50], values[1, :50] = 1.0, -1.0
    matrix = Matrix(
        floats(values), tuple(f"r{i}" for i in range(rows)), tuple(f"c{i}" for i in range(100)),
        "gradient", range=(-1.0, 1.0), signed=True, stretched=True,
        column_ticks=((0, "first"), (50, "TSS")), **changes,  # type: ignore[arg-type]  # by name
    )  # fmt: skip
    return Chart("signed", "t", "c", "alt", Axis("x"), Axis("y"), (), matrix=matrix)


@pytest.mark.parametrize("scale", [SIGNED_LIGHT, SIGNED_DARK])
def test_both_signs_are_as_strong_and_stand_out_from_zero(scale: tuple[str, ...]) -> None:
    light = [luminance(colour) for colour in scale]
    strength = [abs(value - light[2]) for value in light]
    assert strength[0] > strength[1] > 0
    assert strength[4] > strength[3] > 0
    assert strength[0] == pytest.approx(strength[4], abs=0.12)
    # Orange has more red than blue, and blue more blue than red: no eye confuses these two.
    red, blue = ([int(colour[i : i + 2], 16) for colour in scale] for i in (1, 5))
    assert red[0] > blue[0]
    assert red[1] > blue[1]
    assert blue[3] > red[3]
    assert blue[4] > red[4]


def test_the_style_sheet_knows_the_colours_of_both_scales() -> None:
    names = set(re.findall(r"--(\w+):", _palette()))
    assert {f"d{k}" for k in range(5)} | {f"s{k}" for k in range(3)} <= names


def test_a_signed_map_has_zero_in_the_middle_of_its_colours() -> None:
    figure = plotly_figure(signed_map())
    trace = figure["data"][0]
    assert trace["colorscale"] == [[k / 4, f"@d{k}"] for k in range(5)]
    assert (trace["zmin"], trace["zmax"]) == (-1.0, 1.0)
    picture = matplotlib.image.imread(io.BytesIO(draw(signed_map()).png))[:, :, :3]
    known = [np.array([int(c[i : i + 2], 16) for i in (1, 3, 5)]) / 255 for c in SIGNED_LIGHT]
    for colour in (known[0], known[2], known[4]):
        near = (np.abs(picture - colour).max(axis=2) < 0.02).sum()
        assert near > 5_000


def test_a_stretched_map_is_wide_and_names_the_chosen_columns() -> None:
    figure = plotly_figure(signed_map())
    assert figure["stretched"] is True
    assert figure["layout"]["xaxis"]["tickvals"] == ["c0", "c50"]
    assert figure["layout"]["xaxis"]["ticktext"] == ["first", "TSS"]
    for rows in (3, 24):
        high, wide = matplotlib.image.imread(io.BytesIO(draw(signed_map(rows)).png)).shape[:2]
        assert wide > high
        assert max(wide, high) < 1_400
    svg = draw(signed_map()).svg.decode()
    assert "TSS" in svg
    assert ">c7<" not in svg


def test_a_band_is_one_shape_there_and_back() -> None:
    x = floats([0, 1, 2])
    band = Series("range", x, x, "muted", low=x - 1, high=x + 1, band=True, opacity=0.2)
    line = Series("mean", x, x, "c1", dash="solid", symbol=None)
    chart = Chart("band", "t", "c", "alt", Axis("x"), Axis("y"), (band, line))
    filled, drawn = plotly_figure(chart)["data"]
    assert filled["x"] == [0, 1, 2, 2, 1, 0]
    assert filled["y"] == [1, 2, 3, 1, 0, -1]
    assert (filled["fill"], filled["fillcolor"]) == ("toself", "@muted")
    assert "fill" not in drawn
    assert draw(chart).png
