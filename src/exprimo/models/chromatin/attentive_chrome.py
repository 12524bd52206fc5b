"""``attentive_chrome``: an LSTM over the bins of each mark, one over the marks, attention on both.

The published form (Singh et al. 2017, and its program): each mark has a bidirectional LSTM of 32
units over its bins, and a context vector; the softmax over the bins of the products of context
and states weighs the states, and their sum stands for the mark. A bidirectional LSTM of 16 units
over the marks and a second context vector make one vector of those, which a linear layer reads.
All weights start between -0.1 and 0.1. Adam at 0.0001, batches of 10, clipping at 1, 90 epochs.

The program also hands a dropout of 0.5 to its LSTMs. They have one layer each, and the library
drops between layers only, so nothing is dropped; here ``dropout`` acts on the last vector, and the
preset ``published`` has 0. The paper says neither the rate nor the size of a batch.

Cell statistics stand beside their mark, at each bin; k-mers stand beside every mark.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from pydantic import Field
from torch import Tensor, nn

from exprimo.models.chromatin.rows import (
    SETTLES,
    NetRowsConfig,
    ReadsRows,
    rows_inputs,
    settle_vocabulary,
)
from exprimo.models.output_layer import OutputLayer
from exprimo.models.zoo import ModelSpec, Preset, Shapes

_START = 0.1


class AttentiveChromeConfig(NetRowsConfig):
    """Options of ``attentive_chrome``."""

    units: int = Field(32, ge=1)
    """Units of each mark's LSTM over bins, in either direction."""
    mark_units: int = Field(16, ge=1)
    """Units of the LSTM over marks, in either direction."""
    dropout: float = Field(0.2, ge=0, lt=1)
    """Share of the last vector that is dropped."""


class Attention(nn.Module):
    """Weigh steps by a context vector: (batch, steps, units) to their sum and the weights.

    Examples
    --------
    >>> summary, weights = Attention(6)(torch.zeros(2, 4, 6))
    >>> summary.shape, weights[0].tolist()
    (torch.Size([2, 6]), [0.25, 0.25, 0.25, 0.25])
    """

    def __init__(self, units: int) -> None:
        super().__init__()
        self.context = nn.Parameter(torch.empty(units).uniform_(-_START, _START))

    def forward(self, steps: Tensor) -> tuple[Tensor, Tensor]:
        weights = torch.softmax((steps * self.context).sum(2, dtype=torch.float32), dim=1)
        return torch.einsum("bs,bsu->bu", weights.to(steps.dtype), steps), weights


class AttentiveChrome(ReadsRows):
    """``signal`` and what the options add to it, to (batch, outputs); logits for classes."""

    def __init__(self, config: AttentiveChromeConfig, shapes: Shapes) -> None:
        super().__init__(config, shapes)
        values = 1 + 2 * config.cell_statistics
        if config.kmers:
            values += len(self.kept)
        self.over_bins = nn.ModuleList(
            nn.LSTM(values, config.units, batch_first=True, bidirectional=True)
            for _ in range(self.n_marks)
        )
        self.bin_attention = nn.ModuleList(Attention(2 * config.units) for _ in range(self.n_marks))
        self.over_marks = nn.LSTM(
            2 * config.units, config.mark_units, batch_first=True, bidirectional=True
        )
        self.mark_attention = Attention(2 * config.mark_units)
        self.dropout = nn.Dropout(config.dropout)
        self.output = OutputLayer(2 * config.mark_units, shapes)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -_START, _START)

    def attention(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Give both levels of attention; each adds up to 1 over its last axis.

        Returns
        -------
        dict
            ``bins`` (batch, marks, bins): where each mark was looked at, in gene orientation.
            ``marks`` (batch, marks): how much each mark counted.
        """
        _, bins, marks = self._attend(inputs)
        return {"bins": bins, "marks": marks}

    def _attend(self, inputs: dict[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Give the last vector, (batch, units), and the weights of bins and of marks."""
        summaries, bins = [], []
        along = zip(self._marks(inputs), self.over_bins, self.bin_attention, strict=True)
        for values, lstm, attend in along:
            summary, weights = attend(lstm(values)[0])
            summaries.append(summary)
            bins.append(weights)
        steps, _ = self.over_marks(torch.stack(summaries, dim=1))
        vector, marks = self.mark_attention(steps)
        return vector, torch.stack(bins, dim=1), marks

    def _marks(self, inputs: dict[str, Tensor]) -> Iterator[Tensor]:
        """Give what the LSTM of each mark reads, (batch, bins, values)."""
        apart = {name: self.one_input(name, inputs) for name in self.read}
        for mark in range(self.n_marks):
            # Cell statistics are the means of all marks, then their standard deviations.
            own = [apart["signal"][:, mark]]
            if "cell_context" in apart:
                own += [apart["cell_context"][:, mark + k * self.n_marks] for k in (0, 1)]
            values = torch.stack(own, dim=2)
            if "kmer_bins" in apart:
                values = torch.cat([values, apart["kmer_bins"].transpose(1, 2)], dim=2)
            yield values

    def features(self, inputs: dict[str, Tensor]) -> Tensor:
        """Give what the output layer reads, (batch, units)."""
        features: Tensor = self.dropout(self._attend(inputs)[0])
        return features

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        outputs: Tensor = self.output(self.features(inputs))
        return outputs


SPEC = ModelSpec(
    name="attentive_chrome",
    kind="network",
    config=AttentiveChromeConfig,
    build=AttentiveChrome,
    inputs=("signal",),
    reads=rows_inputs,
    settle=settle_vocabulary,
    settles=SETTLES,
    tasks=("regression", "classification"),
    summary="an LSTM over the bins of each mark and one over marks, attention on both",
    citation="Singh et al. 2017; Bahdanau et al. 2015",
    presets={
        "published": Preset(
            {"standardise": False, "units": 32, "mark_units": 16, "dropout": 0.0},
            {
                "optimizer": "adam",
                "learning_rate": 1e-4,
                "batch_size": 10,
                "epochs": 90,
                "schedule": "constant",
                "weight_decay": 0.0,
                "beta2": 0.999,
                "clip": 1.0,
                "average": 0.0,
                "patience": 90,
            },
            "rate, batches and epochs are those of the authors' program",
        ),
        "controlled": Preset({}, {}, "the defaults: the published units, the training of all"),
    },
)
