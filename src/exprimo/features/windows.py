"""Cut stretches of a genome, in gene orientation, padded with N where they leave it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.compiled import compiled
from exprimo.core.coordinates import promoter_interval
from exprimo.core.errors import InputError, MismatchError
from exprimo.core.sequence import N_CODE, Codes
from exprimo.data.fasta import Genome

# 1,024 windows of 2,000 bp are 2 MB: they stay in the processor's cache until they are used.
DEFAULT_CHUNK = 1024
# Whole chromosomes are kept up to this many bases (small genomes: all of them).
_KEPT_BASES = 1 << 28
# Asking for a stretch by position costs about as much as reading this many bases in a row.
_SEEK_BASES = 10_000
# Far beyond any promoter: a slip of the pen is refused before memory is asked for.
_LONGEST = 1 << 24


class Windows(NamedTuple):
    """Some windows: ``codes`` (n, length) in gene orientation, ``clipped`` (n,) where padded."""

    codes: Codes
    clipped: npt.NDArray[np.bool_]


def promoter_table(tss: pd.DataFrame, *, upstream: int, downstream: int) -> pd.DataFrame:
    """Turn transcription start sites into windows; `core.coordinates` defines which.

    Parameters
    ----------
    tss
        Columns chrom, tss (0-based), strand.
    upstream, downstream
        Bases before the TSS, and from the TSS base on.

    Returns
    -------
    DataFrame
        Columns chrom, start, end, strand with the index of ``tss``; a window may leave its
        chromosome.

    Examples
    --------
    >>> sites = pd.DataFrame({"chrom": ["I"], "tss": [100], "strand": ["-"]})
    >>> promoter_table(sites, upstream=10, downstream=5).to_csv(index=False).split()
    ['chrom,start,end,strand', 'I,96,111,-']
    """
    if upstream + downstream > _LONGEST:
        raise InputError(
            "a window longer than Exprimo can use",
            found=f"upstream {upstream}, downstream {downstream}",
            expected=f"at most {_LONGEST:,} bases together",
        )
    offsets = {
        strand: promoter_interval("", 0, strand, upstream=upstream, downstream=downstream).start
        for strand in "+-"
    }
    _check_strands(tss["strand"])
    start = tss["tss"].to_numpy(np.int64) + tss["strand"].map(offsets).to_numpy(np.int64)
    return pd.DataFrame(
        {
            "chrom": tss["chrom"],
            "start": start,
            "end": start + upstream + downstream,
            "strand": tss["strand"],
        },
        index=tss.index,
    )


def cut_windows(
    genome: Genome,
    tss: pd.DataFrame,
    *,
    upstream: int,
    downstream: int,
    chunk: int = DEFAULT_CHUNK,
) -> Iterator[Windows]:
    """Cut the window around each TSS, in the order of the rows, some at a time.

    The TSS base has index ``upstream`` in each window, on both strands.

    Parameters
    ----------
    genome
        An opened FASTA file.
    tss
        Columns chrom (as the genome names it), tss (0-based), strand (``+`` or ``-``).
    upstream, downstream
        Bases before the TSS, and from the TSS base on.
    chunk
        Most windows in memory at once.

    Yields
    ------
    Windows
        codes (n, upstream + downstream) uint8 and clipped (n,).

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from exprimo.core.sequence import decode
    >>> fasta = pathlib.Path(tempfile.mkdtemp()) / "tiny.fa"
    >>> _ = fasta.write_text(">I\\nAACCGGGTTT\\n")
    >>> sites = pd.DataFrame({"chrom": ["I", "I"], "tss": [4, 9], "strand": ["+", "-"]})
    >>> with Genome.open(fasta) as genome:
    ...     windows = next(cut_windows(genome, sites, upstream=2, downstream=3))
    >>> [decode(row) for row in windows.codes], windows.clipped.tolist()
    (['CCGGG', 'NNAAA'], [False, True])
    """
    table = promoter_table(tss, upstream=upstream, downstream=downstream)
    return cut_intervals(genome, table, chunk=chunk)


def cut_intervals(
    genome: Genome, intervals: pd.DataFrame, *, chunk: int = DEFAULT_CHUNK
) -> Iterator[Windows]:
    """Cut intervals of one length, in the order of the rows, some at a time.

    Parameters
    ----------
    genome
        An opened FASTA file.
    intervals
        Columns chrom, start, end (0-based, half-open, forward strand) and strand; a minus
        strand interval is reverse-complemented. Without a column strand all are plus.
    chunk
        Most windows in memory at once.

    Yields
    ------
    Windows
        codes (n, length) uint8 and clipped (n,).
    """
    starts = intervals["start"].to_numpy(np.int64)
    length = _common_length(starts, intervals["end"].to_numpy(np.int64))
    if chunk < 1:
        raise InputError("a chunk holds at least one window", found=chunk)
    minus = np.zeros(len(intervals), dtype=np.bool_)
    if "strand" in intervals:
        _check_strands(intervals["strand"])
        minus = (intervals["strand"] == "-").to_numpy(np.bool_)
    return _cut_chunks(genome, intervals["chrom"], starts, minus, length, chunk)


def _cut_chunks(
    genome: Genome,
    chroms: pd.Series[Any],
    starts: npt.NDArray[np.int64],
    minus: npt.NDArray[np.bool_],
    length: int,
    chunk: int,
) -> Iterator[Windows]:
    place, names = pd.factorize(chroms)
    counts = np.bincount(place, minlength=len(names))
    bases = _Bases(genome, dict(zip(names, counts.tolist(), strict=True)), length)
    for first in range(0, len(starts), chunk):
        part = slice(first, first + chunk)
        windows = Windows(
            np.empty((len(starts[part]), length), dtype=np.uint8),
            np.empty(len(starts[part]), dtype=np.bool_),
        )
        for number in np.unique(place[part]):
            rows = np.flatnonzero(place[part] == number)
            bases.cut(names[number], starts[part], minus[part], rows, windows)
        yield windows


class _Bases:
    """Reads chromosomes whole where many windows ask for them, and keeps what fits."""

    def __init__(self, genome: Genome, counts: Mapping[str, int], length: int) -> None:
        self._genome = genome
        self._counts = counts
        self._length = length
        self._kept: dict[str, Codes] = {}
        self._room = _KEPT_BASES

    def cut(
        self,
        chrom: str,
        starts: npt.NDArray[np.int64],
        minus: npt.NDArray[np.bool_],
        rows: npt.NDArray[np.intp],
        windows: Windows,
    ) -> None:
        """Fill those ``rows`` of ``windows``, which lie on ``chrom``."""
        codes = self._whole(chrom, len(rows))
        if codes is not None:
            _cut_rows(codes, 0, starts, minus, rows, *windows)
            return
        size = self._genome.lengths[chrom]
        for row in rows:
            low = min(max(0, int(starts[row])), size)
            high = max(low, min(size, int(starts[row]) + self._length))
            stretch = self._genome.fetch(chrom, low, high)
            stretch.flags.writeable = False  # as whole chromosomes are: one compiled kernel
            _cut_rows(stretch, low, starts, minus, np.array([row]), *windows)

    def _whole(self, chrom: str, here: int) -> Codes | None:
        if chrom in self._kept:
            return self._kept[chrom]
        size = self._genome.lengths.get(chrom, 0)
        a_window = self._length + _SEEK_BASES
        if size <= self._counts[chrom] * a_window and size <= self._room:
            self._kept[chrom] = self._genome.chromosome(chrom)
            self._room -= size
            return self._kept[chrom]
        return self._genome.chromosome(chrom) if size <= here * a_window else None


@compiled
def _cut_rows(
    bases: Codes,
    offset: int,
    starts: npt.NDArray[np.int64],
    minus: npt.NDArray[np.bool_],
    rows: npt.NDArray[np.intp],
    codes: Codes,
    clipped: npt.NDArray[np.bool_],
) -> None:
    length = codes.shape[1]
    for row in rows:
        start = starts[row] - offset
        low = min(max(0, start), bases.size)
        high = max(low, min(bases.size, start + length))
        clipped[row] = high - low < length
        out = codes[row]
        if clipped[row]:
            out[:] = N_CODE
        if minus[row]:
            last = start + length - 1
            for at in range(low, high):
                base = bases[at]
                out[last - at] = base if base == N_CODE else 3 - base
        else:
            out[low - start : high - start] = bases[low:high]


def one_hot(
    codes: Codes, dtype: npt.DTypeLike = np.uint8, *, out: npt.NDArray[Any] | None = None
) -> npt.NDArray[Any]:
    """Encode codes, shape (n, length), as (n, 4, length): rows A, C, G, T; N is all zeros.

    Networks make their own on the device, per batch; this one is for users and tests. With
    ``out`` the answer is written there, in its type.

    Examples
    --------
    >>> one_hot(np.array([[0, 3, 4]], dtype=np.uint8)).tolist()
    [[[1, 0, 0], [0, 0, 0], [0, 0, 0], [0, 1, 0]]]
    """
    n, length = codes.shape
    encoded = np.empty((n, 4, length), dtype=dtype) if out is None else out
    if encoded.shape != (n, 4, length):
        raise InputError("no room for these codes", found=encoded.shape, expected=(n, 4, length))
    _fill_one_hot(codes, encoded)
    return encoded


@compiled
def _fill_one_hot(codes: Codes, encoded: npt.NDArray[Any]) -> None:
    for row in range(codes.shape[0]):
        for base in range(4):
            for at in range(codes.shape[1]):
                encoded[row, base, at] = 1 if codes[row, at] == base else 0


def _common_length(starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> int:
    lengths = ends - starts
    if not len(lengths):
        return 0
    length = int(lengths[0])
    if length <= 0 or (lengths != length).any():
        odd = int(np.argmax(lengths != length)) if length > 0 else 0
        raise InputError(
            "intervals need one common, positive length",
            record=f"row {odd + 1}",
            found=int(lengths[odd]),
            expected=length if length > 0 else "at least 1",
        )
    return length


def _check_strands(strands: pd.Series[Any]) -> None:
    wrong = ~strands.isin(["+", "-"])
    if wrong.any():
        raise MismatchError(
            "a window needs a strand, for its orientation",
            record=f"row {strands.index[wrong.to_numpy()][0]}",
            found=repr(strands[wrong].iloc[0]),
            expected="'+' or '-'",
        )
