"""The figures of an interpretation, against its files."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib.image
import numpy as np
import pandas as pd
import pytest

from exprimo.core.errors import FormatError, InputError, VersionError
from exprimo.interpret.files import (
    About,
    Interpretation,
    map_table,
    top_table,
    with_planted,
    write_interpretation,
)
from exprimo.interpret.importance import importance_profile, top_positions
from exprimo.interpret.recovery import motif_recovery
from exprimo.report.charts.chart import Chart
from exprimo.report.charts.interactive import plotly_figure
from exprimo.report.interpret.figures import interpretation_charts, write_interpretation_figures
from exprimo.report.interpret.reading import is_interpretation, read_interpretation

N, LENGTH, TSS = 130, 60, 40
SITE = (12, 18)
IDS = [f"g{i}" for i in range(N)]


def make(folder: Path, about: About, predicted: np.ndarray, target: np.ndarray) -> Path:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(N, LENGTH))
    values[:, SITE[0] : SITE[1]] *= 10
    planted = np.zeros((N, LENGTH), dtype=bool)
    planted[::2, SITE[0] : SITE[1]] = True
    made = Interpretation(
        about,
        with_planted(importance_profile(values, TSS), planted, TSS),
        top_table(top_positions(values, predicted[:, 0], TSS), IDS),
        map_table(IDS, rng.normal(size=(N, 2)), predicted, target, about),
        (IDS, motif_recovery(values, planted)),
    )
    return write_interpretation(folder, made)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(1)
    about = About("classification", "probability", "logit", N, threshold=0.6, layer="dense")
    return make(tmp_path / "I", about, rng.random((N, 1)), rng.integers(0, 2, N).astype(float))


def charts_of(folder: Path) -> dict[str, Chart]:
    return {chart.key: chart for chart in interpretation_charts(read_interpretation(folder))}


def test_every_figure_is_written_as_png_and_svg(folder: Path) -> None:
    written = write_interpretation_figures(folder)
    keys = ("importance", "top_positions", "map_class", "map_probability")
    assert [p.name for p in written] == [f"{k}.{s}" for k in keys for s in ("png", "svg")]
    for path in written[::2]:
        assert matplotlib.image.imread(path).std() > 0.02


def test_every_chart_says_what_it_shows_and_where_its_numbers_are(folder: Path) -> None:
    for chart in interpretation_charts(read_interpretation(folder, "interpretation/")):
        assert len(chart.alt) > 40
        assert chart.x.label
        assert chart.y.label
        assert chart.sources[0].startswith("interpretation/")
        assert (folder / chart.sources[0].removeprefix("interpretation/")).is_file()
        assert chart.title.find("…") < 0
        json.dumps(plotly_figure(chart), allow_nan=False)


def test_the_profile_is_the_tables_with_the_tss_at_0(folder: Path) -> None:
    table = pd.read_csv(folder / "importance.tsv", sep="\t")
    chart = charts_of(folder)["importance"]
    mean, low, high, planted = chart.series
    for series, column in ((mean, "mean"), (low, "lower"), (high, "upper")):
        np.testing.assert_allclose(series.x, table["position"])
        np.testing.assert_allclose(series.y, table[column])
    assert (mean.x[0], mean.x[-1]) == (-40, 19)
    assert [(rule.along, rule.at, rule.label) for rule in chart.rules] == [("x", 0.0, "TSS")]
    assert chart.y.label == "Mean |gradient × input| (logit per base)"
    # Bars stand under the planted bases alone, and below every value.
    marked = planted.x[np.isfinite(planted.y)]
    assert marked.tolist() == list(range(SITE[0] - TSS, SITE[1] - TSS))
    assert np.nanmax(planted.y) < 0
    assert "up to 50% of examples" in chart.caption
    assert "AUROC" in chart.caption


def test_without_a_truth_nothing_is_shaded(folder: Path) -> None:
    table = pd.read_csv(folder / "importance.tsv", sep="\t")
    table.drop(columns="planted").to_csv(folder / "importance.tsv", sep="\t", index=False)
    chart = charts_of(folder)["importance"]
    assert [s.name for s in chart.series] == ["mean", "95% interval", "95% interval"]
    assert "planted" not in chart.caption
    table.drop(columns="planted").assign(lower=np.nan, upper=np.nan).to_csv(
        folder / "importance.tsv", sep="\t", index=False
    )
    chart = charts_of(folder)["importance"]
    assert [s.name for s in chart.series] == ["mean"]
    assert "Too few for an interval" in chart.caption


def test_the_heat_map_has_20_positions_and_100_examples_by_prediction(folder: Path) -> None:
    table = pd.read_csv(folder / "top_positions.tsv", sep="\t")
    matrix = charts_of(folder)["top_positions"].matrix
    assert matrix is not None
    assert matrix.values.shape == (20, 100)
    positions = [int(name.replace("−", "-")) for name in matrix.rows]
    assert positions == sorted(positions)
    assert set(range(SITE[0] - TSS, SITE[1] - TSS)) <= set(positions)
    prediction = table.drop_duplicates("example_id").set_index("example_id")["prediction"]
    assert matrix.columns == tuple(str(k) for k in range(1, 101))
    ids = prediction.sort_values().index
    cells = table.set_index(["position", "example_id"])["contribution"].abs()
    for i, j in ((0, 0), (3, 50), (19, 99)):
        cell = cells.loc[(positions[i], ids[j])]
        assert matrix.values[i, j] == pytest.approx(cell)
    assert matrix.range is not None
    assert matrix.range[0] == 0
    assert (matrix.values > matrix.range[1]).mean() == pytest.approx(0.01, abs=0.001)
    assert f"Values above {matrix.range[1]:.2f}" in charts_of(folder)["top_positions"].caption


def test_the_map_is_coloured_by_class_and_by_probability(folder: Path) -> None:
    table = pd.read_csv(folder / "layer_map.tsv", sep="\t").set_index("example_id")
    charts = charts_of(folder)
    assert "of the layer dense" in charts["map_class"].title
    for series in charts["map_class"].series:
        ids = [text.split(",")[0] for text in series.hover]
        np.testing.assert_allclose(series.x, table.loc[ids, "x"])
        called = (table.loc[ids, "probability"] >= 0.6).tolist()
        assert set(called) == {series.name == "called positive"}
    assert sum(s.x.size for s in charts["map_class"].series) == N
    steps = charts["map_probability"].series
    assert [s.name for s in steps] == [
        f"probability {a:g} to {b:g}"
        for a, b in ((0, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 0.8), (0.8, 1))
    ]
    for k, series in enumerate(steps):
        values = table.loc[[text.split(",")[0] for text in series.hover], "probability"]
        assert values.between(0.2 * k - 1e-9, 0.2 * k + 0.2 + 1e-9).all()
    # Told apart without colour, too.
    assert len({(s.symbol, s.hollow) for s in steps}) == 5
    assert "probability 0" in steps[0].hover[0]


def test_several_classes_keep_their_names(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    names = tuple(f"cell {k}" for k in range(8))
    about = About("multiclass", "cell 1", "logit", N, classes=names)
    predicted = rng.dirichlet(np.ones(8), N)
    folder = make(tmp_path / "I", about, predicted, np.full(N, np.nan))
    charts = charts_of(folder)
    assert "the logit of cell 1, less the mean of all" in charts["importance"].caption
    shown = {s.name: s for s in charts["map_class"].series}
    assert list(shown) == [f"called cell {k}" for k in range(5)] + ["other classes"]
    called = predicted.argmax(1)
    assert shown["called cell 3"].x.size == (called == 3).sum()
    assert shown["other classes"].x.size == (called >= 5).sum()
    assert "target" not in shown["other classes"].hover[0]
    assert sum(s.x.size for s in charts["map_probability"].series) == N


def test_numbers_are_mapped_by_prediction_and_by_what_was_observed(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    about = About("regression", "value", "target SD", N)
    target = np.where(rng.random(N) < 0.5, rng.normal(size=N), np.nan)
    folder = make(tmp_path / "I", about, rng.normal(size=(N, 1)), target)
    charts = charts_of(folder)
    assert list(charts)[2:] == ["map_prediction", "map_target"]
    assert "target SD per base" in charts["importance"].y.label
    assert [s.x.size for s in charts["map_prediction"].series] == [26] * 5
    assert sum(s.x.size for s in charts["map_target"].series) == np.isfinite(target).sum()
    assert "of what the last layer reads" in charts["map_prediction"].title


def test_many_points_are_thinned_for_the_browser_alone(tmp_path: Path, folder: Path) -> None:
    table = pd.read_csv(folder / "layer_map.tsv", sep="\t")
    many = pd.concat([table.assign(example_id=table["example_id"] + f"_{k}") for k in range(40)])
    many.to_csv(folder / "layer_map.tsv", sep="\t", index=False)
    series = charts_of(folder)["map_class"].series
    assert sum(s.x.size for s in series) == 40 * N
    live = [s.live.size for s in series if s.live is not None]
    assert len(live) == 2
    assert sum(live) <= 1510


def test_what_is_missing_or_damaged(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not the folder of an interpretation"):
        read_interpretation(tmp_path)
    assert is_interpretation(folder)
    (folder / "layer_map.tsv").unlink()
    assert list(charts_of(folder)) == ["importance", "top_positions"]
    top = folder / "top_positions.tsv"
    lines = top.read_text().splitlines(keepends=True)
    top.write_text("".join(lines[:-1]))
    with pytest.raises(FormatError, match=r"1,999 rows.*Expected: 2,000 rows"):
        read_interpretation(folder)
    top.unlink()
    (folder / "importance.tsv").write_text("position\tmean\n0\t1\n")
    with pytest.raises(FormatError, match="columns are missing"):
        read_interpretation(folder)
    summary = folder / "interpretation.json"
    values = json.loads(summary.read_text())
    summary.write_text(json.dumps(values | {"format_version": 99}))
    with pytest.raises(VersionError, match="newer Exprimo"):
        read_interpretation(folder)
    summary.write_text(json.dumps(values | {"scale": None}))
    with pytest.raises(FormatError, match="a key is missing"):
        read_interpretation(folder)
