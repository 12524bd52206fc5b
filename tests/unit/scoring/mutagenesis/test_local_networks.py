"""Networks of the zoo: what a change can reach, recomputed, equals the network on the mutant."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from exprimo.core.sequence import N_CODE
from exprimo.models.cnn import PairPool
from exprimo.models.network import NetworkPredictor
from exprimo.models.zoo import Shapes, Task, get_spec
from exprimo.scoring.mutagenesis.local import chain_of
from exprimo.scoring.mutagenesis.substitutions import Substitutions
from exprimo.scoring.mutagenesis.ways import LocalWay, WholeWay

FEATURES = 3


def trained(network: nn.Module) -> nn.Module:
    """Give layers that begin as nothing something to do, as training would."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.5, 2)
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
        if isinstance(module, PairPool):
            nn.init.normal_(module.logit.weight, std=0.5)
    return network.eval()


def predictor_of(
    model: str,
    options: dict[str, Any],
    length: int,
    *,
    task: Task = "regression",
    classes: tuple[str, ...] = (),
    members: int = 1,
    both_strands: bool = False,
) -> NetworkPredictor:
    spec = get_spec(model)
    config = spec.config.checked(options)
    inputs: dict[str, tuple[int, ...]] = {"sequence": (length,)}
    if "halflife" in spec.inputs_read(config):
        inputs["halflife"] = (FEATURES,)
    shapes = Shapes(inputs, task, max(1, len(classes)), classes)
    networks = [trained(spec.build(config, shapes)) for _ in range(members)]
    return NetworkPredictor(networks, shapes, center=2.0, scale=3.0, both_strands=both_strands)


def compare(predictor: NetworkPredictor, length: int, seed: int, n: int = 40) -> None:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, N_CODE, (1, length)).astype(np.uint8)
    codes[0, rng.integers(0, length, 2)] = N_CODE
    batch = {"sequence": codes, "halflife": rng.normal(size=(1, FEATURES)).astype(np.float32)}
    batch = {name: batch[name] for name in predictor.inputs}
    chains = [chain_of(member, length) for member in predictor.members]
    known = [chain for chain in chains if chain is not None]
    assert len(known) == len(chains)
    every = Substitutions.within(codes[0], 0, length)
    rows = np.unique(np.r_[0:3, rng.integers(0, len(every), n), len(every) - 3 : len(every)])
    wanted = every.take(rows)
    outputs = list(range(len(predictor.outputs)))
    local = LocalWay(predictor, known, lambda given: given, outputs, 1 << 20)
    found = local.outputs(batch, wanted)
    expected = WholeWay(lambda given: predictor.predict(given).mean, 16).outputs(batch, wanted)
    scale = max(1.0, float(np.abs(expected.mutants).max()))
    np.testing.assert_allclose(found.reference, expected.reference, atol=1e-5 * scale)
    np.testing.assert_allclose(found.mutants, expected.mutants, atol=1e-5 * scale)


@settings(max_examples=20, deadline=None)
@given(
    length=st.integers(80, 260),
    options=st.fixed_dictionaries(
        {
            "channels": st.sampled_from([8, 12]),
            "stem_channels": st.just(8),
            "stem_kernel": st.sampled_from([1, 7, 15]),
            "stem_pool": st.integers(0, 9),
            "stem_activation": st.sampled_from(["exp", "silu"]),
            "kernel": st.sampled_from([1, 3, 5]),
            "blocks": st.integers(1, 2),
            "stages": st.integers(0, 3),
            "grid": st.integers(1, 20),
            "head_channels": st.just(4),
            "hidden": st.sampled_from([0, 6]),
        }
    ),
    seed=st.integers(0, 1000),
)
def test_cnn_of_any_size(length: int, options: dict[str, Any], seed: int) -> None:
    torch.manual_seed(seed)
    compare(predictor_of("cnn", options, length), length, seed)


@settings(max_examples=15, deadline=None)
@given(
    length=st.integers(80, 200),
    height=st.integers(1, 4),
    widths=st.tuples(st.integers(1, 9), st.integers(1, 4)),
    pool=st.integers(1, 12),
    norm=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_an_image_of_four_rows(
    length: int, height: int, widths: tuple[int, int], pool: int, norm: bool, seed: int
) -> None:
    torch.manual_seed(seed)
    options = {"channels": (5, 6), "height": height, "widths": widths, "pool": pool, "norm": norm}
    compare(predictor_of("cnn2d", options, length), length, seed)


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("xpresso", {"channels": (6, 5), "pools": (30, 4)}),
        ("xpresso", {"channels": (6, 5), "widths": (5, 2), "pools": (7, 3), "halflife": False}),
        ("cnn_only", {"filters": 8, "channels": (6, 5)}),
        ("cnn_only", {"filters": 0, "bin": 7, "channels": (6,), "norm": False}),
        ("halflife_cnn", {"filters": 8, "channels": (6, 5), "hidden": ()}),
        ("halflife_cnn", {"filters": 8, "channels": (6, 5), "halflife": "encoded"}),
        ("halflife_cnn", {"filters": 8, "channels": (6, 5), "halflife": "none"}),
    ],
)
def test_networks_that_read_more(model: str, options: dict[str, Any]) -> None:
    torch.manual_seed(3)
    for length in (200, 331):
        compare(predictor_of(model, options, length), length, length)


SMALL = {"channels": 8, "stem_channels": 8, "head_channels": 4, "hidden": 8}


@pytest.mark.parametrize("both_strands", [False, True])
@pytest.mark.parametrize(
    ("task", "classes"),
    [("regression", ()), ("classification", ()), ("multiclass", ("down", "none", "up"))],
)
def test_ensembles_strands_and_probabilities(
    task: Task, classes: tuple[str, ...], both_strands: bool
) -> None:
    torch.manual_seed(4)
    predictor = predictor_of(
        "cnn", SMALL, 150, task=task, classes=classes, members=2, both_strands=both_strands
    )
    compare(predictor, 150, 5, n=100)


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("cnn_bilstm", {}),
        ("transformer", {}),
        ("lstm", {}),
        ("halflife_cnn", {"join": "length"}),
    ],
)
def test_what_is_no_chain(model: str, options: dict[str, Any]) -> None:
    (network,) = predictor_of(model, options, 160).members
    assert chain_of(network, 160) is None
