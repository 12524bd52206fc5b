"""What to do about an input that a model reads and a dataset does not hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset import write_dataset
from exprimo.core.errors import MismatchError
from exprimo.models.network import NetworkPredictor
from exprimo.models.zoo import Shapes, get_spec
from exprimo.training import TrainConfig, train_run


def refused(tmp_path: Path, model: str, held: str, values: Any) -> str:
    path = tmp_path / "D.h5"
    ids = [f"g{i}" for i in range(len(values))]
    with write_dataset(path, {}) as out:
        out.examples(pd.DataFrame({"example_id": ids, "gene_id": ids}))
        out.input(held, [values])
        out.target("y", np.arange(len(values), dtype=float), kind="regression")
    config = TrainConfig.checked({"dataset": str(path), "model": model})
    with pytest.raises(MismatchError) as error:
        train_run(config, tmp_path / "R")
    return str(error.value)


def test_a_model_that_does_without_dna_says_how(tmp_path: Path) -> None:
    features = np.zeros((40, 2), np.float32)
    assert "--set options.dna=none" in refused(tmp_path, "halflife_cnn", "halflife", features)


def test_a_model_that_needs_dna_does_not(tmp_path: Path) -> None:
    features = np.zeros((40, 2), np.float32)
    assert "options.dna" not in refused(tmp_path, "cnn", "halflife", features)


def test_half_life_is_built_with_its_option(tmp_path: Path) -> None:
    codes = np.random.default_rng(0).integers(0, 4, (40, 30)).astype(np.uint8)
    assert "--halflife" in refused(tmp_path, "halflife_cnn", "sequence", codes)


def test_features_of_another_number_are_not_called_a_window() -> None:
    spec = get_spec("halflife_cnn")
    options = spec.config.checked({"dna": "none", "hidden": []})
    shapes = Shapes({"halflife": (8,)}, "regression")
    network = NetworkPredictor([spec.build(options, shapes)], shapes)
    with pytest.raises(MismatchError, match="with the columns of halflife that the model"):
        network.predict({"halflife": np.zeros((2, 3), np.float32)})
