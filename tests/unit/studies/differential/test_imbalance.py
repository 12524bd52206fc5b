"""Ways of treating the rarer class: only training is touched, and each is held against none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset import write_dataset
from exprimo.core.run import Run
from exprimo.studies.benchmarking import BenchmarkConfig, run_benchmark
from exprimo.studies.differential.config import ImbalanceComparison
from exprimo.studies.differential.imbalance import METRICS, compare_imbalance, heeds
from exprimo.training import TrainConfig

N = 400


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A benchmark in which one in six is changed, and the comparison of three ways for two models.

    In half of the changed ones the first bases are T.
    """
    folder = tmp_path_factory.mktemp("imbalance")
    rng = np.random.default_rng(5)
    codes = rng.integers(0, 4, (N, 40)).astype(np.uint8)
    changed = np.arange(N) % 6 == 0
    codes[np.ix_(np.arange(N) % 12 == 0, range(5))] = 3
    ids = [f"g{k}" for k in range(N)]
    with write_dataset(folder / "D.h5", {}) as out:
        out.examples(pd.DataFrame({"example_id": ids, "gene_id": ids}))
        out.input("sequence", [codes])
        out.target("changed", changed, kind="classification")
    config = BenchmarkConfig.checked(
        {
            "dataset": str(folder / "D.h5"),
            "models": ["onehot_xgboost"],
            "splits": ["gene"],
            "machine": {"device": "cpu", "threads": 1, "precision": "fp32"},
            "options": {"kmer_linear": {"k": 2}, "onehot_xgboost": {"rounds": 10}},
        }
    )
    run_benchmark(config, folder / "B", report=False)
    wanted = ImbalanceComparison(
        strategies=("class_weights", "focal", "downsample"),
        generators=(),
        models=("onehot_xgboost", "kmer_linear"),
    )
    done = BenchmarkConfig.load(folder / "B" / "config.toml")
    compare_imbalance(wanted, done, folder / "B", folder / "I", resume=False)
    return folder


def test_each_model_has_a_row_for_none_and_for_each_way_that_it_heeds(compared: Path) -> None:
    table = pd.read_csv(compared / "I" / "table.tsv", sep="\t", keep_default_na=False)
    rows = table.groupby(["model", "strategy"])["metric"].apply(tuple).to_dict()
    # Trees and linear models have no loss to focus.
    ways = ("none", "class_weights", "downsample")
    assert rows == {
        (model, way): METRICS for model in ("onehot_xgboost", "kmer_linear") for way in ways
    }
    assert set(table["split"]) == {"gene"}
    none = table[(table["strategy"] == "none") & (table["model"] == "kmer_linear")]
    plain = Run.open(compared / "B" / "runs" / "kmer_linear-gene-s0").metrics["parts"]["test"]
    for row in none.itertuples():
        assert float(row.value) == pytest.approx(plain[row.metric]["value"])


def test_differences_are_those_of_the_table_to_none(compared: Path) -> None:
    table = pd.read_csv(compared / "I" / "table.tsv", sep="\t", keep_default_na=False)
    value = table.set_index(["model", "strategy", "metric"])["value"].astype(float)
    paired = pd.read_csv(compared / "I" / "paired.tsv", sep="\t")
    assert len(paired) == 2 * 2 * len(METRICS)
    for row in paired.itertuples():
        key = (row.model, row.strategy, row.metric)
        assert row.difference == pytest.approx(value[key] - value[row.model, "none", row.metric])
        assert row.low <= row.difference <= row.high


def test_validation_and_test_keep_the_prevalence_that_they_have(compared: Path) -> None:
    plain = Run.open(compared / "B" / "runs" / "onehot_xgboost-gene-s0")
    treated = Run.open(compared / "I" / "runs" / "onehot_xgboost-gene-s0-downsample")
    assert TrainConfig.load(plain.config_path).fit.imbalance == "none"
    assert TrainConfig.load(treated.config_path).fit.imbalance == "downsample"
    ours, theirs = (run.predictions().set_index("example_id") for run in (treated, plain))
    for part in ("val", "test"):
        rows = plain.split.example_id[plain.split.rows(part)]
        pd.testing.assert_series_equal(ours.loc[rows, "target"], theirs.loc[rows, "target"])
    assert (treated.split.part == plain.split.part).all()
    # Trained on as many of either class, the mean prediction is far above one in six.
    test = plain.split.example_id[plain.split.rows("test")]
    assert ours.loc[test, "prediction"].mean() > 0.35 > theirs.loc[test, "prediction"].mean()


def test_networks_heed_every_way() -> None:
    ways = ("class_weights", "focal", "oversample", "downsample")
    for model in ("cnn", "cnn2d", "cnn_bilstm", "transformer", "cnn_xgboost"):
        assert all(heeds(model, way) for way in ways), model
    assert [way for way in ways if heeds("kmer_linear", way)] == [
        "class_weights",
        "oversample",
        "downsample",
    ]
