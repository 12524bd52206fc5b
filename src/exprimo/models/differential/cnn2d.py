"""``cnn2d``: the one-hot sequence read as an image of four rows, (batch, 1, 4, length).

The published form (the preset ``published``) comes from a student project that told differential
from other promoters of 2 kb: two convolutions of 16 and 32 filters of 2 x 2, each with a
rectifier and a maximum over 2 x 2, the maximum over all that is left, a dense layer of 64, one
logit; Adam at 0.001, batches of 256, 20 epochs.

The default changes what a filter sees. Rows are bases, and two neighbouring rows (A and C, C and
G, G and T) mean nothing together; a filter of 2 x 2 behind another reads five bases. So filters
span all four rows and as many columns as a motif is wide, there are twice as many of them, the
maximum is taken over 8 columns, batch normalisation follows it, and the maximum over the whole
length stays. It costs less time, since far fewer values leave the first layer.
"""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor, nn

from exprimo.core.config import Config
from exprimo.models.output_layer import OutputLayer
from exprimo.models.zoo import ModelSpec, Preset, Shapes

_ROWS = 4


class Cnn2dConfig(Config):
    """Options of ``cnn2d`` for windows of 80 to 20,000 bases."""

    channels: tuple[int, int] = (64, 64)
    """Filters of the two convolutions."""
    height: int = Field(4, ge=1, le=4)
    """Rows (A, C, G, T) that a filter spans; below 4 the rows are padded and pooled by two."""
    widths: tuple[int, int] = (15, 5)
    """Columns (bases) that a filter of each convolution spans."""
    pool: int = Field(8, ge=1)
    """Columns over which the maximum is taken behind each convolution."""
    norm: bool = True
    """Batch normalisation behind each maximum."""
    hidden: int = Field(64, ge=1)
    """Units of the dense layer."""
    dropout: float = Field(0.2, ge=0, lt=1)
    """Dropout behind the dense layer."""


class _Reader(nn.Module):
    """Convolution that keeps the size, maximum over neighbours, rectifier.

    The maximum comes first: the rectifier then touches a fraction of the values, and the result
    is the same. What an even filter lacks is padded at the right and below.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: tuple[int, int], pool: int, norm: bool
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, bias=not norm)
        self.norm = nn.BatchNorm2d(outputs) if norm else nn.Identity()
        self.pool = pool
        self.all_rows = kernel[0] == _ROWS
        rows, columns = 0 if self.all_rows else kernel[0] - 1, kernel[1] - 1
        self.padding = (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2)

    def forward(self, x: Tensor) -> Tensor:
        padded = nn.functional.pad(x, self.padding)
        found = self._over_all_rows(padded) if self.all_rows else self.conv(padded)
        # Where fewer columns are left than one maximum spans, all of them are one.
        window = (min(2, found.shape[2]), min(self.pool, found.shape[3]))
        pooled: Tensor = self.norm(nn.functional.max_pool2d(found, window))
        return pooled.relu()

    def _over_all_rows(self, x: Tensor) -> Tensor:
        # Rows as channels: the same sums, sooner.
        weight = self.conv.weight.transpose(1, 2).contiguous(memory_format=torch.channels_last)
        rows = x.transpose(1, 2).contiguous(memory_format=torch.channels_last)
        return nn.functional.conv2d(rows, weight, self.conv.bias)


class Cnn2d(nn.Module):
    """One-hot ``sequence`` (batch, 4, length) to (batch, outputs); logits for classes."""

    def __init__(self, config: Cnn2dConfig, shapes: Shapes) -> None:
        super().__init__()
        one, two = config.channels
        # A filter of four rows leaves a single one.
        rows = 1 if config.height == _ROWS else config.height
        self.body = nn.Sequential(
            _Reader(1, one, (config.height, config.widths[0]), config.pool, config.norm),
            _Reader(one, two, (rows, config.widths[1]), config.pool, config.norm),
        )
        self.dense = nn.Linear(two, config.hidden)
        self.dropout = nn.Dropout(config.dropout)
        self.output = OutputLayer(config.hidden, shapes)
        # Twice as fast on a CPU as the usual order, most of all the maximum.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it

    def features(self, inputs: dict[str, Tensor]) -> Tensor:
        """Give what the output layer reads, (batch, features)."""
        image = inputs["sequence"].unsqueeze(1).contiguous(memory_format=torch.channels_last)
        features: Tensor = self.dropout(self.dense(self.body(image).amax((2, 3))).relu())
        return features

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        outputs: Tensor = self.output(self.features(inputs))
        return outputs


SPEC = ModelSpec(
    name="cnn2d",
    kind="network",
    config=Cnn2dConfig,
    build=Cnn2d,
    inputs=("sequence",),
    tasks=("regression", "classification", "multiclass"),
    summary="the sequence as an image of four rows, two convolutions, maximum over the length",
    citation="preset published: the first network of a student project on differential promoters",
    presets={
        "published": Preset(
            {
                "channels": (16, 32),
                "height": 2,
                "widths": (2, 2),
                "pool": 2,
                "norm": False,
                "hidden": 64,
                "dropout": 0.0,
            },
            {
                "optimizer": "adam",
                "learning_rate": 1e-3,
                "weight_decay": 0.0,
                "beta2": 0.999,
                "schedule": "constant",
                "clip": 0.0,
                "average": 0.0,
                "epochs": 20,
                "patience": 20,
                "batch_size": 256,
                "shift": 0,
            },
            "two convolutions of 2 x 2; Adam at 0.001, 20 epochs, batches of 256",
        )
    },
)
