"""Several devices by one flag: two CPU processes share each batch through Lightning Fabric."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from exprimo.core.errors import ConfigError
from exprimo.training import TrainConfig, train_run
from exprimo.training.team import Alone, launch

SMALL = {
    "channels": 16,
    "stem_channels": 24,
    "hidden": 16,
    "head_channels": 8,
    "head_dropout": 0.1,
}


def _config(dataset: Path, device: str) -> TrainConfig:
    return TrainConfig.checked(
        {
            "dataset": str(dataset),
            "target": "y",
            "split": {"strategy": "random"},
            "fit": {"epochs": 8, "batch_size": 32, "average": 0.9, "weight_decay": 0.01},
            "machine": {"device": device, "threads": 1, "precision": "fp32"},
            "options": SMALL,
        }
    )


@pytest.mark.slow
def test_two_processes_learn_as_one_does(planted: Path, tmp_path: Path) -> None:
    alone = train_run(_config(planted, "cpu"), tmp_path / "alone")
    shared = train_run(_config(planted, "cpu,cpu"), tmp_path / "shared")
    assert list(shared.history()["epoch"]) == list(alone.history()["epoch"])
    # Batch norm sees half a batch in each process, so the two agree closely and not exactly.
    ours, theirs = alone.history()["train_loss"], shared.history()["train_loss"]
    np.testing.assert_allclose(ours, theirs, rtol=0.35)
    assert theirs.iloc[-1] < 0.9 * theirs.iloc[0]


def test_devices_of_two_kinds_are_refused() -> None:
    with pytest.raises(ConfigError, match="several types"):
        launch([torch.device("cpu"), torch.device("cuda", 0)], print)


def test_alone_changes_nothing() -> None:
    module = torch.nn.Linear(2, 1)
    assert Alone().wrap(module) is module
    assert Alone().from_first("x") == "x"
