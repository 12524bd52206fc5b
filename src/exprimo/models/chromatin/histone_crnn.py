"""``histone_crnn``: convolutions that shorten the bins, and a recurrent network over the rest.

Two convolutions of stride 2 read neighbouring bins; a bidirectional LSTM walks the quarter of the
positions that is left; their mean goes through a dense layer. The source names the kind of
network, not its layers or its training: both presets are these.
"""

from __future__ import annotations

from pydantic import Field
from torch import Tensor, nn

from exprimo.models.chromatin.bins import ConvBlock, as_examples, as_image, bin_conv
from exprimo.models.chromatin.rows import (
    SETTLES,
    NetRowsConfig,
    ReadsRows,
    rows_inputs,
    settle_vocabulary,
)
from exprimo.models.output_layer import OutputLayer
from exprimo.models.zoo import ModelSpec, Preset, Shapes


class HistoneCrnnConfig(NetRowsConfig):
    """Options of ``histone_crnn``."""

    channels: tuple[int, ...] = Field((64, 128), min_length=1)
    """Channels of the convolutions; each halves the bins."""
    kernel: int = Field(5, ge=1)
    """Their width in bins."""
    units: int = Field(128, ge=1)
    """Units of the LSTM, in either direction."""
    hidden: int = Field(128, ge=1)
    """Units of the dense layer."""
    dropout: float = Field(0.2, ge=0, lt=1)
    """Dropout behind the dense layer."""


class HistoneCrnn(ReadsRows):
    """``signal`` and what the options add to it, to (batch, outputs); logits for classes."""

    def __init__(self, config: HistoneCrnnConfig, shapes: Shapes) -> None:
        super().__init__(config, shapes)
        blocks, inputs = [], self.n_rows
        for outputs in config.channels:
            conv = bin_conv(inputs, outputs, config.kernel, 2)
            blocks.append(ConvBlock(conv, dropout=0.0, dropped="channels", slope=0.0))
            inputs = outputs
        self.body = nn.Sequential(*blocks)
        self.lstm = nn.LSTM(inputs, config.units, batch_first=True, bidirectional=True)
        self.dense = nn.Sequential(
            nn.Linear(2 * config.units, config.hidden), nn.ReLU(), nn.Dropout(config.dropout)
        )
        self.output = OutputLayer(config.hidden, shapes)

    def features(self, inputs: dict[str, Tensor]) -> Tensor:
        """Give what the output layer reads, (batch, units)."""
        steps, _ = self.lstm(as_examples(self.body(as_image(self.rows(inputs)))))
        features: Tensor = self.dense(steps.mean(1))
        return features

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        outputs: Tensor = self.output(self.features(inputs))
        return outputs


SPEC = ModelSpec(
    name="histone_crnn",
    kind="network",
    config=HistoneCrnnConfig,
    build=HistoneCrnn,
    inputs=("signal",),
    reads=rows_inputs,
    settle=settle_vocabulary,
    settles=SETTLES,
    tasks=("regression", "classification"),
    summary="two convolutions over marks in bins, a bidirectional LSTM over what is left",
    citation="Hochreiter & Schmidhuber 1997",
    presets={
        "published": Preset(
            {}, {}, "the source names the kind of network, not its layers: the defaults"
        ),
        "controlled": Preset({}, {}, "the defaults: 0.3 million weights, the training of all"),
    },
)
