"""3-mers per bin of a sequence: counted when they are asked for, never stored."""

from __future__ import annotations

from itertools import product

import numpy as np
import numpy.typing as npt

from exprimo.core.compiled import compiled
from exprimo.core.dataset import Dataset, InputInfo
from exprimo.core.dataset.variables import input_spec
from exprimo.core.errors import InputError
from exprimo.core.progress import task
from exprimo.core.sequence import ALPHABET, Codes

INPUT = "kmer_bins"
DEFAULT_K = 3
# 5**4 columns in 100 bins are 62 kB a sequence; longer k-mers would be mostly zeros.
_LONGEST_K = 4
# A count must fit the byte that holds it.
_MOST = 255
# 128 sequences make 1.6 MB of counts: they stay in the processor's cache until they are summed.
_SEQUENCES_AT_ONCE = 128


def kmer_bin_names(k: int = DEFAULT_K) -> tuple[str, ...]:
    """List the k-mers over A, C, G, T, N in the order of the counts: AAA, AAC, ..., NNN.

    Examples
    --------
    >>> names = kmer_bin_names(3)
    >>> len(names), names[:2], names[4], names[-1]
    (125, ('AAA', 'AAC'), 'AAN', 'NNN')
    """
    _check_k(k)
    return tuple("".join(letters) for letters in product(ALPHABET, repeat=k))


def count_kmer_bins(
    codes: Codes, n_bins: int, bin_size: int, k: int = DEFAULT_K
) -> npt.NDArray[np.uint8]:
    """Count the k-mers that lie wholly inside each bin of each sequence, those with N too.

    A k-mer across the border of two bins counts in neither, so a bin of 100 bases has 98 3-mers.

    Parameters
    ----------
    codes
        Sequences in gene orientation, shape (n, n_bins * bin_size).
    n_bins, bin_size
        Bins, and bases in each.
    k
        Length, 1 to 4.

    Returns
    -------
    array
        Counts uint8, shape (n, 5**k, n_bins), ordered as `kmer_bin_names`.

    Examples
    --------
    >>> from exprimo.core.sequence import encode
    >>> counts = count_kmer_bins(encode("AAAAACGT")[None], 2, 4)
    >>> {n: c.tolist() for n, c in zip(kmer_bin_names(), counts[0]) if c.any()}
    {'AAA': [2, 0], 'ACG': [0, 1], 'CGT': [0, 1]}
    """
    _check_k(k)
    if n_bins < 1 or bin_size < 1 or codes.ndim != 2 or codes.shape[1] != n_bins * bin_size:
        raise InputError(
            "sequences do not consist of these bins",
            found=f"codes of shape {codes.shape}",
            expected=f"(n, {n_bins} bins of {bin_size} bases)",
        )
    if bin_size - k + 1 > _MOST:
        raise InputError(
            "a bin holds more k-mers than a byte can count",
            found=f"bins of {bin_size} bases",
            expected=f"at most {_MOST + k - 1}",
            remedy="Build the dataset with smaller bins",
        )
    if codes.size and codes.max() >= len(ALPHABET):
        raise InputError("not a base code", found=int(codes.max()), expected="0 to 4")
    counts = np.zeros((len(codes), len(ALPHABET) ** k, n_bins), dtype=np.uint8)
    _count(np.ascontiguousarray(codes), bin_size, k, counts)
    return counts


