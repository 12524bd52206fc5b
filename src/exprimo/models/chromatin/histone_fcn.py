"""``histone_fcn``: a fully convolutional network over bins, averaged over what is left of them.

Nine convolutions of width 3, numbered from 0. Number 0 reads the rows into the base width; numbers
1, 3, 5 and 7 have stride 2 and double the channels, up to 512. Two convolutions of width 1 follow,
the second to the output, which is averaged over the remaining positions. Each hidden layer is
followed by batch normalisation, dropout and a leaky rectifier, in this order; the loss is the
squared error.

The source (the preset ``published``) does not give the share that is dropped, the slope, the
channels between the two last convolutions, or how the network was trained. Here they are 0.1,
0.01, as many as in the layer before, and what all networks get.

Only the last convolution is linear, and so is the average: it is taken first, and the output layer
then reads one position in place of seven, with the same result.
"""

from __future__ import annotations

from typing import Self, TypeVar

from pydantic import Field, model_validator
from torch import Tensor, nn

from exprimo.core.errors import MismatchError
from exprimo.models.chromatin.bins import ConvBlock, Dropped, as_image, bin_conv, mean_over_bins
from exprimo.models.chromatin.rows import (
    SETTLES,
    NetRowsConfig,
    ReadsRows,
    rows_inputs,
    settle_vocabulary,
)
from exprimo.models.output_layer import OutputLayer
from exprimo.models.zoo import ModelSpec, Preset, Shapes

# In unseen cell types, after 8,400 simulated training examples (one run each, a busy machine):
# of the marks alone narrow 0.66 in 22 s and wide 0.67 in 172 s; with cell statistics narrow 0.69
# and wide 0.79. Narrow is for its speed; where the line belongs was not measured.
_FEW = 20_000
_FEWEST_BINS = 2
_FEW_SIZES = {"width": 16, "most": 64}
_MANY_SIZES = {"width": 64, "most": 512}


class TrunkConfig(NetRowsConfig):
    """Options of the convolutions that read rows along the bins."""

    width: int | None = Field(None, ge=1)
    """Channels of the first convolution; unset: 16 below 20,000 training examples, else 64."""
    most: int | None = Field(None, ge=1)
    """Channels are doubled up to this many; unset: 64 below 20,000 training examples, else 512."""
    layers: int = Field(9, ge=1)
    """Convolutions of width 3."""
    halving: tuple[int, ...] = (1, 3, 5, 7)
    """Numbers, from 0, of those that halve the bins and double the channels."""
    dropout: float = Field(0.1, ge=0, lt=1)
    """Share that is dropped behind each hidden layer."""
    dropped: Dropped = "channels"
    """Drop whole ``channels`` of an example, or single ``values``, which takes longer."""
    slope: float = Field(0.01, ge=0)
    """Slope of the rectifier below 0."""

    @model_validator(mode="after")
    def _halving_is_a_layer(self) -> Self:
        if any(not 0 <= number < self.layers for number in self.halving):
            raise ValueError(f"halving names layers from 0 to {self.layers - 1}")
        return self

    def channels(self) -> tuple[int, ...]:
        """Give the channels behind each convolution.

        Examples
        --------
        >>> TrunkConfig().channels()
        (64, 128, 128, 256, 256, 512, 512, 512, 512)
        """
        found, channels = [], self.width or _MANY_SIZES["width"]
        most = self.most or _MANY_SIZES["most"]
        for number in range(self.layers):
            channels = min(2 * channels, most) if number in self.halving else channels
            found.append(channels)
        return tuple(found)


Sized = TypeVar("Sized", bound=TrunkConfig)


def adapt(config: Sized, n_train: int) -> Sized:
    """Fill the sizes that are open by the number of training examples.

    Examples
    --------
    >>> adapt(TrunkConfig(), 6000).channels()[-1], adapt(TrunkConfig(), 600_000).channels()[-1]
    (64, 512)
    """
    sizes = _FEW_SIZES if n_train < _FEW else _MANY_SIZES
    return config.model_copy(
        update={name: n for name, n in sizes.items() if getattr(config, name) is None}
    )


class HistoneFcnConfig(TrunkConfig):
    """Options of ``histone_fcn``."""


class Trunk(nn.Sequential):
    """The convolutions of width 3: (1, rows, batch, bins) to (1, channels, batch, fewer bins).

    Two bins are not halved any more: over a single one, gradients in bf16 came out as NaN on the
    CPU, and a filter of three would see nothing but padding on both sides.
    """

    def __init__(self, n_rows: int, n_bins: int, config: TrunkConfig) -> None:
        if n_bins < _FEWEST_BINS:
            raise MismatchError(
                "too few bins for convolutions along them",
                found=f"{n_bins}",
                expected=f"{_FEWEST_BINS} or more",
                remedy="Build the dataset with more bins, or use bins_ridge",
            )
        blocks = []
        inputs, bins = n_rows, n_bins
        for number, outputs in enumerate(config.channels()):
            stride = 2 if number in config.halving and bins > _FEWEST_BINS else 1
            bins = -(-bins // stride)
            blocks.append(block(bin_conv(inputs, outputs, 3, stride), config))
            inputs = outputs
        super().__init__(*blocks)
        self.n_channels = inputs


def block(conv: nn.Conv2d, config: TrunkConfig) -> ConvBlock:
    """Follow a convolution by what the options say."""
    return ConvBlock(conv, dropout=config.dropout, dropped=config.dropped, slope=config.slope)


class HistoneFcn(ReadsRows):
    """``signal`` and what the options add to it, to (batch, outputs); logits for classes."""

    def __init__(self, config: HistoneFcnConfig, shapes: Shapes) -> None:
        super().__init__(config, shapes)
        self.trunk = Trunk(self.n_rows, self.n_bins, config)
        width = self.trunk.n_channels
        self.point = block(bin_conv(width, width, 1), config)
        self.output = OutputLayer(width, shapes)

    def features(self, inputs: dict[str, Tensor]) -> Tensor:
        """Give what the output layer reads, averaged over positions, (batch, channels)."""
        return mean_over_bins(self.point(self.trunk(as_image(self.rows(inputs)))))

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        outputs: Tensor = self.output(self.features(inputs))
        return outputs


SPEC = ModelSpec(
    name="histone_fcn",
    kind="network",
    config=HistoneFcnConfig,
    build=HistoneFcn,
    inputs=("signal",),
    reads=rows_inputs,
    settle=settle_vocabulary,
    settles=SETTLES,
    adapt=adapt,
    tasks=("regression", "classification"),
    summary="eleven convolutions over marks in bins, averaged over what is left of the bins",
    citation="Long et al. 2015 for networks of convolutions alone; Ioffe & Szegedy 2015",
    presets={
        "published": Preset(
            {
                "cell_statistics": True,
                "kmers": True,
                "width": 64,
                "most": 512,
                "layers": 9,
                "halving": (1, 3, 5, 7),
                "dropped": "values",
            },
            {"loss": "mse"},
            "reads marks, cell statistics and 3-mers; the source does not give the dropout, the "
            "slope, or how it was trained",
        ),
        "controlled": Preset(
            {"width": 28, "most": 224},
            {},
            "0.65 million weights, about as many as deepchrome has, and the training of all",
        ),
    },
)
