"""A substitution followed through a cnn equals the whole network, wherever it stands."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from exprimo.core.errors import MismatchError
from exprimo.models.cnn import Cnn, CnnConfig
from exprimo.models.network import NetworkPredictor
from exprimo.models.zoo import Shapes
from exprimo.scoring.resolve import Resolved
from exprimo.scoring.sequences import Average
from exprimo.scoring.sequences.of_predictor import PredictorModel
from exprimo.scoring.variants.local import LocalReader, Reach, local_reader


def _network(seed: int, length: int, task: Any, **options: Any) -> Cnn:
    torch.manual_seed(seed)
    network = Cnn(CnnConfig(**options), Shapes({"sequence": (length,)}, task)).eval()
    with torch.no_grad():
        # Of a new network, norms do nothing and much of the rest is near 0.
        for module in network.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.3)
                module.running_var.uniform_(0.5, 2)
                module.weight.uniform_(0.5, 1.5)
            if isinstance(module, nn.Conv2d):
                module.weight *= 2
        network.output.weight *= 20
    return network


def _model(
    members: list[Cnn], length: int, task: Any, both_strands: bool = False, **more: Any
) -> PredictorModel:
    shapes = Shapes({"sequence": (length,)}, task)
    predictor = NetworkPredictor(members, shapes, scale=1.7, center=0.4, both_strands=both_strands)
    average = more.get("average", Average())
    return PredictorModel(Resolved(predictor, None, "cnn"), "0", length // 2, ("y",), [0], average)


SMALL = {
    "channels": 16, "stem_channels": 16, "head_channels": 8, "stem_kernel": 15, "kernel": 3,
    "blocks": 2, "stages": 1, "grid": 20, "hidden": 0, "stem_activation": "exp",
}  # fmt: skip


@pytest.mark.parametrize(
    ("length", "task", "n_members", "both_strands", "options"),
    [
        (600, "regression", 1, False, {}),
        (603, "regression", 2, True, {"stem_kernel": 11}),
        # As of many training examples: the last layers reach too far and are read whole.
        (600, "regression", 1, False, dict.fromkeys(SMALL)),
        (600, "regression", 1, True, {"kernel": 7, "stages": 3, "hidden": 8, "blocks": 1}),
        (900, "classification", 1, False, {"stages": 2, "blocks": 1, "hidden": 12}),
        (1031, "regression", 1, True, {"stem_pool": 4, "stages": 2, "blocks": 1, "grid": 7}),
    ],
)
def test_it_equals_the_whole_network(
    length: int, task: Any, n_members: int, both_strands: bool, options: dict[str, Any]
) -> None:
    members = [_network(seed, length, task, **(SMALL | options)) for seed in range(n_members)]
    model = _model(members, length, task, both_strands)
    reader = local_reader(model)
    assert isinstance(reader, LocalReader)
    rng = np.random.default_rng(1)
    reference = rng.integers(0, 5, (3, length)).astype(np.uint8)  # N too
    # Both ends base by base, and every seventh base between them.
    sites = np.unique([*range(40), *range(40, length - 40, 7), *range(length - 40, length)])
    place = np.repeat(np.arange(3), len(sites))
    site = np.tile(sites, 3)
    alternate = reference[place].copy()
    rows = np.arange(len(site))
    alternate[rows, site] = (alternate[rows, site] + rng.integers(1, 4, len(site))) % 4
    references, alternates = reader.predict(reference, alternate, place, site)
    expected = model.predict(alternate)
    largest = float(np.abs(expected - references[place]).max())
    assert largest > 1e-3 * float(np.abs(expected).max())
    np.testing.assert_allclose(references, model.predict(reference), rtol=2e-6, atol=1e-3 * largest)
    np.testing.assert_allclose(alternates, expected, rtol=2e-6, atol=1e-3 * largest)


def test_a_crop_is_no_longer_than_it_must_be() -> None:
    body = list(_network(0, 600, "regression", **SMALL).body)[:-1]
    reach = Reach.of(body)
    assert reach == Reach(bases=7 + 4 * (1 + 1 + 2), pool=4)
    assert reach.crop(600) == 112
    assert reach.crop(603) % 4 == 603 % 4
    assert Reach.of([*body, nn.LSTM(3, 3)]) is None


def test_what_cannot_be_followed_is_read_whole() -> None:
    network = _network(0, 600, "regression", **SMALL)
    assert local_reader(_model([network], 600, "regression")) is not None
    assert local_reader(_model([network], 600, "regression", average=Average(shifts=1))) is None
    # In a short window a crop would be most of it.
    short = _network(0, 40, "regression", **SMALL)
    assert local_reader(_model([short], 40, "regression")) is None
    bf16 = _model([network], 600, "regression")
    bf16.predictor.precision = "bf16"
    assert local_reader(bf16) is None


def test_a_difference_to_the_whole_network_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    model = _model([_network(0, 600, "regression", **SMALL)], 600, "regression")
    reader = local_reader(model)
    assert reader is not None
    monkeypatch.setattr(reader, "_reach", Reach(bases=3, pool=4))
    reference = np.random.default_rng(0).integers(0, 4, (1, 600)).astype(np.uint8)
    alternate = reference.copy()
    alternate[0, 300] = (alternate[0, 300] + 1) % 4
    with pytest.raises(MismatchError, match="--way whole"):
        reader.predict(reference, alternate, np.array([0]), np.array([300]))
