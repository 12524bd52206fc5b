"""Benchmarks on classes: unequal ones, and three of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset import write_dataset
from exprimo.core.errors import ConfigError
from exprimo.core.run import Run
from exprimo.studies.benchmarking import run_benchmark
from exprimo.studies.benchmarking.config import BenchmarkConfig
from exprimo.studies.benchmarking.plan import own_imbalance, plan_runs
from exprimo.training import TrainConfig


def _config(**values: object) -> BenchmarkConfig:
    return BenchmarkConfig.checked({"dataset": "D.h5", **values})


def test_models_that_come_unasked_are_left_as_they_are() -> None:
    focal = _config(models=["cnn", "onehot_xgboost"], fit={"imbalance": "focal"})
    assert own_imbalance("cnn", focal) == "focal"
    assert own_imbalance("kmer_linear", focal) == "none"
    weighed = _config(models=["cnn"], fit={"imbalance": "class_weights"})
    found = {name: own_imbalance(name, weighed) for name in ("majority", "kmer_linear", "cnn")}
    assert found == {"majority": "none", "kmer_linear": "class_weights", "cnn": "class_weights"}
    assert plan_runs(weighed, "multiclass")[0].model == "majority"


def test_models_that_were_asked_for_must_heed_it() -> None:
    with pytest.raises(ConfigError, match="onehot_xgboost has no use for this"):
        plan_runs(_config(models=["onehot_xgboost"], fit={"imbalance": "focal"}), "classification")
    with pytest.raises(ConfigError, match="a regression has no classes"):
        plan_runs(_config(fit={"imbalance": "oversample"}), "regression")


def test_hybrids_are_run_from_every_seed_and_trees_on_bases_once() -> None:
    models = ["onehot_xgboost", "cnn_xgboost"]
    runs = plan_runs(_config(models=models, splits=["random"], seeds=3), "classification")
    assert [run.seed for run in runs if run.model == "cnn_xgboost"] == [0, 1, 2]
    assert [run.seed for run in runs if run.model == "onehot_xgboost"] == [0]


def test_three_classes_to_tables_and_report(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    codes = rng.integers(0, 4, (240, 40)).astype(np.uint8)
    # What a single base at one place tells: trees find it, base composition does not.
    change = np.where(codes[:, 7] == 0, 0, np.where(codes[:, 7] == 3, 2, 1))
    with write_dataset(tmp_path / "D.h5", {}) as out:
        out.examples(pd.DataFrame({"example_id": [f"e{i}" for i in range(240)]}))
        out.input("sequence", [codes])
        out.target("change", change, kind="multiclass", classes=("down", "none", "up"))
    config = _config(
        dataset=str(tmp_path / "D.h5"),
        models=["onehot_xgboost"],
        splits=["random"],
        fractions=[0.5],
        fit={"imbalance": "oversample"},
        machine={"device": "cpu", "threads": 1, "precision": "fp32"},
        options={"kmer_linear": {"k": 2}, "onehot_xgboost": {"rounds": 20, "rate": 0.3}},
    )
    done = run_benchmark(config, tmp_path / "B")
    assert done.headline == "auroc_macro"
    scores = done.scores.pivot(index="model", columns="metric", values="value")
    assert scores.loc["majority", "auroc_macro"] == 0.5
    assert scores.loc["onehot_xgboost", "auroc_macro"] > 0.95
    assert scores.loc["onehot_xgboost", "mcc_multiclass"] > 0.9
    best = done.paired[done.paired["model_a"] == "onehot_xgboost"]
    assert (best["low"] > 0).all()
    ways = {
        model: TrainConfig.load(Run.open(folder).config_path).fit.imbalance
        for folder in (tmp_path / "B" / "runs").iterdir()
        if (model := folder.name.split("-")[0])
    }
    assert ways == {
        "majority": "none",
        "gc_content": "oversample",
        "kmer_linear": "oversample",
        "onehot_xgboost": "oversample",
    }
    page = (tmp_path / "B" / "report.html").read_text(encoding="utf-8")
    assert "AUROC (macro)" in page
    assert "Majority class accuracy" in page
