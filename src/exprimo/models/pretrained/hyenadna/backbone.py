"""HyenaDNA as a Backbone: bases to hidden vectors, within a budget of memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from exprimo.core.errors import ConfigError, InputError, MismatchError
from exprimo.core.files.provenance import sha256_file
from exprimo.core.predictor import Batch, Floats
from exprimo.core.sequence import ALPHABET, N_CODE, Codes
from exprimo.data.fetch.weights import weights_path
from exprimo.models.pretrained.hyenadna.config import CHECKPOINTS, SPECIAL_TOKENS
from exprimo.models.pretrained.hyenadna.filter import GROUP, WIDTH, is_kept
from exprimo.models.pretrained.hyenadna.inference import group_size, hidden_vectors
from exprimo.models.pretrained.hyenadna.loading import load_hyenadna
from exprimo.models.pretrained.hyenadna.network import HyenaNetwork, to_tokens
from exprimo.models.pretrained.hyenadna.spectrum import fast_length

_FLOAT = 4
_GIB = 2**30
# Memory that several sequences at once may take; one alone may take what is there.
_BUDGET = 2 * _GIB
# Arrays of the inner width that exist at once where a graphics card runs whole layers.
_INNER_ARRAYS = 3


class HyenaBackbone:
    """Pretrained HyenaDNA, frozen.

    Attributes
    ----------
    window
        Longest sequence in bases; shorter ones are read as they are.
    stride, channels
        One vector of so many channels for each base.
    digest
        SHA-256 of the weights.

    Examples
    --------
    >>> from exprimo.models.pretrained.hyenadna import HyenaConfig
    >>> config = HyenaConfig(d_model=8, n_layer=1, d_inner=16, l_max=12)
    >>> backbone = HyenaBackbone(HyenaNetwork(config), name="tiny", digest="0")
    >>> backbone.embed({"sequence": np.zeros((2, 6), dtype=np.uint8)}).shape
    (2, 6, 8)
    """

    alphabet = ALPHABET
    stride = 1
    n_tracks = 0

    def __init__(
        self,
        network: HyenaNetwork,
        *,
        name: str,
        digest: str,
        device: torch.device | None = None,
    ) -> None:
        self.device = device or torch.device("cpu")
        self.network = network.to(self.device).eval()
        self.name, self.digest = name, digest
        self.window = network.config.window
        self.channels = network.config.d_model
        # What earlier calls needed is this process's already: filters are kept, and freed memory
        # is not handed back.
        self._had = 0

    @torch.inference_mode()
    def embed(self, batch: Batch) -> Floats:
        """Give hidden vectors, (batch, bases, channels), special tokens removed."""
        codes = self._checked(batch)
        n, bases = codes.shape
        step = self.rows_at_once(bases)
        if n <= step:
            return self._hidden(codes)
        out = np.empty((n, bases, self.channels), dtype=np.float32)
        for start in range(0, n, step):
            out[start : start + step] = self._hidden(codes[start : start + step])
        return out

    def _hidden(self, codes: Codes) -> Floats:
        # A copy: datasets lend arrays that nobody may write to.
        tokens = to_tokens(torch.from_numpy(codes.astype(np.int64)).to(self.device))
        if self.device.type == "cpu":
            hidden = hidden_vectors(self.network, tokens)
        else:
            hidden = self.network(tokens).cpu()
        self._had = max(self._had, self.memory(codes.shape[1], len(codes)))
        found: Floats = hidden[:, 1:-1].numpy()
        return found

    def tracks(self, batch: Batch) -> Floats:
        """Refuse: HyenaDNA predicts no tracks."""
        raise ConfigError(
            "HyenaDNA predicts no tracks", record=self.name, expected="a model with tracks"
        )

    def memory(self, bases: int, rows: int = 1) -> int:
        """Give the bytes that `embed` needs for ``rows`` sequences of so many bases at once."""
        config = self.network.config
        length = bases + SPECIAL_TOKENS
        padded = fast_length(2 * length)
        weights = sum(p.numel() for p in self.network.parameters())
        # While one is made: the small network's layers, and a group's values, window and padding.
        filters = 3 * WIDTH * length + GROUP * (5 * length + 3 * padded)
        if self.device.type != "cpu" or is_kept(config.d_model, length):
            filters += config.n_layer * config.d_model * padded
        output = rows * length * config.d_model
        if self.device.type == "cpu":
            group = group_size(config.d_model, length)
            shared = 2 * length * config.d_model + group * (6 * length + 3 * padded)
            return _FLOAT * (weights + filters + output + shared)
        wide = max(_INNER_ARRAYS * config.d_inner, 9 * config.d_model)
        return _FLOAT * (weights + filters + output + rows * (length * wide + padded))

    def rows_at_once(self, bases: int) -> int:
        """Give how many sequences of so many bases fit the budget; refuse one that fits nowhere."""
        one = self.memory(bases)
        free = _free_memory(self.device)
        if free is not None and one > free + self._had:
            raise InputError(
                "a sequence of this length does not fit into memory",
                record=self.name,
                found=f"{bases:,} bases, which need {one / _GIB:.1f} GiB",
                expected=f"at most {(free + self._had) / _GIB:.1f} GiB, which are free",
                remedy="Use shorter windows, or a machine with more memory",
            )
        each = self.memory(bases, 2) - one
        budget = _BUDGET if free is None else min(_BUDGET, free)
        return 1 + max(0, (budget - one) // each)

    def _checked(self, batch: Batch) -> Codes:
        codes = batch["sequence"]
        if codes.ndim != 2 or not 0 < codes.shape[1] <= self.window:
            raise MismatchError(
                f"{self.name} does not read sequences of this length",
                found=f"{codes.shape[1]:,} bases" if codes.ndim == 2 else f"shape {codes.shape}",
                expected=f"1 to {self.window:,} bases",
                remedy="Build the dataset with shorter windows, or use a checkpoint for longer "
                "ones, such as hyenadna-medium-160k",
            )
        if codes.size and codes.max() > N_CODE:
            raise MismatchError("a base code above 4", expected="A, C, G, T, N = 0..4")
        checked: Codes = codes
        return checked


def open_hyenadna(
    name: str, weights: Path | None = None, *, device: torch.device | None = None
) -> HyenaBackbone:
    """Open one of `CHECKPOINTS`, from a file or as fetched."""
    path = weights_path(name) if weights is None else weights
    if weights is None and not path.exists():
        raise InputError(
            f"the weights of {name} are not on this machine",
            file=path,
            remedy=f"Get them with: exprimo fetch weights {name} (or give a file: {name}:FILE)",
        )
    network = load_hyenadna(path, CHECKPOINTS[name], name=name)
    return HyenaBackbone(network, name=name, digest=sha256_file(path), device=device)


def _free_memory(device: torch.device) -> int | None:
    """Give the bytes that can still be had; None where the system does not tell."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    told = {line.split(":")[0]: line.split()[1] for line in lines}
    return int(told["MemAvailable"]) * 1024 if "MemAvailable" in told else None
