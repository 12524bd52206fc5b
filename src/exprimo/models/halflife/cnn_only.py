"""``cnn_only``: convolutions over DNA alone, and the best match of each anywhere.

The published comparison names a network of this kind and gives its scores, not its layers; it
was not the joined network with half-life taken out. Here it is the joined network's convolutions
with a maximum over all positions in place of the flattening, and one dense layer. What half-life
adds is told by `halflife_cnn` with ``halflife = "none"``; this one tells what position adds.
"""

from __future__ import annotations

from pydantic import Field
from torch import Tensor, nn

from exprimo.models.halflife.dna import DnaBins, DnaConfig, dna_inputs
from exprimo.models.halflife.halflife_cnn import PUBLISHED_FIT
from exprimo.models.output_layer import OutputLayer
from exprimo.models.zoo import ModelSpec, Preset, Shapes


class CnnOnlyConfig(DnaConfig):
    """Options of ``cnn_only``."""

    channels: tuple[int, ...] = Field((64, 64, 32), min_length=1)
    """Channels of the convolutions over bins."""
    norm: bool = True
    """Batch normalisation behind each convolution."""
    hidden: int = Field(128, ge=1)
    """Units of the dense layer."""
    dropout: float = Field(0.3, ge=0, lt=1)
    """Dropout behind the dense layer."""


class CnnOnly(nn.Module):
    """``sequence`` or ``embedding`` to (batch, outputs); logits for classes."""

    def __init__(self, config: CnnOnlyConfig, shapes: Shapes) -> None:
        super().__init__()
        self.dna = DnaBins(config, shapes)
        layers: list[nn.Module] = []
        width = self.dna.channels
        for outputs in config.channels:
            layers.append(nn.Conv1d(width, outputs, 3, padding=1))
            layers += [nn.BatchNorm1d(outputs)] if config.norm else []
            layers.append(nn.ReLU())
            width = outputs
        self.body = nn.Sequential(*layers)
        self.dense = nn.Sequential(
            nn.Linear(width, config.hidden), nn.ReLU(), nn.Dropout(config.dropout)
        )
        self.output = OutputLayer(config.hidden, shapes)

    def features(self, inputs: dict[str, Tensor]) -> Tensor:
        """Give what the output layer reads, (batch, features)."""
        features: Tensor = self.dense(self.body(self.dna(inputs)).amax(2))
        return features

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        outputs: Tensor = self.output(self.features(inputs))
        return outputs


SPEC = ModelSpec(
    name="cnn_only",
    kind="network",
    config=CnnOnlyConfig,
    build=CnnOnly,
    inputs=("sequence",),
    reads=dna_inputs,
    tasks=("regression", "classification", "multiclass"),
    summary="convolutions over promoter bins, the best match anywhere",
    citation="LeCun et al. 1998 for convolutions",
    presets={
        "published": Preset(
            {
                "dna": "embedding",
                "filters": 0,
                "channels": (128, 64, 16, 4),
                "norm": False,
                "hidden": 64,
                "dropout": 0.5,
            },
            PUBLISHED_FIT,
            "the source does not give its layers; these are the joined network's",
        ),
        "controlled": Preset({}, {}, "the defaults: one trunk and one budget for all rows"),
    },
)
