"""Sizes of an Enformer (Avsec et al. 2021); the defaults are the published network."""

from __future__ import annotations

import math
from typing import Literal, Self

from pydantic import Field, model_validator

from exprimo.core.config import Config
from exprimo.core.errors import ConfigError

STEM_WIDTH, TOWER_WIDTH = 15, 5
"""Bases that the first convolution reads, positions that those of the tower read."""
PUBLISHED_POSITIONS = 1536
_BASES_OF_FEATURES = 6


class EnformerConfig(Config):
    """Sizes of an Enformer; the defaults are the published network."""

    dim: int = Field(1536, ge=4)
    """Channels of the transformer; the stem has half as many, what the heads read twice."""
    depth: int = Field(11, ge=1)
    """Layers of the transformer."""
    heads: int = Field(8, ge=1)
    """Heads of its attention; each has ``dim / heads`` values and features of distance."""
    key: int = Field(64, ge=1)
    """Numbers per key and query of a head."""
    divisible_by: int = Field(128, ge=1)
    """What the channels of the convolution tower are multiples of."""
    downsamples: int = Field(7, ge=3)
    """Times that the length is halved, by the stem and then by each block of the tower."""
    window: int = Field(196_608, ge=8)
    """Bases that are read."""
    bins: int = Field(896, ge=1)
    """Bins that are predicted, in the middle of the window."""
    tracks: dict[str, int] = Field(default_factory=lambda: {"human": 5313, "mouse": 1643})
    """Tracks of each head."""
    gamma: Literal["auto", "tensorflow", "pytorch"] = "auto"
    """Form of the gamma features of distance: as the published network was trained
    (``tensorflow``), or as the PyTorch port computes them for networks of other lengths
    (``pytorch``). ``auto`` is the first where there are 1,536 positions, else the second."""

    @property
    def bin_size(self) -> int:
        """Bases per position and bin."""
        return int(2**self.downsamples)

    @property
    def positions(self) -> int:
        """Positions that the transformer reads."""
        return self.window // self.bin_size

    @property
    def cropped(self) -> int:
        """Positions on either side that have no bin."""
        return (self.positions - self.bins) // 2

    @property
    def channels(self) -> int:
        """Numbers per bin that the heads read."""
        return 2 * self.dim

    @property
    def value(self) -> int:
        """Numbers per value of a head, and features of a distance."""
        return self.dim // self.heads

    @property
    def features(self) -> int:
        """Functions of each kind that describe a distance; each counts again with its sign."""
        return self.value // _BASES_OF_FEATURES

    @property
    def tensorflow_gamma(self) -> bool:
        """Whether the gamma features are TensorFlow's."""
        if self.gamma == "auto":
            return self.positions == PUBLISHED_POSITIONS
        return self.gamma == "tensorflow"

    def tower(self) -> tuple[int, ...]:
        """Give the channels before and behind each block of the tower.

        Examples
        --------
        >>> EnformerConfig().tower()
        (768, 768, 896, 1024, 1152, 1280, 1536)
        """
        return tower_channels(self.dim, self.downsamples, self.divisible_by)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        problems = [
            (self.dim % 2 != 0, "dim is odd"),
            (self.dim % self.heads != 0, "dim is not a multiple of the heads"),
            (self.value % _BASES_OF_FEATURES != 0, "dim / heads is not a multiple of 6"),
            (self.window % self.bin_size != 0, f"the window is not whole bins of {self.bin_size}"),
            (self.bins > self.positions, f"more bins than {self.positions} positions"),
            ((self.positions - self.bins) % 2 != 0, "the bins do not lie in the middle"),
            (self.tower()[-1] != self.dim, "dim is not a multiple of divisible_by"),
            (self.positions < 2, "fewer than two positions"),
        ]
        for wrong, problem in problems:
            if wrong:
                raise ConfigError("sizes that make no Enformer", found=problem)
        return self


def tower_channels(dim: int, downsamples: int, divisible_by: int) -> tuple[int, ...]:
    """Grow the channels from half of ``dim`` to all of it, exponentially, in rounded steps.

    Examples
    --------
    >>> tower_channels(48, 3, 8)
    (24, 24, 48)
    """
    steps = downsamples - 1
    base = math.exp(math.log(2.0) / (steps - 1))
    half = dim // 2
    grown = [round(half * base**step / divisible_by) * divisible_by for step in range(steps)]
    return (half, *grown)
