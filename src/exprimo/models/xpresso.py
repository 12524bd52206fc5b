"""``xpresso``: promoter and half-life features to expression (Agarwal & Shendure 2020).

Two convolutions, each with a rectifier and a maximum over neighbours, read 7 kb upstream to
3.5 kb downstream of the start; half-life features join before the dense layers. Layers, orders
and sizes are those of the published Keras network, whose weights this one takes (see
`exprimo.models.pretrained.xpresso`).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from exprimo.core.config import Config
from exprimo.models.best_match import best_match
from exprimo.models.output_layer import OutputLayer
from exprimo.models.standardise import Standardise
from exprimo.models.zoo import ModelSpec, Preset, Shapes

WINDOW, UPSTREAM = 10_500, 7_000


class XpressoConfig(Config):
    """Options of ``xpresso``; the defaults are the published network."""

    halflife: bool = True
    """Read half-life features beside the promoter."""
    channels: tuple[int, int] = (128, 32)
    """Channels of the two convolutions."""
    widths: tuple[int, int] = (6, 9)
    """Their widths in positions."""
    pools: tuple[int, int] = (30, 10)
    """Positions over which the maximum is taken behind each; fewer where there are not as many."""
    hidden: tuple[int, int] = (64, 2)
    """Units of the two dense layers."""
    dropouts: tuple[float, float] = (0.00099, 0.01546)
    """Dropout behind each dense layer."""


class Xpresso(nn.Module):
    """One-hot ``sequence`` (batch, 4, length), and ``halflife``, to (batch, outputs)."""

    def __init__(self, config: XpressoConfig, shapes: Shapes) -> None:
        super().__init__()
        length = shapes.inputs["sequence"][0]
        first = min(config.pools[0], length)
        self.pools = first, min(config.pools[1], length // first)
        positions = length // self.pools[0] // self.pools[1]
        self.conv1 = nn.Conv1d(4, config.channels[0], config.widths[0])
        self.conv2 = nn.Conv1d(config.channels[0], config.channels[1], config.widths[1])
        features = positions * config.channels[1]
        self.standardise = nn.ModuleDict()
        if config.halflife:
            self.standardise["halflife"] = Standardise(shapes.inputs["halflife"])
            features += shapes.inputs["halflife"][0]
        self.dense1 = nn.Linear(features, config.hidden[0])
        self.dense2 = nn.Linear(config.hidden[0], config.hidden[1])
        self.dropout1, self.dropout2 = (nn.Dropout(rate) for rate in config.dropouts)
        self.output = OutputLayer(config.hidden[1], shapes)
        for conv in (self.conv1, self.conv2):
            nn.init.xavier_normal_(conv.weight)
        for dense in (self.dense1, self.dense2, self.output.linear):
            nn.init.xavier_uniform_(dense.weight)
        for layer in (self.conv1, self.conv2, self.dense1, self.dense2, self.output.linear):
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)

    def features(self, inputs: dict[str, Tensor]) -> Tensor:
        """Give what the output layer reads, (batch, units)."""
        x = self._first(inputs["sequence"])
        padded = functional.pad(x, _around(self.conv2))
        x = functional.max_pool1d(self.conv2(padded), self.pools[1]).relu()
        # Positions before channels, as the published weights count them.
        joined = [x.transpose(1, 2).flatten(1)]
        joined += [layer(inputs[name]) for name, layer in self.standardise.items()]
        hidden = self.dropout1(self.dense1(torch.cat(joined, dim=1)).relu())
        features: Tensor = self.dropout2(self.dense2(hidden).relu())
        return features

    def _first(self, sequence: Tensor) -> Tensor:
        # Bias and rectifier come after the maximum: the same numbers, from a fraction of the
        # positions.
        conv = self.conv1
        best = best_match(sequence, conv.weight, _around(conv)[0], self.pools[0])
        return (best + conv.get_parameter("bias").unsqueeze(1)).relu()

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        outputs: Tensor = self.output(self.features(inputs))
        return outputs


def _around(conv: nn.Conv1d) -> tuple[int, int]:
    """Give the zeros that keep the length: of an even width one more behind, as in Keras."""
    more = conv.kernel_size[0] - 1
    return more // 2, more - more // 2


def _inputs_read(config: XpressoConfig) -> tuple[str, ...]:
    return ("sequence", "halflife") if config.halflife else ("sequence",)


SPEC = ModelSpec(
    name="xpresso",
    kind="network",
    config=XpressoConfig,
    build=Xpresso,
    inputs=("sequence", "halflife"),
    reads=_inputs_read,
    tasks=("regression", "classification", "multiclass"),
    summary="two convolutions and half-life features; windows of 7 kb up to 3.5 kb down",
    citation="Agarwal & Shendure 2020, Cell Reports 31, 107663",
    presets={
        "published": Preset(
            {},
            {
                "optimizer": "adam",
                "learning_rate": 1e-3,
                "weight_decay": 0.0,
                "beta2": 0.999,
                "schedule": "constant",
                "clip": 0.0,
                "average": 0.0,
                "epochs": 100,
                "patience": 5,
                "batch_size": 128,
                "shift": 0,
                "loss": "mse",
            },
            "as the published weights record it and their script has it: Adam at 0.001, batches "
            "of 128, at most 100 epochs, stopping after 5 without a better validation",
        ),
    },
)
