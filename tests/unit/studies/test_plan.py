"""Which runs a benchmark consists of, and its tables."""

from __future__ import annotations

import numpy as np
import pytest

from exprimo.core.errors import ConfigError
from exprimo.evaluate import Difference
from exprimo.studies.benchmarking.config import BenchmarkConfig
from exprimo.studies.benchmarking.plan import PlannedRun, plan_runs, slug
from exprimo.studies.benchmarking.tables import Cell, paired_table, score_table


def config(**values: object) -> BenchmarkConfig:
    return BenchmarkConfig.checked({"dataset": "D.h5", **values})


def test_baselines_come_unasked_first_and_once() -> None:
    runs = plan_runs(config(splits=["homology", "random"], seeds=3, seed=5), "regression")
    kinds = [run.model for run in runs]
    assert kinds == ["mean", "gc_content", "kmer_linear"] * 2 + ["cnn"] * 6
    assert [run.seed for run in runs if run.model == "cnn"] == [5, 6, 7] * 2
    assert {run.seed for run in runs if run.model != "cnn"} == {5}
    assert len({run.folder for run in runs}) == len(runs)


def test_unasked_baselines_need_what_the_dataset_holds() -> None:
    runs = plan_runs(config(models=["halflife_cnn"]), "regression", ["halflife"])
    assert [run.model for run in runs] == ["mean", "halflife_cnn"]
    asked = plan_runs(config(models=["gc_content"]), "regression", ["halflife"])
    assert [run.model for run in asked] == ["mean", "gc_content"]


def test_a_baseline_that_was_asked_for_runs_once() -> None:
    runs = plan_runs(config(models=["kmer_linear", "cnn", "cnn"], splits=["random"]), "regression")
    assert [run.model for run in runs] == ["mean", "gc_content", "kmer_linear", "cnn"]


def test_the_learning_curve_is_that_of_the_last_model_under_the_first_split() -> None:
    asked = config(splits=["homology", "random"], seeds=2, fractions=[1.0, 0.5, 0.25, 0.5])
    shares = [run for run in plan_runs(asked, "regression") if run.fraction < 1]
    assert shares == [
        PlannedRun("cnn", "homology", seed, share) for share in (0.25, 0.5) for seed in (0, 1)
    ]
    assert shares[0].folder == "cnn-homology-s0-f0.25"


@pytest.mark.parametrize("share", [0.0, -0.5, 1.5])
def test_a_share_that_is_none(share: float) -> None:
    with pytest.raises(ConfigError, match="not a share of the training part"):
        plan_runs(config(fractions=[share]), "regression")


def test_a_model_for_another_task() -> None:
    with pytest.raises(ConfigError, match="majority is not made for this kind of target"):
        plan_runs(config(models=["majority"]), "regression")
    models = [run.model for run in plan_runs(config(), "classification")]
    assert models == ["majority", "gc_content", "kmer_linear", "cnn"]


def test_an_unknown_model_is_named_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"kmer_liner.*kmer_linear"):
        plan_runs(config(models=["kmer_liner"]), "regression")


def test_folders_of_crosses_and_columns_can_be_made() -> None:
    assert slug("gene*cell") == "gene-x-cell"
    assert PlannedRun("cnn", "column:batch", 0, 1.0).folder == "cnn-column-batch-s0"


def cell(model: str, split: str, noise: float, seeds: int = 1, n: int = 60) -> Cell:
    rng = np.random.default_rng([len(model), len(split)])
    observed = np.linspace(-1, 1, n)
    predicted = observed + noise * rng.normal(size=(seeds, n))
    groups = np.array([f"{split}{i // 2}" for i in range(n)])
    return Cell(model, split, observed, predicted, groups, "gene", None)


def test_the_better_model_is_a_and_the_pairs_are_all_there() -> None:
    cells = [
        cell(model, split, noise, seeds)
        for split in ("homology", "random")
        for model, noise, seeds in (("mean", 3.0, 1), ("kmer_linear", 0.5, 1), ("cnn", 0.05, 3))
    ]
    table = paired_table(cells, "pearson_r")
    within = table[table["kind"] == "model"]
    assert len(within) == 2 * 3
    assert len(table) == 2 * 3 + 3
    best = within[(within["model_a"] == "cnn") & (within["model_b"] == "mean")]
    assert (best["low"] > 0).all()
    # One model under two splits: the headline minus the other.
    between = table[table["kind"] == "split"]
    assert set(between["split_a"]) == {"homology"}
    assert set(between["split_b"]) == {"random"}
    scores = score_table(cells, "regression")
    assert set(scores[scores["model"] == "cnn"]["n_seeds"]) == {3}
    assert set(scores["n_groups"]) == {30}
    assert set(scores[scores["model"] == "cnn"]["role"]) == {"model"}


def test_nothing_to_compare_still_has_a_header() -> None:
    table = paired_table([cell("mean", "random", 1.0)], "pearson_r")
    assert len(table) == 0
    assert list(table.columns) == [
        "kind", "split_a", "model_a", "split_b", "model_b", "metric", *Difference._fields,
    ]  # fmt: skip
