"""The page of a study: every section from its files, and each of them may be absent."""

from __future__ import annotations

import html
import json
import re
import shutil
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from exprimo.core.errors import FormatError, InputError, VersionError
from exprimo.report import build_report, write_figures
from exprimo.report.page import make_page
from exprimo.report.study.reading import read_study
from exprimo.report.wording import number

pytestmark = pytest.mark.slow

SECTIONS = (
    "answer", "distrust", "measured", "labels", "models", "imbalance", "curves", "targets",
    "motifs", "gene", "provenance",
)  # fmt: skip
FIGURES = {
    "verdict", "volcano", "ma", "dispersion", "pca", "sample_distances", "covariates",
    "imbalance", "imbalance-paired", "motifs", "balance", "models", "splits",
    "training-1", "accuracy-1", "roc", "pr", "calibration", "confusion-1", "confusion-2",
    "confusion-3", "confusion-4",
}  # fmt: skip


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def page(study_folder: Path) -> str:
    return build_report(study_folder).read_text(encoding="utf-8")


def tags_of(page: str) -> list[tuple[str, dict[str, str | None]]]:
    reader = Reader()
    reader.feed(page)
    return reader.tags


def test_sections_stand_in_order_with_all_figures(page: str, made_up: ModuleType) -> None:
    found = [a["id"] for tag, a in tags_of(page) if tag == "section"]
    assert found == list(SECTIONS)
    links = [a["href"] for tag, a in tags_of(page) if tag == "a" and "href" in a]
    assert {f"#{name}" for name in SECTIONS} <= set(links)
    assert made_up.figures_in(page).keys() == FIGURES


def test_the_page_is_small_whole_and_well_formed(study_folder: Path, page: str) -> None:
    assert (study_folder / "report.html").stat().st_size < 12e6
    assert {p.stem for p in (study_folder / "figures").iterdir()} == FIGURES
    tags = tags_of(page)
    ids = [a["id"] for _, a in tags if "id" in a]
    assert len(ids) == len(set(ids))
    levels = [int(tag[1]) for tag, _ in tags if re.fullmatch(r"h[1-6]", tag)]
    assert all(b - a <= 1 for a, b in pairwise(levels))
    assert all(a.get("alt") for t, a in tags if t == "img")
    for _, attributes in tags:
        assert (attributes.get("src") or "data:").startswith("data:")


def test_the_verdict_comes_first_and_every_card_names_its_file(page: str) -> None:
    text = html.unescape(page)
    verdict = "cnn beats the k-mer, GC and expression baselines on unseen homology groups."
    assert text.index(verdict) < text.index("What was measured</h2>")
    assert "a model beats the baselines" in text
    for name in (
        "study.json", "dge/results.tsv", "dge/summary.json", "dge/samples.tsv",
        "labels/covariates.tsv", "benchmark/table.tsv", "benchmark/paired.tsv",
        "benchmark/runs/cnn-homology-s0/history.csv", "benchmark/runs/*/metrics.json",
        "imbalance/table.tsv", "imbalance/paired.tsv", "enrichment/table.tsv",
        "enrichment/balance.tsv", "benchmark/splits/homology.parquet",
    ):  # fmt: skip
        assert f"<code>{name}</code>" in page or f">{name}</code>" in page, name
    # Nothing is said to come from a file that lies elsewhere.
    assert "<code>table.tsv</code>" not in page
    assert "<code>metrics.json</code>" not in page


def test_every_figure_says_where_its_numbers_come_from(study_folder: Path) -> None:
    for chart in make_page(study_folder).charts:
        assert chart.sources, chart.key
        for source in chart.sources:
            assert (study_folder / source).is_file(), (chart.key, source)


def test_numbers_of_the_labels_are_those_of_the_file(study_folder: Path, page: str) -> None:
    text = html.unescape(page)
    facts = json.loads((study_folder / "labels" / "prevalence.json").read_text())
    assert f"17.0% [15.1%,\u00a018.9%] of {facts['n_tested']:,} tested genes are called" in text
    assert "would tell called genes with an AUROC of 0.810 [0.780,\u00a00.840]" in text
    assert "among tested genes it is 0.503 [0.468,\u00a00.538]" in text
    # Of the covariates only the one whose interval excludes 0.5 is followed.
    assert "Among tested genes the label still follows gene length (0.560" in text


def test_the_truth_of_a_simulated_world_is_told_where_it_belongs(page: str) -> None:
    text = html.unescape(page)
    assert "of 412 genes that truly changed 81% are called, and 4% of the called genes did" in text
    assert (
        "The factor whose activity truly changed, PROX, ranks 1st by presence and 1st by counts"
        in text
    )
    assert "The data are simulated" in text
    assert "the ceiling (AUROC of the true probabilities) is 0.970" in text


