"""Runs on classes: three of them, unequal ones, trees on bases and on features."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file
from sklearn import metrics as oracle

from exprimo.core.dataset import Dataset, write_dataset
from exprimo.core.errors import ConfigError, InputError, MismatchError
from exprimo.core.run import PREDICTION_COLUMNS, Run, probability_columns
from exprimo.models.stored import load_model
from exprimo.scoring import evaluate, predict
from exprimo.training import TrainConfig, train_run
from exprimo.training import loop as loop_module
from exprimo.training import run as run_module

pytestmark = pytest.mark.slow

NAMES = ["down", "none", "up"]
NET = {"channels": 8, "stem_channels": 16, "hidden": 8, "head_channels": 4, "grid": 8}
TREES = {"net_options": NET, "depths": [2, 3], "rates": [0.3], "rounds": 20, "patience": 5}
FIT = {"epochs": 6, "batch_size": 32, "average": 0.9, "shift": 0}
OPTIONS: dict[str, dict[str, Any]] = {
    "cnn": NET,
    "cnn_xgboost": TREES,
    "onehot_xgboost": {"rounds": 40, "rate": 0.3, "depth": 4},
    "kmer_linear": {"k": 3},
}


def _train(dataset: Path, out: Path, model: str = "cnn", **changes: Any) -> Run:
    fit = {**FIT, **changes.pop("fit", {})}
    resume = changes.pop("resume", False)
    values = {
        "dataset": str(dataset),
        "target": "change",
        "model": model,
        "split": {"strategy": "random", "fractions": [0.6, 0.2, 0.2]},
        "fit": fit,
        "machine": {"device": "cpu", "threads": 1, "precision": "fp32"},
        "options": OPTIONS.get(model, {}),
        **changes,
    }
    return train_run(TrainConfig.checked(values), out, resume=resume)


@pytest.fixture(scope="module")
def three(changes: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return _train(changes, tmp_path_factory.mktemp("classes") / "run", ensemble=2)


def test_predictions_hold_every_class(three: Run) -> None:
    table = three.predictions()
    assert tuple(table.columns) == (*PREDICTION_COLUMNS, *probability_columns(NAMES))
    p = table[probability_columns(NAMES)].to_numpy()
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(table["prediction"], p.argmax(axis=1))
    assert set(table["target"]) == {0, 1, 2}
    assert (table["prediction_sd"] > 0).all()


def test_metrics_are_scikit_learns_on_the_test_part(three: Run) -> None:
    metrics = three.metrics
    assert metrics["task"] == "multiclass"
    assert metrics["headline"] == "auroc_macro"
    assert metrics["classes"] == NAMES
    assert metrics["threshold"] is None
    assert metrics["conformal"] is None
    test = three.split.example_id[three.split.rows("test")]
    table = three.predictions().set_index("example_id").loc[test]
    p = table[probability_columns(NAMES)].to_numpy(np.float64)
    found = metrics["parts"]["test"]["auroc_macro"]
    p /= p.sum(axis=1, keepdims=True)
    expected = oracle.roc_auc_score(table["target"], p, multi_class="ovr")
    assert found["value"] == pytest.approx(expected, abs=1e-6)
    assert found["low"] <= found["value"] <= found["high"]
    assert found["value"] > 0.6
    matrix = oracle.confusion_matrix(table["target"], table["prediction"])
    assert metrics["confusion"]["test"] == {"classes": NAMES, "matrix": matrix.tolist()}
    largest = (table["target"] == 1).mean()
    assert metrics["majority"] == {"accuracy": pytest.approx(largest), "class": 1.0, "name": "none"}


def test_it_predicts_and_is_judged_again_from_its_files(
    three: Run, changes: Path, tmp_path: Path
) -> None:
    found = evaluate(three.path, threads=1)
    stored = three.metrics
    assert found.confusion == stored["confusion"]["test"]
    for name, estimate in stored["parts"]["test"].items():
        assert found.metrics[name]["value"] == pytest.approx(estimate["value"], abs=1e-6)
    done = predict(three.path, changes, tmp_path / "P.tsv", threads=1).table
    before = three.predictions().set_index("example_id")
    after = done.set_index("example_id").loc[before.index]
    np.testing.assert_allclose(after.to_numpy(), before.to_numpy(), atol=1e-5)
    with pytest.raises(ConfigError, match="no conformal interval"):
        predict(three.path, changes, tmp_path / "Q.tsv", intervals=True, threads=1)


def test_other_classes_are_not_mistaken_for_those_that_were_learned(
    three: Run, tmp_path: Path
) -> None:
    other = tmp_path / "other.h5"
    with write_dataset(other, {}) as out:
        out.examples(pd.DataFrame({"example_id": list("abc")}))
        out.input("sequence", [np.eye(3, 60, dtype=np.uint8)])
        out.target("change", [0, 1, 2], kind="multiclass", classes=NAMES[::-1])
    for ask in (
        lambda: evaluate(three.path, other, threads=1),
        lambda: predict(three.path, other, tmp_path / "P.tsv", threads=1),
    ):
        with pytest.raises(MismatchError, match=r"Found: up, none, down\. Expected: down, none"):
            ask()


def test_a_report_can_be_made_of_it(three: Run, tmp_path: Path) -> None:
    from exprimo.report import build_report

    built = build_report(three.path, tmp_path / "report.html")
    page = Path(built.path if hasattr(built, "path") else built).read_text(encoding="utf-8")
    assert "AUROC (macro)" in page


@pytest.mark.parametrize("model", ["majority", "gc_content", "kmer_linear", "onehot_xgboost"])
def test_baselines_of_three_classes(model: str, changes: Path, tmp_path: Path) -> None:
    run = _train(changes, tmp_path / "r", model)
    value = run.metrics["parts"]["test"]["auroc_macro"]["value"]
    if model == "majority":
        assert value == 0.5
        assert run.metrics["parts"]["test"]["mcc_multiclass"]["value"] == 0
    elif model in ("kmer_linear", "onehot_xgboost"):
        assert value > 0.75
    # Trees on single bases are fitted in one call, but they contend.
    assert run.metrics["role"] == ("model" if model == "onehot_xgboost" else "baseline")


def test_the_counts_of_two_classes_at_the_threshold_of_validation(
    changes: Path, tmp_path: Path
) -> None:
    run = _train(changes, tmp_path / "r", "kmer_linear", target="up")
    limit = run.metrics["threshold"]["value"]
    table = run.predictions().set_index("example_id")
    for part in ("val", "test"):
        rows = table.loc[run.split.example_id[run.split.rows(part)]]
        counts = oracle.confusion_matrix(rows["target"], rows["prediction"] >= limit).ravel()
        expected = dict(zip(("tn", "fp", "fn", "tp"), counts.tolist(), strict=True))
        assert run.metrics["confusion"][part] == {"threshold": limit, **expected}


def test_numbers_have_no_confusion(planted: Path, tmp_path: Path) -> None:
    run = _train(planted, tmp_path / "r", "gc_content", target="y")
    assert run.metrics["confusion"] is None
    assert run.metrics["classes"] is None
    with pytest.raises(ConfigError, match="a regression has no classes to balance"):
        _train(planted, tmp_path / "s", target="y", fit={"imbalance": "oversample"})


def test_trees_on_features_of_a_network(changes: Path, tmp_path: Path) -> None:
    run = _train(changes, tmp_path / "r", "cnn_xgboost", ensemble=2)
    metrics = run.metrics
    assert metrics["role"] == "model"
    assert metrics["parts"]["test"]["auroc_macro"]["value"] > 0.6
    assert [sorted(one) for one in metrics["chosen"]["trees"]] == [
        ["depth", "rate", "rounds", "validation_loss"]
    ] * 2
    assert all(one["depth"] in (2, 3) for one in metrics["chosen"]["trees"])
    assert set(run.history()["member"]) == {0, 1}
    tensors = load_file(run.weights_path)
    assert {"trees0", "trees1"} <= tensors.keys()
    learned = run.ledger.learned
    assert learned["boosted trees"] == learned["weights"]
    with Dataset.open(changes) as data:
        again = load_model(run.weights_path).predict(data.batch(("sequence",), np.arange(500)))
    stored = run.predictions()[probability_columns(NAMES)].to_numpy()
    np.testing.assert_allclose(again.mean, stored, atol=1e-5)


def _assert_equal_runs(one: Run, other: Run) -> None:
    ours, theirs = load_file(one.weights_path), load_file(other.weights_path)
    assert ours.keys() == theirs.keys()
    for name, values in ours.items():
        np.testing.assert_array_equal(values, theirs[name], err_msg=name)
    pd.testing.assert_frame_equal(one.predictions(), other.predictions())


@pytest.mark.parametrize(
    ("model", "way"), [("cnn", "oversample"), ("cnn", "downsample"), ("cnn_xgboost", "oversample")]
)
def test_resuming_ends_the_same(
    model: str, way: str, changes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings: dict[str, Any] = {"fit": {"imbalance": way, "epochs": 3}, "ensemble": 2}
    whole = _train(changes, tmp_path / "whole", model, **settings)
    save = loop_module.save_state

    def save_then_stop(*arguments: Any) -> None:
        save(*arguments)
        raise KeyboardInterrupt

    for _ in range(4):  # the last one in the second member
        monkeypatch.setattr(loop_module, "save_state", save_then_stop)
        with pytest.raises(KeyboardInterrupt):
            _train(changes, tmp_path / "resumed", model, resume=True, **settings)
    monkeypatch.setattr(loop_module, "save_state", save)
    resumed = _train(changes, tmp_path / "resumed", model, resume=True, **settings)
    _assert_equal_runs(resumed, whole)
    again = _train(changes, tmp_path / "resumed", model, resume=True, **settings)
    assert again.metrics == resumed.metrics


@pytest.mark.parametrize("way", ["class_weights", "focal", "oversample", "downsample"])
@pytest.mark.parametrize("target", ["change", "up"])
def test_every_way_trains_a_network_and_leaves_judging_as_it_was(
    way: str, target: str, changes: Path, tmp_path: Path
) -> None:
    run = _train(changes, tmp_path / "r", target=target, fit={"imbalance": way, "epochs": 2})
    plain = _train(changes, tmp_path / "p", target=target, fit={"epochs": 2})
    column = "probability_up" if target == "change" else "prediction"
    ours, theirs = (r.predictions()[column].to_numpy() for r in (run, plain))
    assert np.abs(ours - theirs).max() > 1e-3
    assert (run.history()["train_loss"] != plain.history()["train_loss"]).all()
    # Validation and test keep every example, once.
    assert len(ours) == 500
    for part in ("val", "test"):
        n = {m["n"] for m in run.metrics["parts"][part].values()}
        assert n == {len(run.split.rows(part))}


def test_balanced_training_calls_more_of_what_is_rare(changes: Path, tmp_path: Path) -> None:
    means = {}
    for way in ("none", "class_weights", "oversample", "downsample"):
        run = _train(changes, tmp_path / way, "kmer_linear", target="up", fit={"imbalance": way})
        test = run.split.example_id[run.split.rows("test")]
        means[way] = run.predictions().set_index("example_id").loc[test, "prediction"].mean()
    assert means.pop("none") == pytest.approx(0.25, abs=0.06)
    assert all(mean > 0.33 for mean in means.values()), means


@pytest.mark.parametrize("model", ["cnn", "kmer_linear", "onehot_xgboost", "cnn_xgboost"])
@pytest.mark.parametrize("way", ["none", "oversample", "downsample"])
def test_no_test_row_enters_fitting(
    model: str, way: str, changes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[np.ndarray] = []
    whole_fit, fetch = run_module.fit_model, Dataset.rows

    def noted(self: Dataset, name: str, examples: np.ndarray) -> Any:
        fetched.append(examples)
        return fetch(self, name, examples)

    def fit_and_note(*arguments: Any) -> Any:
        monkeypatch.setattr(Dataset, "rows", noted)
        try:
            return whole_fit(*arguments)
        finally:
            monkeypatch.setattr(Dataset, "rows", fetch)

    monkeypatch.setattr(run_module, "fit_model", fit_and_note)
    run = _train(changes, tmp_path / "r", model, fit={"imbalance": way, "epochs": 1})
    seen = set(np.concatenate(fetched).tolist())
    assert not seen & set(run.split.rows("test").tolist())
    assert seen <= {*run.split.rows("train").tolist(), *run.split.rows("val").tolist()}
    if way == "downsample":
        learned = seen & set(run.split.rows("train").tolist())
        assert len(learned) < 0.6 * len(run.split.rows("train"))


def test_a_class_that_a_part_lacks_is_named(changes: Path, tmp_path: Path) -> None:
    import shutil

    import h5py

    few = tmp_path / "few.h5"
    shutil.copy(changes, few)
    with h5py.File(few, "r+") as file:
        codes = file["targets/change"]
        codes[:] = np.where(codes[:] == 0, 1, codes[:])
    with pytest.raises(InputError, match=r"the train part holds no example of a class.*down"):
        _train(few, tmp_path / "r")
    assert not (tmp_path / "r").exists()


def test_a_hybrid_of_no_network_is_refused(changes: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"net: not a network.*kmer_linear \(baseline\)"):
        _train(changes, tmp_path / "r", "cnn_xgboost", options={"net": "kmer_linear"})
    with pytest.raises(ConfigError, match="unknown key"):
        _train(changes, tmp_path / "r", "cnn_xgboost", options={"net_options": {"chanels": 8}})
