"""``cnn``: a residual, dilated convolutional network for any window.

A wide first convolution reads motifs; stages of dilated residual blocks, joined by learned
pooling, read their arrangement; the head keeps a coarse grid of positions, because in promoters
it matters where a motif stands. Written as 2-D convolutions of height 1 in channels-last order,
which on a CPU is faster than ``conv1d`` and takes bf16.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, Self

import torch
from pydantic import Field, field_validator
from torch import Tensor, nn

from exprimo.core.config import Config
from exprimo.core.errors import ConfigError
from exprimo.models.zoo import ModelSpec, Shapes

_SHORTEST_GRID = 8
# Positions that the first stage should see, and the coarsest pooling before it: beyond 16 bases
# neighbouring motifs would fall together.
_FIRST_STAGE, _COARSEST = 128, 16
_SHARPEST = 4.0


class CnnConfig(Config):
    """Options of ``cnn`` for windows of 80 to 20,000 bases.

    What is unset is chosen by the number of training examples, below 10,000 or from there on:
    few examples want a narrow net with a strong dropout.
    """

    channels: int | None = Field(None, ge=8)
    """Channels of every stage; unset: 64 or 128."""
    stem_channels: int | None = Field(None, ge=8, multiple_of=2)
    """Channels of the first convolution: half as many motifs, each read on both strands; unset:
    64 or 192."""
    stem_kernel: int | None = Field(None, ge=1)
    """Width of the first convolution in bases, odd; unset: 15 or 11."""
    stem_pool: int = Field(0, ge=0)
    """Maximum over this many positions behind the first convolution; 0 chooses the power of two
    (1 to 16) that leaves the first stage at least 128 positions. Most of the time goes here."""
    stem_activation: Literal["exp", "silu"] | None = None
    """Behind the first convolution; exp sharpens motifs (Koo & Ploenzke 2021); unset: exp or
    silu."""
    kernel: int | None = Field(None, ge=1)
    """Width of the other convolutions, odd; unset: 3 or 7."""
    blocks: int | None = Field(None, ge=1)
    """Residual blocks per stage; unset: 2 or 1."""
    dilations: tuple[int, ...] = (1, 2, 4)
    """Dilation of the residual blocks, taken in turn."""
    stages: int | None = Field(None, ge=0)
    """Stages, with a halving of the length between two; 0 chooses by the window so that the
    head sees at most `grid` positions; unset: 1 or 0."""
    grid: int | None = Field(None, ge=1)
    """Most positions that the head keeps apart; unset: 16 or 32."""
    head_channels: int | None = Field(None, ge=1)
    """Channels per position of the grid; unset: 32 or 64."""
    hidden: int | None = Field(None, ge=0)
    """Units of the dense layer, 0 for none; unset: 0 or 256."""
    dropout: float = Field(0.1, ge=0, lt=1)
    """Dropout of whole channels in the blocks."""
    head_dropout: float | None = Field(None, ge=0, lt=1)
    """Dropout in the head; unset: 0.3 or 0.2."""

    @field_validator("kernel", "stem_kernel")
    @classmethod
    def _odd(cls, value: int | None) -> int | None:
        if value is not None and value % 2 == 0:
            raise ValueError("an even width has no middle base; give an odd one")
        return value


_FEW = 10_000
_CHOICES: dict[str, tuple[Any, Any]] = {
    "channels": (64, 128),
    "stem_channels": (64, 192),
    "stem_kernel": (15, 11),
    "stem_activation": ("exp", "silu"),
    "kernel": (3, 7),
    "blocks": (2, 1),
    "stages": (1, 0),
    "grid": (20, 32),
    "head_channels": (32, 64),
    "hidden": (0, 256),
    "head_dropout": (0.3, 0.2),
}


def adapt(config: CnnConfig, n_train: int) -> CnnConfig:
    """Choose what is unset by the number of training examples.

    Examples
    --------
    >>> adapt(CnnConfig(), 3000).channels, adapt(CnnConfig(channels=32), 50_000).channels
    (64, 32)
    """
    open_fields = {
        name: choice[n_train >= _FEW]
        for name, choice in _CHOICES.items()
        if getattr(config, name) is None
    }
    return CnnConfig.checked({**config.model_dump(), **open_fields})


def _conv(inputs: int, outputs: int, kernel: int, dilation: int = 1) -> nn.Conv2d:
    padding = (0, dilation * (kernel // 2))
    return nn.Conv2d(
        inputs, outputs, (1, kernel), padding=padding, dilation=(1, dilation), bias=False
    )


class MotifScan(nn.Module):
    """First convolution: every filter reads both strands, each strand in a channel of its own.

    A factor binds either strand, so a motif is learned once (as in Shrikumar et al. 2017); the
    strand stays visible to the layers above.
    """

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.forward_strand = _conv(4, channels // 2, kernel)

    def filters(self) -> Tensor:
        """Give the filters of both strands, (channels, 4, 1, kernel)."""
        weight = self.forward_strand.weight
        # ACGT turned round is TGCA: flipping bases and positions gives the other strand's filter.
        return torch.cat([weight, weight.flip(1, 3)])

    def forward(self, x: Tensor) -> Tensor:
        padding = self.forward_strand.padding
        return nn.functional.conv2d(x, self.filters(), padding=(0, int(padding[1])))


class ResidualBlock(nn.Module):
    """Dilated convolution, pointwise convolution, sum (He et al. 2016)."""

    def __init__(self, channels: int, kernel: int, dilation: int, dropout: float) -> None:
        super().__init__()
        last = nn.BatchNorm2d(channels)
        # A block that starts near the identity lets the stem learn first.
        nn.init.constant_(last.weight, 0.2)
        self.layers = nn.Sequential(
            _conv(channels, channels, kernel, dilation),
            nn.BatchNorm2d(channels),
            nn.SiLU(),
            _conv(channels, channels, 1),
            last,
            # Whole channels: as good a mask as single values, at a fraction of the draws.
            nn.Dropout2d(dropout),
        )

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.silu(x + self.layers(x))


class Sharpen(nn.Module):
    """exp(x) - 1, so that a good match of a motif stands out from many poor ones."""

    def forward(self, x: Tensor) -> Tensor:
        # Bounded, because one runaway channel would drown all others.
        return torch.expm1(x.clamp(max=_SHARPEST))


class PairPool(nn.Module):
    """Halve the length: neighbours weighted by a learned softmax (Avsec et al. 2021).

    Starts as the mean. An odd last position is dropped.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.logit = _conv(channels, channels, 1)
        nn.init.zeros_(self.logit.weight)

    def forward(self, x: Tensor) -> Tensor:
        x = x[..., : x.shape[-1] // 2 * 2]
        first, second = _pairs(x)
        first_logit, second_logit = _pairs(self.logit(x))
        # A softmax over two is a sigmoid of the difference.
        return second + torch.sigmoid(first_logit - second_logit) * (first - second)


def _pairs(x: Tensor) -> tuple[Tensor, Tensor]:
    # A view split in two, so that gradients stay in channels-last order.
    n, c, _, length = x.shape
    first, second = x.permute(0, 2, 3, 1).reshape(n, 1, length // 2, 2, c).unbind(3)
    return first.permute(0, 3, 1, 2), second.permute(0, 3, 1, 2)


class MaxPool(nn.Module):
    """Maximum over neighbouring positions; an incomplete last window is dropped."""

    def __init__(self, factor: int) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        # Seen as (n, positions, factor, channels): faster on channels-last than max_pool2d.
        n, c, _, length = x.shape
        kept = length // self.factor
        last = x[..., : kept * self.factor].permute(0, 2, 3, 1)
        return last.reshape(n, 1, kept, self.factor, c).amax(3).permute(0, 3, 1, 2)


class _Size(NamedTuple):
    """The sizes with nothing left open; without a number of examples, those for many."""

    channels: int
    stem_channels: int
    stem_kernel: int
    stem_activation: Literal["exp", "silu"]
    kernel: int
    blocks: int
    stages: int
    grid: int
    head_channels: int
    hidden: int
    head_dropout: float

    @classmethod
    def of(cls, config: CnnConfig) -> Self:
        complete = adapt(config, _FEW).model_dump()
        return cls(**{name: complete[name] for name in cls._fields})


class Cnn(nn.Module):
    """One-hot ``sequence`` (batch, 4, length) to (batch, outputs); logits for classes."""

    def __init__(self, config: CnnConfig, shapes: Shapes) -> None:
        super().__init__()
        size = _Size.of(config)
        length = shapes.inputs["sequence"][0]
        layers: list[nn.Module] = [
            MotifScan(size.stem_channels, size.stem_kernel),
            nn.BatchNorm2d(size.stem_channels),
            Sharpen() if size.stem_activation == "exp" else nn.SiLU(),
        ]
        pool = config.stem_pool or _pool_for(length)
        if pool > length:
            raise ConfigError(
                "the pooling is wider than the window",
                record="stem_pool",
                found=pool,
                expected=f"at most {length}",
            )
        if pool > 1:
            layers.append(MaxPool(pool))
            length //= pool
        stages = size.stages or _stages_for(length, size.grid)
        width = size.stem_channels
        for stage in range(stages):
            if stage:
                layers.append(PairPool(width))
                length //= 2
            dilations = [
                config.dilations[(stage * size.blocks + block) % len(config.dilations)]
                for block in range(size.blocks)
            ]
            layers += _stage(width, size, dilations, config.dropout)
            width = size.channels
        grid = min(size.grid, length)
        self.body = nn.Sequential(
            *layers,
            _conv(width, size.head_channels, 1),
            nn.BatchNorm2d(size.head_channels),
            nn.SiLU(),
            nn.AdaptiveAvgPool2d((1, grid)) if grid != length else nn.Identity(),
        )
        features = size.head_channels * grid
        head: list[nn.Module] = [nn.Flatten(), nn.Dropout(size.head_dropout)]
        if size.hidden:
            head += [
                nn.Linear(features, size.hidden),
                nn.BatchNorm1d(size.hidden),
                nn.SiLU(),
                nn.Dropout(size.head_dropout),
            ]
        self.head = nn.Sequential(*head)
        self.output = nn.Linear(size.hidden or features, shapes.n_outputs)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it

    def features(self, inputs: dict[str, Tensor]) -> Tensor:
        """Give what the output layer reads, (batch, features)."""
        x = inputs["sequence"].unsqueeze(2).contiguous(memory_format=torch.channels_last)
        features: Tensor = self.head(self.body(x))
        return features

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        features = self.features(inputs)
        # bf16 has eight bits: predictions would come in steps as wide as a weak variant's effect.
        with torch.autocast(features.device.type, enabled=False):
            outputs: Tensor = self.output(features.float())
        return outputs


def _stage(width: int, size: _Size, dilations: list[int], dropout: float) -> list[nn.Module]:
    layers: list[nn.Module] = [
        _conv(width, size.channels, size.kernel),
        nn.BatchNorm2d(size.channels),
        nn.SiLU(),
        nn.Dropout2d(dropout),
    ]
    return layers + [ResidualBlock(size.channels, size.kernel, d, dropout) for d in dilations]


def _pool_for(length: int) -> int:
    pool = 1
    while pool < _COARSEST and length // (pool * 2) >= _FIRST_STAGE:
        pool *= 2
    return pool


def _stages_for(length: int, grid: int) -> int:
    stages = 1
    while length > grid and length // 2 >= min(grid, _SHORTEST_GRID):
        length //= 2
        stages += 1
    return stages


SPEC = ModelSpec(
    name="cnn",
    kind="network",
    config=CnnConfig,
    build=Cnn,
    inputs=("sequence",),
    tasks=("regression", "classification", "multiclass"),
    summary="residual dilated convolutions, learned pooling, positional head; any window",
    citation="building blocks: He et al. 2016; Yu & Koltun 2016; Avsec et al. 2021",
    adapt=adapt,
)
