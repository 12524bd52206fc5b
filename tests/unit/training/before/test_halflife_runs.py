"""Runs on half-life: what is learned first, what it is learned from, how it resumes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

from exprimo.core.dataset import Dataset, write_dataset
from exprimo.core.errors import ConfigError, MismatchError
from exprimo.core.run import Run
from exprimo.scoring import evaluate, predict
from exprimo.scoring.embeddings import embed
from exprimo.training import TrainConfig, train_run
from exprimo.training.before import pretext as pretext_module

pytestmark = pytest.mark.slow

SMALL = {"filters": 8, "kernel": 7, "bin": 20, "channels": [8], "hidden": [8]}
FIT = {"epochs": 3, "batch_size": 32, "shift": 0}


@pytest.fixture(scope="module")
def genes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 genes whose expression the first half-life feature and the content of A tell."""
    rng = np.random.default_rng(8)
    n = 300
    halflife = (rng.normal(size=(n, 8)) * 3 + 20).astype(np.float32)
    codes = rng.integers(0, 4, (n, 120)).astype(np.uint8)
    rich = rng.random(n)
    codes[rng.random((n, 120)) < 0.5 * rich[:, None]] = 0
    expression = halflife[:, 0] / 3 + 4 * rich + rng.normal(size=n) * 0.3
    expression[:5] = np.nan
    path = tmp_path_factory.mktemp("genes") / "D.h5"
    with write_dataset(path, {}) as out:
        names = [f"g{i}" for i in range(n)]
        out.examples(pd.DataFrame({"example_id": names, "gene_id": names}))
        out.input("sequence", [codes])
        out.input("halflife", [halflife])
        out.target("expression", expression, kind="regression")
    return path


def _train(genes: Path, out: Path, model: str = "halflife_cnn", **changes: Any) -> Run:
    resume = changes.pop("resume", False)
    values = {
        "dataset": str(genes),
        "model": model,
        "above": "median",
        "split": {"strategy": "random", "fractions": [0.6, 0.2, 0.2]},
        "fit": FIT,
        "machine": {"device": "cpu", "threads": 1, "precision": "fp32"},
        "options": SMALL,
        **changes,
    }
    return train_run(TrainConfig.checked(values), out, resume=resume)


def test_high_and_low_are_cut_at_the_training_median(genes: Path, tmp_path: Path) -> None:
    run = _train(genes, tmp_path / "r", options={**SMALL, "dna": "none"}, fit={"epochs": 20})
    with Dataset.open(genes) as dataset:
        values = dataset.target("expression")
        ids = dataset.column("example_id")
    train = run.split.rows("train")
    median = float(np.nanmedian(values[train]))
    assert run.metrics["above"] == {"rule": "median of the training part", "value": median}
    assert run.metrics["task"] == "classification"
    assert run.metrics["inputs"] == ["halflife"]
    table = run.predictions().set_index("example_id").loc[[i for i in ids if i not in ids[:5]]]
    np.testing.assert_array_equal(table["target"], values[5:] > median)
    assert "cut between high and low" in run.ledger.learned
    assert run.metrics["parts"]["test"]["auroc"]["value"] > 0.75
    again = evaluate(run.path)
    assert again.metrics["auroc"]["value"] == run.metrics["parts"]["test"]["auroc"]["value"]
    shown = predict(run.path, genes, tmp_path / "p.tsv").table
    assert set(shown["target"].dropna()) == {0, 1}


def test_a_label_cannot_be_cut(changes: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="only a continuous target"):
        _train(changes, tmp_path / "r", model="gc_content", target="up", options={})


def test_inputs_are_standardised_by_the_training_part(genes: Path, tmp_path: Path) -> None:
    run = _train(genes, tmp_path / "r", options={**SMALL, "dna": "none"})
    with Dataset.open(genes) as dataset:
        rows = run.split.rows("train")
        rows = rows[~np.isnan(dataset.target("expression")[rows])]
        values = dataset.batch(("halflife",), rows)["halflife"].astype(np.float64)
    weights = load_file(run.path / "model.safetensors")
    center = weights["member0/standardise.halflife.center"]
    np.testing.assert_allclose(center, values.mean(0), rtol=1e-6)
    factor = weights["member0/standardise.halflife.factor"]
    np.testing.assert_allclose(factor, 1 / values.std(0), rtol=1e-5)


def test_the_encoder_learns_first_and_is_then_frozen(genes: Path, tmp_path: Path) -> None:
    contrast = {"epochs": 2, "learning_rate": 1e-3}
    options = {**SMALL, "halflife": "encoded", "contrast": contrast}
    runs = [
        _train(genes, tmp_path / f"r{epochs}", options=options, fit={**FIT, "epochs": epochs})
        for epochs in (1, 3)
    ]
    losses = [epoch["loss"] for epoch in runs[0].metrics["chosen"]["before"][0]]
    assert len(losses) == 2
    assert losses[1] < losses[0]
    one, three = (load_file(run.path / "model.safetensors") for run in runs)
    encoded = [name for name in one if "encoder" in name]
    assert len(encoded) == 6
    for name in encoded:
        np.testing.assert_array_equal(one[name], three[name])
    assert "half-life encoder" in runs[0].ledger.learned


