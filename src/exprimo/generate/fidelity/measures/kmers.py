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
Groups = npt.NDArray[np.int64]


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


def position_kmers(
    codes: Codes, real: Codes, group: Groups | None = None, real_group: Groups | None = None
) -> dict[str, float]:
    """Compare the 4-mers that begin at each position, summed over positions.

    ``position_4mers`` is the squared Euclidean distance of the two tables of frequencies, from
    which what finite sets of one source differ by is subtracted (an unbiased estimate, as of the
    maximum mean discrepancy; Gretton et al. 2012): 0 is expected of equal sources at any n, and
    it may fall below. Sequences of one group are kin, drawn together: only pairs of different
    groups enter, so that 0 is expected of sets of families too. It is NaN where a set is one
    group. ``position_4mers_js`` is the Jensen-Shannon divergence in bits, which is above 0 for
    finite sets: compare it at equal n.

    Parameters
    ----------
    codes, real
        Two sets of sequences, (n, length) and (m, length).
    group, real_group
        Number of each sequence's group, (n,) and (m,), the same numbers in both sets; None: each
        sequence stands for itself.

    Examples
    --------
    >>> codes = np.array([[0, 0, 0, 0], [3, 3, 3, 3]], np.uint8)
    >>> found = position_kmers(codes, codes[::-1])
    >>> found["position_4mers"], found["position_4mers_js"]
    (-1.0, 0.0)
    """
    one, other = _by_position(codes), _by_position(real)
    within = _alike_within(codes, one, group) + _alike_within(real, other, real_group)
    alike, pairs = float((one * other).sum()), len(codes) * len(real)
    if group is not None and real_group is not None:
        kin, kin_pairs = _kin_across(codes, real, group, real_group)
        alike, pairs = alike - kin, pairs - kin_pairs
    return {
        "position_4mers": within - 2 * alike / pairs if pairs else float("nan"),
        "position_4mers_js": float(jensen_shannon(one, other).sum()),
    }


def _alike_within(codes: Codes, counts: Counts, group: Groups | None) -> float:
    """Give the mean number of 4-mers that two sequences of different groups share in place."""
    n = len(codes)
    kin, kin_pairs = _kin(codes, np.arange(n) if group is None else group)
    pairs = n * n - kin_pairs
    return float((counts**2).sum() - kin) / pairs if pairs else float("nan")


def _kin_across(codes: Codes, real: Codes, group: Groups, real_group: Groups) -> tuple[int, int]:
    """Count 4-mers shared in place, and pairs, of one group with one sequence of each set."""
    both = _kin(np.concatenate([codes, real]), np.concatenate([group, real_group]))
    one, other = _kin(codes, group), _kin(real, real_group)
    return (both[0] - one[0] - other[0]) // 2, (both[1] - one[1] - other[1]) // 2


def _kin(codes: Codes, group: Groups) -> tuple[int, int]:
    """Count 4-mers shared in place, and ordered pairs, within groups; each pairs with itself."""
    order = np.argsort(group, kind="stable")
    sizes = np.unique(group, return_counts=True)[1]
    ends = np.cumsum(sizes)
    shared = _shared_in_place(np.ascontiguousarray(codes[order]), ends, WORD)
    return int(shared), int((sizes.astype(np.int64) ** 2).sum())


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


@compiled
def _shared_in_place(codes: Codes, ends: Groups, k: int) -> int:
    """Sum the squared counts of k-mers over positions and groups; rows are sorted by group."""
    shared = 0
    counts = np.zeros(4**k, np.int64)
    begin = 0
    for end in ends:
        for at in range(codes.shape[1] - k + 1):
            for row in range(begin, end):
                word = 0
                for place in range(at, at + k):
                    word = word * 4 + codes[row, place]
                # What one more adds to the square of a count.
                shared += 2 * counts[word] + 1
                counts[word] += 1
            counts[:] = 0
        begin = end
    return shared
