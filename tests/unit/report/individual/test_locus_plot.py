"""The locus plot: what stands in its panels, and that no two genes lie on one another."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from exprimo.core.errors import FormatError
from exprimo.report.charts.chart import STEPS, Chart, Panel
from exprimo.report.charts.interactive import plotly_figure
from exprimo.report.individual.association.gene_track import Gene, gene_panel, packed, read_genes
from exprimo.report.individual.association.locus import Locus, locus_charts, read_loci
from exprimo.report.individual.association.reading import Association
from exprimo.report.individual.reading import read_individual_study


def read(folder: Path) -> Association:
    found = read_individual_study(folder).association
    assert found is not None
    return found


@pytest.fixture(scope="module")
def locus(association_folder: Path) -> Locus:
    return read_loci(read(association_folder))[0]


@pytest.fixture(scope="module")
def charts(association_folder: Path) -> list[Chart]:
    found = read(association_folder)
    return locus_charts(found, read_loci(found)[0])


def drawn(panel: Panel) -> dict[str, int]:
    return {one.name: int(np.isfinite(one.x).sum()) for one in panel.series}


def test_every_variant_is_drawn_once_in_its_colour(locus: Locus, charts: list[Chart]) -> None:
    counts = drawn(charts[0].panels[0])
    assert counts.pop("acts (truth)") == (locus.rows["acts"] == "yes").sum() == 2
    assert counts["lead variant"] == 1
    assert sum(counts.values()) == len(locus.rows)
    r2 = locus.rows["r2_lead"]
    assert counts["r² below 0.2"] == (r2 < 0.2).sum()
    assert counts["r² 0.4 to 0.6"] == ((r2 >= 0.4) & (r2 < 0.6)).sum()
    # Steps that have no variant are explained too.
    colours = [one.colour for one in charts[0].panels[0].series if one.colour in STEPS]
    assert colours == list(STEPS)


def test_both_forms_show_the_same_numbers(charts: list[Chart]) -> None:
    for chart in charts:
        series = [one for panel in chart.panels for one in panel.series]
        traces = plotly_figure(chart)["data"]
        assert len(traces) == len(series)
        for one, trace in zip(series, traces, strict=True):
            assert trace["name"] == one.name.replace("<b>", "&lt;b&gt;")
            places = [np.nan if x is None else x for x in trace["x"]]
            np.testing.assert_allclose(places, one.x, rtol=1e-11)
            values = [np.nan if y is None else y for y in trace["y"]]
            np.testing.assert_allclose(values, one.y, rtol=1e-4, atol=1e-12)


def test_rings_stand_on_variants_that_act_in_every_panel(locus: Locus, charts: list[Chart]) -> None:
    acting = set((locus.rows["pos"][locus.rows["acts"] == "yes"] / 1e3).round(6))
    for panel in charts[0].panels[:4]:
        ring = next(one for one in panel.series if one.hollow)
        assert set(ring.x.round(6)) == acting
    names = [one.name for panel in charts[0].panels for one in panel.series if one.in_legend]
    assert names.count("acts (truth)") == 1


def test_sets_have_shapes_of_their_own(charts: list[Chart]) -> None:
    pip = charts[0].panels[3]
    sets = {one.name: (one.colour, one.symbol) for one in pip.series if "credible set " in one.name}
    assert len(set(sets.values())) == len(sets) == 2


def test_what_a_model_reads_is_shaded_and_enlarged(locus: Locus, charts: list[Chart]) -> None:
    whole, near = charts
    tss = locus.tss
    assert whole.panels[1].title == "cnn: alternate − reference"
    (box,) = whole.panels[1].boxes
    assert box.x == ((tss - 500) / 1e3, (tss + 100) / 1e3)
    assert near.x.range is not None
    low, high = near.x.range
    assert (low, high) == ((tss - 800) / 1e3, (tss + 400) / 1e3)
    assert sum(drawn(near.panels[0]).values()) < 40
    assert whole.rules[0].at == tss / 1e3


def test_nothing_is_enlarged_where_no_variant_has_a_score(association_folder: Path) -> None:
    found = read(association_folder)
    for name in found.loci.columns[found.loci.columns.str.startswith("score:")]:
        found.loci.loc[found.loci["gene_id"] == "G000", name] = np.nan
    first, second = read_loci(found)
    (whole,) = locus_charts(found, first)
    assert whole.title.startswith("GENE0 (G000): ")
    # Without a score there is no scale: not one of millionths.
    assert whole.panels[1].y.range == (-1.0, 1.0)
    assert len(locus_charts(found, second)) == 2


def test_the_window_turns_round_on_the_other_strand(association_folder: Path) -> None:
    found = read(association_folder)
    models = found.gene_models
    models.loc[models["gene_id"] == "G000", "strand"] = "-"
    locus = read_loci(found)[0]
    assert locus.reaches["cnn"] == (locus.tss - 100, locus.tss + 500)


def test_a_model_that_reads_the_region_needs_no_second_figure(
    made_up_association: ModuleType, tmp_path: Path
) -> None:
    world = made_up_association.People(reach=(150_000, 150_000), loci=1)
    found = read(made_up_association.make_study(tmp_path / "s", world))
    (locus,) = read_loci(found)
    assert [chart.key for chart in locus_charts(found, locus)] == ["locus-1"]


def test_crowds_are_thinned_for_the_browser_and_it_is_said(
    made_up_association: ModuleType, tmp_path: Path
) -> None:
    world = made_up_association.People(variants=4000, span=2_000_000, loci=1)
    found = read(made_up_association.make_study(tmp_path / "s", world))
    (locus,) = read_loci(found)
    chart = locus_charts(found, locus)[0]
    assert chart.x.label == "position on chromosome 7 (Mb)"
    assert "This form draws" in chart.live_note
    assert len(json.dumps(plotly_figure(chart))) < 800_000
    # What matters is never thinned.
    for panel in chart.panels:
        for one in panel.series:
            if one.hollow or one.name == "lead variant" or one.name.startswith("credible"):
                assert one.live is None


def test_the_caption_sets_the_models_choice_beside_the_lead(charts: list[Chart]) -> None:
    assert "The strongest variant of cnn is the lead variant itself (it acts)." in charts[0].caption
    assert "2 credible sets" in charts[0].alt
    assert "2 acting variants ringed" in charts[0].alt


def genes_of(n: int) -> list[Gene]:
    rng = np.random.default_rng(n)
    start = rng.uniform(0, 1000, n)
    return [
        Gene(f"GENE{i}", a, a + w, "+-"[i % 2], (), own=i == 0)
        for i, (a, w) in enumerate(zip(start, rng.uniform(1, 60, n), strict=True))
    ]


@pytest.mark.parametrize("n", [3, 30, 300])
def test_genes_of_a_row_do_not_touch_and_the_own_one_is_on_top(n: int) -> None:
    genes = genes_of(n)
    placed, left_out = packed(genes, (0.0, 1000.0))
    assert len(placed) + left_out == n
    assert next(gene for gene in placed if gene.own).row == 0
    for a, b in combinations(placed, 2):
        assert a.row != b.row or a.end < b.start or b.end < a.start
    if n == 3:
        assert left_out == 0


def test_a_gene_is_drawn_with_exons_introns_and_its_direction() -> None:
    gene = Gene("ABC", 10.0, 20.0, "-", ((10.0, 12.0), (18.0, 20.0)), own=True)
    panel = gene_panel([gene], (0.0, 30.0))
    assert panel is not None
    assert [box.x for box in panel.boxes] == [(10.0, 12.0), (18.0, 20.0)]
    assert panel.words[0].text == "← ABC"
    arrow = next(one for one in panel.series if one.symbol)
    assert (arrow.symbol, arrow.x.tolist()) == ("triangle-left", [20.0])
    assert gene_panel([gene], (50.0, 60.0)) is None


def test_exons_count_from_one_and_are_closed(association_folder: Path) -> None:
    rows = read(association_folder).gene_models.head(1).assign(exons="31-40,11-20", start=11)
    (gene,) = read_genes(rows, "G000", 10.0)
    assert gene.exons == ((1.05, 2.05), (3.05, 4.05))
    assert (gene.start, gene.end) == (1.05, 4.05)
    with pytest.raises(FormatError, match="not exons"):
        read_genes(rows.assign(exons="11..20"), "G000", 10.0)
