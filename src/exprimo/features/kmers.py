"""Count k-mers of each sequence, whole or per bin."""

from __future__ import annotations

from itertools import product

import numpy as np
import numpy.typing as npt

from exprimo.core.compiled import compiled
from exprimo.core.errors import InputError
from exprimo.core.sequence import N_CODE, Codes

# 4**10 columns of 4 bytes are 4 MB a sequence; nobody means more than that.
MAX_K = 10
_COMPLEMENT = str.maketrans("ACGT", "TGCA")


def kmer_names(k: int, canonical: bool = False) -> list[str]:
    """List the k-mers in the order of the count columns: lexicographic, ACGT.

    Parameters
    ----------
    k
        Length, 1 to 10.
    canonical
        Count a k-mer and its reverse complement as one, under the name that sorts first.

    Examples
    --------
    >>> kmer_names(1), kmer_names(1, canonical=True)
    (['A', 'C', 'G', 'T'], ['A', 'C'])
    """
    _check_k(k)
    names = ["".join(letters) for letters in product("ACGT", repeat=k)]
    if canonical:
        return [name for name in names if name <= name.translate(_COMPLEMENT)[::-1]]
    return names


def count_kmers(codes: Codes, k: int, *, canonical: bool = False) -> npt.NDArray[np.int32]:
    """Count the k-mers of each sequence, overlapping ones too.

    Parameters
    ----------
    codes
        Sequences, shape (n, length); a k-mer that holds an N is not counted.
    k
        Length, 1 to 10.
    canonical
        Count both strands as one.

    Returns
    -------
    array
        Counts, shape (n, columns), columns as in `kmer_names`.

    Examples
    --------
    >>> from exprimo.core.sequence import encode
    >>> counts = count_kmers(encode("AACAA")[None], 2)
    >>> {n: int(c) for n, c in zip(kmer_names(2), counts[0]) if c}
    {'AA': 2, 'AC': 1, 'CA': 1}
    """
    return count_kmers_binned(codes, k, max(1, codes.shape[1]), canonical=canonical)[:, :, 0]


def count_kmers_binned(
    codes: Codes, k: int, bin_size: int, *, canonical: bool = False
) -> npt.NDArray[np.int32]:
    """Count the k-mers that begin in each bin of each sequence.

    Bins run along the sequence as given (gene orientation for windows); the last one is
    shorter where ``bin_size`` does not divide the length. The sum over bins is `count_kmers`.

    Returns
    -------
    array
        Counts, shape (n, columns, bins).

    Examples
    --------
    >>> from exprimo.core.sequence import encode
    >>> count_kmers_binned(encode("AACC")[None], 1, 2)[0].tolist()
    [[2, 0], [0, 2], [0, 0], [0, 0]]
    """
    _check_k(k)
    if bin_size < 1:
        raise InputError("a bin holds at least one base", found=bin_size)
    n, length = codes.shape
    columns = _column_of_kmer(k, canonical)
    bins = max(1, -(-length // bin_size))
    counts = np.zeros((n, int(columns.max()) + 1, bins), dtype=np.int32)
    _count(np.ascontiguousarray(codes), k, bin_size, columns, counts)
    return counts


def _check_k(k: int) -> None:
    if not 1 <= k <= MAX_K:
        raise InputError("cannot count k-mers of this length", found=k, expected=f"1 to {MAX_K}")


def _column_of_kmer(k: int, canonical: bool) -> npt.NDArray[np.int64]:
    numbers = np.arange(4**k, dtype=np.int64)
    if not canonical:
        return numbers
    flipped = np.zeros_like(numbers)
    rest = numbers.copy()
    for _ in range(k):
        flipped = flipped * 4 + (3 - rest % 4)
        rest //= 4
    _, columns = np.unique(np.minimum(numbers, flipped), return_inverse=True)
    return columns.astype(np.int64)


@compiled
def _count(
    codes: Codes,
    k: int,
    bin_size: int,
    columns: npt.NDArray[np.int64],
    counts: npt.NDArray[np.int32],
) -> None:
    mask = columns.size - 1
    for row in range(codes.shape[0]):
        word = 0
        run = 0
        for at in range(codes.shape[1]):
            base = codes[row, at]
            if base == N_CODE:
                run = 0
                continue
            word = ((word << 2) | base) & mask
            run += 1
            if run >= k:
                counts[row, columns[word], (at - k + 1) // bin_size] += 1