def attach_kmer_bins(dataset: Dataset, k: int = DEFAULT_K) -> bool:
    """Give a dataset the input ``kmer_bins`` where it can be derived; tell whether it is there.

    It is derived from ``sequence``, with the bins of ``signal``, where the bins divide the
    sequence evenly and no such input is stored. Counts are made row by row when they are asked
    for. A second call changes nothing.

    Examples
    --------
    >>> with Dataset.open("D.h5") as data:                      # doctest: +SKIP
    ...     attach_kmer_bins(data)
    ...     data.rows("kmer_bins", np.array([0]))               # (1, 125, bins) uint8
    """
    inputs = dataset.inputs
    if INPUT in inputs:
        return True
    if "sequence" not in inputs or "signal" not in inputs:
        return False
    sequence, n_bins = inputs["sequence"], inputs["signal"].shape[1]
    bin_size, rest = divmod(sequence.shape[0], n_bins)
    if rest or not bin_size:
        return False
    index = dataset.index("sequence")
    # The first example that uses a distinct row stands for it: datasets give rows by example.
    used, first = np.unique(index, return_index=True)
    example_of = np.zeros(sequence.n_distinct, dtype=np.int64)
    example_of[used] = first

    def take(rows: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        return count_kmer_bins(dataset.rows("sequence", example_of[rows]), n_bins, bin_size, k)

    names, spec = kmer_bin_names(k), input_spec(INPUT)
    info = InputInfo(
        INPUT,
        (len(names), n_bins),
        np.dtype(spec.dtype),
        sequence.n_distinct,
        spec.axes,
        spec.units,
        names,
    )
    dataset.attach(info, index, take)
    return True


def choose_vocabulary(
    dataset: Dataset, rows: npt.NDArray[np.int64], least: int = 10_000
) -> tuple[str, ...]:
    """List the k-mers that occur ``least`` times or more in the sequences of some examples.

    Each distinct sequence counts once, however many cell types share it. Counted as in
    `count_kmer_bins`, so a k-mer across a border does not count. Pass training examples only:
    a vocabulary is fitted.

    Parameters
    ----------
    dataset
        With the input ``kmer_bins``, stored or derived (`attach_kmer_bins` is called).
    rows
        Positions of the examples, shape (n,).
    least
        The fewest occurrences, at least 1.

    Returns
    -------
    tuple
        Names in the order of `kmer_bin_names`; empty where none is common enough.

    Examples
    --------
    >>> with Dataset.open("D.h5") as data:                      # doctest: +SKIP
    ...     choose_vocabulary(data, np.arange(len(data)))
    """
    if least < 1:
        raise InputError("a k-mer of a vocabulary occurs at least once", found=least)
    if not attach_kmer_bins(dataset):
        raise InputError(
            "no k-mers per bin",
            file=dataset.path,
            found=", ".join(dataset.inputs),
            expected="sequence and signal, with a whole number of bases a bin",
            remedy="Build the dataset with --fasta, or with --sequences for binned files",
        )
    labels = dataset.inputs[INPUT].labels
    _, first = np.unique(dataset.index(INPUT)[rows], return_index=True)
    examples = np.asarray(rows, dtype=np.int64)[first]
    totals = np.zeros(len(labels), dtype=np.int64)
    with task("Counting k-mers", len(examples)) as bar:
        for start in range(0, len(examples), _SEQUENCES_AT_ONCE):
            some = examples[start : start + _SEQUENCES_AT_ONCE]
            totals += dataset.rows(INPUT, some).sum(axis=(0, 2), dtype=np.int64)
            bar.advance(len(some))
    return tuple(name for name, total in zip(labels, totals, strict=True) if total >= least)


def _check_k(k: int) -> None:
    if not 1 <= k <= _LONGEST_K:
        raise InputError(
            "cannot count k-mers of this length", found=k, expected=f"1 to {_LONGEST_K}"
        )


@compiled
def _count(codes: Codes, bin_size: int, k: int, counts: npt.NDArray[np.uint8]) -> None:
    n_letters = 5
    leaving = n_letters ** (k - 1)
    for row in range(codes.shape[0]):
        for each in range(counts.shape[2]):
            start = each * bin_size
            word = 0
            for at in range(start, min(start + k - 1, start + bin_size)):
                word = word * n_letters + codes[row, at]
            for at in range(start + k - 1, start + bin_size):
                word = word * n_letters + codes[row, at]
                counts[row, word, each] += 1
                word -= leaving * codes[row, at - k + 1]
