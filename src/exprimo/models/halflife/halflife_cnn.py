"""``halflife_cnn``: promoter and mRNA half-life, joined, for expression.

The published form (the preset ``published``) encodes eight half-life features by a network that
learned by contrast, lays the 256 x 8 numbers behind the promoter's HyenaDNA embedding along the
length, and reads the whole by four convolutions of 128, 64, 16 and 4 channels, each with a
rectifier and a maximum over two positions, and dense layers of 256 (dropout 0.5), 64 and 1.
Adam at 0.0001, batches of 32, 50 epochs.

The default (the preset ``controlled`` of this and the models beside it) reads bases or bins by
one trunk, keeps more channels, and joins half-life where positions no longer matter: along the
length the convolutions and maxima mix the last bins of DNA with features that have no place.

Which inputs there are is an option (``dna``, ``halflife``), so that the rows of an ablation
differ in nothing else.
"""

from __future__ import annotations

from typing import Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from exprimo.models.halflife.dna import Convolutions, DnaBins, DnaConfig, dna_inputs
from exprimo.models.halflife.encoder import (
    ENCODED_CHANNELS,
    ContrastConfig,
    FeatureTokens,
    HalflifeEncoder,
    triplet_loss,
)
from exprimo.models.output_layer import OutputLayer
from exprimo.models.pretext import Pretext
from exprimo.models.standardise import Standardise
from exprimo.models.zoo import ModelSpec, Preset, Shapes


class HalflifeCnnConfig(DnaConfig):
    """Options of ``halflife_cnn``."""

    halflife: Literal["encoded", "raw", "none"] = "raw"
    """``encoded``: by an encoder that learns by contrast before the network does; ``raw``: the
    standardised features; ``none``: not at all."""
    join: Literal["dense", "length"] = "dense"
    """Where half-life joins DNA: before the dense layers, or along the length before the
    convolutions."""
    channels: tuple[int, ...] = Field((64, 64, 32), min_length=1)
    """Channels of the convolutions over bins."""
    pool: int = Field(2, ge=1)
    """Positions over which the maximum is taken behind each."""
    norm: bool = True
    """Batch normalisation behind each convolution."""
    hidden: tuple[int, ...] = (128,)
    """Units of the dense layers."""
    dropout: float = Field(0.3, ge=0, lt=1)
    """Dropout behind the first dense layer."""
    contrast: ContrastConfig = ContrastConfig()
    """How the encoder learns, where half-life is encoded."""

    @model_validator(mode="after")
    def _something_is_read(self) -> Self:
        if self.dna == "none" and self.halflife == "none":
            raise ValueError("neither dna nor halflife is read; leave one of them on")
        return self


def inputs_of(config: HalflifeCnnConfig) -> tuple[str, ...]:
    """Name the inputs that the options read.

    Examples
    --------
    >>> inputs_of(HalflifeCnnConfig(dna="none"))
    ('halflife',)
    """
    return dna_inputs(config) + (() if config.halflife == "none" else ("halflife",))


