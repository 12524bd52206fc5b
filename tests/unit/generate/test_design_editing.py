"""Editors and guided draws on predictors whose best answer is known by hand."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from exprimo.core.errors import ConfigError
from exprimo.core.predictor import Batch, Prediction
from exprimo.core.sequence import Codes
from exprimo.generate.conditioning import Conditioning
from exprimo.generate.design.aim import Aim
from exprimo.generate.design.editing import VERIFIED, by_gradient, greedy
from exprimo.generate.design.predictors import Reader
from exprimo.generate.family import Layout, Steers
from exprimo.generate.registry import get_family
from exprimo.models.network import NetworkPredictor
from exprimo.models.zoo import Shapes

LENGTH = 30
WEIGHTS = np.random.default_rng(5).normal(size=(LENGTH, 4))


class Linear:
    """A weight for each base at each place, as no network."""

    inputs: tuple[str, ...] = ("sequence",)
    window: int | None = LENGTH
    outputs: tuple[str, ...] = ("y",)

    def predict(self, batch: Batch) -> Prediction:
        values = _scores(batch["sequence"])[:, None].astype(np.float32)
        return Prediction(values, np.full_like(values, np.nan))


class LinearNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.tensor(WEIGHTS.T, dtype=torch.float32))

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        return (inputs["sequence"] * self.weights).sum((1, 2))[:, None]


def _scores(codes: Codes) -> Any:
    return WEIGHTS[np.arange(LENGTH), codes].sum(axis=1)


def _reader(predictor: Any) -> Reader:
    return Reader(cast(Any, None), predictor, "regression", "y", (), LENGTH)


def _network(task: Any = "regression", scale: float = 1.0) -> NetworkPredictor:
    shapes = Shapes({"sequence": (LENGTH,)}, task)
    return NetworkPredictor([LinearNet()], shapes, center=2.0 * (scale != 1), scale=scale)


def _aim(value: float, tolerance: float = 1e-3, task: str = "regression") -> Aim:
    return Aim(str(value), value, 0, "y", task, tolerance, None)


STARTS = np.random.default_rng(6).integers(0, 4, (8, LENGTH)).astype(np.uint8)


@pytest.mark.parametrize("sign", [1, -1])
def test_greedy_takes_the_best_edits_of_a_linear_model(sign: int) -> None:
    # Out of reach: the best k edits are then the k places with the most to gain.
    found = greedy(_reader(Linear()), STARTS, _aim(sign * 1e3), edits=5)
    here = WEIGHTS[np.arange(LENGTH), STARTS]
    gains = (WEIGHTS.max(1) - here) if sign > 0 else (here - WEIGHTS.min(1))
    best = np.sort(gains, axis=1)[:, -5:].sum(axis=1)
    np.testing.assert_allclose(_scores(found) - _scores(STARTS), sign * best, atol=1e-5)
    assert ((found != STARTS).sum(axis=1) == 5).all()


@pytest.mark.parametrize("away", [4.0, -4.0])
@pytest.mark.parametrize("editor", [greedy, by_gradient])
def test_a_target_within_reach_is_reached_and_no_edit_is_wasted(editor: Any, away: float) -> None:
    start = STARTS[:1]
    aim = _aim(float(_scores(start)[0]) + away, tolerance=0.05)
    found = editor(_reader(_network()), start, aim, 20)
    assert aim.distance(_scores(found))[0] <= 0.05
    assert 1 <= (found != start).sum() <= 6
    # What is there already is left alone.
    there = _aim(float(_scores(start)[0]), tolerance=0.05)
    np.testing.assert_array_equal(editor(_reader(_network()), start, there, 20), start)


@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_the_slope_of_a_linear_network_ranks_as_all_predictions_do(scale: float) -> None:
    guide = _reader(_network(scale=scale))
    aim = _aim(1.25, tolerance=1e-4)
    np.testing.assert_array_equal(by_gradient(guide, STARTS, aim, 6), greedy(guide, STARTS, aim, 6))


def test_the_gradient_editor_reaches_a_probability() -> None:
    guide = _reader(_network("classification"))
    for value in (0.9, 0.1):
        aim = _aim(value, 0.02, "classification")
        found = by_gradient(guide, STARTS, aim, 20)
        assert (aim.distance(guide.told(found, 0).mean) <= 0.02).all()


def test_only_what_the_slope_ranks_first_is_predicted() -> None:
    class Counting(NetworkPredictor):
        seen = 0

        def predict(self, batch: Batch) -> Prediction:
            Counting.seen += len(batch["sequence"])
            return super().predict(batch)

    shapes = Shapes({"sequence": (LENGTH,)}, "regression")
    guide = _reader(Counting([LinearNet()], shapes))
    by_gradient(guide, STARTS, _aim(1e3), 3)
    assert Counting.seen == len(STARTS) * (1 + 3 * VERIFIED)


def test_a_model_without_slopes_has_no_gradient_editor() -> None:
    with pytest.raises(ConfigError, match="not a network"):
        by_gradient(_reader(Linear()), STARTS, _aim(1.0), 3)


def _diffusion(name: str = "diffusion") -> Any:
    """Build an untrained one: the masked one draws four equal letters."""
    torch.manual_seed(0)
    spec = get_family(name)
    layout = Layout(LENGTH, Conditioning(), torch.device("cpu"), "fp32")
    options = {"channels": 8, "blocks": 1}
    return spec.build(spec.options.checked(options), layout)


@pytest.mark.parametrize("name", ["diffusion", "diffusion-published"])
@pytest.mark.parametrize("value", [12.0, -12.0])
def test_steering_leads_where_drawing_does_not(name: str, value: float) -> None:
    family = _diffusion(name)
    assert isinstance(family, Steers)
    aim = _aim(value)

    def distance(codes: Tensor) -> Tensor:
        assert codes.shape[1] == LENGTH
        assert int(codes.max()) < 4
        return torch.from_numpy(aim.distance(_scores(codes.numpy())))

    asked: dict[str, Any] = {"steps": LENGTH, "guidance": 1.0}
    drawn = []
    for _ in range(2):
        torch.manual_seed(1)
        drawn.append(family.steered(20, None, draws=8, distance=distance, **asked))
    plain = family.sample(20, None, **asked)
    off = [aim.distance(_scores(codes.numpy())).mean() for codes in (drawn[0], plain)]
    assert off[0] < 0.5 * off[1]
    assert torch.equal(*drawn)


def test_one_continuation_is_no_choice() -> None:
    family = _diffusion()

    def distance(codes: Tensor) -> Tensor:
        return torch.zeros(len(codes))

    drawn = family.steered(400, None, steps=5, guidance=1.0, draws=1, distance=distance)
    shares = torch.bincount(drawn.flatten().long(), minlength=4) / drawn.numel()
    assert (shares - 0.25).abs().max() < 0.02
