"""The figures of a differential-expression folder, against its files."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from types import ModuleType

import matplotlib.image
import numpy as np
import pandas as pd
import pytest

from exprimo.core.errors import FormatError, InputError, MismatchError
from exprimo.report import build_report, write_dge_figures
from exprimo.report.charts.chart import Chart
from exprimo.report.charts.interactive import plotly_figure
from exprimo.report.charts.static import draw
from exprimo.report.dge.figures import dge_charts
from exprimo.report.dge.reading import read_dge

pytestmark = pytest.mark.slow

KEYS = ("volcano", "ma", "dispersion", "pca", "sample_distances")


def charts_of(folder: Path) -> dict[str, Chart]:
    return {chart.key: chart for chart in dge_charts(read_dge(folder))}


def points(chart: Chart) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Give the hover text of each point of a chart with its position."""
    return {
        name: (x, y)
        for series in chart.series
        for name, x, y in zip(series.hover, series.x, series.y, strict=True)
    }


def test_every_figure_is_written_as_png_and_svg(dge_folder: Path) -> None:
    written = write_dge_figures(dge_folder)
    assert [p.name for p in written] == [f"{k}.{s}" for k in KEYS for s in ("png", "svg")]
    assert all(p.parent == dge_folder / "figures" for p in written)
    for path in written[::2]:
        assert matplotlib.image.imread(path).std() > 0.02


def test_the_volcano_shows_every_tested_gene_where_its_row_says(dge_folder: Path) -> None:
    table = pd.read_csv(dge_folder / "results.tsv", sep="\t").set_index("gene_id")
    tested = table[table["padj"].notna()]
    shown = points(charts_of(dge_folder)["volcano"])
    assert set(shown) == set(tested.index)
    ordinary = tested[tested["padj"] > 0]
    for gene, row in ordinary.iloc[::97].iterrows():
        assert shown[gene][0] == pytest.approx(row["log2FoldChange"])
        assert shown[gene][1] == pytest.approx(-np.log10(row["padj"]))


def test_called_genes_have_the_colour_of_their_direction(dge_folder: Path) -> None:
    labels = pd.read_csv(dge_folder / "labels.tsv", sep="\t", keep_default_na=False)
    direction = dict(zip(labels["gene_id"], labels["direction"], strict=True))
    chart = charts_of(dge_folder)["volcano"]
    colour = {"up": "c2", "down": "c1", "none": "muted"}
    for series in chart.series:
        assert {colour[direction[gene]] for gene in series.hover} == {series.colour}
    legend = [s.name for s in chart.series if s.in_legend]
    counts = labels["direction"].value_counts()
    assert f"higher in IS ({counts['up']:,})" in legend
    assert f"lower in IS ({counts['down']:,})" in legend


def test_a_p_of_zero_stands_above_all_others_and_it_is_said(dge_folder: Path) -> None:
    table = pd.read_csv(dge_folder / "results.tsv", sep="\t").set_index("gene_id")
    zero = set(table.index[table["padj"] == 0])
    assert len(zero) == 2
    chart = charts_of(dge_folder)["volcano"]
    triangles = {g for s in chart.series if s.symbol == "triangle-up" for g in s.hover}
    assert triangles == zero
    shown = points(chart)
    highest = max(y for gene, (_, y) in shown.items() if gene not in zero)
    assert all(shown[gene][1] > highest for gene in zero)
    assert "2 genes with an adjusted p of 0" in chart.caption


def test_thresholds_are_those_of_the_calls(dge_folder: Path) -> None:
    rules = {(r.along, round(r.at, 6)) for r in charts_of(dge_folder)["volcano"].rules}
    assert rules == {("x", -1.0), ("x", 1.0), ("y", round(-np.log10(0.05), 6))}


def test_a_threshold_beyond_all_genes_leaves_the_figure_as_wide_as_they_are(
    made_up_study: ModuleType, tmp_path: Path
) -> None:
    folder = made_up_study.make_dge(tmp_path / "d", made_up_study.Experiment(lfc=40.0))
    volcano = charts_of(folder)["volcano"]
    assert [r.along for r in volcano.rules] == ["y"]
    assert volcano.x.range is not None
    assert volcano.x.range[1] < 40


def test_the_named_genes_are_the_surest_of_either_direction(dge_folder: Path) -> None:
    table = pd.read_csv(dge_folder / "results.tsv", sep="\t").set_index("gene_id")
    chart = charts_of(dge_folder)["volcano"]
    named = [note.text for note in chart.notes]
    assert len(named) >= 8
    for sign in (1, -1):
        called = table[(table["padj"] < 0.05) & (sign * table["log2FoldChange"] > 1)]
        surest = called.sort_values("padj").index[:7]
        mine = [gene for gene in named if sign * table.loc[gene, "log2FoldChange"] > 0]
        assert set(mine) <= set(surest)
    # A name beside nothing would be a riddle.
    live = {s.hover[i] for s in chart.series for i in (s.live if s.live is not None else [])}
    assert set(named) <= live


