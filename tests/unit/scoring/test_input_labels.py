"""Columns of an input are matched by name: a network knows them by number only."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset import write_dataset
from exprimo.core.errors import MismatchError
from exprimo.core.run import Run
from exprimo.scoring import evaluate, predict
from exprimo.training import TrainConfig, train_run

LEARNED = ("utr3_gc", "cds_length", "junctions")


def genes(path: Path, labels: Sequence[str], seed: int = 0) -> Path:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(80, len(LEARNED))).astype(np.float32)
    with write_dataset(path, {}) as out:
        ids = [f"g{seed}-{i}" for i in range(80)]
        out.examples(pd.DataFrame({"example_id": ids, "gene_id": ids}))
        out.input("halflife", [values], labels=labels)
        out.target("y", values[:, 0].astype(float), kind="regression")
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    home = tmp_path_factory.mktemp("labels")
    settings = {
        "dataset": str(genes(home / "D.h5", LEARNED)),
        "target": "y",
        "model": "halflife_cnn",
        "options": {"dna": "none", "hidden": []},
        "split": {"strategy": "gene"},
        "fit": {"epochs": 1},
        "machine": {"device": "cpu", "threads": 1, "precision": "fp32"},
    }
    return train_run(TrainConfig.checked(settings), home / "R")


def test_the_same_columns_are_read(run: Run, tmp_path: Path) -> None:
    other = genes(tmp_path / "other.h5", LEARNED, seed=1)
    assert predict(run.path, other, tmp_path / "P.tsv", threads=1).n_examples == 80
    assert evaluate(run.path, other, threads=1).n_examples == 80


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (LEARNED[::-1], "stand in another order than the run learned"),
        (("a", "b", "c"), "are not those that the run learned"),
        ((), "columns without names"),
    ],
)
def test_other_columns_are_refused_with_both_lists(
    run: Run, tmp_path: Path, labels: tuple[str, ...], said: str
) -> None:
    other = genes(tmp_path / "other.h5", labels, seed=1)
    for ask in (
        lambda: predict(run.path, other, tmp_path / "P.tsv", threads=1),
        lambda: evaluate(run.path, other, threads=1),
    ):
        with pytest.raises(MismatchError, match=said) as refused:
            ask()
        assert "utr3_gc, cds_length, junctions" in str(refused.value)
        assert ", ".join(labels) in str(refused.value)
    assert not (tmp_path / "P.tsv").exists()


def test_a_run_that_stored_no_names_is_read_as_before(run: Run, tmp_path: Path) -> None:
    path = run.path / "provenance.json"
    before = path.read_text()
    facts = json.loads(before)
    del facts["dataset"]["inputs"]["halflife"]["labels"]
    try:
        path.write_text(json.dumps(facts))
        other = genes(tmp_path / "other.h5", ("a", "b", "c"), seed=1)
        assert predict(run.path, other, tmp_path / "P.tsv", threads=1).n_examples == 80
    finally:
        path.write_text(before)


def cells(path: Path, scale: str, seed: int = 0) -> Path:
    rng = np.random.default_rng(seed)
    pairs = [(gene, cell) for cell in "ABCDE" for gene in range(12)]
    values = rng.gamma(1, size=(60, 2, 4)).astype(np.float32)
    settings = {"scale": scale, "library_size": False, "bin_size": 100}
    with write_dataset(path, {"settings": settings}) as out:
        out.examples(
            pd.DataFrame(
                {
                    "example_id": [f"{cell}{seed}_{gene}" for gene, cell in pairs],
                    "gene_id": [f"g{gene}" for gene, _ in pairs],
                    "cell_type": [f"{cell}{seed}" for _, cell in pairs],
                }
            )
        )
        out.input("signal", [values], labels=["up", "down"])
        out.target("y", values[:, 0].sum(1).astype(float), kind="regression")
    return path


def test_signal_on_another_scale_is_refused(tmp_path: Path) -> None:
    settings = {
        "dataset": str(cells(tmp_path / "D.h5", "raw")),
        "model": "bins_ridge",
        "split": {"strategy": "cell"},
        "machine": {"device": "cpu", "threads": 1, "precision": "fp32"},
    }
    done = train_run(TrainConfig.checked(settings), tmp_path / "R")
    same = cells(tmp_path / "same.h5", "raw", seed=1)
    assert predict(done.path, same, tmp_path / "P.tsv", threads=1).n_examples == 60
    other = cells(tmp_path / "other.h5", "log1p", seed=1)
    for call in (
        lambda: predict(done.path, other, tmp_path / "Q.tsv", threads=1),
        lambda: evaluate(done.path, other, threads=1),
    ):
        with pytest.raises(MismatchError, match="not on the scale that the run learned") as caught:
            call()
        assert "log1p" in str(caught.value)
    assert not (tmp_path / "Q.tsv").exists()
