"""Enformer (Avsec et al. 2021): bases to hidden vectors of bins, and to tracks; written anew.

Modules and parameters are named as in the published PyTorch weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from exprimo.models.pretrained.enformer.config import STEM_WIDTH, TOWER_WIDTH, EnformerConfig
from exprimo.models.pretrained.enformer.layers import (
    ConvBlock,
    Halving,
    TransformerBlock,
    quick_gelu,
)
from exprimo.models.pretrained.enformer.positions import distance_features

RunLayer = Callable[[int, TransformerBlock, Tensor, Tensor], Tensor]
_ALL = slice(None)
# From so many numbers on, what is inside a layer is computed again for its gradient, not kept.
_RECOMPUTED_FROM = 1 << 18


def _as_it_is(_: int, layer: TransformerBlock, x: Tensor, described: Tensor) -> Tensor:
    out: Tensor = layer(x, described)
    return out


def _kept_or_not(size: Tensor, layer: Callable[..., Tensor], *read: Tensor) -> Tensor:
    if torch.is_grad_enabled() and size.numel() >= _RECOMPUTED_FROM:
        out: Tensor = checkpoint(layer, *read, use_reentrant=False)
        return out
    return layer(*read)


class EnformerNetwork(nn.Module):
    """One-hot bases (batch, 4, window) to hidden vectors of the bins (batch, bins, channels).

    All is differentiable. Without gradients `exprimo.models.pretrained.enformer.inference` uses
    the same weights faster and in less memory.

    Examples
    --------
    >>> config = EnformerConfig(
    ...     dim=24, depth=1, heads=2, key=4, divisible_by=4, downsamples=3, window=64, bins=4,
    ...     tracks={"human": 3},
    ... )
    >>> network = EnformerNetwork(config)
    >>> network(torch.zeros(2, 4, 64)).shape
    torch.Size([2, 4, 48])
    """

    def __init__(self, config: EnformerConfig) -> None:
        super().__init__()
        self.config = config
        half, tower = config.dim // 2, config.tower()
        stem = nn.Conv1d(4, half, STEM_WIDTH, padding=STEM_WIDTH // 2)
        self.stem = Halving(stem, half)
        self.conv_tower = nn.Sequential(
            *(
                Halving(ConvBlock(before, after, TOWER_WIDTH), after)
                for before, after in pairwise(tower)
            )
        )
        self.transformer = nn.Sequential(*(TransformerBlock(config) for _ in range(config.depth)))
        self.final_pointwise = nn.Sequential(nn.Identity(), ConvBlock(config.dim, config.channels))
        self._heads = nn.ModuleDict(
            {
                name: nn.Sequential(nn.Linear(config.channels, tracks), nn.Softplus())
                for name, tracks in config.tracks.items()
            }
        )

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return self.stem_conv.weight.device

    @property
    def stem_conv(self) -> nn.Conv1d:
        """The first convolution."""
        return cast(nn.Conv1d, self.stem[0])

    @property
    def blocks(self) -> list[Halving]:
        """The blocks of the tower."""
        return [cast(Halving, block) for block in self.conv_tower]

    @property
    def layers(self) -> list[TransformerBlock]:
        """The layers of the transformer."""
        return [cast(TransformerBlock, layer) for layer in self.transformer]

    @property
    def last(self) -> ConvBlock:
        """What stands between the transformer and the heads."""
        return cast(ConvBlock, self.final_pointwise[1])

    def distances(self, device: torch.device) -> Tensor:
        """Describe the distances between positions, (2 positions - 1, features)."""
        config = self.config
        described = distance_features(
            config.positions, config.features, tensorflow=config.tensorflow_gamma
        )
        return torch.from_numpy(described.copy()).to(device)

    def forward(self, sequence: Tensor) -> Tensor:
        """Give hidden vectors of the bins."""
        return self.transform(self.convolve(sequence))

    def convolve(self, sequence: Tensor) -> Tensor:
        """Give what the transformer reads, (batch, positions, dim)."""
        x = _kept_or_not(sequence, self._stem, sequence)
        for block in self.blocks:
            x = _kept_or_not(sequence, block, x)
        return x

    def _stem(self, sequence: Tensor) -> Tensor:
        x: Tensor = self.stem_conv(sequence).transpose(1, 2)
        pooled: Tensor = self.stem[2](self.stem[1](x))
        return pooled

    def transform(self, x: Tensor, bins: slice = _ALL, run: RunLayer = _as_it_is) -> Tensor:
        """Give hidden vectors of some bins for what the convolutions gave.

        ``run`` runs a layer, by its number, in another way than with its own weights.
        """
        described = self.distances(x.device)
        for number, layer in enumerate(self.layers):
            x = _kept_or_not(x, partial(run, number, layer), x, described)
        start, stop, _ = bins.indices(self.config.bins)
        x = x[:, self.config.cropped + start : self.config.cropped + stop]
        return quick_gelu(self.last(x))

    def head(self, name: str) -> nn.Linear:
        """Give the dense layer of a head; its tracks are a softplus of what it gives."""
        return cast(nn.Linear, self._heads.get_submodule(f"{name}.0"))

    def predict(self, hidden: Tensor, head: str, rows: Sequence[int] | None = None) -> Tensor:
        """Give tracks (batch, bins, tracks) of hidden vectors; of some ``rows`` of the head."""
        dense = self.head(head)
        weight: Tensor = dense.weight
        bias: Tensor = dense.bias
        if rows is not None:
            weight, bias = weight[list(rows)], bias[list(rows)]
        return functional.softplus(functional.linear(hidden, weight, bias))
