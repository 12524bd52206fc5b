"""Changes followed through random chains of layers equal the layers on the changed input."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import HealthCheck, assume, given, reject, settings
from hypothesis import strategies as st
from torch import Tensor

from exprimo.scoring.mutagenesis.local.layers import (
    AveragePool,
    Convolution,
    Layer,
    MaxPool,
    PairAttention,
    Pointwise,
    Residual,
    read_all,
    through,
)
from exprimo.scoring.mutagenesis.local.order import Activated, arranged
from exprimo.scoring.mutagenesis.local.patch import Patch

CHANNELS = 3


def convolution(draw: st.DrawFn, inputs: int, *, keep_length: bool = False) -> Convolution:
    taps, dilation = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    reach = (taps - 1) * dilation
    before = reach // 2 if keep_length else draw(st.integers(0, reach))
    after = reach - before if keep_length else draw(st.integers(0, reach))
    bias = torch.randn(CHANNELS) if draw(st.booleans()) else None
    return Convolution(torch.randn(CHANNELS, inputs, taps), bias, before, after, dilation)


def one_layer(draw: st.DrawFn, kind: str, inputs: int) -> Layer:
    if kind == "convolution":
        return convolution(draw, inputs)
    if kind == "residual":
        inner = [convolution(draw, CHANNELS, keep_length=True), Pointwise(torch.tanh)]
        return Residual([*inner, convolution(draw, CHANNELS, keep_length=True)])
    if kind == "max":
        return MaxPool(draw(st.integers(1, 9)), whole_bins=draw(st.booleans()))
    if kind == "average":
        return AveragePool(draw(st.integers(1, 5)))
    if kind == "attention":
        return PairAttention(torch.randn(CHANNELS, CHANNELS))
    if kind == "rising":
        return Pointwise(torch.nn.functional.leaky_relu, rises=True)
    return MaxPool(None) if kind == "best" else Pointwise(torch.nn.functional.silu)


@st.composite
def chains(draw: st.DrawFn) -> tuple[list[Layer], Tensor, Tensor]:
    """Layers, a reference (length, 4), and positions of it, of which some are its ends."""
    torch.manual_seed(draw(st.integers(0, 10_000)))
    kinds = ["convolution", "residual", "max", "average", "attention", "pointwise", "rising"]
    layers: list[Layer] = [convolution(draw, 4)]
    layers += [one_layer(draw, kind, CHANNELS) for kind in draw(st.lists(st.sampled_from(kinds)))]
    layers += [one_layer(draw, "best", CHANNELS)] * draw(st.integers(0, 1))
    length = draw(st.integers(1, 70))
    bases = torch.eye(4, dtype=torch.float64)[torch.randint(0, 4, (length,))]
    inner = draw(st.lists(st.integers(0, length - 1), max_size=8))
    return layers, bases, torch.tensor(sorted([0, *inner, length - 1]))


every_chain = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much],
)


@every_chain
@given(chains())
def test_patches_equal_whole_layers(drawn: tuple[list[Layer], Tensor, Tensor]) -> None:
    follow(*drawn, arrange=list)


@every_chain
@given(chains())
def test_arranged_layers_compute_the_same(drawn: tuple[list[Layer], Tensor, Tensor]) -> None:
    follow(*drawn, arrange=arranged)


def follow(
    layers: list[Layer],
    bases: Tensor,
    sites: Tensor,
    *,
    arrange: Callable[[list[Layer]], list[Layer]],
) -> None:
    """Follow substitutions through a chain, and compare with its layers on each mutant."""
    with torch.inference_mode(), InDouble():
        layers = [_in_double(layer) for layer in layers]
        x = bases
        for layer in layers:
            try:
                x, _ = layer.read(x)
            except RuntimeError:
                reject()  # fewer positions are left than a filter spans
            assume(len(x) > 0)
        last, changes = read_all(arrange(layers), bases)
        new = torch.eye(4)[torch.randint(0, 4, (len(sites),))]
        patch = through(changes, Patch(sites, (new - bases[sites])[:, None]))
        found = patch.moved(torch.zeros_like(sites), len(last)).values + last
        for row, site in enumerate(sites.tolist()):
            mutant = bases.clone()
            mutant[site] = new[row]
            torch.testing.assert_close(found[row], read_all(layers, mutant)[0])


class InDouble:
    def __enter__(self) -> None:
        torch.set_default_dtype(torch.float64)

    def __exit__(self, *_: object) -> None:
        torch.set_default_dtype(torch.float32)


def _in_double(layer: Layer) -> Layer:
    if isinstance(layer, Convolution):
        bias = None if layer.bias is None else layer.bias.double()
        return Convolution(layer.weight.double(), bias, layer.before, layer.after, layer.dilation)
    if isinstance(layer, Residual):
        return Residual([_in_double(inner) for inner in layer.inner])
    return PairAttention(layer.weight.double()) if isinstance(layer, PairAttention) else layer


def test_only_what_a_change_can_reach_is_touched() -> None:
    layers: list[Layer] = [
        Convolution(torch.randn(8, 4, 7), None, 3, 3),
        MaxPool(10),
        Convolution(torch.randn(8, 8, 3), None, 1, 1, 1),
    ]
    bases = torch.eye(4)[torch.randint(0, 4, (1000,))]
    _, changes = read_all(layers, bases)
    sites = torch.tensor([0, 503, 999])
    patch = through(changes, Patch(sites, (torch.eye(4)[[0, 0, 0]] - bases[sites])[:, None]))
    # Seven positions meet at most two bins of ten; those change the two beside them.
    assert patch.width == 4
    assert patch.start.tolist() == [-2, 49, 98]


def test_an_activation_joins_the_convolution_or_the_block_before_it() -> None:
    scan = Convolution(torch.randn(3, 4, 5), None, 2, 2)
    inner = Convolution(torch.randn(3, 3, 3), None, 1, 1)
    silu, rectifier = Pointwise(torch.nn.functional.silu), Pointwise(torch.relu, rises=True)
    found = arranged([scan, rectifier, MaxPool(2), Residual([inner, silu, inner]), silu])
    assert [type(layer) for layer in found] == [Convolution, MaxPool, Pointwise, Activated]
    block = found[-1]
    assert isinstance(block, Activated)
    assert block.beside
    assert [type(layer) for layer in block.before] == [Activated]
    # What may fall stays before a maximum.
    assert [type(layer) for layer in arranged([scan, silu, MaxPool(2)])] == [Activated, MaxPool]


@pytest.mark.parametrize("start", [-2, 0, 3, 7])
def test_a_stretch_moved_keeps_its_values(start: int) -> None:
    patch = Patch(torch.tensor([2, 4]), torch.arange(1.0, 7.0).view(2, 3, 1))
    moved = patch.moved(torch.tensor([start, start]), 5)
    expected = torch.zeros(2, 20)
    for row, at in enumerate((2, 4)):
        expected[row, 5 + at : 8 + at] = patch.values[row, :, 0]
    torch.testing.assert_close(moved.values[..., 0], expected[:, 5 + start : 10 + start])
