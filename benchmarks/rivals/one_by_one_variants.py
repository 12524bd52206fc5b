"""Variants scored one by one, as published scripts do: two passes of one window each.

The form of the variant loop in Enformer's notebook (google-deepmind/deepmind-research,
``enformer/enformer-usage.ipynb``): for each SNP the window is read from the FASTA, both alleles are
one-hot encoded in NumPy, the network runs on a batch of one for the reference and again for the
alternate, and the difference is taken. In single precision.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pysam

_TABLE = np.zeros((256, 4), dtype=np.float32)
_TABLE[np.frombuffer(b"ACGT", dtype=np.uint8)] = np.eye(4, dtype=np.float32)
_COMPLEMENT = str.maketrans("ACGTN", "TGCAN")


class Pair(NamedTuple):
    """A variant and the window that it is put into, ``[start, end)`` on the forward strand."""

    chrom: str
    start: int
    end: int
    strand: str
    pos: int
    ref: str
    alt: str


def one_hot(sequence: str) -> npt.NDArray[np.float32]:
    """Encode letters as (4, length)."""
    return np.ascontiguousarray(_TABLE[np.frombuffer(sequence.encode(), dtype=np.uint8)].T)


def score_one_by_one(
    fasta: Path, pairs: Sequence[Pair], forward: Callable[[npt.NDArray[np.float32]], Any]
) -> npt.NDArray[np.float64]:
    """Give ALT - REF of each pair, the mean of ``forward`` over tracks and bins."""
    scores = []
    with pysam.FastaFile(str(fasta)) as genome:
        for pair in pairs:
            length = genome.get_reference_length(pair.chrom)
            low, high = max(0, pair.start), min(length, pair.end)
            letters = genome.fetch(pair.chrom, low, high).upper()
            letters = "N" * (low - pair.start) + letters + "N" * (pair.end - high)
            at = pair.pos - 1 - pair.start
            if letters[at] != pair.ref:
                raise ValueError(f"{pair} does not fit the genome")
            alleles = (letters, letters[:at] + pair.alt + letters[at + 1 :])
            found = []
            for sequence in alleles:
                if pair.strand == "-":
                    sequence = sequence.translate(_COMPLEMENT)[::-1]
                found.append(float(np.mean(forward(one_hot(sequence)[None]))))
            scores.append(found[1] - found[0])
    return np.array(scores)
