"""Enformer as a Backbone: bases to hidden vectors of bins, and to tracks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from exprimo.core.errors import ConfigError, InputError, MismatchError
from exprimo.core.files.provenance import sha256_file
from exprimo.core.predictor import Batch, Floats
from exprimo.core.sequence import ALPHABET, N_CODE
from exprimo.data.fetch.weights import weights_path
from exprimo.models.network import Precision
from exprimo.models.pretrained.enformer.config import EnformerConfig
from exprimo.models.pretrained.enformer.inference import Inference
from exprimo.models.pretrained.enformer.loading import load_enformer
from exprimo.models.pretrained.enformer.network import EnformerNetwork

HEADS = {"enformer": "human", "enformer-mouse": "mouse"}
"""Name of the model -> the head whose tracks it gives."""


class EnformerBackbone:
    """Pretrained Enformer, frozen: one window at a time, along the given strand.

    Windows that differ in few bases share what those do not reach, to the last bit: put a
    variant's windows behind one another in a batch, or in calls that follow one another.

    Attributes
    ----------
    window
        Bases that are read, neither more nor fewer. The TSS belongs at ``window // 2``.
    stride, n_bins
        Bases per bin, and bins, which lie in the middle of the window.
    channels, n_tracks
        Numbers per bin that `embed` and `tracks` give.
    digest
        SHA-256 of the weights.

    Examples
    --------
    >>> from exprimo.models.pretrained.enformer import random_enformer
    >>> backbone = EnformerBackbone(random_enformer(), name="enformer", digest="0")
    >>> codes = np.zeros((1, backbone.window), dtype=np.uint8)
    >>> backbone.predict_tracks({"sequence": codes}, [3, 5], slice(23, 26)).shape
    (1, 2, 3)
    """

    alphabet = ALPHABET

    def __init__(
        self,
        network: EnformerNetwork,
        *,
        name: str,
        digest: str,
        device: torch.device | None = None,
        precision: Precision = "fp32",
    ) -> None:
        config = network.config
        self.device = device or torch.device("cpu")
        self.network = network.to(self.device).eval()
        self.name, self.digest = name, digest
        self.head = HEADS[name]
        if self.head not in config.tracks:
            raise ConfigError(
                f"these weights have no head for {self.head}",
                record=name,
                found=", ".join(config.tracks),
                remedy=" or ".join(
                    f"Use {name}" for name, head in HEADS.items() if head in config.tracks
                )
                or None,
            )
        self.window, self.stride = config.window, config.bin_size
        self.n_bins, self.channels = config.bins, config.channels
        self.n_tracks = config.tracks[self.head]
        self._precision: Precision = precision
        self._inference: Inference | None = None

    @property
    def precision(self) -> Precision:
        """In which products are computed; setting it packs the weights anew."""
        return self._precision

    @precision.setter
    def precision(self, value: Precision) -> None:
        if value != self._precision:
            self._precision, self._inference = value, None

    def embed(self, batch: Batch) -> Floats:
        """Give hidden vectors of the bins, (batch, bins, channels)."""
        codes = self._checked(batch)
        out = np.empty((len(codes), self.n_bins, self.channels), dtype=np.float32)
        for row, one in enumerate(codes):
            out[row] = self._hidden(one, slice(None)).cpu().numpy()
        return out

    def tracks(
        self, batch: Batch, rows: Sequence[int] | None = None, bins: slice | None = None
    ) -> Floats:
        """Give tracks, (batch, tracks, bins); of some ``rows`` of the head in some ``bins``."""
        codes = self._checked(batch)
        wanted = slice(*(bins or slice(None)).indices(self.n_bins))
        chosen = list(range(self.n_tracks)) if rows is None else self._rows(rows)
        out = np.empty((len(codes), len(chosen), wanted.stop - wanted.start), dtype=np.float32)
        for row, one in enumerate(codes):
            hidden = self._hidden(one, wanted)
            with torch.no_grad():
                found = self.network.predict(hidden, self.head, None if rows is None else chosen)
            out[row] = found.T.cpu().numpy()
        return out

    def predict_tracks(self, batch: Batch, tracks: Sequence[int], bins: slice) -> Floats:
        """Give some tracks in some bins, (batch, tracks, bins): no others are computed."""
        return self.tracks(batch, tracks, bins)

    def _hidden(self, codes: Tensor, bins: slice) -> Tensor:
        if self._inference is None:
            self._inference = Inference(self.network, self._precision)
        return self._inference.hidden(codes.to(self.device), bins)

    def _rows(self, rows: Sequence[int]) -> list[int]:
        chosen = [int(row) for row in rows]
        outside = [row for row in chosen if not 0 <= row < self.n_tracks]
        if outside:
            raise ConfigError(
                f"{self.name} has no such track",
                record=f"track {outside[0]}",
                expected=f"0 to {self.n_tracks - 1}",
            )
        return chosen

    def _checked(self, batch: Batch) -> Tensor:
        codes = batch["sequence"]
        if codes.ndim != 2 or codes.shape[1] != self.window:
            raise MismatchError(
                f"{self.name} does not read sequences of this length",
                found=f"{codes.shape[1]:,} bases" if codes.ndim == 2 else f"shape {codes.shape}",
                expected=f"{self.window:,} bases",
                remedy="Build the dataset with windows of this length, half of them upstream",
            )
        if codes.size and codes.max() > N_CODE:
            raise MismatchError("a base code above 4", expected="A, C, G, T, N = 0..4")
        # A copy: datasets lend arrays that nobody may write to.
        return torch.from_numpy(codes.astype(np.uint8))


def open_enformer(
    name: str,
    weights: Path | None = None,
    *,
    config: EnformerConfig | None = None,
    device: torch.device | None = None,
    precision: Precision = "fp32",
) -> EnformerBackbone:
    """Open ``enformer`` or ``enformer-mouse`` from a file, or as fetched.

    Parameters
    ----------
    config
        Sizes, where neither the file's metadata nor its tensors tell them; see `load_enformer`.
    """
    path = enformer_weights() if weights is None else weights
    return EnformerBackbone(
        load_enformer(path, config),
        name=name,
        digest=sha256_file(path),
        device=device,
        precision=precision,
    )


def enformer_weights() -> Path:
    """Give the place of the fetched weights; an error where there are none."""
    path = weights_path("enformer")
    if not path.exists():
        raise InputError(
            "the weights of Enformer are not on this machine",
            file=path,
            remedy="Get them with: exprimo fetch enformer (or give a file: enformer:FILE)",
        )
    return path
