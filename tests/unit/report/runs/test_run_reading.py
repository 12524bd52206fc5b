"""Reading Runs and benchmarks, whole and damaged."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from exprimo.core.errors import FormatError, InputError, VersionError
from exprimo.report import build_report
from exprimo.report.runs.material import Comparison
from exprimo.report.runs.reading import read_material


def test_a_benchmark_is_read_with_its_strictest_split_first(regression: Path) -> None:
    material = read_material(regression)
    assert material.splits == ("homology", "chromosome", "random")
    # Baselines ran once, the network from two seeds.
    assert len(material.trained) == (3 + 2) * 3
    assert [t.seed for t in material.of("cnn", "random")] == [0, 1]
    assert [t.seed for t in material.of("mean", "random")] == [0]
    assert material.missing == ()
    table = pd.read_csv(regression / "table.tsv", sep="\t")
    chosen = (table["model"] == "cnn") & (table["split"] == "random") & (table["metric"] == "r2")
    score = material.score("cnn", "random", "r2")
    assert score is not None
    assert score.value == pytest.approx(float(table[chosen]["value"].iloc[0]), abs=1e-12)


def test_a_single_run_reads_the_scores_of_its_test_part(run: Path) -> None:
    material = read_material(run)
    written = json.loads((run / "metrics.json").read_text())["parts"]["test"]["pearson_r"]
    score = material.score("cnn", "homology")
    assert score is not None
    assert (score.value, score.low, score.n) == (written["value"], written["low"], written["n"])


def test_ranking_follows_the_direction_of_the_metric(regression: Path) -> None:
    from dataclasses import replace

    material = read_material(regression)
    by_r = [s.model for s in material.ranked("homology")]
    by_error = [s.model for s in replace(material, headline="mse").ranked("homology")]
    assert by_r[0] == by_error[0] == "cnn"
    assert by_error[-1] == "mean"


def test_a_comparison_stored_the_other_way_round_is_turned(regression: Path) -> None:
    material = read_material(regression)
    forward = material.compared("cnn", "mean", "homology")
    backward = material.compared("mean", "cnn", "homology")
    assert forward is not None
    assert backward is not None
    assert (backward.value, backward.low, backward.high) == (
        -forward.value,
        -forward.high,
        -forward.low,
    )


@pytest.mark.parametrize(
    ("metric", "low", "high", "verdict"),
    [
        ("pearson_r", 0.01, 0.2, "better"),
        ("pearson_r", -0.2, -0.01, "worse"),
        ("pearson_r", -0.01, 0.2, "undecided"),
        ("pearson_r", math.nan, math.nan, "undecided"),
        ("mse", 0.01, 0.2, "worse"),
        ("mse", -0.2, -0.01, "better"),
        ("pearson_r", 0.0, 0.2, "undecided"),
    ],
)
def test_verdicts(metric: str, low: float, high: float, verdict: str) -> None:
    middle = (low + high) / 2
    pair = Comparison("model", "s", "a", "s", "b", metric, middle, low, high, 0.1, 30)
    assert pair.verdict == verdict


def test_a_missing_run_is_counted_and_not_fatal(regression: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(regression, tmp_path / "b")
    shutil.rmtree(copy / "runs" / "cnn-random-s1")
    assert read_material(copy).missing == ("runs/cnn-random-s1",)


def test_strategies_with_signs_that_files_cannot_bear(made_up: ModuleType, tmp_path: Path) -> None:
    splits = ("gene*cell", "column:batch")
    world = made_up.World(n=120, seeds=(0,), splits=splits, models=("cnn", "mean"))
    folder = made_up.make_benchmark(tmp_path / "b", world)
    material = read_material(folder)
    assert material.missing == ()
    assert set(material.split_of) == set(material.torn) == set(splits)
    assert {(t.model, t.split) for t in material.trained} == {
        (model, split) for model in world.models for split in splits
    }
    page = build_report(folder).read_text(encoding="utf-8")
    assert "splits/gene-x-cell.overlaps.tsv" in page


def test_runs_on_a_share_of_the_training_part_are_no_rows_of_their_own(
    regression: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(regression, tmp_path / "b")
    path = copy / "benchmark.json"
    facts = json.loads(path.read_text())
    share = {"model": "cnn", "split": "homology", "seed": 0, "fraction": 0.5, "folder": "runs/x"}
    path.write_text(json.dumps(facts | {"runs": [*facts["runs"], share]}))
    material = read_material(copy)
    assert len(material.of("cnn", "homology")) == 2
    assert material.missing == ()


def test_a_gene_called_na_stays_a_name(made_up: ModuleType, tmp_path: Path) -> None:
    folder = made_up.make_benchmark(
        tmp_path / "b", made_up.World(n=120, seeds=(0,), splits=("random",), models=("cnn",))
    )
    path = folder / "splits" / "random.overlaps.tsv"
    path.write_text("example_id_test\tgene_id_test\nNA\tnan\n")
    torn = read_material(folder).torn["random"]
    assert torn.iloc[0].tolist() == ["NA", "nan"]


def test_a_score_that_does_not_exist_comes_last(regression: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(regression, tmp_path / "b")
    table = pd.read_csv(copy / "table.tsv", sep="\t")
    chosen = (table["model"] == "gc_content") & (table["metric"] == "pearson_r")
    table.loc[chosen, ["value", "low", "high"]] = math.nan
    table.to_csv(copy / "table.tsv", sep="\t", index=False)
    ranked = read_material(copy).ranked("homology")
    assert [s.model for s in ranked] == ["cnn", "kmer_linear", "mean", "gc_content"]
    page = build_report(copy).read_text(encoding="utf-8")
    assert "NaN" not in page[page.index('id="figures">') :].partition("</script>")[0]


def test_a_history_without_losses_is_named(run: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(run, tmp_path / "run")
    (copy / "history.csv").write_text("epoch\n1\n")
    with pytest.raises(FormatError, match=r"history.csv.*columns are missing"):
        build_report(copy)
    assert not (copy / "report.html").exists()


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="neither a run nor a benchmark"):
        read_material(tmp_path)


def test_a_newer_benchmark_is_refused(regression: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(regression, tmp_path / "b")
    facts = json.loads((copy / "benchmark.json").read_text())
    (copy / "benchmark.json").write_text(json.dumps(facts | {"format_version": 99}))
    with pytest.raises(VersionError, match="newer Exprimo"):
        read_material(copy)


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("table.tsv", None, "table.tsv is missing"),
        ("table.tsv", "model\tvalue\ncnn\t1\n", "columns are missing"),
        ("benchmark.json", "{", "not valid JSON"),
        ("benchmark.json", '{"format_version": 1, "splits": ["random"]}', "models: a key"),
    ],
)
def test_damage_is_named(
    regression: Path, tmp_path: Path, name: str, text: str | None, found: str
) -> None:
    copy = shutil.copytree(regression, tmp_path / "b")
    if text is None:
        (copy / name).unlink()
    else:
        (copy / name).write_text(text)
    with pytest.raises(FormatError, match=found):
        read_material(copy)


def test_a_word_where_a_number_belongs_is_named(regression: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(regression, tmp_path / "b")
    table = pd.read_csv(copy / "table.tsv", sep="\t", dtype=str)
    table.loc[0, "value"] = "high"
    table.to_csv(copy / "table.tsv", sep="\t", index=False)
    with pytest.raises(FormatError, match=r"column value.*not a number"):
        read_material(copy)