def test_many_genes_do_not_bloat_the_browsers_form(
    made_up_study: ModuleType, tmp_path: Path
) -> None:
    folder = made_up_study.make_dge(tmp_path / "d", made_up_study.Experiment(n=58_000))
    for key, chart in charts_of(folder).items():
        assert len(json.dumps(plotly_figure(chart))) < 4e5, key
        drawn = sum(s.x.size if s.live is None else s.live.size for s in chart.series)
        assert drawn < 4_500, key
    volcano = charts_of(folder)["volcano"]
    every = sum(s.x.size for s in volcano.series)
    assert every == pd.read_csv(folder / "results.tsv", sep="\t")["padj"].notna().sum()
    assert f"of {every:,} points; PNG and SVG draw all" in volcano.live_note
    assert len(draw(volcano).svg) < 1e6


def test_the_ma_plot_shows_shrunken_changes_where_there_are(
    dge_folder: Path, made_up_study: ModuleType, tmp_path: Path
) -> None:
    table = pd.read_csv(dge_folder / "results.tsv", sep="\t").set_index("gene_id")
    chart = charts_of(dge_folder)["ma"]
    shown = points(chart)
    assert set(shown) == set(table.index[table["baseMean"] > 0])
    gene = table.index[-1]
    assert shown[gene][1] == pytest.approx(table.loc[gene, "log2FoldChangeShrunken"])
    assert chart.y.label.startswith("shrunken")
    assert chart.x.log
    plain = made_up_study.make_dge(tmp_path / "d", made_up_study.Experiment(shrunk=False))
    chart = charts_of(plain)["ma"]
    assert points(chart)[gene][1] == pytest.approx(table.loc[gene, "log2FoldChange"])
    assert not chart.y.label.startswith("shrunken")


def test_outlying_dispersions_are_ringed_and_hidden_ones_counted(dge_folder: Path) -> None:
    table = pd.read_csv(dge_folder / "dispersions.tsv", sep="\t").set_index("gene_id")
    chart = charts_of(dge_folder)["dispersion"]
    rings = next(s for s in chart.series if s.hollow)
    assert set(rings.hover) == set(table.index[table["dispOutlier"]])
    edge = next(s for s in chart.series if s.symbol == "triangle-down")
    # The edge is the decade below all but a thousandth of the fitted and final dispersions.
    kept = table.loc[table["baseMean"] > 0, ["dispFit", "dispersion"]].to_numpy()
    floor = 10 ** np.floor(np.log10(np.quantile(kept, 0.001)))
    below = table.index[table["dispGeneEst"] < floor]
    assert set(edge.hover) == set(below)
    assert set(table.index[table["dispGeneEst"] == 1e-8]) <= set(below)
    assert edge.y == pytest.approx(floor)
    assert f"{len(below)} estimates below {floor:g} drawn at the lower edge" in chart.caption
    own = next(s for s in chart.series if s.name == "gene-wise estimate" and s is not edge)
    assert own.y.min() >= floor
    shown = dict(zip(own.hover, own.y, strict=True))
    assert set(shown) | set(below) == set(table.index[table["baseMean"] > 0])
    final = next(s for s in chart.series if s.name.startswith("final"))
    assert not set(final.hover) & set(rings.hover)
    for gene in final.hover[::101]:
        assert dict(zip(final.hover, final.y, strict=True))[gene] == pytest.approx(
            table.loc[gene, "dispersion"]
        )
        assert shown.get(gene, floor) == pytest.approx(max(table.loc[gene, "dispGeneEst"], floor))
    curve = next(s for s in chart.series if s.dash)
    assert np.all(np.diff(curve.x) > 0)
    assert curve.y == pytest.approx(0.1 + 4 / curve.x)
    known = table[table["baseMean"] > 0]["baseMean"]
    assert (curve.x[0], curve.x[-1]) == pytest.approx((known.min(), known.max()))


def test_components_have_colours_of_the_contrast_and_shapes_of_the_batch(dge_folder: Path) -> None:
    samples = pd.read_csv(dge_folder / "samples.tsv", sep="\t").set_index("sample")
    chart = charts_of(dge_folder)["pca"]
    assert chart.x.label == "PC1 (61% of variance)"
    looks = {}
    for series in chart.series:
        for about in series.hover:
            sample = about.split(",")[0]
            looks[sample] = (series.colour, series.symbol)
    # What the fold change divides by is blue, as what is lower in the numerator is.
    colour = {name: "c2" if s == "IS" else "c1" for name, s in samples["status"].items()}
    assert {name: look[0] for name, look in looks.items()} == colour
    shapes = {(samples.loc[name, "batch"], look[1]) for name, look in looks.items()}
    assert len(shapes) == 2
    assert {note.text for note in chart.notes} <= set(samples.index)
    at = pd.read_csv(dge_folder / "pca.tsv", sep="\t").set_index("sample")
    for about, (x, y) in points(chart).items():
        assert (x, y) == pytest.approx(tuple(at.loc[about.split(",")[0], ["pc1", "pc2"]]))
    assert len(points(chart)) == len(samples)