class HalflifeCnn(nn.Module):
    """``sequence`` or ``embedding``, and ``halflife``, to (batch, outputs); logits for classes."""

    def __init__(self, config: HalflifeCnnConfig, shapes: Shapes) -> None:
        super().__init__()
        self.config = config
        self.dna = DnaBins(config, shapes) if config.dna != "none" else None
        parts: list[tuple[int, int]] = []
        if self.dna is not None:
            parts.append((self.dna.channels, self.dna.bins))
        self.along = config.join == "length"
        extra = 0
        if config.halflife != "none":
            (n_features,) = shapes.inputs["halflife"]
            self.standardise = nn.ModuleDict({"halflife": Standardise((n_features,))})
            if config.halflife == "encoded":
                self.encoder = HalflifeEncoder()
                width = ENCODED_CHANNELS
            else:
                width = self.dna.channels if self.dna and self.along else 1
            if self.along:
                self.match = self._match(width, n_features)
                parts.append((self.dna.channels if self.dna else width, n_features))
            else:
                extra = width * n_features
        self.body = None
        if parts:
            shape = (parts[0][0], sum(positions for _, positions in parts))
            self.body = Convolutions(shape, config.channels, config.pool, config.norm)
            extra += self.body.features
        self.dense = _dense(extra, config.hidden, config.dropout)
        self.output = OutputLayer(config.hidden[-1] if config.hidden else extra, shapes)

    def _match(self, width: int, n_features: int) -> nn.Module:
        """Give half-life as many channels as DNA has, so that both can lie along one axis."""
        if self.config.halflife == "raw":
            return FeatureTokens(n_features, width)
        if self.dna is None or self.dna.channels == width:
            return nn.Identity()
        return nn.Conv1d(width, self.dna.channels, 1)

    def pretext(self) -> Pretext | None:
        """Give what is to be learned before the network: the encoder, from training examples."""
        if self.config.halflife != "encoded":
            return None
        contrast = self.config.contrast

        def loss(inputs: dict[str, Tensor], generator: torch.Generator) -> Tensor:
            values = self.standardise["halflife"](inputs["halflife"])
            return triplet_loss(self.encoder, values, contrast, generator)

        return Pretext(
            "half-life encoder",
            self.encoder,
            ("halflife",),
            loss,
            epochs=contrast.epochs,
            batch_size=contrast.batch_size,
            learning_rate=contrast.learning_rate,
        )

    def features(self, inputs: dict[str, Tensor]) -> Tensor:
        """Give what the output layer reads, (batch, features)."""
        along = [] if self.dna is None else [self.dna(inputs)]
        apart = []
        if self.config.halflife != "none":
            values = self.standardise["halflife"](inputs["halflife"])
            if self.config.halflife == "encoded":
                values = self.encoder(values)
            if self.along:
                along.append(self.match(values))
            else:
                apart.append(values.flatten(1))
        if self.body is not None:
            apart.insert(0, self.body(torch.cat(along, dim=2)))
        features: Tensor = self.dense(torch.cat(apart, dim=1))
        return features

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        outputs: Tensor = self.output(self.features(inputs))
        return outputs


def _dense(inputs: int, hidden: tuple[int, ...], dropout: float) -> nn.Sequential:
    layers: list[nn.Module] = []
    for number, units in enumerate(hidden):
        layers += [nn.Linear(inputs, units), nn.ReLU()]
        if number == 0:
            layers.append(nn.Dropout(dropout))
        inputs = units
    return nn.Sequential(*layers)


_SOURCES = {
    "embedding": "Nguyen et al. 2023 for HyenaDNA",
    "encoded": "Schroff et al. 2015 for the triplet loss",
}


def _cited(config: HalflifeCnnConfig) -> str:
    used = (config.dna, config.halflife)
    return "; ".join(source for option, source in _SOURCES.items() if option in used)


PUBLISHED_FIT = {
    "optimizer": "adam",
    "learning_rate": 1e-4,
    "batch_size": 32,
    "epochs": 50,
    "schedule": "constant",
    "weight_decay": 0.0,
    "beta2": 0.999,
    "clip": 0.0,
    "average": 0.0,
    "patience": 50,
    "shift": 0,
}

SPEC = ModelSpec(
    name="halflife_cnn",
    kind="network",
    config=HalflifeCnnConfig,
    build=HalflifeCnn,
    inputs=("sequence", "halflife"),
    reads=inputs_of,
    tasks=("regression", "classification", "multiclass"),
    summary="promoter bins and half-life features, joined; each can be left out",
    citation="; ".join(_SOURCES.values()),
    cites=_cited,
    presets={
        "published": Preset(
            {
                "dna": "embedding",
                "filters": 0,
                "halflife": "encoded",
                "join": "length",
                "channels": (128, 64, 16, 4),
                "pool": 2,
                "norm": False,
                "hidden": (256, 64),
                "dropout": 0.5,
            },
            PUBLISHED_FIT,
            "the published network on embeddings pooled to bins; with --bin 1 they are not pooled",
        ),
        "controlled": Preset({}, {}, "the defaults: one trunk and one budget for all rows"),
    },
)
