"""A small world with a model whose effects are known exactly."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from exprimo.core.predictor import Floats
from exprimo.core.sequence import Codes
from exprimo.scoring.variants import work
from exprimo.scoring.variants.config import VariantsConfig

UPSTREAM, DOWNSTREAM, BIN, TRACKS = 24, 16, 8, 3


class LinearModel:
    """Each base adds its weight to the bin that it stands in; every read window is counted."""

    name = "linear"
    positive = False
    upstream, downstream = UPSTREAM, DOWNSTREAM
    tracks: tuple[str, ...] = ("a", "b", "c")
    bin_size, first_bin = BIN, 0
    n_bins = (UPSTREAM + DOWNSTREAM) // BIN

    def __init__(self, seed: int = 0) -> None:
        length = UPSTREAM + DOWNSTREAM
        weights = np.random.default_rng(seed).normal(size=(length, 5, TRACKS))
        weights[:, 4] = 0  # N adds nothing
        self.weights = weights
        self.digest = hashlib.sha256(weights.tobytes()).hexdigest()
        self.read: list[bytes] = []

    def predict(self, codes: Codes) -> Floats:
        self.read += [row.tobytes() for row in codes]
        each = self.weights[np.arange(codes.shape[1]), codes]
        bins = each.reshape(len(codes), self.n_bins, BIN, TRACKS).sum(axis=2)
        return bins.transpose(0, 2, 1).astype(np.float32)

    def rows_at_once(self) -> int:
        return 4


class World(NamedTuple):
    """Files: one chromosome of 400 bases, a gene on either strand, and the bases themselves."""

    fasta: Path
    genes: Path
    bases: str


TSS = {"plus": (100, "+"), "minus": (300, "-")}


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("variants")
    bases = "".join(np.random.default_rng(5).choice(list("ACGT"), 400))
    fasta, genes = folder / "g.fa", folder / "g.bed"
    fasta.write_text(f">chr1\n{bases}\n>chr2\n{'ACGTN' * 40}\n")
    # Without CDS nothing is known of starts and introns, so any genome fits.
    genes.write_text("chr1\t100\t160\tplus\t0\t+\nchr1\t240\t301\tminus\t0\t-\n")
    return World(fasta, genes, bases)


@pytest.fixture
def linear(monkeypatch: pytest.MonkeyPatch) -> LinearModel:
    """The model that every call opens, whatever it asks for."""
    model = LinearModel()

    def opened(config: VariantsConfig) -> LinearModel:
        return model

    monkeypatch.setattr(work, "open_model", opened)
    return model
