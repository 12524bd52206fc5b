"""Attention with dropout of its weights, made block by block and made again for the gradient."""

from __future__ import annotations

import pytest
import torch

from exprimo.models.differential import attention
from exprimo.models.differential.attention import attend, dropped


def _parts(*shape: int, **kind: torch.dtype) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(2)
    return [torch.randn(shape, generator=generator, **kind).requires_grad_(True) for _ in range(3)]


def test_without_dropout_it_is_softmax_attention() -> None:
    q, k, v = _parts(2, 3, 7, 4)
    expected = torch.softmax(q @ k.transpose(-1, -2) / 2, -1) @ v
    torch.testing.assert_close(attend(q, k, v, 0.0), expected)


@pytest.mark.parametrize("block", [5, 16, 10**6])
def test_gradients_are_those_of_the_function(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "_BLOCK", block)

    def function(*parts: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(11)
        return attend(*parts, 0.4)

    assert torch.autograd.gradcheck(function, _parts(1, 2, 6, 3, dtype=torch.float64))


def test_dropped_weights_mix_to_the_same_on_average() -> None:
    q, k, v = (x.detach() for x in _parts(1, 1, 5, 4))
    torch.manual_seed(0)
    found = torch.stack([attend(q, k, v, 0.25) for _ in range(1000)])
    assert found.std(0).min() > 0.01
    # In standard errors of a mean of a thousand.
    off = (found.mean(0) - attend(q, k, v, 0.0)).abs() / (found.std(0) / 1000**0.5)
    assert off.max() < 4.5


def test_dropout_keeps_its_share_and_its_mean() -> None:
    torch.manual_seed(0)
    x = torch.ones(400, 500, requires_grad=True)
    found = dropped(x, 0.1)
    assert found.detach().unique().tolist() == pytest.approx([0.0, 1 / 0.9])
    assert float((found == 0).float().mean()) == pytest.approx(0.1, abs=0.003)
    found.sum().backward()
    # What was dropped learns nothing; the mask is drawn again, not kept.
    torch.testing.assert_close(x.grad, found.detach())


def test_the_seed_of_torch_decides() -> None:
    def draw(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return dropped(torch.ones(50), 0.5)

    assert torch.equal(draw(1), draw(1))
    assert not torch.equal(draw(1), draw(2))


def test_bf16_values_stay_bf16() -> None:
    x = torch.ones(9, dtype=torch.bfloat16)
    assert dropped(x, 0.5).dtype == torch.bfloat16
    assert attend(*(3 * [torch.ones(1, 1, 2, 2, dtype=torch.bfloat16)]), 0.5).shape == (1, 1, 2, 2)
