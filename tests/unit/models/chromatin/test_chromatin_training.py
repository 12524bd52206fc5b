"""Each model of chromatin through the whole of training, on cells that none has seen."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset import Dataset, write_dataset
from exprimo.core.errors import ConfigError
from exprimo.core.split import Split
from exprimo.features.derived import derive_inputs
from exprimo.models.stored import load_model
from exprimo.training import TrainConfig, train_run

CELLS, GENES, MARKS, BINS = 6, 40, 2, 16
KMERS = ["".join(letters) for letters in itertools.product("ACGTN", repeat=3)]
OPTIONS = {
    "histone_fcn": {
        "width": 8,
        "most": 16,
        "cell_statistics": True,
        "kmers": True,
        "vocabulary": ["AAC", "TTT"],
    },
    "deepchrome": {"hidden": [16], "kernel": 3},
    "attentive_chrome": {"units": 4, "mark_units": 4},
    "histone_autoencoder": {"width": 8, "most": 16, "vocabulary": ["AAC", "TTT"]},
    "histone_crnn": {"channels": [8], "units": 4, "hidden": 8},
    "gene_mean": {},
    "mark_sum": {"mark": "H3K4me3"},
    "bins_ridge": {"cell_statistics": True},
    "bins_boosting": {"rounds": 20},
}


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Split]:
    """Six cell types of 40 genes; expression follows mark 0, of which each gene has its own."""
    rng = np.random.default_rng(8)
    n = CELLS * GENES
    signal = rng.gamma(1.0, size=(n, MARKS, BINS)).astype(np.float32)
    kmers = rng.integers(0, 9, (GENES, 125, BINS)).astype(np.uint8)
    gene, cell = np.tile(np.arange(GENES), CELLS), np.repeat(np.arange(CELLS), GENES)
    signal[:, 0] *= rng.gamma(2.0, size=(n, 1)) * rng.gamma(2.0, size=(GENES, 1))[gene]
    by_cell = signal.reshape(CELLS, GENES, MARKS, BINS)
    context = np.concatenate([by_cell.mean(1), by_cell.std(1)], axis=1).astype(np.float32)
    expression = np.log(signal[:, 0].sum(1)) + 0.1 * (kmers[gene, 1].mean(1) - 4)
    names = [f"C{c}_G{g}" for c, g in zip(cell, gene, strict=True)]
    path = tmp_path_factory.mktemp("chromatin") / "cells.h5"
    with write_dataset(path, {"made": "for tests"}) as out:
        out.examples(
            pd.DataFrame(
                {
                    "example_id": names,
                    "gene_id": [f"G{g}" for g in gene],
                    "cell_type": [f"C{c}" for c in cell],
                }
            )
        )
        out.input("signal", [signal], labels=["H3K4me3", "H3K27me3"])
        out.input("cell_context", [context[cell]])
        out.input("kmer_bins", [kmers[gene]], labels=KMERS)
        out.target("expression", expression.astype(np.float32), kind="regression")
    parts = np.array(["train", "val", "test"])[np.array([0, 0, 0, 0, 1, 2])[cell]]
    with Dataset.open(path) as dataset:
        split = Split(np.array(names), parts, "cell", 0, dataset.sha256, ("cell_type",))
    return path, split


@pytest.mark.parametrize("model", OPTIONS)
def test_it_learns_and_predicts_the_same_from_its_file(
    model: str, cells: tuple[Path, Split], tmp_path: Path
) -> None:
    path, split = cells
    config = TrainConfig.checked(
        {
            "dataset": str(path),
            "model": model,
            "options": OPTIONS[model],
            "fit": {"epochs": 6, "batch_size": 16, "learning_rate": 0.01, "average": 0.0},
            "machine": {"device": "cpu", "threads": 1, "precision": "fp32"},
        }
    )
    run = train_run(config, tmp_path / "run", split=split)
    table = pd.read_parquet(run.path / "predictions.parquet")
    test = table[table["example_id"].str.startswith("C5_")]
    assert len(test) == GENES
    assert np.corrcoef(test["target"], test["prediction"])[0, 1] > 0.4
    predictor = load_model(run.path / "model.safetensors")
    with Dataset.open(path) as dataset:
        derive_inputs(dataset, predictor.inputs)
        batch = dataset.batch(predictor.inputs, np.arange(CELLS * GENES)[-GENES:])
    again = predictor.predict(batch).mean[:, 0]
    np.testing.assert_allclose(again, test["prediction"].to_numpy(), atol=1e-5)


def test_a_mark_is_named_as_the_dataset_names_it(cells: tuple[Path, Split], tmp_path: Path) -> None:
    path, split = cells
    values = {"dataset": str(path), "model": "mark_sum", "machine": {"device": "cpu"}}
    run = train_run(TrainConfig.checked(values), tmp_path / "run", split=split)
    chosen = json.loads((run.path / "metrics.json").read_text())["chosen"]
    assert chosen == {"mark": "H3K4me3"}
    values["options"] = {"mark": "H3K9me3"}
    with pytest.raises(ConfigError, match="no mark H3K9me3; there are H3K4me3, H3K27me3"):
        train_run(TrainConfig.checked(values), tmp_path / "other", split=split)
