"""Raising an output within bounds, and the weights of attention."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from exprimo.core.dataset import Dataset, write_dataset
from exprimo.core.errors import ConfigError
from exprimo.models.network import NetworkPredictor
from exprimo.models.zoo import Shapes
from exprimo.scoring.attention import attends, attention_blocks
from exprimo.scoring.raising import observed_bounds, raise_output

SHAPE = (2, 3)


class Known(nn.Module):
    """Rises with the first mark, falls with the second, and saturates nowhere."""

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        signal = inputs["signal"]
        return (signal[:, 0].sum(1) - 2 * signal[:, 1].sum(1))[:, None]


class Attending(Known):
    """Attends to the greatest signal."""

    def attention(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        return {"marks": inputs["signal"].sum(2).softmax(1)}


def predictor(*members: nn.Module) -> NetworkPredictor:
    return NetworkPredictor(list(members), Shapes({"signal": SHAPE}, "regression"))


@pytest.fixture
def signals(tmp_path: Path) -> Iterator[Dataset]:
    values = np.random.default_rng(0).uniform(1, 5, (600, *SHAPE)).astype(np.float32)
    path = tmp_path / "D.h5"
    with write_dataset(path, {}) as out:
        out.examples(pd.DataFrame({"example_id": [f"e{i}" for i in range(600)]}))
        out.input("signal", [values], labels=["up", "down"])
        out.target("y", np.zeros(600), kind="regression")
    with Dataset.open(path) as data:
        yield data


def test_the_output_rises_and_the_input_stays_within_what_was_seen(signals: Dataset) -> None:
    rows = np.arange(600)
    bounds = observed_bounds(signals, "signal", rows)
    found = raise_output(predictor(Known()), signals, rows[:5], bounds, steps=150)
    assert (np.diff(found.outputs, axis=0) >= -1e-5).all()
    assert (found.after >= bounds.low - 1e-5).all()
    assert (found.after <= bounds.high + 1e-5).all()
    # This output has no peak inside, so ascent ends at the corner that its signs name.
    np.testing.assert_allclose(found.after[:, 0], np.tile(bounds.high[0], (5, 1)), rtol=1e-5)
    np.testing.assert_allclose(found.after[:, 1], np.tile(bounds.low[1], (5, 1)), rtol=1e-5)
    clipped = np.clip(signals.rows("signal", rows[:5]), bounds.low, bounds.high)
    np.testing.assert_allclose(found.before, clipped, rtol=1e-5)


def test_bounds_are_quantiles_at_each_place(signals: Dataset) -> None:
    rows = np.arange(600)
    bounds = observed_bounds(signals, "signal", rows, share=0.5)
    values = signals.rows("signal", rows)
    np.testing.assert_allclose(bounds.low, np.quantile(values, 0.25, axis=0), rtol=1e-6)
    with pytest.raises(ConfigError, match="not a share"):
        observed_bounds(signals, "signal", rows, share=0)


def test_an_input_that_is_not_read_cannot_raise_anything(signals: Dataset) -> None:
    bounds = observed_bounds(signals, "signal", np.arange(10))
    with pytest.raises(ConfigError, match="does not read"):
        raise_output(predictor(Known()), signals, np.arange(3), bounds, name="halflife")


def test_attention_is_the_mean_over_members(signals: Dataset) -> None:
    class Even(Known):
        def attention(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
            return {"marks": torch.full((len(inputs["signal"]), 2), 0.5)}

    rows = np.arange(500)
    blocks = list(attention_blocks(predictor(Attending(), Even()), signals, rows))
    assert np.concatenate([block.rows for block in blocks]).tolist() == rows.tolist()
    weights = np.concatenate([block.by_level["marks"] for block in blocks])
    sums = torch.from_numpy(signals.rows("signal", rows)).sum(2).softmax(1).numpy()
    np.testing.assert_allclose(weights, (sums + 0.5) / 2, rtol=1e-5)
    np.testing.assert_allclose(weights.sum(1), 1, rtol=1e-5)


def test_a_network_without_attention_says_so(signals: Dataset) -> None:
    assert not attends(predictor(Attending(), Known()))
    with pytest.raises(ConfigError, match="no attention"):
        next(attention_blocks(predictor(Known()), signals, np.arange(3)))
