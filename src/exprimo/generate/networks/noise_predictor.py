"""Predict the noise in noisy one-hot sequences: a plain residual network."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from exprimo.generate.conditioning import Conditioning
from exprimo.generate.networks.layers import (
    GROUPS,
    ConditionEmbedding,
    TimeEmbedding,
    along,
    channels_last,
)

BASES = 4


class NoisePredictor(nn.Module):
    """Noisy one-hot (batch, 4, length) -> the noise in it, of the same shape.

    Each block has two convolutions and is told, by what is added between them, how far the noise
    has gone and what is asked for.
    """

    def __init__(
        self, conditioning: Conditioning, *, channels: int, blocks: int, kernel: int
    ) -> None:
        super().__init__()
        self.time = TimeEmbedding(channels)
        self.condition = ConditionEmbedding(conditioning, channels)
        self.first = along(BASES, channels, kernel)
        self.blocks = nn.ModuleList(_Block(channels, kernel) for _ in range(blocks))
        self.norm = nn.GroupNorm(GROUPS, channels)
        self.last = along(channels, BASES, kernel)

    def forward(
        self, noisy: Tensor, time: Tensor, condition: Tensor | None, left_out: Tensor
    ) -> Tensor:
        """Read noisy sequences at a time (batch,) of 0 to 1; see `ConditionEmbedding`."""
        told = functional.silu(self.time(time) + self.condition(condition, left_out, len(noisy)))
        x = self.first(channels_last(noisy.unsqueeze(2)))
        for block in self.blocks:
            x = block(x, told)
        found: Tensor = self.last(functional.silu(self.norm(x)))
        return found.squeeze(2).float()


class _Block(nn.Module):
    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(GROUPS, channels)
        self.first = along(channels, channels, kernel)
        self.told = nn.Linear(channels, channels)
        self.norm2 = nn.GroupNorm(GROUPS, channels)
        self.second = along(channels, channels, kernel)

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        inner = self.first(functional.silu(self.norm1(x)))
        inner = inner + self.told(told)[:, :, None, None]
        found: Tensor = x + self.second(functional.silu(self.norm2(inner)))
        return found
