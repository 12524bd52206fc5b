"""Each figure of a study, and its answer, against the files that they are made from."""

from __future__ import annotations

import html
import json
import shutil
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from exprimo.report import build_report
from exprimo.report.charts.chart import Chart, Series
from exprimo.report.document.table import Table
from exprimo.report.page import make_page

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def charts(study_folder: Path) -> dict[str, Chart]:
    return {chart.key: chart for chart in make_page(study_folder).charts}


def rows_of(chart: Chart, series: Series) -> dict[str, tuple[float, float, float]]:
    """Give value and interval by the name of the row that each point lies nearest to."""
    near = [min(chart.y.ticks, key=lambda tick: abs(tick[0] - y))[1] for y in series.y]
    low, high = (series.x if end is None else end for end in (series.low, series.high))
    return dict(zip(near, zip(series.x, low, high, strict=True), strict=True))


def all_rows(chart: Chart) -> dict[str, tuple[float, float, float]]:
    return {name: row for s in chart.series for name, row in rows_of(chart, s).items()}


def triple(row: pd.Series, value: str) -> tuple[float, float, float]:
    return float(row[value]), float(row["low"]), float(row["high"])


def test_the_verdict_stands_at_its_rows(study_folder: Path, charts: dict[str, Chart]) -> None:
    rows = json.loads((study_folder / "study.json").read_text())["verdict"]["rows"]
    shown = all_rows(charts["verdict"])
    assert len(shown) == len(rows) == 3
    for row in rows:
        expected = (row["difference"], row["low"], row["high"])
        assert shown[f"cnn − {row['baseline']}"] == pytest.approx(expected)


def test_no_figure_says_again_what_another_said(
    study_folder: Path, charts: dict[str, Chart]
) -> None:
    assert "pairs" not in charts
    keys = [chart.key for chart in make_page(study_folder).charts]
    assert len(keys) == len(set(keys))
    titles = [chart.title for chart in make_page(study_folder).charts]
    assert len(titles) == len(set(titles))


def test_covariates_stand_at_their_auroc(study_folder: Path, charts: dict[str, Chart]) -> None:
    table = pd.read_csv(study_folder / "labels" / "covariates.tsv", sep="\t")
    among = {"among tested genes": "tested",
             "were untested genes called negative": "untested called negative"}  # fmt: skip
    chart = charts["covariates"]
    assert [s.name for s in chart.series] == list(among)
    for series in chart.series:
        mine = table[table["among"] == among[series.name]].set_index("covariate")
        shown = rows_of(chart, series)
        assert set(shown) == set(mine.index)
        for name, row in mine.iterrows():
            assert shown[str(name)] == pytest.approx(triple(row, "auroc"))
    assert [rule.at for rule in chart.rules] == [0.5]


def test_treatments_stand_at_their_scores(study_folder: Path, charts: dict[str, Chart]) -> None:
    table = pd.read_csv(study_folder / "imbalance" / "table.tsv", sep="\t")
    table = table[table["metric"] == "auprc"]
    chart = charts["imbalance"]
    assert [s.name for s in chart.series] == ["cnn", "kmer_linear"]
    for series in chart.series:
        shown = rows_of(chart, series)
        mine = table[table["model"] == series.name].set_index("strategy")
        for name, words in (("none", "none"), ("downsample", "downsampling")):
            assert shown[words] == pytest.approx(triple(mine.loc[name], "value"))


def test_the_chance_of_a_treatment_is_the_share_of_positives_in_the_test_part(
    study_folder: Path, charts: dict[str, Chart]
) -> None:
    run = study_folder / "benchmark" / "runs" / "cnn-homology-s0"
    counts = json.loads((run / "metrics.json").read_text())["confusion"]["test"]
    positive = (counts["tp"] + counts["fn"]) / sum(counts[k] for k in ("tp", "fp", "fn", "tn"))
    assert [rule.at for rule in charts["imbalance"].rules] == pytest.approx([positive])
    # The labels of all tested genes have another share.
    labels = json.loads((study_folder / "labels" / "prevalence.json").read_text())
    assert positive != pytest.approx(labels["prevalence"]["value"], abs=0.01)


def test_differences_of_treatments_are_those_of_the_file(
    study_folder: Path, charts: dict[str, Chart]
) -> None:
    table = pd.read_csv(study_folder / "imbalance" / "paired.tsv", sep="\t")
    table = table[table["metric"] == "auprc"].set_index(["strategy", "model"])
    shown = all_rows(charts["imbalance-paired"])
    assert len(shown) == len(table) == 8
    row = table.loc[("oversample", "kmer_linear")]
    assert shown["oversampling: kmer_linear"] == pytest.approx(triple(row, "difference"))
    worse = next(s for s in charts["imbalance-paired"].series if s.name == "worse")
    assert set(rows_of(charts["imbalance-paired"], worse)) == {
        "downsampling: cnn", "downsampling: kmer_linear",
    }  # fmt: skip


