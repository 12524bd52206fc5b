"""Importance per position: worked by hand, and on a network that knows one motif."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from exprimo.core.errors import ConfigError, InputError, MismatchError
from exprimo.core.sequence import encode
from exprimo.interpret.importance import importance_profile, top_positions
from exprimo.models.network import NetworkPredictor
from exprimo.models.zoo import Shapes
from exprimo.scoring.gradients import gradients

HAND = np.array([[0.0, 2.0, -1.0, 4.0], [0.0, -4.0, -3.0, 0.0]])


def test_means_by_hand() -> None:
    found = importance_profile(HAND, 2)
    assert list(found.columns) == ["position", "mean", "lower", "upper", "signed_mean"]
    assert found["position"].tolist() == [-2, -1, 0, 1]
    assert found["mean"].tolist() == [0, 3, 2, 2]
    assert found["signed_mean"].tolist() == [0, -1, -2, 2]
    # Two examples are too few for an interval.
    assert found["lower"].isna().all()
    assert found["upper"].isna().all()


def test_smoothing_by_hand() -> None:
    found = importance_profile(HAND, 2, smooth=3)
    np.testing.assert_allclose(found["mean"], [1.5, 5 / 3, 7 / 3, 2])
    np.testing.assert_allclose(found["signed_mean"], [-0.5, -1, -1 / 3, 0])
    # A window is smoothed with what stands beside it.
    inside = importance_profile(HAND, 2, smooth=3, window=(0, 0))
    assert inside["mean"].tolist() == pytest.approx([7 / 3])
    for width in (0, 2, -1):
        with pytest.raises(ConfigError, match="width to smooth by"):
            importance_profile(HAND, 2, smooth=width)


def test_blocks_of_columns_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    values, groups = rng.normal(size=(12, 40)).astype(np.float32), np.repeat(np.arange(6), 2)
    whole = importance_profile(values, 20, smooth=5, groups=groups, window=(-15, 10))
    monkeypatch.setattr("exprimo.interpret.importance._CELLS", 60)
    monkeypatch.setattr("exprimo.interpret.importance._DRAWS", 60)
    parts = importance_profile(values, 20, smooth=5, groups=groups, window=(-15, 10))
    np.testing.assert_allclose(parts.iloc[:, [0, 1, 4]], whole.iloc[:, [0, 1, 4]], rtol=1e-12)
    straight = np.array([abs(values[:, c - 2 : c + 3]).mean() for c in range(5, 31)])
    np.testing.assert_allclose(whole["mean"], straight, rtol=1e-6)


def test_the_interval_is_that_of_a_mean_and_whole_groups_are_drawn() -> None:
    rng = np.random.default_rng(1)
    values = abs(rng.normal(size=(400, 3)))
    found = importance_profile(values, 0, n_boot=4000)
    error = values.std(0) / np.sqrt(400)
    np.testing.assert_allclose(found["upper"] - found["lower"], 2 * 1.96 * error, rtol=0.1)
    assert ((found["lower"] < found["mean"]) & (found["mean"] < found["upper"])).all()
    # Every example twice says no more than once, if the pairs are kept together.
    twice = importance_profile(
        np.repeat(values, 2, axis=0), 0, n_boot=4000, groups=np.repeat(np.arange(400), 2)
    )
    width, wide = (t["upper"] - t["lower"] for t in (twice, found))
    np.testing.assert_allclose(width, wide, rtol=0.06)
    again = importance_profile(values, 0, n_boot=4000)
    assert again.equals(found)
    assert not importance_profile(values, 0, n_boot=4000, seed=1).equals(found)


def test_groups_of_any_order_are_kept_together() -> None:
    values = np.array([[1.0], [10.0], [1.0], [10.0], [1.0], [10.0]])
    mixed = importance_profile(values, 0, groups=["a", "b", "b", "c", "c", "a"], n_boot=50)
    # Each group holds a 1 and a 10, so every resample has the same mean.
    assert mixed[["lower", "upper"]].to_numpy().ravel().tolist() == [5.5, 5.5]


def test_top_positions_by_hand() -> None:
    values = np.zeros((5, 6))
    values[:, 1] = [1, -1, 1, -1, 1]
    values[:, 4] = [5, -5, 5, 5, 5]
    values[:, 5] = [0, 0, -9, 0, 0]
    predictions = np.array([0.3, 0.9, 0.1, 0.5, 0.7])
    found = top_positions(values, predictions, 3, n_positions=3, n_examples=3)
    assert found.positions.tolist() == [-2, 1, 2]
    assert found.ranks.tolist() == [3, 1, 2]
    assert found.examples.tolist() == [2, 3, 1]
    assert found.predictions.tolist() == [0.1, 0.5, 0.9]
    assert found.values.tolist() == [[1, -1, -1], [5, 5, -5], [-9, 0, 0]]
    inside = top_positions(values, predictions, 3, window=(-3, 0), n_positions=1)
    assert inside.positions.tolist() == [-2]
    assert len(inside.examples) == 5


def test_what_is_no_table_of_contributions() -> None:
    with pytest.raises(InputError, match=r"not a table of contributions.*\(3,\)"):
        importance_profile(np.zeros(3), 0)
    with pytest.raises(InputError, match="not a table of contributions"):
        importance_profile(np.zeros((0, 3)), 0)
    with pytest.raises(ConfigError, match="the TSS lies outside"):
        importance_profile(HAND, 4)
    with pytest.raises(ConfigError, match=r"-3 to 1.*positions from -2 to 1"):
        importance_profile(HAND, 2, window=(-3, 1))
    with pytest.raises(MismatchError, match="predictions and contributions"):
        top_positions(HAND, np.zeros(3), 0)
    with pytest.raises(ConfigError, match="nothing to choose"):
        top_positions(HAND, np.zeros(2), 0, n_positions=0)
    with pytest.raises(ConfigError, match="too few resamples"):
        importance_profile(HAND, 0, n_boot=0)


def test_importance_peaks_where_a_known_filter_finds_its_motif() -> None:
    motif = encode("TGACTCAT")

    class Knows(nn.Module):
        """One filter that is the motif; the sharp best match is the output."""

        def __init__(self) -> None:
            super().__init__()
            self.scan = nn.Conv1d(4, 1, 8, bias=False)
            with torch.no_grad():
                self.scan.weight.copy_(torch.eye(4)[torch.from_numpy(motif).long()].T[None])

        def forward(self, inputs: dict[str, Tensor]) -> Tensor:
            found: Tensor = torch.logsumexp(4 * self.scan(inputs["sequence"]), 2)
            return found

    codes = np.random.default_rng(4).integers(0, 4, (80, 100)).astype(np.uint8)
    codes[:, 60:68] = motif
    net = NetworkPredictor([Knows()], Shapes({"sequence": (100,)}, "regression"))
    contributions = gradients(net, {"sequence": codes}).by_input["sequence"]
    profile = importance_profile(contributions, 70).set_index("position")
    best = profile["mean"].nlargest(8).index
    assert sorted(best) == list(range(-10, -2))
    outside = profile.drop(best)
    assert profile.loc[best, "lower"].min() > 5 * outside["upper"].max()
    # Each base of the motif adds to the output.
    np.testing.assert_allclose(
        profile.loc[best, "signed_mean"], profile.loc[best, "mean"], rtol=1e-6
    )
    assert top_positions(contributions, np.zeros(80), 70, n_positions=8).positions.tolist() == list(
        range(-10, -2)
    )
