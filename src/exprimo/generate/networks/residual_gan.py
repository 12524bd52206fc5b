"""A generator and a critic of sequences: residual convolutions at one or more resolutions.

Sequences are made coarse to fine and read fine to coarse: over 2,000 bases, a weight for each base
and channel would be too many, and full resolution throughout too slow. Inside, a window is padded
to what halving needs.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from exprimo.generate.conditioning import Conditioning
from exprimo.generate.networks.layers import GROUPS, ConditionEmbedding, along, channels_last

BASES = 4
# Places at the coarsest resolution. Reading takes most of the time, so it gets coarse sooner.
_MADE_FROM, _READ_DOWN_TO = 128, 32
_SLOPE = 0.2


def halvings(length: int, places: int) -> int:
    """Say how often a window is halved until its coarsest form has at most so many places.

    Examples
    --------
    >>> [halvings(length, 128) for length in (20, 128, 129, 2000)]
    [0, 0, 1, 4]
    """
    times = 0
    while -(-length // 2**times) > places:
        times += 1
    return times


class ResidualGenerator(nn.Module):
    """Noise -> logits of A, C, G, T, (batch, 4, length).

    One vector of noise says what the whole sequence is like; a few numbers per place and
    resolution let neighbouring bases vary on their own, which one vector cannot over 2,000 bases.
    """

    def __init__(
        self,
        length: int,
        conditioning: Conditioning,
        *,
        noise: int,
        local_noise: int,
        channels: int,
        blocks: int,
        kernel: int,
    ) -> None:
        super().__init__()
        self._length, self._noise, self._local = length, noise, local_noise
        times = halvings(length, _MADE_FROM)
        self._coarsest = -(-length // 2**times)
        self._channels = channels
        self.condition = ConditionEmbedding(conditioning, channels)
        self.first = nn.Linear(noise, channels * self._coarsest)
        self.place = nn.Parameter(0.1 * torch.randn(1, channels, 1, self._coarsest << times))
        self.levels = nn.ModuleList(
            nn.ModuleList(_Made(channels, kernel) for _ in range(1 if level else blocks))
            for level in range(times + 1)
        )
        self.local = nn.ModuleList(along(local_noise, channels, 1) for _ in self.levels)
        self.norm = nn.GroupNorm(GROUPS, channels)
        self.last = along(channels, BASES, 1)

    def forward(self, n: int, condition: Tensor | None) -> Tensor:
        """Give logits for ``n`` conditions (n,), from noise of torch's default generator."""
        device = self.place.device
        told_all = torch.zeros(n, dtype=torch.bool, device=device)
        told = functional.silu(self.condition(condition, told_all, n))
        x = self.first(torch.randn(n, self._noise, device=device))
        x = channels_last(x.view(n, self._channels, 1, self._coarsest))
        last = len(self.levels) - 1
        for level, blocks in enumerate(self.levels):
            if level:
                x = functional.interpolate(x, scale_factor=(1, 2), mode="nearest")
            noise = torch.randn(n, self._local, 1, x.shape[3], device=device)
            x = x + self.local[level](channels_last(noise))
            if level == last:
                x = x + self.place.to(x.dtype)
            for block in blocks:  # type: ignore[attr-defined]  # a ModuleList within a ModuleList
                x = block(x, told)
        logits: Tensor = self.last(functional.silu(self.norm(x)))
        return logits.squeeze(2).float()[..., : self._length]


class ResidualCritic(nn.Module):
    """One-hot or relaxed sequences (batch, 4, length) -> one score each, higher for real ones.

    What is asked for enters as a projection (Miyato & Koyama 2018). No layer mixes sequences of a
    batch, because the gradient penalty is one of each sequence alone.
    """

    def __init__(
        self, length: int, conditioning: Conditioning, *, channels: int, blocks: int, kernel: int
    ) -> None:
        super().__init__()
        times = halvings(length, _READ_DOWN_TO)
        coarsest = -(-length // 2**times)
        self._padding = (coarsest << times) - length
        self._conditioned = conditioning.kind != "none"
        self.first = along(BASES, channels, kernel)
        self.place = nn.Parameter(0.1 * torch.randn(1, channels, 1, coarsest << times))
        self.levels = nn.ModuleList(
            nn.ModuleList(_Read(channels, kernel) for _ in range(1 if level < times else blocks))
            for level in range(times + 1)
        )
        self.gathered = nn.Linear(channels * coarsest, channels)
        self.last = nn.Linear(channels, 1)
        if self._conditioned:
            self.condition = ConditionEmbedding(conditioning, channels)

    def forward(self, sequences: Tensor, condition: Tensor | None) -> Tensor:
        """Score sequences, (batch,), as examples of their conditions (batch,)."""
        x = functional.pad(sequences, (0, self._padding)).unsqueeze(2)
        x = self.first(channels_last(x))
        x = x + self.place.to(x.dtype)
        for level, blocks in enumerate(self.levels):
            if level:
                x = functional.avg_pool2d(x, (1, 2))
            for block in blocks:  # type: ignore[attr-defined]  # a ModuleList within a ModuleList
                x = block(x)
        x = functional.leaky_relu(x, _SLOPE).flatten(1)
        found = functional.leaky_relu(self.gathered(x), _SLOPE).float()
        score: Tensor = self.last(found).squeeze(1).float()
        if self._conditioned:
            told_all = torch.zeros(len(found), dtype=torch.bool, device=found.device)
            told = self.condition(condition, told_all, len(found))
            score = score + (told * found).sum(1) / found.shape[1] ** 0.5
        return score


class _Made(nn.Module):
    """A block of the generator, told by scale and shift what is asked for."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(GROUPS, channels)
        self.first = along(channels, channels, kernel)
        self.norm2 = nn.GroupNorm(GROUPS, channels)
        self.told = nn.Linear(channels, 2 * channels)
        self.second = along(channels, channels, kernel)

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        scale, shift = self.told(told)[:, :, None, None].chunk(2, dim=1)
        inner = self.first(functional.silu(self.norm1(x)))
        inner = self.norm2(inner) * (1 + scale) + shift
        found: Tensor = x + self.second(functional.silu(inner))
        return found


class _Read(nn.Module):
    """A block of the critic, without a norm."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.first = along(channels, channels, kernel)
        self.second = along(channels, channels, kernel)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.first(functional.leaky_relu(x, _SLOPE))
        found: Tensor = x + 0.3 * self.second(functional.leaky_relu(inner, _SLOPE))
        return found