def test_a_coefficient_without_sides_still_has_figures(
    made_up_study: ModuleType, tmp_path: Path
) -> None:
    world = made_up_study.Experiment(coefficient=True, batch=False, lfc=0.0, formal=False)
    charts = charts_of(made_up_study.make_dge(tmp_path / "d", world))
    assert tuple(charts) == KEYS
    assert len(charts["volcano"].rules) == 1
    assert charts["volcano"].x.label == "log2 fold change (status IS vs C)"
    assert [s.name for s in charts["pca"].series] == ["C", "IS"]


@pytest.mark.parametrize(("n", "named"), [(12, True), (96, True), (500, False)])
def test_samples_are_named_while_names_can_be_read(
    made_up_study: ModuleType, tmp_path: Path, n: int, named: bool
) -> None:
    folder = made_up_study.make_dge(tmp_path / "d", made_up_study.Experiment(n=60, samples=n))
    charts = charts_of(folder)
    matrix = charts["sample_distances"].matrix
    assert matrix is not None
    assert matrix.named is named
    assert charts["sample_distances"].live is named
    assert bool(charts["pca"].notes) is named
    if n == 12:
        assert len(charts["pca"].notes) == 12


def test_alike_samples_stand_side_by_side_in_the_heat_map(dge_folder: Path) -> None:
    matrix = charts_of(dge_folder)["sample_distances"].matrix
    assert matrix is not None
    sides = [name.split(" · ")[1] for name in matrix.rows]
    assert sides in (["C"] * 4 + ["IS"] * 4, ["IS"] * 4 + ["C"] * 4)
    table = pd.read_csv(dge_folder / "sample_distances.tsv", sep="\t").set_index("sample")
    a, b = (matrix.rows[k].split(" · ")[0] for k in (1, 6))
    assert matrix.values[1, 6] == pytest.approx(table.loc[a, b])
    assert np.diag(matrix.values) == pytest.approx(0)


def test_a_sheet_with_columns_called_like_ours_does_no_harm(
    dge_folder: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(dge_folder, tmp_path / "d")
    samples = pd.read_csv(copy / "samples.tsv", sep="\t")
    samples["pc1"] = ["early", "late"] * 4
    samples.drop(columns="batch").to_csv(copy / "samples.tsv", sep="\t", index=False)
    chart = charts_of(copy)["pca"]
    assert "shapes pc1" in chart.caption
    assert "C, early" in [s.name for s in chart.series]


def test_a_folder_without_the_optional_tables_has_the_other_figures(
    dge_folder: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(dge_folder, tmp_path / "d")
    for name in ("pca.tsv", "sample_distances.tsv", "dispersions.tsv"):
        (copy / name).unlink()
    assert list(charts_of(copy)) == ["volcano", "ma"]


def test_no_gene_tested_is_no_reason_to_fail(dge_folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(dge_folder, tmp_path / "d")
    for name, column, value in (("results.tsv", "padj", ""), ("labels.tsv", "direction", "")):
        table = pd.read_csv(copy / name, sep="\t", dtype=str, keep_default_na=False)
        table[column] = value
        table.to_csv(copy / name, sep="\t", index=False)
    chart = charts_of(copy)["volcano"]
    assert chart.series == ()
    assert draw(chart).png


def test_the_folder_alone_has_a_page(dge_folder: Path, tmp_path: Path) -> None:
    page = build_report(dge_folder, tmp_path / "r.html").read_text(encoding="utf-8")
    assert "<title>Differential expression: status IS vs C</title>" in page
    for key in KEYS:
        assert f'id="figure-{key}"' in page
    assert "Few replicates" not in page
    assert matplotlib.image.imread(
        io.BytesIO((tmp_path / "r_figures" / "ma.png").read_bytes())
    ).size


@pytest.mark.parametrize(
    ("name", "text", "error", "found"),
    [
        ("labels.tsv", "gene_id\tdirection\nX\tup\n", MismatchError, "same genes"),
        ("results.tsv", "gene_id\tpadj\nX\t0.1\n", FormatError, "columns are missing"),
        ("sample_distances.tsv", "sample\ta\nb\t0\n", FormatError, "not the same samples"),
        ("summary.json", "{", FormatError, "not valid JSON"),
        ("summary.json", '{"alpha": 0.1}', FormatError, "contrast"),
        ("samples.tsv", None, FormatError, "samples.tsv is missing"),
        ("results.tsv", None, InputError, "not a differential-expression folder"),
    ],
)
def test_damage_of_the_folder_is_named(
    dge_folder: Path, tmp_path: Path, name: str, text: str | None, error: type, found: str
) -> None:
    copy = shutil.copytree(dge_folder, tmp_path / "d")
    if text is None:
        (copy / name).unlink()
    else:
        (copy / name).write_text(text)
    with pytest.raises(error, match=found):
        write_dge_figures(copy)


def test_an_unknown_direction_is_named(dge_folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(dge_folder, tmp_path / "d")
    text = (copy / "labels.tsv").read_text().replace("\tup\t", "\tsideways\t", 1)
    (copy / "labels.tsv").write_text(text)
    with pytest.raises(FormatError, match="sideways"):
        write_dge_figures(copy)
