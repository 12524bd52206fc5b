"""DNA as (batch, channels, bins), from stored embeddings or from the bases: one trunk for all."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from exprimo.core.config import Config
from exprimo.core.errors import ConfigError
from exprimo.models.best_match import best_match
from exprimo.models.cnn import MotifScan, Sharpen
from exprimo.models.zoo import Shapes

_BINS, _SMALLEST, _WIDEST = 64, 8, 128
Dna = Literal["sequence", "embedding", "none"]


class BinsConfig(Config):
    """Which DNA is read, and in what bins."""

    dna: Dna = "sequence"
    """``embedding``: what a pretrained network made of it (``train --embeddings STORE``);
    ``sequence``: its bases; ``none``: not at all."""
    bin: int = Field(0, ge=0)
    """Bases in a bin where bases are read; 0 chooses a power of two, 8 to 128, that leaves about
    64 bins or more."""


class DnaConfig(BinsConfig):
    """How DNA is read."""

    filters: int = Field(64, ge=0, multiple_of=2)
    """Channels made of it: motifs, half of them on either strand, the best match in each bin; or a
    linear map of an embedding. 0: nothing learned, the base composition of each bin or the
    embedding itself."""
    kernel: int = Field(15, ge=1)
    """Width of a motif in bases, odd."""


def dna_inputs(config: BinsConfig) -> tuple[str, ...]:
    """Name the inputs that the options read."""
    return () if config.dna == "none" else (config.dna,)


class DnaBins(nn.Module):
    """Read ``sequence`` (batch, 4, length) or ``embedding`` (batch, bins, channels) into bins.

    Attributes
    ----------
    channels, bins
        Of what comes out, (batch, channels, bins).
    """

    def __init__(self, config: BinsConfig, shapes: Shapes) -> None:
        super().__init__()
        self.name = config.dna
        filters = config.filters if isinstance(config, DnaConfig) else 0
        shape = shapes.inputs[self.name]
        self.scan: nn.Module = nn.Identity()
        if self.name == "embedding":
            self.bins, self.channels = shape[0], filters or shape[1]
            if filters:
                self.scan = nn.Conv1d(shape[1], filters, 1)
            return
        self.bin = config.bin or _bin_for(shape[0])
        if self.bin > shape[0]:
            raise ConfigError(
                "a bin is wider than the window",
                record="bin",
                found=self.bin,
                expected=f"at most {shape[0]}",
            )
        self.bins, self.channels = -(-shape[0] // self.bin), filters or 4
        if isinstance(config, DnaConfig) and filters:
            self.scan = MotifScan(filters, config.kernel)
            self.norm = nn.BatchNorm2d(filters)
            self.sharpen = Sharpen()
            self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        x = inputs[self.name]
        if self.name == "embedding":
            embedded: Tensor = self.scan(x.transpose(1, 2))
            return embedded
        if not isinstance(self.scan, MotifScan):
            return nn.functional.avg_pool1d(x, self.bin, ceil_mode=True)
        # The maximum comes first, so that normalisation touches a bin once, not each of its bases.
        filters = self.scan.filters().squeeze(2)
        best = best_match(x, filters, filters.shape[2] // 2, self.bin, ceil_mode=True)
        read: Tensor = self.sharpen(self.norm(best.unsqueeze(2))).squeeze(2)
        return read


def _bin_for(length: int) -> int:
    """Choose the bases in a bin: a power of two, so that half-bins of other windows align.

    Examples
    --------
    >>> _bin_for(600), _bin_for(20_000)
    (8, 128)
    """
    bin_ = _SMALLEST
    while bin_ < _WIDEST and length // (bin_ * 2) >= _BINS:
        bin_ *= 2
    return bin_


class Convolutions(nn.Module):
    """Convolution, rectifier, maximum over neighbours, once per entry of ``channels``.

    Maps (batch, channels, positions) to (batch, features); positions are kept apart until the
    flattening at the end, because it matters where a motif stands.
    """

    def __init__(
        self, shape: tuple[int, int], channels: tuple[int, ...], pool: int, norm: bool
    ) -> None:
        super().__init__()
        width, positions = shape
        self.convolutions, self.norms = nn.ModuleList(), nn.ModuleList()
        self.pools = []
        for outputs in channels:
            self.convolutions.append(nn.Conv1d(width, outputs, 3, padding=1))
            self.norms.append(nn.BatchNorm1d(outputs) if norm else nn.Identity())
            # Where fewer positions are left than one maximum spans, all of them are one.
            self.pools.append(min(pool, positions))
            width, positions = outputs, positions // self.pools[-1]
        self.features = width * positions

    def forward(self, x: Tensor) -> Tensor:
        for convolve, norm, pool in zip(self.convolutions, self.norms, self.pools, strict=True):
            x = nn.functional.max_pool1d(norm(convolve(x)).relu(), pool)
        return x.flatten(1)