@pytest.mark.parametrize(
    ("helped", "said"),
    [
        (False, "No treatment is shown to help: none raises AUPRC beyond its paired interval. "
                "Worse than none: downsampling for cnn"),
        (True, "In AUPRC, class weights for cnn (0.080 [0.060,\u00a00.100]) and "
               "class weights for kmer_linear (0.080 [0.060,\u00a00.100]) helped."),
    ],
)  # fmt: skip
def test_whether_a_treatment_helped_follows_its_interval(
    made_up_study: ModuleType, made_up: ModuleType, tmp_path: Path, helped: bool, said: str
) -> None:
    world = made_up_study.StudyWorld(parts=("imbalance", "examination"), helped=helped)
    text = html.unescape(
        build_report(made_up_study.make_study(tmp_path / "s", world, made_up)).read_text("utf-8")
    )
    assert said in text
    assert "Judged at the true prevalence of the test part." in text
    assert "Resampling and weights touched training only." in text


def test_the_motifs_are_those_of_the_file(study_folder: Path, page: str) -> None:
    charts = {chart.key: chart for chart in make_page(study_folder).charts}
    table = pd.read_csv(study_folder / "enrichment" / "table.tsv", sep="\t")
    chosen = (table["test"] == "presence") & (table["set"] == "up") & (table["motif"] == "PROX")
    row = table[chosen].iloc[0]
    up = next(s for s in charts["motifs"].series if s.name == "up (255 genes)" and not s.hollow)
    position = {name: y for y, name in charts["motifs"].y.ticks}
    at = [k for k, y in enumerate(up.y) if abs(y - position["PROX"]) < 0.4]
    assert up.x[at[0]] == pytest.approx(row["odds_ratio"])
    # Odds without bound stand at the edge, and the table says infinity.
    edge = charts["motifs"].x.range
    assert edge is not None
    assert max(s.x.max() for s in charts["motifs"].series) == pytest.approx(edge[1])
    assert "without bound" in charts["motifs"].caption
    assert ">∞" in page
    assert "data-order=\"inf\"" not in page  # fmt: skip
    hollow = [s for s in charts["motifs"].series if s.hollow]
    assert hollow
    assert number(row["odds_ratio"]) in html.unescape(page)


def test_other_targets_have_a_row_each_and_their_scores(page: str) -> None:
    assert page.count("Every score of") == 2
    assert 'id="table-scores-target-1"' in page
    assert 'id="table-scores-target-2"' in page
    assert "targets/lfc/table.tsv" in page


def test_calls_and_accuracies_are_those_of_the_runs(study_folder: Path) -> None:
    charts = {chart.key: chart for chart in make_page(study_folder).charts}
    metrics = json.loads(
        (study_folder / "benchmark" / "runs" / "cnn-homology-s0" / "metrics.json").read_text()
    )
    counts = metrics["confusion"]["test"]
    matrix = charts["confusion-1"].matrix
    assert matrix is not None
    assert charts["confusion-1"].title == "Calls of cnn"
    assert matrix.cells[1][1].startswith(f"{counts['tp']:,} · ")
    assert matrix.values[0, 1] == pytest.approx(counts["fp"] / (counts["fp"] + counts["tn"]))
    history = pd.read_csv(study_folder / "benchmark" / "runs" / "cnn-homology-s0" / "history.csv")
    accuracy = {s.name: s for s in charts["accuracy-1"].series}
    assert accuracy["training"].y == pytest.approx(history["train_accuracy"].to_numpy())
    best = int(history["val_score"].idxmax())
    assert accuracy["best epoch"].x[0] == history["epoch"].iloc[best]
    assert accuracy["best epoch"].y[0] == pytest.approx(history["val_accuracy"].iloc[best])


PARTS = ("dge", "benchmark", "examination", "imbalance", "enrichment", "targets")


@pytest.mark.parametrize("absent", [*PARTS, "all"])
def test_a_study_without_a_part_still_has_a_page(
    study_folder: Path, tmp_path: Path, absent: str
) -> None:
    copy = shutil.copytree(study_folder, tmp_path / "s")
    path = copy / "study.json"
    facts = json.loads(path.read_text())
    parts = facts["parts"]
    facts["parts"] = {} if absent == "all" else {k: v for k, v in parts.items() if k != absent}
    if absent == "all":
        del facts["verdict"], facts["truth"]
    path.write_text(json.dumps(facts))
    text = build_report(copy).read_text(encoding="utf-8")
    named = {"dge": "measured", "benchmark": "models", "examination": "labels",
             "enrichment": "motifs"}  # fmt: skip
    gone = named.values() if absent == "all" else [named.get(absent, absent)]
    found = [a["id"] for tag, a in tags_of(text) if tag == "section"]
    assert not set(gone) & set(found)
    assert found[0] == "answer"
    assert found[-1] == "provenance"
    assert ("No part of this study has been made yet." in text) is (absent == "all")


