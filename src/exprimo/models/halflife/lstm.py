"""``lstm``: a recurrent network over promoter bins, with half-life beside it.

The published form (the preset ``published``) maps each position of the embedding to one number
and hands the whole vector to an LSTM as a single step, so nothing recurs: its gates see each
position once, and its state starts at zero. The default walks along the bins in both directions.
"""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from exprimo.models.halflife.dna import DnaBins, DnaConfig, dna_inputs
from exprimo.models.halflife.halflife_cnn import PUBLISHED_FIT
from exprimo.models.output_layer import OutputLayer
from exprimo.models.standardise import Standardise
from exprimo.models.zoo import ModelSpec, Preset, Shapes


class LstmConfig(DnaConfig):
    """Options of ``lstm``."""

    halflife: bool = True
    """Lay the standardised half-life features beside what the LSTM found."""
    walk: Literal["bins", "one-step"] = "bins"
    """``bins``: bin after bin, in both directions; ``one-step``: all bins, one number each, in a
    single step."""
    units: int = Field(64, ge=1)
    """Units of the LSTM, in either direction."""
    hidden: int = Field(128, ge=1)
    """Units of the dense layer."""
    dropout: float = Field(0.3, ge=0, lt=1)
    """Dropout behind the dense layer."""


def inputs_of(config: LstmConfig) -> tuple[str, ...]:
    """Name the inputs that the options read."""
    return dna_inputs(config) + (("halflife",) if config.halflife else ())


class Lstm(nn.Module):
    """``sequence`` or ``embedding``, and ``halflife``, to (batch, outputs); logits for classes."""

    def __init__(self, config: LstmConfig, shapes: Shapes) -> None:
        super().__init__()
        self.dna = DnaBins(config, shapes)
        self.one_step = config.walk == "one-step"
        self.project = nn.Conv1d(self.dna.channels, 1, 1) if self.one_step else nn.Identity()
        self.lstm = nn.LSTM(
            self.dna.bins if self.one_step else self.dna.channels,
            config.units,
            batch_first=True,
            bidirectional=not self.one_step,
        )
        found = config.units if self.one_step else 2 * config.units
        if config.halflife:
            (n_features,) = shapes.inputs["halflife"]
            self.standardise = nn.ModuleDict({"halflife": Standardise((n_features,))})
            found += n_features
        self.reads_halflife = config.halflife
        self.dense = nn.Sequential(
            nn.Linear(found, config.hidden), nn.ReLU(), nn.Dropout(config.dropout)
        )
        self.output = OutputLayer(config.hidden, shapes)

    def features(self, inputs: dict[str, Tensor]) -> Tensor:
        """Give what the output layer reads, (batch, features)."""
        x = self.project(self.dna(inputs))
        steps, _ = self.lstm(x if self.one_step else x.transpose(1, 2))
        found = [steps.mean(1)]
        if self.reads_halflife:
            found.append(self.standardise["halflife"](inputs["halflife"]))
        features: Tensor = self.dense(torch.cat(found, dim=1))
        return features

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        outputs: Tensor = self.output(self.features(inputs))
        return outputs


SPEC = ModelSpec(
    name="lstm",
    kind="network",
    config=LstmConfig,
    build=Lstm,
    inputs=("sequence", "halflife"),
    reads=inputs_of,
    tasks=("regression", "classification", "multiclass"),
    summary="bidirectional LSTM over promoter bins, half-life beside it",
    citation="Hochreiter & Schmidhuber 1997",
    presets={
        "published": Preset(
            {
                "dna": "embedding",
                "filters": 0,
                "walk": "one-step",
                "units": 128,
                "hidden": 64,
                "dropout": 0.5,
            },
            PUBLISHED_FIT,
            "one number per position, all in one step; the source does not give the units",
        ),
        "controlled": Preset({}, {}, "the defaults: one trunk and one budget for all rows"),
    },
)
