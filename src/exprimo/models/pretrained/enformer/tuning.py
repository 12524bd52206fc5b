"""Enformer in the zoo: its head, low-rank changes of it, or all of it, trained on expression."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field, field_validator
from torch import Tensor, nn
from torch.nn import functional

from exprimo.core.config import Config
from exprimo.core.dataset import SEQUENCES, Dataset
from exprimo.core.errors import ConfigError, MismatchError
from exprimo.core.files.provenance import sha256_file
from exprimo.core.sequence import N_CODE
from exprimo.models.network import Precision
from exprimo.models.output_layer import OutputLayer
from exprimo.models.pretrained.enformer.backbone import enformer_weights
from exprimo.models.pretrained.enformer.config import EnformerConfig
from exprimo.models.pretrained.enformer.frozen import FrozenTrunk, frozen_trunk
from exprimo.models.pretrained.enformer.lora import LowRank
from exprimo.models.pretrained.enformer.network import EnformerNetwork
from exprimo.models.pretrained.enformer.random_weights import TOY, random_enformer
from exprimo.models.zoo import ModelSpec, Shapes

_HEAD = "human"


class EnformerTuning(Config):
    """Options of ``enformer``: what stands still, what is trained, what it reads."""

    weights: str = "enformer"
    """``enformer`` as fetched, ``enformer:FILE``, or ``none``: random, for trials."""
    tune: Literal["head", "lora", "all"] = "head"
    """What is trained: what stands on the trunk alone (``head``), low-rank changes of its
    attention too (``lora``), or everything (``all``)."""
    rank: int = Field(8, ge=1)
    """Rank of the changes of ``lora``."""
    bins: int = Field(3, ge=1)
    """Bins around the middle of the window, the TSS, that are read."""
    head: Literal["new", "track"] = "new"
    """What stands on the trunk: a ``new`` linear layer on the mean over the bins, or the weights
    of ``tracks``, whose logarithm of mean coverage a linear layer reads (``track``)."""
    tracks: tuple[int, ...] = ()
    """Tracks of the human head that ``head = track`` begins with, by number."""
    dropout: float = Field(0.1, ge=0, lt=1)
    """Dropout of the numbers that a new head reads."""
    haplotypes: Literal["auto", "one", "both"] = "auto"
    """Read ``sequence`` alone, or ``sequence_2`` too and average both; ``auto`` by what the
    dataset holds."""
    sizes: EnformerConfig | None = None
    """Sizes where ``weights = none``; unset: small, with the window of the dataset."""
    sha256: str = ""
    """Checksum of the weights; filled in when training begins."""

    @field_validator("weights")
    @classmethod
    def _known(cls, value: str) -> str:
        name, colon, file = value.partition(":")
        if value == "none" or value == "enformer":
            return value
        if name != "enformer" or not colon or not file:
            raise ValueError("expected enformer, enformer:FILE or none")
        # A run is read from other folders than the one it was made in.
        return f"enformer:{Path(file).absolute()}"

    @property
    def file(self) -> Path | None:
        """Where the weights lie; None where there are none."""
        if self.weights == "none":
            return None
        given = self.weights.partition(":")[2]
        return Path(given) if given else enformer_weights()


class TunedEnformer(nn.Module):
    """One-hot ``sequence`` (batch, 4, length), and ``sequence_2``, to (batch, outputs).

    Only what is trained is part of its state: the trunk is read from its own file, except where
    all of it is trained. Windows shorter than the trunk's are filled up with N on either side.
    """

    def __init__(self, config: EnformerTuning, shapes: Shapes) -> None:
        super().__init__()
        trunk = _trunk(config, shapes.inputs["sequence"][0])
        sizes = trunk.network.config
        self.options, self.sizes = config, sizes
        self.names = tuple(name for name in SEQUENCES if name in shapes.inputs)
        for name in self.names:
            _check_length(shapes.inputs[name][0], sizes)
        count = min(config.bins, sizes.bins)
        first = min(max(0, sizes.bins // 2 - count // 2), sizes.bins - count)
        self.bins = slice(first, first + count)
        self.trunk: FrozenTrunk | None = None if config.tune == "all" else trunk
        self.network: EnformerNetwork | None = None
        if config.tune == "all":
            self.network = copy.deepcopy(trunk.network).requires_grad_(True)
        self.lora = LowRank(sizes, config.rank) if config.tune == "lora" else None
        self.dropout = nn.Dropout(config.dropout)
        self.start: nn.Linear | None = None
        if config.head == "track":
            self.start = _first_head(trunk.network, config)
        self.output = OutputLayer(len(config.tracks) if self.start else sizes.channels, shapes)
        if self.start is not None:
            nn.init.constant_(self.output.linear.weight, 1 / len(config.tracks))

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        outputs: Tensor = self.output(self.features(inputs))
        return outputs

    def features(self, inputs: dict[str, Tensor]) -> Tensor:
        """Give what the output layer reads, (batch, features), averaged over the haplotypes."""
        read = [self._read(self.hidden(inputs[name])) for name in self.names]
        return torch.stack(read).mean(0)

    def hidden(self, sequence: Tensor) -> Tensor:
        """Give hidden vectors of the bins around the TSS, (batch, bins, channels)."""
        left = self.sizes.window // 2 - sequence.shape[2] // 2
        right = self.sizes.window - sequence.shape[2] - left
        sequence = functional.pad(sequence, (left, right))
        trunk = None if self.trunk is None else self.trunk.on(sequence.device)
        network = self.network or (trunk.network if trunk else None)
        assert network is not None
        run = {} if self.lora is None else {"run": self.lora.run}
        if trunk is None or sequence.requires_grad:
            # One window at a time: a batch's layers would not fit beside one another.
            rows = [network.convolve(one[None]) for one in sequence]
            found = [network.transform(x, self.bins, **run) for x in rows]
            return torch.cat(found)
        how: Precision = "bf16" if torch.is_autocast_enabled(sequence.device.type) else "fp32"
        with torch.no_grad(), torch.autocast(sequence.device.type, enabled=False):
            codes = to_codes(sequence)
            if self.lora is None:
                return torch.stack([trunk.hidden(one, self.bins, how) for one in codes])
            convolved = [trunk.convolved(one, how) for one in codes]
        return torch.cat([network.transform(x[None], self.bins, **run) for x in convolved])

    def _read(self, hidden: Tensor) -> Tensor:
        """Turn hidden vectors of bins into what the output layer reads."""
        if self.start is not None:
            with torch.autocast(hidden.device.type, enabled=False):
                coverage = functional.softplus(self.start(hidden.float()))
                return torch.log(coverage.mean(dim=1) + torch.finfo(coverage.dtype).tiny)
        mean = hidden.mean(dim=1)
        # Channels differ in size by orders; the output layer should not have to see to that.
        shown: Tensor = self.dropout(functional.layer_norm(mean.float(), mean.shape[1:]))
        return shown

    def merged(self) -> EnformerNetwork:
        """Give the trunk as it is after training, as one network with its published heads."""
        if self.network is not None:
            return copy.deepcopy(self.network)
        assert self.trunk is not None
        if self.lora is None:
            return copy.deepcopy(self.trunk.network)
        return self.lora.merged(self.trunk.network)


def to_codes(sequence: Tensor) -> Tensor:
    """Turn one-hot bases (batch, 4, length) back into codes (batch, length).

    Examples
    --------
    >>> to_codes(torch.tensor([[[1.0, 0, 0], [0, 0, 0], [0, 1, 0], [0, 0, 0]]])).tolist()
    [[0, 2, 4]]
    """
    known, codes = sequence.max(dim=1)
    return torch.where(known > 0, codes, N_CODE).to(torch.uint8)


def _trunk(config: EnformerTuning, length: int) -> FrozenTrunk:
    path = config.file
    if path is not None:
        return frozen_trunk(path, config.sha256)
    sizes = config.sizes
    if sizes is None:
        positions = -(-length // TOY.bin_size)
        values = {**TOY.model_dump(), "window": positions * TOY.bin_size, "bins": positions}
        sizes = EnformerConfig.checked(values)
    return FrozenTrunk(random_enformer(sizes))


def _check_length(length: int, sizes: EnformerConfig) -> None:
    if length > sizes.window:
        raise MismatchError(
            "windows longer than the network reads",
            found=f"{length:,} bases",
            expected=f"at most {sizes.window:,}",
            remedy="Build the dataset with shorter windows, the TSS in their middle",
        )


def _first_head(network: EnformerNetwork, config: EnformerTuning) -> nn.Linear:
    """Copy the weights of the tracks that a head begins with."""
    published = network.head(_HEAD)
    outside = [row for row in config.tracks if not 0 <= row < published.out_features]
    if not config.tracks or outside:
        raise ConfigError(
            "head = track needs tracks to begin with",
            record="options.tracks",
            found=outside[0] if outside else "none",
            expected=f"numbers from 0 to {published.out_features - 1}",
            remedy="Such as: --set options.tracks=[4950]",
        )
    rows = list(config.tracks)
    start = nn.Linear(published.in_features, len(rows))
    with torch.no_grad():
        start.weight.copy_(published.weight[rows])
        start.bias.copy_(published.bias[rows])
    return start


def _settled(options: EnformerTuning, dataset: Dataset, _: npt.NDArray[np.int64]) -> EnformerTuning:
    """Note which weights are built on, and whether there are two haplotypes."""
    values: dict[str, Any] = {}
    if options.haplotypes == "auto":
        values["haplotypes"] = "both" if SEQUENCES[1] in dataset.inputs else "one"
    if options.file is not None and not options.sha256:
        values["sha256"] = sha256_file(options.file)
    return options.model_copy(update=values)


def _inputs_read(options: EnformerTuning) -> tuple[str, ...]:
    return SEQUENCES if options.haplotypes == "both" else SEQUENCES[:1]


SPEC = ModelSpec(
    name="enformer",
    kind="network",
    config=EnformerTuning,
    build=TunedEnformer,
    inputs=("sequence",),
    reads=_inputs_read,
    settle=_settled,
    from_file=True,
    tasks=("regression", "classification", "multiclass"),
    summary="pretrained Enformer; its head, low-rank changes, or all of it are trained",
    citation="Avsec et al. 2021, Nature Methods 18, 1196; Hu et al. 2022 for low-rank changes",
    fit={
        "epochs": 10,
        "batch_size": 4,
        "learning_rate": 1e-3,
        "shift": 0,
        "average": 0.0,
    },
)
