"""``cnn_bilstm``: two convolutions, then a bidirectional LSTM over what they found.

The published form (the preset ``published``) comes from a student project that told differential
from other promoters of 2 kb: convolutions of 64 and 128 filters of width 3, each with a
rectifier, batch normalisation and a maximum over 2 positions; an LSTM of two layers and 64 units
in either direction (Hochreiter & Schmidhuber 1997) with dropout 0.3 between them; the mean over
positions; a dense layer of 64 with batch normalisation and dropout; two logits. Adam at 0.001,
the rate reduced when validation accuracy rests, gradients clipped at 1, batches of 256, 5 epochs.

The default makes the first filters as wide as a motif and pools until at most 64 positions are
left: at 2 kb the published form walks 500 steps one after the other, which is where its time
goes. The maximum comes before normalisation and rectifier, so that both touch fewer values.
"""

from __future__ import annotations

import math

import torch
from pydantic import Field
from torch import Tensor, nn

from exprimo.core.config import Config
from exprimo.models.differential.attention import dropped
from exprimo.models.differential.motif_reader import MotifReader
from exprimo.models.output_layer import OutputLayer
from exprimo.models.zoo import ModelSpec, Preset, Shapes

_STEPS = 64


class CnnBilstmConfig(Config):
    """Options of ``cnn_bilstm`` for windows of 80 to 20,000 bases."""

    channels: tuple[int, int] = (64, 128)
    """Filters of the two convolutions."""
    kernels: tuple[int, int] = (15, 5)
    """Their widths."""
    pools: tuple[int, int] = (0, 0)
    """Positions over which the maximum is taken behind each convolution; 0 chooses by the window,
    so that the LSTM walks at most 64 steps."""
    pool_first: bool = True
    """Take the maximum before normalisation and rectifier, not behind them."""
    lstm_units: int = Field(64, ge=1)
    """Units of the LSTM in either direction."""
    lstm_layers: int = Field(2, ge=1)
    """Layers of the LSTM."""
    hidden: int = Field(64, ge=1)
    """Units of the dense layer."""
    dropout: float = Field(0.3, ge=0, lt=1)
    """Dropout between the LSTM's layers and behind the dense layer."""


class CnnBilstm(nn.Module):
    """One-hot ``sequence`` (batch, 4, length) to (batch, outputs); logits for classes."""

    def __init__(self, config: CnnBilstmConfig, shapes: Shapes) -> None:
        super().__init__()
        one, two = config.channels
        chosen = pools_for(shapes.inputs["sequence"][0])
        first, second = (given or own for given, own in zip(config.pools, chosen, strict=True))
        self.body = nn.Sequential(
            MotifReader(4, one, config.kernels[0], first, config.pool_first),
            MotifReader(one, two, config.kernels[1], second, config.pool_first),
        )
        # One layer each, because the library's dropout between layers is slow.
        read = [two, *(config.lstm_layers - 1) * [2 * config.lstm_units]]
        self.lstm = nn.ModuleList(
            nn.LSTM(n, config.lstm_units, batch_first=True, bidirectional=True) for n in read
        )
        self.between = config.dropout
        self.dense = nn.Sequential(
            nn.Linear(2 * config.lstm_units, config.hidden),
            nn.ReLU(),
            nn.BatchNorm1d(config.hidden),
            nn.Dropout(config.dropout),
        )
        self.output = OutputLayer(config.hidden, shapes, pair=True)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it

    def features(self, inputs: dict[str, Tensor]) -> Tensor:
        """Give what the output layer reads, (batch, features)."""
        x = inputs["sequence"].unsqueeze(2).contiguous(memory_format=torch.channels_last)
        steps = self.body(x).squeeze(2).transpose(1, 2)
        for number, layer in enumerate(self.lstm):
            if number and self.training:
                steps = dropped(steps, self.between)
            steps, _ = layer(steps)
        features: Tensor = self.dense(steps.mean(1))
        return features

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        outputs: Tensor = self.output(self.features(inputs))
        return outputs


def pools_for(length: int) -> tuple[int, int]:
    """Choose two powers of two, the first the larger, that leave at most 64 positions.

    Examples
    --------
    >>> pools_for(2000), pools_for(80), pools_for(20_000)
    ((8, 4), (2, 1), (32, 16))
    """
    halvings = max(0, math.ceil(math.log2(length / _STEPS)))
    return 2 ** math.ceil(halvings / 2), 2 ** (halvings // 2)


SPEC = ModelSpec(
    name="cnn_bilstm",
    kind="network",
    config=CnnBilstmConfig,
    build=CnnBilstm,
    inputs=("sequence",),
    tasks=("regression", "classification", "multiclass"),
    summary="two convolutions, a bidirectional LSTM over at most 64 positions, their mean",
    citation="preset published: the second network of a student project on differential "
    "promoters; Hochreiter & Schmidhuber 1997",
    presets={
        "published": Preset(
            {
                "channels": (64, 128),
                "kernels": (3, 3),
                "pools": (2, 2),
                "pool_first": False,
                "lstm_units": 64,
                "lstm_layers": 2,
                "hidden": 64,
                "dropout": 0.3,
            },
            {
                "optimizer": "adam",
                "learning_rate": 1e-3,
                "weight_decay": 0.0,
                "beta2": 0.999,
                "schedule": "plateau",
                "clip": 1.0,
                "average": 0.0,
                "epochs": 5,
                "patience": 5,
                "batch_size": 256,
                "shift": 0,
            },
            "filters of width 3, LSTM over a quarter of the positions; Adam at 0.001, reduced on "
            "a plateau, 5 epochs, batches of 256; slow: about a minute for 2,000 promoters of 2 kb",
        )
    },
)
