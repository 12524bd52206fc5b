"""Tell hidden bases from those that are known: dilated residual convolutions."""

from __future__ import annotations

import torch
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
MASK = 4
"""The code of a hidden base."""


class MaskedDenoiser(nn.Module):
    """Codes with hidden bases -> logits of A, C, G, T at every position.

    Each block is told by scale and shift how much is hidden and what is asked for. Windows are
    aligned, so a learned vector per position tells where in the window a base stands.
    """

    def __init__(
        self,
        length: int,
        conditioning: Conditioning,
        *,
        channels: int,
        blocks: int,
        kernel: int,
        dilations: tuple[int, ...],
        dropout: float,
    ) -> None:
        super().__init__()
        self.time = TimeEmbedding(channels)
        self.condition = ConditionEmbedding(conditioning, channels)
        # One-hot bases and a channel that says "hidden".
        self.first = along(BASES + 1, channels, kernel)
        self.place = nn.Parameter(0.02 * torch.randn(1, channels, 1, length))
        self.blocks = nn.ModuleList(
            _Block(channels, kernel, dilations[i % len(dilations)], dropout) for i in range(blocks)
        )
        self.norm = nn.GroupNorm(GROUPS, channels)
        self.last = along(channels, BASES, 1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(torch.as_tensor(self.last.bias))

    def forward(
        self, codes: Tensor, hidden: Tensor, condition: Tensor | None, left_out: Tensor
    ) -> Tensor:
        """Read codes (batch, length) with `MASK` where a base is hidden.

        Parameters
        ----------
        hidden
            Share of the bases that are hidden, (batch,).
        condition, left_out
            See `ConditionEmbedding`.

        Returns
        -------
        Tensor
            Logits, (batch, 4, length).
        """
        told = functional.silu(self.time(hidden) + self.condition(condition, left_out, len(codes)))
        one_hot = functional.one_hot(codes.long(), BASES + 1).float().transpose(1, 2).unsqueeze(2)
        x = self.first(channels_last(one_hot))
        # In one precision throughout: half of a step's time goes into moving numbers.
        x = channels_last(x + self.place.to(x.dtype))
        for block in self.blocks:
            x = block(x, told)
        logits: Tensor = self.last(functional.silu(self.norm(x)))
        return logits.squeeze(2).float()


class _Block(nn.Module):
    def __init__(self, channels: int, kernel: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(GROUPS, channels)
        self.wide = along(channels, channels, kernel, dilation=dilation)
        self.norm2 = nn.GroupNorm(GROUPS, channels)
        self.told = nn.Linear(channels, 2 * channels)
        self.dropout = nn.Dropout(dropout)
        self.narrow = along(channels, channels, 1)
        # A block begins as nothing, so that a deep stack begins as a shallow one.
        nn.init.zeros_(self.narrow.weight)
        nn.init.zeros_(torch.as_tensor(self.narrow.bias))

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        scale, shift = self.told(told)[:, :, None, None].chunk(2, dim=1)
        inner = self.wide(functional.silu(self.norm1(x)))
        normed = self.norm2(inner)
        inner = torch.addcmul(shift.to(normed.dtype), normed, (1 + scale).to(normed.dtype))
        found: Tensor = x + self.narrow(self.dropout(functional.silu(inner)))
        return found
