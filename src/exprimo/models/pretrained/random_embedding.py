"""A Backbone without knowledge: normal numbers that depend on the sequence alone."""

from __future__ import annotations

import hashlib

import numpy as np

from exprimo.core.errors import ConfigError
from exprimo.core.predictor import Batch, Floats
from exprimo.core.sequence import ALPHABET

_LONGEST = 2**31 - 1


class RandomEmbedding:
    """What an embedding is worth that says nothing about the sequence but which one it is.

    Equal sequences get equal vectors, on every machine and in every run.

    Examples
    --------
    >>> twice = {"sequence": np.zeros((2, 4), dtype=np.uint8)}
    >>> first, second = RandomEmbedding(3).embed(twice)
    >>> first.shape, bool((first == second).all())
    ((4, 3), True)
    """

    alphabet = ALPHABET
    window = _LONGEST
    stride = 1
    n_tracks = 0

    def __init__(self, channels: int = 256) -> None:
        if channels < 1:
            raise ConfigError("not a number of channels", found=channels, expected="at least 1")
        self.channels = channels
        self.name = f"random-embedding:{channels}"
        self.digest = hashlib.sha256(f"exprimo {self.name} 1".encode()).hexdigest()

    def embed(self, batch: Batch) -> Floats:
        """Give standard normal numbers, (batch, bases, channels)."""
        codes = batch["sequence"]
        out = np.empty((*codes.shape, self.channels), dtype=np.float32)
        for row, sequence in enumerate(codes):
            seed = hashlib.blake2b(sequence.tobytes(), digest_size=16).digest()
            stream = np.random.Generator(np.random.PCG64(int.from_bytes(seed, "little")))
            stream.standard_normal(dtype=np.float32, out=out[row])
        return out

    def tracks(self, batch: Batch) -> Floats:
        """Refuse: there are no tracks."""
        raise ConfigError("a random embedding predicts no tracks", record=self.name)
