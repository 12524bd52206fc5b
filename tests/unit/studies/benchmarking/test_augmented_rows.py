"""Rows of a benchmark that learn from generated positives, beside the same model without."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset import Dataset, write_dataset
from exprimo.core.dataset.generated import NOT_CHECKED, Generated, stamp_verdict, write_stamp
from exprimo.core.errors import ConfigError, InputError, LeakError
from exprimo.core.ledger import Ledger, keys_of
from exprimo.core.run import Run
from exprimo.studies.benchmarking import BenchmarkConfig, run_benchmark
from exprimo.studies.benchmarking.plan import own_imbalance

N, LENGTH = 240, 30


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """240 sequences, every sixth of them positive, on four chromosomes."""
    path = tmp_path_factory.mktemp("rows") / "D.h5"
    codes = np.random.default_rng(3).integers(0, 4, (N, LENGTH)).astype(np.uint8)
    with write_dataset(path, {}) as out:
        chroms = [f"c{row % 4 + 1}" for row in range(N)]
        ids = [f"e{row}" for row in range(N)]
        out.examples(pd.DataFrame({"example_id": ids, "chrom": chroms}))
        out.input("sequence", [codes])
        # Runs of six examples differ in chromosome, so each part has both classes.
        out.target("up", (np.arange(N) // 4 % 6 == 0).astype(float), kind="classification")
    return path


def sampled(path: Path, learned: Ledger, fidelity: str = "passed") -> Path:
    codes = np.random.default_rng(4).integers(0, 4, (200, LENGTH)).astype(np.uint8)
    with write_dataset(path, {}) as out:
        out.examples(pd.DataFrame({"example_id": [f"generated_{row}" for row in range(200)]}))
        out.input("sequence", [codes])
        out.target("up", np.ones(200), kind="classification")
    with h5py.File(path, "r+") as file:
        write_stamp(file, Generated({"family": "gan", "asked": {}}, learned, fidelity))
    if fidelity != NOT_CHECKED:
        stamp_verdict(path, fidelity, {})
    return path


ELSEWHERE = Ledger({"generator": {"sequence": frozenset({"elsewhere"})}})


def config(data: Path, **changes: Any) -> BenchmarkConfig:
    return BenchmarkConfig.checked(
        {
            "dataset": str(data),
            "models": ["onehot_xgboost", "trees_gan"],
            "variants": {"trees_gan": "onehot_xgboost"},
            "splits": ["chromosome"],
            "test_chroms": ["c1"],
            "val_chroms": ["c2"],
            "machine": {"device": "cpu", "threads": 1},
            **changes,
        }
    )


def test_such_a_row_stands_beside_its_model(data: Path, tmp_path: Path) -> None:
    sample = sampled(tmp_path / "S.h5", ELSEWHERE)
    wanted = config(data, augment={"trees_gan": {"sample": str(sample), "ratio": 0.5}})
    done = run_benchmark(wanted, tmp_path / "B")
    with_it, without = (
        Run.open(done.path / "runs" / f"{name}-chromosome-s0").metrics["augment"]
        for name in ("trees_gan", "onehot_xgboost")
    )
    # 120 train, 20 of them positive: half as many positives as negatives are 30 more.
    assert (with_it["n"], with_it["ratio"], with_it["family"]) == (30, 0.5, "gan")
    assert without is None
    pairs = done.paired[["model_a", "model_b"]].to_numpy().tolist()
    assert {"trees_gan", "onehot_xgboost"} in [set(pair) for pair in pairs]
    page = done.report.read_text(encoding="utf-8")
    assert "trees_gan learned from 30 generated positives" in page
    assert "onehot_xgboost learned from" not in page
    # Its own config.toml makes it again.
    assert BenchmarkConfig.load(done.path / "config.toml").augment == wanted.augment


def test_what_treats_the_classes_of_others_is_not_added_to_it(data: Path) -> None:
    both = config(data, augment={"trees_gan": {"sample": "S.h5"}}, fit={"imbalance": "oversample"})
    assert own_imbalance("trees_gan", both) == "none"
    assert own_imbalance("onehot_xgboost", both) == "oversample"


def test_samples_are_refused_before_anything_is_trained(data: Path, tmp_path: Path) -> None:
    with Dataset.open(data) as opened:
        # Example 0 is on c1, which judges.
        leaking = Ledger({"generator": {"sequence": keys_of(opened, np.array([0]))["sequence"]}})
    cases = (
        (sampled(tmp_path / "L.h5", leaking), LeakError, "learned from examples that validate"),
        (sampled(tmp_path / "U.h5", ELSEWHERE, NOT_CHECKED), InputError, "nobody has checked"),
        (tmp_path / "none.h5", InputError, "exprimo generate sample GEN"),
    )
    for sample, error, words in cases:
        wanted = config(data, augment={"trees_gan": {"sample": str(sample)}})
        with pytest.raises(error, match=words):
            run_benchmark(wanted, tmp_path / sample.stem)
        assert not list(tmp_path.glob("**/predictions.parquet"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"splits": ["chromosome", "random"]}, "name one split, not chromosome, random"),
        ({"augment": {"trees_gan": {"sample": "S.h5", "ration": 1}}}, "ration"),
        ({"augment": {"trees_gan": {"ratio": 2.0}}}, "ratio does nothing without"),
    ],
)
def test_settings_that_make_no_sense(data: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        config(data, **{"augment": {"trees_gan": {"sample": "S.h5"}}, **changes})


def test_a_row_that_is_not_compared(data: Path, tmp_path: Path) -> None:
    wanted = config(data, augment={"tree": {"sample": str(sampled(tmp_path / "S.h5", ELSEWHERE))}})
    with pytest.raises(ConfigError, match="augment of a model that is not compared"):
        run_benchmark(wanted, tmp_path / "B")