def test_a_part_that_is_named_and_not_there_is_a_doubt(study_folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(study_folder, tmp_path / "s")
    shutil.rmtree(copy / "enrichment")
    shutil.rmtree(copy / "targets" / "lfc")
    assert read_study(copy).missing == ("targets/lfc", "enrichment")
    text = html.unescape(build_report(copy).read_text(encoding="utf-8"))
    assert "2 parts missing." in text
    assert "Named in study.json and not found: targets/lfc and enrichment." in text


def test_doubts_of_the_study_stand_among_those_of_the_benchmark(study_folder: Path) -> None:
    doubts = make_page(study_folder).values["s"].doubts
    weights = [doubt.weight for doubt in doubts]
    assert weights == sorted(weights, key=["serious", "caution", "checked"].index)
    titles = {doubt.title: doubt for doubt in doubts}
    assert titles["Matching left differences"].text.startswith("mean expression: beyond")
    assert titles["The labels follow more than promoters"].text.endswith(
        "gene length 0.560 [0.525,\u00a00.595]."
    )
    assert titles["The test itself warns"].text == "2 genes did not converge."
    assert "The best baseline is beaten" in titles
    assert titles["120 tested genes without a promoter"].weight == "checked"
    for doubt in doubts:
        # Paths inside a Run of the benchmark, or of the study.
        assert list(study_folder.glob(doubt.source)), doubt.source


def test_two_samples_a_side_are_few(made_up_study: ModuleType, tmp_path: Path) -> None:
    world = made_up_study.StudyWorld(
        parts=("dge",), experiment=made_up_study.Experiment(n=200, samples=4)
    )
    folder = made_up_study.make_study(tmp_path / "s", world, made_up_study)
    doubt = make_page(folder).values["s"].doubts[0]
    assert (doubt.weight, doubt.title) == ("serious", "Few replicates")
    assert doubt.text.startswith("Samples: 2 of IS and 2 of C.")


def test_when_no_model_wins_the_page_says_so(
    made_up_study: ModuleType, made_up: ModuleType, tmp_path: Path
) -> None:
    world = made_up_study.StudyWorld(parts=("benchmark",), beaten=False)
    folder = made_up_study.make_study(tmp_path / "s", world, made_up)
    text = html.unescape(build_report(folder).read_text(encoding="utf-8"))
    assert "no model beats the baselines" in text
    assert "No model is shown to beat the k-mer, GC and expression baselines." in text
    chart = next(c for c in make_page(folder).charts if c.key == "verdict")
    assert {s.name for s in chart.series} == {"undecided (0 inside)"}


def test_hostile_names_of_genes_and_motifs_are_only_text(
    made_up_study: ModuleType, made_up: ModuleType, tmp_path: Path
) -> None:
    bad = made_up.HOSTILE
    world = made_up_study.StudyWorld(
        question=bad, motifs=(bad, "$\\frac{", "=1+1"), verdict=True,
        experiment=made_up_study.Experiment(n=300, gene=bad + "{}"), truth=True,
    )  # fmt: skip
    folder = made_up_study.make_study(tmp_path / "s", world, made_up)
    page = build_report(folder).read_text(encoding="utf-8")
    tags = tags_of(page)
    assert [t for t, a in tags if "onerror" in a] == []
    # The figures, plotly, the genes and the page's own script.
    assert sum(t == "script" for t, _ in tags) == 4
    assert made_up.figures_in(page).keys() == FIGURES


def test_figures_of_a_study_can_be_written_alone(study_folder: Path, tmp_path: Path) -> None:
    written = write_figures(study_folder, tmp_path / "f")
    assert {path.stem for path in written} == FIGURES


@pytest.mark.parametrize(
    ("change", "error", "found"),
    [
        ({"format_version": 99}, VersionError, "newer Exprimo"),
        ({"parts": None}, FormatError, "parts"),
        ({"parts": ["dge"]}, FormatError, "not a table of folders"),
        ({"kind": "sequence"}, InputError, "neither a run nor a benchmark"),
    ],
)
def test_damage_of_a_study_is_named(
    study_folder: Path, tmp_path: Path, change: dict[str, object], error: type, found: str
) -> None:
    facts = json.loads((study_folder / "study.json").read_text()) | change
    (tmp_path / "study.json").write_text(json.dumps(facts))
    with pytest.raises(error, match=found):
        build_report(tmp_path)