@pytest.mark.parametrize("stop_at", ["first", "loop"])
def test_a_killed_run_ends_the_same(
    genes: Path, tmp_path: Path, stop_at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {**SMALL, "halflife": "encoded", "contrast": {"epochs": 3, "learning_rate": 1e-3}}
    whole = _train(genes, tmp_path / "whole", options=options)
    from exprimo.training import loop as loop_module

    module = pretext_module if stop_at == "first" else loop_module
    saved = module.save_state
    calls = []

    def save_then_die(*args: Any) -> None:
        saved(*args)
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(module, "save_state", save_then_die)
    with pytest.raises(KeyboardInterrupt):
        _train(genes, tmp_path / "cut", options=options)
    monkeypatch.setattr(module, "save_state", saved)
    resumed = _train(genes, tmp_path / "cut", options=options, resume=True)
    one, other = (load_file(run.path / "model.safetensors") for run in (whole, resumed))
    for name, values in one.items():
        np.testing.assert_array_equal(values, other[name])
    assert not list(resumed.path.glob("state-*"))


def test_epochs_that_are_asked_for_are_those_of_the_autoencoder(
    genes: Path, tmp_path: Path
) -> None:
    options = {"bin": 20, "rounds": 2, "autoencoder": {"epochs": 2, "channels": [8]}}
    shared: dict[str, Any] = {"model": "autoencoder_xgboost", "options": options}
    asked = _train(genes, tmp_path / "asked", **shared)
    assert len(asked.metrics["chosen"]["before"][0]) == FIT["epochs"]
    own = _train(genes, tmp_path / "own", fit={}, **shared)
    assert len(own.metrics["chosen"]["before"][0]) == 2
    # Replayed from what it stored, a run is the same.
    again = train_run(TrainConfig.load(own.config_path), tmp_path / "again")
    assert again.metrics["chosen"]["before"] == own.metrics["chosen"]["before"]


def test_trees_on_an_autoencoders_code(genes: Path, tmp_path: Path) -> None:
    run = _train(
        genes,
        tmp_path / "r",
        model="autoencoder_xgboost",
        options={
            "bin": 20,
            "rounds": 30,
            "autoencoder": {"epochs": 2, "channels": [8], "batch_size": 16},
        },
    )
    assert run.metrics["inputs"] == ["sequence", "halflife"]
    assert run.metrics["parts"]["test"]["auroc"]["value"] > 0.75
    assert run.ledger.learned.keys() >= {"autoencoder", "boosted trees"}
    again = evaluate(run.path)
    assert again.metrics["auroc"]["value"] == run.metrics["parts"]["test"]["auroc"]["value"]


@pytest.fixture(scope="module")
def store(genes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store") / "S"
    embed("random-embedding:6", genes, path, bin=20)
    return path


def test_a_run_on_embeddings_is_trained_judged_and_predicts(
    genes: Path, store: Path, tmp_path: Path
) -> None:
    options = {**SMALL, "dna": "embedding", "filters": 0}
    run = _train(genes, tmp_path / "r", options=options, embeddings=str(store))
    assert run.metrics["inputs"] == ["embedding", "halflife"]
    assert run.provenance["embeddings"]["backbone"].startswith("random-embedding")
    again = evaluate(run.path)
    assert again.metrics["auroc"]["value"] == run.metrics["parts"]["test"]["auroc"]["value"]
    moved = store.rename(tmp_path / "moved")
    try:
        given = predict(run.path, genes, tmp_path / "p.tsv", embeddings=moved).table
    finally:
        moved.rename(store)
    expected = run.predictions().set_index("example_id")["prediction"]
    found = given.set_index("example_id")["prediction"].loc[expected.index]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_embeddings_of_another_kind_are_refused(genes: Path, store: Path, tmp_path: Path) -> None:
    options = {**SMALL, "dna": "embedding", "filters": 0}
    run = _train(genes, tmp_path / "r", options=options, embeddings=str(store))
    embed("random-embedding:6", genes, tmp_path / "coarse", bin=40)
    with pytest.raises(MismatchError, match="trained on other embeddings"):
        predict(run.path, genes, tmp_path / "p.tsv", embeddings=tmp_path / "coarse")


def test_a_model_that_reads_embeddings_asks_for_them(genes: Path, tmp_path: Path) -> None:
    with pytest.raises(MismatchError, match="exprimo embed MODEL"):
        _train(genes, tmp_path / "r", options={**SMALL, "dna": "embedding"})
