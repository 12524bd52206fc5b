"""``histone_autoencoder``: the sequence through a bottleneck, its code beside the marks.

A convolutional autoencoder learns first, from training examples and without labels, to give the
3-mer counts of all bins back from a code of a few numbers for every four bins. Then it is frozen;
the code is laid beside what the convolutions of `histone_fcn` make of the marks, and dense layers
read both. The coder has neither batch normalisation nor dropout, so that frozen is frozen: it
gives the same code while the rest learns.

The source names the kind of network, not its layers or its training: the preset ``published`` is
the default with cell statistics, which its networks read.
"""

from __future__ import annotations

import itertools
from typing import Self

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from exprimo.models.chromatin.bins import as_image, bin_conv, mean_over_bins
from exprimo.models.chromatin.histone_fcn import Trunk, TrunkConfig, adapt
from exprimo.models.chromatin.rows import SETTLES, ReadsRows, rows_inputs, settle_vocabulary
from exprimo.models.output_layer import OutputLayer
from exprimo.models.pretext import Pretext
from exprimo.models.zoo import ModelSpec, Preset, Shapes


class HistoneAutoencoderConfig(TrunkConfig):
    """Options of ``histone_autoencoder``."""

    kmers: bool = True
    """Read counts of 3-mers in each bin; they are what is encoded."""
    code: int = Field(8, ge=1)
    """Numbers in the code for every four bins."""
    coder_channels: tuple[int, ...] = Field((64, 32), min_length=1)
    """Channels between the counts and the code; each halves the bins."""
    coder_epochs: int = Field(2, ge=1)
    """Passes of the autoencoder through the training part."""
    coder_batch: int = Field(256, ge=2)
    """Examples per step of the autoencoder."""
    coder_rate: float = Field(1e-3, gt=0)
    """Its rate of Adam."""
    hidden: tuple[int, ...] = Field((128,), min_length=1)
    """Units of the dense layers that read code and marks."""

    @model_validator(mode="after")
    def _something_is_encoded(self) -> Self:
        if not self.kmers:
            raise ValueError("there is nothing to encode without 3-mers; histone_fcn reads marks")
        return self


class BinCoder(nn.Module):
    """Rows over bins to a code over fewer bins, and back: convolutions with rectifiers.

    Parameters
    ----------
    channels
        Of the rows, between them and the code, and of the code; each but the last halves the bins.
    n_bins
        Bins of the rows.

    Examples
    --------
    >>> coder = BinCoder((125, 64, 32, 8), 100)
    >>> coder.encode(torch.zeros(1, 125, 2, 100)).shape
    torch.Size([1, 8, 2, 25])
    """

    def __init__(self, channels: tuple[int, ...], n_bins: int) -> None:
        super().__init__()
        pairs = list(itertools.pairwise(channels))
        last = len(pairs) - 1
        self.encoder = nn.ModuleList(
            bin_conv(a, b, 3, 1 if at == last else 2, bias=True) for at, (a, b) in enumerate(pairs)
        )
        self.decoder = nn.ModuleList(bin_conv(b, a, 3, bias=True) for a, b in reversed(pairs))
        self.lengths = [n_bins]
        for _ in range(last):
            self.lengths.append((self.lengths[-1] + 1) // 2)

    def encode(self, image: Tensor) -> Tensor:
        """Map (1, rows, batch, bins) to the code, (1, code, batch, fewer bins)."""
        for number, conv in enumerate(self.encoder):
            image = conv(image.relu() if number else image)
        return image

    def decode(self, code: Tensor) -> Tensor:
        """Map a code back to (1, rows, batch, bins)."""
        image = code
        # The first layer keeps the length of the code; each further one goes back one halving.
        for number, conv in enumerate(self.decoder):
            if number:
                wanted = self.lengths[-1 - number]
                image = image.relu().repeat_interleave(2, dim=3)[..., :wanted]
            image = conv(image)
        return image


class HistoneAutoencoder(ReadsRows):
    """``signal`` and ``kmer_bins`` to (batch, outputs); logits for classes."""

    def __init__(self, config: HistoneAutoencoderConfig, shapes: Shapes) -> None:
        super().__init__(config, shapes)
        self.config = config
        n_kmers = len(self.kept)
        self.coder = BinCoder((n_kmers, *config.coder_channels, config.code), self.n_bins)
        self.trunk = Trunk(self.n_rows - n_kmers, self.n_bins, config)
        inputs = self.trunk.n_channels + config.code * self.coder.lengths[-1]
        layers: list[nn.Module] = []
        for units in config.hidden:
            layers += [nn.Linear(inputs, units), nn.ReLU(), nn.Dropout(config.dropout)]
            inputs = units
        self.dense = nn.Sequential(*layers)
        self.output = OutputLayer(inputs, shapes)

    def pretext(self) -> Pretext:
        """Give what is to be learned first: to give back, from the code, what was counted."""

        def loss(inputs: dict[str, Tensor], generator: torch.Generator) -> Tensor:
            counts = self._counts(inputs)
            return nn.functional.mse_loss(self.coder.decode(self.coder.encode(counts)), counts)

        config = self.config
        return Pretext(
            "sequence autoencoder",
            self.coder,
            ("kmer_bins",),
            loss,
            epochs=config.coder_epochs,
            batch_size=config.coder_batch,
            learning_rate=config.coder_rate,
        )

    def _counts(self, inputs: dict[str, Tensor]) -> Tensor:
        return as_image(self.one_input("kmer_bins", inputs))

    def features(self, inputs: dict[str, Tensor]) -> Tensor:
        """Give what the output layer reads, (batch, units)."""
        marks = [self.one_input(name, inputs) for name in self.read if name != "kmer_bins"]
        found = mean_over_bins(self.trunk(as_image(torch.cat(marks, dim=1))))
        code = self.coder.encode(self._counts(inputs))[0].transpose(0, 1).flatten(1)
        features: Tensor = self.dense(torch.cat([found, code.float()], dim=1))
        return features

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        outputs: Tensor = self.output(self.features(inputs))
        return outputs


SPEC = ModelSpec(
    name="histone_autoencoder",
    kind="network",
    config=HistoneAutoencoderConfig,
    build=HistoneAutoencoder,
    inputs=("signal", "kmer_bins"),
    reads=rows_inputs,
    settle=settle_vocabulary,
    settles=SETTLES,
    adapt=adapt,
    tasks=("regression", "classification"),
    summary="an autoencoder's code of the sequence beside convolutions over marks in bins",
    citation="Hinton & Salakhutdinov 2006",
    presets={
        "published": Preset(
            {"cell_statistics": True},
            {},
            "the source names the kind of network, not its layers: the defaults",
        ),
        "controlled": Preset(
            {"width": 28, "most": 224},
            {},
            "the convolutions of the controlled histone_fcn, the training of all",
        ),
    },
)
