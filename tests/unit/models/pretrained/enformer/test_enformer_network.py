"""Enformer: equal to the published port by formula, two ways of computing, what is shared."""

from __future__ import annotations

import importlib.util
import json
import math
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch.nn import functional

from exprimo.core.errors import ConfigError
from exprimo.models.network import one_hot_table
from exprimo.models.pretrained.enformer import (
    TOY,
    EnformerConfig,
    EnformerNetwork,
    random_enformer,
)
from exprimo.models.pretrained.enformer.convolving import Convolutions
from exprimo.models.pretrained.enformer.inference import Inference
from exprimo.models.pretrained.enformer.layers import AttentionPool, quick_gelu, relative_shift
from exprimo.models.pretrained.enformer.positions import (
    central_mask,
    distance_features,
    exponential,
    rowwise_gamma,
    tensorflow_gamma,
)

TESTS = Path(__file__).parents[4]
GOLDEN = json.loads((TESTS / "fixtures" / "enformer_golden.json").read_text())
_SPEC = importlib.util.spec_from_file_location(
    "enformer_formula", TESTS / "parity" / "enformer_formula.py"
)
assert _SPEC is not None
assert _SPEC.loader is not None
FORMULA = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(FORMULA)


def by_formula(config: EnformerConfig) -> EnformerNetwork:
    with torch.device("meta"):
        network = EnformerNetwork(config)
    network.to_empty(device="cpu")
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            tensor.copy_(torch.from_numpy(FORMULA.weights(name, tuple(tensor.shape))))
    return network.requires_grad_(False).eval()


@cache
def toy() -> EnformerNetwork:
    return random_enformer(TOY, 3)


def codes(config: EnformerConfig = TOY, seed: int = 0) -> torch.Tensor:
    drawn = np.random.default_rng(seed).integers(0, 5, config.window)
    return torch.from_numpy(drawn.astype(np.uint8))


def one_hot(rows: torch.Tensor) -> torch.Tensor:
    return one_hot_table(torch.device("cpu"))[rows.long()].transpose(-1, -2)


def assert_golden(network: EnformerNetwork, golden: dict[str, Any]) -> None:
    """Within 1e-4 of the spread: single precision, summed in another order."""
    bases = torch.from_numpy(FORMULA.bases(network.config.window, "sequence"))
    hidden = Inference(network, "fp32").hidden(bases, slice(None))
    expected = np.array(golden["hidden"])
    found = hidden[golden["bins"], : expected.shape[1]].numpy()
    assert np.abs(found - expected).max() < 1e-4 * expected.std()
    for head in ("human", "mouse"):
        wanted = np.array(golden[head])
        tracks = network.predict(hidden[golden["bins"]], head, range(wanted.shape[1])).numpy()
        assert np.abs(tracks - wanted).max() < 1e-4 * max(1.0, wanted.std())


def test_a_small_network_equals_the_published_port():
    assert_golden(by_formula(EnformerConfig(**FORMULA.TOY)), GOLDEN["toy"])


@pytest.mark.slow
def test_the_published_size_equals_the_published_port():
    assert_golden(by_formula(EnformerConfig()), GOLDEN["full"])


def test_the_published_size_has_the_published_number_of_parameters():
    with torch.device("meta"):
        network = EnformerNetwork(EnformerConfig())
    config = network.config
    assert (config.positions, config.cropped, config.features) == (1536, 320, 32)
    heads = sum(p.numel() for p in network._heads.parameters())
    assert heads == 3073 * (5313 + 1643)
    assert sum(p.numel() for p in network.parameters()) == 251_221_292  # the port's too


def test_the_way_without_gradients_gives_the_same_numbers():
    rows = torch.stack([codes(seed=1), codes(seed=2)])
    with torch.no_grad():
        expected = toy()(one_hot(rows))
    inference = Inference(toy(), "fp32")
    found = torch.stack([inference.hidden(row, slice(None)) for row in rows])
    assert expected.std() > 0.3
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=2e-5)


def test_some_bins_are_those_of_all():
    inference = Inference(toy(), "fp32")
    whole = inference.hidden(codes(), slice(None))
    torch.testing.assert_close(inference.hidden(codes(), slice(20, 23)), whole[20:23])


def test_what_windows_share_is_the_same_to_the_last_bit():
    inference = Inference(toy(), "fp32")
    inference.hidden(codes(), slice(None))
    changed = codes()
    changed[[0, 1000, 1001, 2047]] = (changed[[0, 1000, 1001, 2047]] + 1) % 4
    alone = Inference(toy(), "fp32").hidden(changed, slice(None))
    assert torch.equal(inference.hidden(changed, slice(None)), alone)
    back = Inference(toy(), "fp32").hidden(codes(), slice(None))
    assert torch.equal(inference.hidden(codes(), slice(None)), back)
    assert (alone - back).abs().max() > 0.1


def test_only_stretches_that_read_a_change_are_computed(monkeypatch: pytest.MonkeyPatch):
    from exprimo.models.pretrained.enformer import convolving

    monkeypatch.setattr(convolving, "_STRETCH", 24 * 64)
    convolve = Convolutions(toy(), torch.float32)
    convolve(codes())
    computed: list[int] = []
    real = convolving._Stage.stretch
    monkeypatch.setattr(
        convolving._Stage,
        "stretch",
        lambda stage, x, start, stop: computed.append(start) or real(stage, x, start, stop),
    )
    changed = codes()
    changed[1000] = (changed[1000] + 1) % 4
    found = convolve(changed).clone()
    stages = len(convolve._stages)
    assert stages <= len(computed) <= 3 * stages
    computed.clear()
    convolve(changed)
    assert computed == []
    assert torch.equal(Convolutions(toy(), torch.float32)(changed), found)


