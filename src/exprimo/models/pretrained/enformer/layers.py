"""The layers of Enformer (Avsec et al. 2021, Extended Data Fig. 1), differentiable.

Values run as (batch, positions, channels). Parameters are named and shaped as in the published
PyTorch weights, which therefore load strictly. Batch norms use their stored statistics always,
in training too: a few windows at a time say too little about a genome.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from exprimo.models.pretrained.enformer.config import EnformerConfig

GELU_SLOPE = 1.702
"""Of the sigmoid in the quick form of GELU (Hendrycks & Gimpel 2016)."""


def quick_gelu(x: Tensor) -> Tensor:
    """Multiply by a sigmoid of 1.702 times the input."""
    return x * torch.sigmoid(GELU_SLOPE * x)


def affine(norm: nn.BatchNorm1d) -> tuple[Tensor, Tensor]:
    """Give a batch norm by stored statistics as a factor and a summand per channel."""
    assert norm.running_var is not None
    assert norm.running_mean is not None
    factor = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
    return factor, norm.bias - norm.running_mean * factor


class ConvBlock(nn.Sequential):
    """Batch norm, GELU, convolution of an odd width that keeps the length."""

    def __init__(self, channels: int, out: int, width: int = 1) -> None:
        conv = nn.Conv1d(channels, out, width, padding=width // 2)
        super().__init__(nn.BatchNorm1d(channels), nn.Identity(), conv)

    @property
    def norm(self) -> nn.BatchNorm1d:
        """The batch norm."""
        return cast(nn.BatchNorm1d, self[0])

    @property
    def conv(self) -> nn.Conv1d:
        """The convolution."""
        return cast(nn.Conv1d, self[2])

    def forward(self, x: Tensor) -> Tensor:
        factor, summand = affine(self.norm)
        active = quick_gelu(x * factor + summand)
        if self.conv.kernel_size[0] == 1:
            return functional.linear(active, self.conv.weight[..., 0], self.conv.bias)
        out: Tensor = self.conv(active.transpose(1, 2)).transpose(1, 2)
        return out


class Residual(nn.Module):
    """Something that is added to what it reads."""

    def __init__(self, fn: nn.Module) -> None:
        super().__init__()
        self.fn = fn

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.fn(x)
        return out


class AttentionPool(nn.Module):
    """Two neighbours become one: their mean, weighted in each channel by a softmax of logits.

    Of two logits the softmax is a sigmoid of their difference, and the logits are linear: one
    product with the difference of the neighbours gives both weights.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.to_attn_logits = nn.Conv2d(channels, channels, 1, bias=False)
        with torch.no_grad():
            self.to_attn_logits.weight.copy_(2 * torch.eye(channels)[:, :, None, None])

    @property
    def matrix(self) -> Tensor:
        """The weights of the logits, (channels, channels)."""
        return self.to_attn_logits.weight[:, :, 0, 0]

    def forward(self, x: Tensor) -> Tensor:
        batch, length, channels = x.shape
        first, second = x.reshape(batch, length // 2, 2, channels).unbind(2)
        difference = first - second
        share = torch.sigmoid(functional.linear(difference, self.matrix))
        return second + difference * share


class Halving(nn.Sequential):
    """What halves the length: a convolution, a residual, pooling."""

    def __init__(self, first: nn.Conv1d | ConvBlock, channels: int) -> None:
        super().__init__(first, Residual(ConvBlock(channels, channels)), AttentionPool(channels))

    @property
    def first(self) -> nn.Module:
        """The convolution, of the stem plain, else a block."""
        return self[0]

    @property
    def residual(self) -> ConvBlock:
        """What is added."""
        return cast(ConvBlock, cast(Residual, self[1]).fn)

    @property
    def pool(self) -> AttentionPool:
        """The pooling."""
        return cast(AttentionPool, self[2])


class Attention(nn.Module):
    """Attention by content and by distance, with a bias of each (Dai et al. 2019, section 3.3)."""

    def __init__(self, config: EnformerConfig) -> None:
        super().__init__()
        keys, values = config.heads * config.key, config.heads * config.value
        self.heads, self.scale = config.heads, config.key**-0.5
        self.to_q = nn.Linear(config.dim, keys, bias=False)
        self.to_k = nn.Linear(config.dim, keys, bias=False)
        self.to_v = nn.Linear(config.dim, values, bias=False)
        self.to_out = nn.Linear(values, config.dim)
        self.to_rel_k = nn.Linear(6 * config.features, keys, bias=False)
        self.rel_content_bias = nn.Parameter(torch.randn(1, config.heads, 1, config.key))
        self.rel_pos_bias = nn.Parameter(torch.randn(1, config.heads, 1, config.key))

    def forward(self, x: Tensor, described: Tensor) -> Tensor:
        """Mix positions; ``described`` (2 positions - 1, features) tells distances."""
        query, key, value = (self._by_head(to(x)) for to in (self.to_q, self.to_k, self.to_v))
        distance = self._by_head(self.to_rel_k(described.to(x.dtype))[None])
        query = query * self.scale
        content = (query + self.rel_content_bias) @ key.transpose(-1, -2)
        by_distance = (query + self.rel_pos_bias) @ distance.transpose(-1, -2)
        weights = torch.softmax((content + relative_shift(by_distance)).float(), dim=-1)
        mixed = (weights.to(value.dtype) @ value).transpose(1, 2).flatten(2)
        out: Tensor = self.to_out(mixed)
        return out

    def _by_head(self, x: Tensor) -> Tensor:
        return x.reshape(*x.shape[:-1], self.heads, -1).transpose(1, 2)


def relative_shift(x: Tensor) -> Tensor:
    """Turn (..., n, 2n - 1), by distance, into (..., n, n), by position: key minus query.

    Examples
    --------
    >>> relative_shift(torch.tensor([[-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0]])).tolist()
    [[0.0, 1.0], [-1.0, 0.0]]
    """
    n = x.shape[-2]
    padded = functional.pad(x, (1, 0)).flatten(-2)
    # One more number in front of each row: read with rows of one number less, they slide.
    return padded[..., n:].reshape(*x.shape[:-1], 2 * n - 1)[..., :n]


class TransformerBlock(nn.Sequential):
    """Norm, attention, sum; norm, position-wise network, sum."""

    def __init__(self, config: EnformerConfig) -> None:
        attention = nn.Sequential(nn.LayerNorm(config.dim), Attention(config), nn.Identity())
        position_wise = nn.Sequential(
            nn.LayerNorm(config.dim),
            nn.Linear(config.dim, 2 * config.dim),
            nn.Identity(),
            nn.ReLU(),
            nn.Linear(2 * config.dim, config.dim),
            nn.Identity(),
        )
        super().__init__(Residual(attention), Residual(position_wise))

    @property
    def attention(self) -> tuple[nn.LayerNorm, Attention]:
        """The first norm, and the attention."""
        inner = cast(Residual, self[0]).fn
        norm, attention, _ = cast(nn.Sequential, inner)
        return cast(nn.LayerNorm, norm), cast(Attention, attention)

    @property
    def position_wise(self) -> tuple[nn.LayerNorm, nn.Linear, nn.Linear]:
        """The second norm, and the two dense layers."""
        inner = cast(nn.Sequential, cast(Residual, self[1]).fn)
        return cast(nn.LayerNorm, inner[0]), cast(nn.Linear, inner[1]), cast(nn.Linear, inner[4])

    def forward(self, x: Tensor, described: Tensor) -> Tensor:  # type: ignore[override]  # a Sequential's forward takes one
        norm, attention = self.attention
        x = x + attention(norm(x), described)
        out: Tensor = self[1](x)
        return out
