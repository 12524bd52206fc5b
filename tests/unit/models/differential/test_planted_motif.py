"""Every network of the promoter study finds a planted motif, wherever it stands."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset import write_dataset
from exprimo.core.sequence import encode
from exprimo.training import TrainConfig, train_run

LENGTH, MOTIF = 80, "TGACGTCA"


@pytest.fixture(scope="module")
def motifs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,000 random sequences, half of them with the motif at a random place."""
    rng = np.random.default_rng(3)
    codes = rng.integers(0, 4, (1000, LENGTH)).astype(np.uint8)
    label = rng.permutation(np.arange(1000) % 2)
    for row in np.flatnonzero(label):
        at = int(rng.integers(0, LENGTH - len(MOTIF)))
        codes[row, at : at + len(MOTIF)] = encode(MOTIF)
    path = tmp_path_factory.mktemp("motifs") / "motifs.h5"
    with write_dataset(path, {"made": "for tests"}) as out:
        out.examples(pd.DataFrame({"example_id": [f"e{i}" for i in range(1000)]}))
        out.input("sequence", [codes])
        out.target("there", label.astype(float), kind="classification")
    return path


@pytest.mark.slow
@pytest.mark.parametrize("model", ["cnn2d", "cnn_bilstm", "transformer", "cnn_xgboost"])
def test_the_defaults_find_it(model: str, motifs: Path, tmp_path: Path) -> None:
    config = TrainConfig.checked(
        {
            "dataset": str(motifs),
            "model": model,
            "split": "random",
            "fit": {"batch_size": 32},
            "machine": {"device": "cpu", "threads": 1, "precision": "fp32"},
        }
    )
    run = train_run(config, tmp_path / "r")
    assert run.metrics["parts"]["test"]["auroc"]["value"] > 0.9
