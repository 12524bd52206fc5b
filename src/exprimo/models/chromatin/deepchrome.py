"""``deepchrome``: one convolution over bins, its maxima, and dense layers.

The published form (Singh et al. 2016, and its program): 50 filters of width 10 over the five
marks, without padding; a rectifier; the maximum over 5 positions; dropout of 0.5; dense layers of
625 and 125 with rectifiers; two logits with a softmax. Trained one gene at a time by plain
gradient descent at 0.001, without momentum or decay, for 100 epochs. The loop takes Adam or AdamW
and at least two examples a step, so the preset ``published`` has Adam at 0.001 and batches of 32.

Two logits with a softmax over both are computed as their difference; a regression has one output.
The maximum is taken before the rectifier, which gives the same values from a fifth of the work.
"""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor, nn

from exprimo.core.errors import ConfigError
from exprimo.models.chromatin.bins import as_examples, as_image
from exprimo.models.chromatin.rows import (
    SETTLES,
    NetRowsConfig,
    ReadsRows,
    rows_inputs,
    settle_vocabulary,
)
from exprimo.models.output_layer import OutputLayer
from exprimo.models.zoo import ModelSpec, Preset, Shapes


class DeepChromeConfig(NetRowsConfig):
    """Options of ``deepchrome``; defaults are the published layers."""

    filters: int = Field(50, ge=1)
    """Filters of the convolution."""
    kernel: int = Field(10, ge=1)
    """Their width in bins."""
    pool: int = Field(5, ge=1)
    """Positions over which the maximum is taken."""
    hidden: tuple[int, ...] = Field((625, 125), min_length=1)
    """Units of the dense layers."""
    dropout: float = Field(0.5, ge=0, lt=1)
    """Share of the maxima that is dropped."""


class DeepChrome(ReadsRows):
    """``signal`` and what the options add to it, to (batch, outputs); logits for classes."""

    def __init__(self, config: DeepChromeConfig, shapes: Shapes) -> None:
        super().__init__(config, shapes)
        positions = (self.n_bins - config.kernel + 1) // config.pool
        if positions < 1:
            raise ConfigError(
                "the filter and the pooling are wider than the window",
                record="kernel, pool",
                found=f"{config.kernel} + {config.pool - 1} bins",
                expected=f"at most {self.n_bins} bins",
            )
        self.pool = config.pool
        self.conv = nn.Conv2d(self.n_rows, config.filters, (1, config.kernel))
        layers: list[nn.Module] = [nn.Dropout(config.dropout)]
        inputs = positions * config.filters
        for units in config.hidden:
            layers += [nn.Linear(inputs, units), nn.ReLU()]
            inputs = units
        self.dense = nn.Sequential(*layers)
        self.output = OutputLayer(inputs, shapes, pair=True)

    def features(self, inputs: dict[str, Tensor]) -> Tensor:
        """Give what the output layer reads, (batch, units)."""
        found = self.conv(as_image(self.rows(inputs)))
        best = nn.functional.max_pool2d(found, (1, self.pool)).relu()
        features: Tensor = self.dense(torch.flatten(as_examples(best), 1))
        return features

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        outputs: Tensor = self.output(self.features(inputs))
        return outputs


SPEC = ModelSpec(
    name="deepchrome",
    kind="network",
    config=DeepChromeConfig,
    build=DeepChrome,
    inputs=("signal",),
    reads=rows_inputs,
    settle=settle_vocabulary,
    settles=SETTLES,
    tasks=("regression", "classification"),
    summary="one convolution over marks in bins, its maxima, dense layers",
    citation="Singh et al. 2016",
    fit={"learning_rate": 1e-3},
    presets={
        "published": Preset(
            {
                "standardise": False,
                "filters": 50,
                "kernel": 10,
                "pool": 5,
                "hidden": (625, 125),
                "dropout": 0.5,
            },
            {
                "optimizer": "adam",
                "learning_rate": 1e-3,
                "batch_size": 32,
                "epochs": 100,
                "schedule": "constant",
                "weight_decay": 0.0,
                "beta2": 0.999,
                "clip": 0.0,
                "average": 0.0,
                "patience": 100,
            },
            "the source took plain gradient descent at 0.001, one gene at a time",
        ),
        "controlled": Preset({}, {}, "the defaults: the published layers, the training of all"),
    },
)
