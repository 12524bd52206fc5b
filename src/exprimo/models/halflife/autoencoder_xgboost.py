"""``autoencoder_xgboost``: DNA through a bottleneck, its code and half-life into boosted trees.

The published form (the preset ``published``): a convolutional autoencoder of the embedding, 256,
128, 64, 32 channels down to 1 and back, dropout 0.3, trained to give back what it read; the code
(one number per position) beside the half-life features goes into 100 trees of depth 7, rate 0.1,
each on 80% of the examples and of the features. Its AUC was computed from hard labels; here
scores are judged, as everywhere.

The default is the same with trees tuned on validation.
"""

from __future__ import annotations

import itertools
from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn

from exprimo.core.config import Config
from exprimo.models.cnn_xgboost import HybridPredictor
from exprimo.models.halflife.dna import BinsConfig, Dna, DnaBins, dna_inputs
from exprimo.models.pretext import Pretext
from exprimo.models.standardise import Standardise
from exprimo.models.trees import TreesConfig
from exprimo.models.zoo import ModelSpec, Preset, Shapes


class AutoencoderConfig(BinsConfig):
    """How the autoencoder reads DNA, and how it learns."""

    halflife: bool = True
    """Lay the standardised half-life features beside the code."""
    channels: tuple[int, ...] = Field((128, 64, 32), min_length=1)
    """Channels between what is read and the code of 1."""
    dropout: float = Field(0.3, ge=0, lt=1)
    """Dropout behind each convolution but the last."""
    learning_rate: float = Field(1e-3, gt=0)
    """Rate of Adam."""
    batch_size: int = Field(32, ge=2)
    """Examples per step."""
    epochs: int = Field(10, ge=1)
    """Passes through the training part; ``fit.epochs`` (``--epochs``) stands in its place."""


class AutoencoderXgboostConfig(TreesConfig):
    """Options of ``autoencoder_xgboost``."""

    dna: Dna = "sequence"
    """``embedding``: what a pretrained network made of it; ``sequence``: its bases, as the
    composition of each bin."""
    bin: int = Field(0, ge=0)
    """Bases in a bin where bases are read; 0 chooses by the window."""
    autoencoder: dict[str, Any] = Field(default_factory=dict)
    """Further options of the autoencoder: halflife, channels, dropout, learning_rate, batch_size,
    epochs."""


class Autoencoder(nn.Module):
    """DNA in bins to a code of one number per bin; the decoder serves learning only."""

    def __init__(self, config: AutoencoderConfig, shapes: Shapes) -> None:
        super().__init__()
        self.config = config
        self.dna = DnaBins(config, shapes)
        width = self.dna.channels
        self.coder = nn.ModuleDict(
            {
                "encoder": _stack((width, *config.channels, 1), config.dropout),
                "decoder": _stack((1, *reversed(config.channels), width), config.dropout),
                "scale": nn.BatchNorm1d(width, affine=False),
            }
        )
        if config.halflife:
            self.standardise = nn.ModuleDict({"halflife": Standardise(shapes.inputs["halflife"])})

    def pretext(self) -> Pretext:
        """Give what is to be learned: to give back, from the code, what was read."""

        def loss(inputs: dict[str, Tensor], generator: torch.Generator) -> Tensor:
            read = self._read(inputs)
            again = self.coder["decoder"](self.coder["encoder"](read))
            return nn.functional.mse_loss(again, read)

        config = self.config
        return Pretext(
            "autoencoder",
            self.coder,
            dna_inputs(config),
            loss,
            epochs=config.epochs,
            batch_size=config.batch_size,
            learning_rate=config.learning_rate,
        )

    def _read(self, inputs: dict[str, Tensor]) -> Tensor:
        # Channels of one size, or the largest alone would be given back.
        read: Tensor = self.coder["scale"](self.dna(inputs))
        return read

    def features(self, inputs: dict[str, Tensor]) -> Tensor:
        """Give the code and the half-life features, (batch, bins + features)."""
        code = self.coder["encoder"](self._read(inputs)).flatten(1)
        if not self.config.halflife:
            return torch.as_tensor(code)
        return torch.cat([code, self.standardise["halflife"](inputs["halflife"])], dim=1)

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        """Give the mean of the code, (batch, 1); only its `features` are of use."""
        return self.features(inputs).mean(1, keepdim=True)


def _stack(channels: tuple[int, ...], dropout: float) -> nn.Sequential:
    layers: list[nn.Module] = []
    for number, (inputs, outputs) in enumerate(itertools.pairwise(channels)):
        if number:
            layers += [nn.ReLU(), nn.Dropout(dropout)]
        layers.append(nn.Conv1d(inputs, outputs, 3, padding=1))
    return nn.Sequential(*layers)


def _autoencoder_inputs(config: AutoencoderConfig) -> tuple[str, ...]:
    return dna_inputs(config) + (("halflife",) if config.halflife else ())


AUTOENCODER = ModelSpec(
    name="autoencoder",
    kind="network",
    config=AutoencoderConfig,
    build=Autoencoder,
    inputs=("sequence", "halflife"),
    reads=_autoencoder_inputs,
    unlabelled=True,
    tasks=("regression", "classification"),
    summary="the network inside autoencoder_xgboost",
    citation="",
)


def network(config: AutoencoderXgboostConfig) -> tuple[ModelSpec, Config]:
    """Give the autoencoder and its options."""
    own = {"dna": config.dna, "bin": config.bin, **config.autoencoder}
    return AUTOENCODER, AutoencoderConfig.checked(own)


SPEC = ModelSpec(
    name="autoencoder_xgboost",
    kind="hybrid",
    config=AutoencoderXgboostConfig,
    build=HybridPredictor,
    inputs=("sequence", "halflife"),
    tasks=("regression", "classification"),
    summary="boosted trees on an autoencoder's code of the promoter and half-life",
    citation="Hinton & Salakhutdinov 2006; Chen & Guestrin 2016",
    network=network,
    presets={
        "published": Preset(
            {
                "dna": "embedding",
                "depths": (7,),
                "rates": (0.1,),
                "rounds": 100,
                "patience": 0,
                "rows": 0.8,
                "columns": 0.8,
            },
            {},
            "the source does not say how the autoencoder was trained: Adam at 0.001, 10 epochs",
        ),
        "controlled": Preset({}, {}, "the defaults: trees tuned on validation"),
    },
)
