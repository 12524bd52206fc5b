"""A model found, put on a machine, and asked: predictions and judgements."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset import Dataset, write_dataset
from exprimo.core.errors import ConfigError, FormatError, InputError
from exprimo.core.files.atomic import partial_path
from exprimo.core.run import Run
from exprimo.scoring import evaluate, predict, resolve_model
from exprimo.scoring.resolve import model_on
from exprimo.training import TrainConfig, train_run


def make_run(dataset: Path, out: Path, **values: object) -> Run:
    settings = {
        "dataset": str(dataset), "target": "y", "model": "gc_content",
        "split": {"strategy": "random"}, "machine": {"threads": 1, "precision": "fp32"}, **values,
    }  # fmt: skip
    return train_run(TrainConfig.checked(settings), out)


@pytest.fixture(scope="module")
def run(planted: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return make_run(planted, tmp_path_factory.mktemp("scoring") / "numbers")


@pytest.fixture(scope="module")
def classes(planted: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return make_run(planted, tmp_path_factory.mktemp("scoring") / "classes", target="high")


def test_what_is_no_model(planted: Path, tmp_path: Path) -> None:
    for name in ("nothing", "nothing:here.h5"):
        with pytest.raises(InputError, match="no such run, and no pretrained model of this name"):
            resolve_model(name)
    with pytest.raises(InputError, match=r"no such run\..*exprimo train"):
        resolve_model(tmp_path / "RUN")
    with pytest.raises(FormatError, match="a file, not a run"):
        resolve_model(planted)
    with pytest.raises(FormatError, match=r"not a run: provenance\.json is missing"):
        resolve_model(tmp_path)
    partial_path(tmp_path / "RUN").mkdir()
    with pytest.raises(InputError, match="did not finish"):
        predict(tmp_path / "RUN", planted, tmp_path / "P.tsv")


def test_a_run_computes_in_the_precision_that_it_was_trained_in(
    planted: Path, tmp_path: Path
) -> None:
    tiny = {"channels": 8, "stem_channels": 8, "head_channels": 4, "hidden": 8, "grid": 4}
    for precision in ("fp32", "bf16"):
        trained = make_run(
            planted,
            tmp_path / precision,
            model="cnn",
            options=tiny,
            fit={"epochs": 1},
            machine={"device": "cpu", "threads": 1, "precision": precision},
        )
        assert model_on(trained.path, device="cpu").predictor.precision == precision
        done = predict(trained.path, planted, tmp_path / f"{precision}.tsv", threads=1)
        before = trained.predictions().set_index("example_id")["prediction"]
        after = done.table.set_index("example_id")["prediction"].loc[before.index]
        np.testing.assert_allclose(after, before, rtol=1e-2 if precision == "bf16" else 1e-4)


def test_the_target_stands_beside_the_prediction(run: Run, planted: Path, tmp_path: Path) -> None:
    done = predict(run.path, planted, tmp_path / "P.parquet", threads=1)
    with Dataset.open(planted) as data:
        np.testing.assert_array_equal(done.table["target"], data.target("y"))
        other = predict(run.path, planted, tmp_path / "Q.tsv", target="high", threads=1).table
        np.testing.assert_array_equal(other["target"], data.target("high"))
    assert done.n_examples == len(done.table) == 600
    with pytest.raises(InputError, match=r"no target z.*high, y"):
        predict(run.path, planted, tmp_path / "R.tsv", target="z", threads=1)
    assert not (tmp_path / "R.tsv").exists()


def test_an_unknown_kind_of_output(run: Run, planted: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"unknown kind of output.*\.parquet"):
        predict(run.path, planted, tmp_path / "P.xlsx", threads=1)
    assert list(tmp_path.iterdir()) == []


def test_a_submission_has_the_columns_it_was_asked_for(
    run: Run, planted: Path, tmp_path: Path
) -> None:
    whole = predict(run.path, planted, tmp_path / "P.parquet").table
    predict(run.path, planted, tmp_path / "S", format="csv", columns=["id", "y"])
    found = pd.read_csv(tmp_path / "S")
    assert found.columns.tolist() == ["id", "y"]
    assert found["id"].tolist() == whole["example_id"].tolist()
    np.testing.assert_allclose(found["y"], whole["prediction"], rtol=1e-6)
    predict(run.path, planted, tmp_path / "T.csv", columns=["gene=id", "prediction_sd"])
    assert pd.read_csv(tmp_path / "T.csv").columns.tolist() == ["gene", "prediction_sd"]
    with pytest.raises(ConfigError, match="no such column of predictions"):
        predict(run.path, planted, tmp_path / "U.csv", columns=["expression"])
    with pytest.raises(ConfigError, match="asked for twice"):
        predict(run.path, planted, tmp_path / "U.csv", columns=["id", "id=y"])
    assert not (tmp_path / "U.csv").exists()


def test_classes_have_no_interval(classes: Run, planted: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no conformal interval is known"):
        predict(classes.path, planted, tmp_path / "P.tsv", intervals=True, threads=1)
    table = predict(classes.path, planted, tmp_path / "P.tsv", threads=1).table
    assert table["prediction"].between(0, 1).all()


def test_the_threshold_of_validation_is_used_everywhere(classes: Run) -> None:
    found = evaluate(classes.path, threads=1)
    assert found.threshold == classes.metrics["threshold"]["value"]
    assert found.headline == "auroc"
    stored = classes.metrics["parts"]["test"]
    assert found.metrics.keys() == stored.keys()
    for name in ("auroc", "mcc", "brier"):
        assert found.metrics[name]["value"] == pytest.approx(stored[name]["value"], abs=1e-9)


def test_each_part_of_its_own_dataset(run: Run) -> None:
    counts = run.split.counts()
    for part in ("train", "val", "test"):
        assert evaluate(run.path, on=part, threads=1).n_examples == counts[part]


def test_rows_without_a_target_are_not_judged(run: Run, tmp_path: Path) -> None:
    other = tmp_path / "other.h5"
    rng = np.random.default_rng(4)
    with write_dataset(other, {}) as out:
        out.examples(pd.DataFrame({"example_id": [f"n{i}" for i in range(50)]}))
        out.input("sequence", [rng.integers(0, 4, (50, 120)).astype(np.uint8)])
        values = rng.normal(size=50)
        values[:10] = np.nan
        out.target("y", values, kind="regression")
    found = evaluate(run.path, other, threads=1)
    assert (found.n_examples, found.part, found.leaks) == (40, "all", [])


def test_a_run_whose_dataset_has_moved(planted: Path, tmp_path: Path) -> None:
    here = tmp_path / "here.h5"
    here.write_bytes(planted.read_bytes())
    moved = make_run(here, tmp_path / "R")
    here.rename(tmp_path / "there.h5")
    with pytest.raises(InputError, match=r"has moved.*exprimo evaluate"):
        evaluate(moved.path, threads=1)
    # The same contents elsewhere are still its own dataset.
    assert evaluate(moved.path, tmp_path / "there.h5", threads=1).part == "test"