def test_balance_is_that_of_the_file(study_folder: Path, charts: dict[str, Chart]) -> None:
    table = pd.read_csv(study_folder / "enrichment" / "balance.tsv", sep="\t")
    chart = charts["balance"]
    for series, column in zip(chart.series, ("before", "after"), strict=True):
        shown = {name: value for name, (value, _, _) in rows_of(chart, series).items()}
        assert shown == pytest.approx(dict(zip(table["covariate"], table[column], strict=True)))
    assert [rule.at for rule in chart.rules] == [-0.1, 0.0, 0.1]


def test_finite_odds_are_never_cut_off(study_folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(study_folder, tmp_path / "s")
    path = copy / "enrichment" / "table.tsv"
    table = pd.read_csv(path, sep="\t")
    strong = (table["motif"] == "PROX") & (table["set"] == "down")
    table.loc[strong, ["odds_ratio", "low", "high"]] = (168.0, 53.0, 529.0)
    table.to_csv(path, sep="\t", index=False)
    chart = next(c for c in make_page(copy).charts if c.key == "motifs")
    assert chart.x.range is not None
    assert chart.x.range[0] < 53 < 529 < chart.x.range[1]
    down = next(s for s in chart.series if s.name.startswith("down") and not s.hollow)
    assert rows_of(chart, down)["PROX"] == pytest.approx((168.0, 53.0, 529.0))
    # Those of the fixture without bound, one in each set, are still at the edge.
    assert "3 odds ratios of 0, without bound" in chart.caption


def test_motifs_follow_the_ranks_among_all_changed_genes(charts: dict[str, Chart]) -> None:
    names = [name for _, name in sorted(charts["motifs"].y.ticks, reverse=True)]
    assert names[:3] == ["PROX", "ELF1", "SP1"]


def test_the_answer_is_three_sentences_with_intervals(study_folder: Path) -> None:
    answer = make_page(study_folder).values["s"].answer
    assert len(answer.sentences) == 3
    first, second, third = answer.sentences
    table = pd.read_csv(study_folder / "benchmark" / "table.tsv", sep="\t")
    row = table[
        (table["model"] == "cnn") & (table["split"] == "homology") & (table["metric"] == "auroc")
    ].iloc[0]
    assert f"{row['value']:.3f} [{row['low']:.3f},\u00a0{row['high']:.3f}]" in first
    assert second == (
        "It beats kmer_linear by 0.070 [0.040,\u00a00.100], gc_content by 0.190 "
        "[0.160,\u00a00.220] and expression by 0.110 [0.080,\u00a00.140]: paired on the same genes."
    )
    assert third.startswith("A random split")
    assert all("[" in sentence for sentence in answer.sentences)


def test_without_a_looser_split_the_third_sentence_is_of_the_covariates(
    made_up_study: ModuleType, made_up: ModuleType, tmp_path: Path
) -> None:
    world = made_up_study.StudyWorld(parts=("benchmark", "examination"), beaten=False)
    folder = made_up_study.make_study(tmp_path / "s", world, made_up)
    paired = folder / "benchmark" / "paired.tsv"
    table = pd.read_csv(paired, sep="\t")
    table[table["kind"] == "model"].to_csv(paired, sep="\t", index=False)
    _, second, third = make_page(folder).values["s"].answer.sentences
    assert second.startswith("It is not shown to beat kmer_linear (0.070 [−0.130,")
    assert third == (
        "Among all tested genes gene length alone, without any promoter, tells the changed ones "
        "with AUROC 0.560 [0.525,\u00a00.595]."
    )


def test_the_model_that_validation_chose_answers(study_folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(study_folder, tmp_path / "s")
    path = copy / "benchmark" / "benchmark.json"
    facts = json.loads(path.read_text())
    for model in facts["models"]:
        if model["name"] == "kmer_linear":
            model["role"] = "model"
    path.write_text(json.dumps(facts))
    table = pd.read_csv(copy / "benchmark" / "table.tsv", sep="\t")
    table.loc[table["model"] == "kmer_linear", "role"] = "model"
    table.to_csv(copy / "benchmark" / "table.tsv", sep="\t", index=False)
    study = json.loads((copy / "study.json").read_text())
    study["verdict"] |= {"model": "kmer_linear", "rows": []}
    (copy / "study.json").write_text(json.dumps(study))
    view = make_page(copy).values["s"]
    assert "kmer_linear predicts “changed” with AUROC" in view.answer.sentences[0]
    assert view.answer.tiles[0].label == "AUROC of kmer_linear"
    titles = [doubt.title for doubt in view.doubts]
    assert "The model that answers was chosen on validation" in titles
    assert "The best model was chosen on the test part" not in titles


def test_settings_of_the_study_are_on_its_page(study_folder: Path, tmp_path: Path) -> None:
    text = html.unescape(build_report(study_folder, tmp_path / "r.html").read_text("utf-8"))
    assert "Settings of the study" in text
    assert '"upstream": 1500' in text


def test_a_verdict_on_one_metric_is_headed_by_it(study_folder: Path) -> None:
    tables: list[Table] = make_page(study_folder).values["s"].tables["imbalance"]
    assert tables[1].columns[-1].label == "Verdict (AUPRC)"
    assert tables[0].columns[-1].label == "Homology groups"
    assert np.isfinite([float(row[-1].order) for row in tables[0].rows]).all()
