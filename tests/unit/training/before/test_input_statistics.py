"""Statistics of inputs over the training part, and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from exprimo.core.dataset import Dataset, write_dataset
from exprimo.models.standardise import InputStatistics, Standardise
from exprimo.training.before import statistics
from exprimo.training.before.statistics import input_statistics


@pytest.fixture
def features(tmp_path: Path) -> tuple[Path, np.ndarray]:
    rng = np.random.default_rng(3)
    values = (rng.normal(size=(50, 8)) * 100 + 1e4).astype(np.float32)
    values[:, 5] = 7
    values[::4, 2] = np.nan
    values[:, 6] = np.nan
    path = tmp_path / "D.h5"
    with write_dataset(path, {}) as out:
        out.examples(pd.DataFrame({"example_id": [f"e{i}" for i in range(50)]}))
        out.input("halflife", [values])
        out.target("expression", values[:, 0], kind="regression")
    return path, values


@pytest.mark.parametrize("at_once", [24, 4_000_000])
def test_mean_and_sd_are_numpys_over_the_given_rows(
    features: tuple[Path, np.ndarray], at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, values = features
    rows = np.arange(0, 40, 3)
    monkeypatch.setattr(statistics, "_VALUES_AT_ONCE", at_once)
    with Dataset.open(path) as dataset:
        found = input_statistics(dataset, ["halflife"], rows)["halflife"]
    known = [0, 1, 2, 3, 4, 5, 7]
    expected = values[rows].astype(np.float64)[:, known]
    np.testing.assert_allclose(found.mean[known], np.nanmean(expected, 0), rtol=1e-6)
    np.testing.assert_allclose(found.sd[known], np.nanstd(expected, 0), rtol=1e-5)
    assert (found.mean[6], found.sd[6]) == (0, 0)


def test_what_is_missing_or_never_varies_is_average() -> None:
    layer = Standardise((3,))
    layer.learn(InputStatistics(np.float32([10, 5, 0]), np.float32([2, 0, 0])))
    out = layer(torch.tensor([[14.0, 99.0, 3.0], [float("nan"), 5.0, float("nan")]]))
    assert out.tolist() == [[2.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
