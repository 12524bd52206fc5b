"""The best match per bin against the two layers that it stands for."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from exprimo.models import best_match as own
from exprimo.models.best_match import best_match
from exprimo.models.network import one_hot_table, to_tensors


def _bases(n: int, length: int) -> Tensor:
    codes = np.random.default_rng(0).integers(0, 5, (n, length), dtype=np.uint8)
    return to_tensors({"sequence": codes}, one_hot_table(torch.device("cpu")))["sequence"]


def _two_layers(x: Tensor, weight: Tensor, before: int, bin_: int, ceil_mode: bool) -> Tensor:
    padded = functional.pad(x, (before, weight.shape[2] - 1 - before))
    return functional.max_pool1d(functional.conv1d(padded, weight), bin_, ceil_mode=ceil_mode)


@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize(
    ("width", "before", "bin_", "length"),
    [(6, 2, 30, 400), (15, 7, 64, 500), (1, 0, 7, 50), (9, 4, 10, 10), (5, 2, 1, 20)],
)
@pytest.mark.parametrize("held", [1, 1 << 21])
def test_values_and_gradients_are_those_of_two_layers(
    width: int,
    before: int,
    bin_: int,
    length: int,
    ceil_mode: bool,
    held: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(own, "_HELD", held)
    generator = torch.Generator().manual_seed(0)
    x = _bases(5, length)
    weight = torch.randn(8, 4, width, generator=generator)
    mine, theirs = weight.clone().requires_grad_(), weight.clone().requires_grad_()
    found = best_match(x, mine, before, bin_, ceil_mode=ceil_mode)
    wanted = _two_layers(x, theirs, before, bin_, ceil_mode)
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)
    gradient = torch.randn(wanted.shape, generator=generator)
    (found * gradient).sum().backward()
    (wanted * gradient).sum().backward()
    torch.testing.assert_close(mine.grad, theirs.grad, atol=1e-4, rtol=1e-5)


def test_no_match_behind_the_last_base_wins() -> None:
    x = _bases(2, 50)
    x[:, :, 48:] = torch.eye(4)[:, :2]
    # Every base counts against, so that the zeros behind the end would be the best match.
    found = best_match(x, -torch.ones(2, 4, 1), 0, 16, ceil_mode=True)
    assert found.shape == (2, 2, 4)
    assert (found[:, :, -1] == -1).all()


def test_attributions_get_the_gradient_of_the_bases() -> None:
    x, weight = _bases(2, 60), torch.randn(4, 4, 5, generator=torch.Generator().manual_seed(0))
    mine, theirs = x.clone().requires_grad_(), x.clone().requires_grad_()
    best_match(mine, weight, 2, 10).square().sum().backward()
    _two_layers(theirs, weight, 2, 10, False).square().sum().backward()
    torch.testing.assert_close(mine.grad, theirs.grad)


def test_autocast_computes_in_its_type_and_keeps_the_gradient_in_the_weight_s() -> None:
    layer = nn.Conv1d(4, 16, 7, bias=False)
    x = _bases(3, 200)
    with torch.autocast("cpu", torch.bfloat16):
        found = best_match(x, layer.weight, 3, 20)
    assert found.dtype == torch.bfloat16
    wanted = best_match(x, layer.weight, 3, 20)
    torch.testing.assert_close(found.float(), wanted, atol=0.02, rtol=0.01)
    found.float().sum().backward()
    assert layer.weight.grad is not None
    assert layer.weight.grad.dtype == torch.float32


def test_what_is_held_for_the_gradient_does_not_grow_with_every_position() -> None:
    kept: list[int] = []
    layer = nn.Conv1d(4, 64, 6, bias=False)
    x = _bases(4, 3_000)

    def note(tensor: Tensor) -> Tensor:
        kept.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        best_match(x, layer.weight, 2, 30)
    assert sum(kept) < 4 * 64 * 3_000 / 4
    assert max(itertools.chain(kept, [0])) <= x.numel()