def test_bf16_is_near():
    exact = toy().predict(Inference(toy(), "fp32").hidden(codes(), slice(None)), "human")
    near = toy().predict(Inference(toy(), "bf16").hidden(codes(), slice(None)), "human")
    r = np.corrcoef(exact.flatten(), near.flatten())[0, 1]
    assert 0.995 < r < 1


def test_unknown_bases_are_zeros():
    rows = codes()
    rows[:] = 4
    with torch.no_grad():
        nothing = toy()(torch.zeros(1, 4, TOY.window))[0]
    found = Inference(toy(), "fp32").hidden(rows, slice(None))
    torch.testing.assert_close(found, nothing, rtol=1e-4, atol=2e-5)


def test_pooling_is_a_softmax_over_two():
    torch.manual_seed(0)
    pool = AttentionPool(3)
    pool.to_attn_logits.weight.data.normal_()
    x = torch.randn(2, 8, 3)
    logits = x @ pool.matrix.T
    weights = torch.softmax(logits.reshape(2, 4, 2, 3), dim=2)
    expected = (x.reshape(2, 4, 2, 3) * weights).sum(2)
    torch.testing.assert_close(pool(x), expected)


def test_a_shift_lines_up_distances():
    n = 5
    distances = torch.arange(1 - n, n).float().expand(2, n, -1)
    found = relative_shift(distances)
    keys, queries = torch.arange(n), torch.arange(n)[:, None]
    assert torch.equal(found[1], (keys - queries).float())


def test_quick_gelu_is_not_the_exact_one():
    x = torch.linspace(-3, 3, 7)
    difference = (quick_gelu(x) - functional.gelu(x)).abs().max()
    assert 0.01 < difference < 0.03


def density(shape: float, rate: float, x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    log = (shape - 1) * np.log(x) - rate * x - math.lgamma(shape) + shape * math.log(rate)
    return np.asarray(np.exp(log))


def test_gamma_features_are_densities_by_their_greatest_within_single_precision():
    found = tensorflow_gamma(1536, 32)
    assert (found.max(0) == 1).all()
    # Means 48 and 1,536, standard deviation 24: concentrations 4 and 4,096.
    x = np.arange(1, 1536).astype(float)
    for column, mean in ((0, 48.0), (31, 1536.0)):
        exact = density((mean / 24) ** 2, mean / 24**2, x)
        error = np.abs(found[1:, column] - exact / exact.max()).max()
        # A step of single precision at 30,000 is 0.002: what TensorFlow's arithmetic leaves.
        assert error < (1e-5 if column == 0 else 3e-3)
    assert np.abs(found[1:, 31] - exact / exact.max()).max() > 1e-4


def test_gamma_features_are_those_of_the_published_port_s_table():
    # Of its table of 3,071 x 32 numbers: the distance, the feature, the value.
    golden = [
        (0, 0, 5.356140e-07),
        (0, 31, 6.031668e-07),
        (1, 0, 3.966171e-04),
        (31, 1, 2.125535e-03),
        (100, 1, 9.173576e-01),
        (100, 2, 1.692266e-01),
        (1500, 31, 3.271992e-01),
    ]
    found = tensorflow_gamma(1536, 32)
    for distance, feature, value in golden:
        assert found[distance, feature] == pytest.approx(value, rel=1e-6)


def test_the_port_s_own_form_shares_out_each_distance():
    found = rowwise_gamma(64, 4)
    assert (found[0] == 1).all()
    assert (found.max(1) == 1).all()


def test_other_features_by_hand():
    assert central_mask(8, 3).T.tolist() == [
        [1, 0, 0, 0, 0, 0, 0, 0],
        [1, 1, 1, 0, 0, 0, 0, 0],
        [1, 1, 1, 1, 1, 1, 1, 0],
    ]
    # Half-lives 8 and 1,536 bins.
    decay = exponential(1536, 32)
    assert decay[8, 0] == pytest.approx(0.5)
    assert decay[1535, 31] == pytest.approx(0.5, rel=1e-3)


def test_features_of_a_distance_repeat_with_its_sign():
    found = distance_features(16, 2, tensorflow=True)
    assert found.shape == (31, 12)
    assert (found[:15, 6:] == -found[:15, :6]).all()
    assert (found[15, 6:] == 0).all()
    assert (found[16:, 6:] == found[16:, :6]).all()
    assert (found == np.where(np.arange(12) < 6, found[::-1], -found[::-1])).all()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"window": 2040}, "not whole bins of 32"),
        ({"bins": 66}, "more bins than 64"),
        ({"bins": 47}, "do not lie in the middle"),
        ({"heads": 3}, "dim / heads is not a multiple of 6"),
        ({"heads": 5}, "dim is not a multiple of the heads"),
        ({"divisible_by": 32}, "not a multiple of divisible_by"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(change: dict[str, Any], problem: str):
    with pytest.raises(ConfigError, match=problem):
        EnformerConfig.checked({**TOY.model_dump(), **change})
