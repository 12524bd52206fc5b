"""k-mer spectra, whole and by position."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from exprimo.core.compiled import compiled
from exprimo.core.sequence import Codes
from exprimo.generate.fidelity.measures.divergence import jensen_shannon

LENGTHS = (1, 2, 3, 4, 5, 6)
WORD = 4

Counts = npt.NDArray[np.int64]


def kmer_spectra(codes: Codes, real: Codes) -> dict[str, float]:
    """Compare the k-mer frequencies of two sets, k = 1 to 6, by Jensen-Shannon divergence in bits.

    Examples
    --------
    >>> codes = np.random.default_rng(0).integers(0, 4, (50, 40)).astype(np.uint8)
    >>> kmer_spectra(codes, codes)["kmers_6"]
    0.0
    """
    return {f"kmers_{k}": float(jensen_shannon(_spectrum(codes, k), _spectrum(real, k)))
            for k in LENGTHS if k <= codes.shape[1]}  # fmt: skip


def position_kmers(codes: Codes, real: Codes) -> dict[str, float]:
    """Compare the 4-mers that begin at each position, summed over positions.

    ``position_4mers`` is the squared Euclidean distance of the two tables of frequencies, from
    which what finite sets of one source differ by is subtracted (an unbiased estimate, as of the
    maximum mean discrepancy; Gretton et al. 2012): 0 is expected of equal sources at any n, and
    it may fall below. ``position_4mers_js`` is the Jensen-Shannon divergence in bits, which is
    above 0 for finite sets: compare it at equal n.

    Examples
    --------
    >>> codes = np.array([[0, 0, 0, 0], [3, 3, 3, 3]], np.uint8)
    >>> found = position_kmers(codes, codes[::-1])
    >>> found["position_4mers"], found["position_4mers_js"]
    (-1.0, 0.0)
    """
    one, other = _by_position(codes), _by_position(real)
    p, q = one / len(codes), other / len(real)
    chance = _sampling_variance(p, len(codes)) + _sampling_variance(q, len(real))
    squared = ((p - q) ** 2).sum() - chance
    return {
        "position_4mers": float(squared),
        "position_4mers_js": float(jensen_shannon(one, other).sum()),
    }


def _sampling_variance(p: npt.NDArray[np.float64], n: int) -> float:
    return float((p * (1 - p)).sum() / (n - 1))


def _spectrum(codes: Codes, k: int) -> Counts:
    counts = np.zeros((1, 4**k), np.int64)
    _count(np.ascontiguousarray(codes), k, counts)
    spectrum: Counts = counts[0]
    return spectrum


def _by_position(codes: Codes) -> Counts:
    counts = np.zeros((max(1, codes.shape[1] - WORD + 1), 4**WORD), np.int64)
    _count(np.ascontiguousarray(codes), WORD, counts)
    return counts


@compiled
def _count(codes: Codes, k: int, counts: Counts) -> None:
    several = counts.shape[0] > 1
    size = counts.shape[1]
    for row in range(codes.shape[0]):
        word = 0
        for at in range(codes.shape[1]):
            word = (word * 4 + codes[row, at]) % size
            if at >= k - 1:
                counts[at - k + 1 if several else 0, word] += 1
