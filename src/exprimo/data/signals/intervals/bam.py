"""Aligned reads in BAM, gone through once: no index is needed, and none is used."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from exprimo.core.compiled import compiled
from exprimo.core.errors import FormatError
from exprimo.data.signals.adding import Int
from exprimo.data.signals.intervals.reads import ReadsFile
from exprimo.data.signals.intervals.spool import IntervalSpool
from exprimo.data.textfile import is_gzip, open_bytes

WHAT = "reads in BAM"
_MAGIC = b"BAM\1"
_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
_BLOCK = 1 << 22
# SAM flags: unmapped, secondary, failed quality control, duplicate, supplementary.
_LEFT_OUT = 0x4 | 0x100 | 0x200 | 0x400 | 0x800
_FIXED = 36


class BamFile(ReadsFile):
    """A BAM; a read counts if it is mapped, primary, no duplicate and passed quality control.

    A read covers all from its first to its last aligned base, gaps included, as bedtools counts
    without ``-split``.
    """

    kind = "bam"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        with path.open("rb") as handle:
            handle.seek(-min(len(_END), path.stat().st_size), 2)
            if handle.read() != _END:
                raise self._damaged("no end mark")
        with open_bytes(path, WHAT) as handle:
            self._chromosomes = self._header(handle)

    @property
    def chromosomes(self) -> dict[str, int | None]:
        """Chromosomes of the header, with their lengths."""
        return dict(self._chromosomes)

    def _collect(self) -> IntervalSpool:
        spool = IntervalSpool()
        names = list(self._chromosomes)
        with open_bytes(self.path, WHAT) as handle:
            self._header(handle)
            for raw in self._whole_records(handle):
                # A record takes 36 bytes at least.
                found = np.empty((3, len(raw) // _FIXED + 1), dtype=np.int64)
                n = read_records(raw, len(names), found)
                if n < 0:
                    raise self._damaged("a record that contradicts itself")
                chroms, starts, ends = found[:, :n]
                edges = np.flatnonzero(chroms[1:] != chroms[:-1]) + 1
                for left, right in itertools.pairwise([0, *edges.tolist(), n] if n else [0]):
                    spool.add(
                        names[chroms[left]], starts[left:right], ends[left:right], np.empty(0)
                    )
        return spool

    def _header(self, handle: BinaryIO) -> dict[str, int]:
        if self._take(handle, 4) != _MAGIC:
            raise FormatError("not a BAM file", file=self.path, expected=WHAT)
        self._take(handle, self._count(handle))  # the header as text
        found: dict[str, int] = {}
        for _ in range(self._count(handle)):
            name = self._take(handle, self._count(handle)).rstrip(b"\0").decode("utf-8", "replace")
            found[name] = self._count(handle)
        return found

    def _count(self, handle: BinaryIO) -> int:
        count = int(struct.unpack("<i", self._take(handle, 4))[0])
        if count < 0:
            raise self._damaged("a negative length in the header")
        return count

    def _take(self, handle: BinaryIO, size: int) -> bytes:
        found = handle.read(size)
        if len(found) < size:
            raise self._damaged("the header ends early")
        return found

    def _whole_records(self, handle: BinaryIO) -> Iterator[npt.NDArray[np.uint8]]:
        rest = b""
        while block := handle.read(_BLOCK):
            whole = np.frombuffer(rest + block, dtype=np.uint8)
            cut = whole_records(whole)
            if cut < 0:
                raise self._damaged("a record of an impossible length")
            yield whole[:cut]
            rest = whole[cut:].tobytes()
        if rest:
            raise self._damaged("the last record is not whole")

    def _damaged(self, found: str) -> FormatError:
        return FormatError(
            "a damaged BAM, or one that is cut short",
            file=self.path,
            found=found,
            remedy="Copy the file again from where it was whole; samtools quickcheck tells, too",
        )


def looks_like_bam(path: Path) -> bool:
    """Tell a BAM by the first bytes inside its gzip blocks."""
    if not is_gzip(path):
        return False
    with open_bytes(path, WHAT) as handle:
        return handle.read(4) == _MAGIC


@compiled
def _int32(raw: npt.NDArray[np.uint8], at: Int) -> Int:
    low = np.int64(raw[at]) | np.int64(raw[at + 1]) << 8 | np.int64(raw[at + 2]) << 16
    high = np.int64(raw[at + 3])
    return low + ((high if high < 128 else high - 256) << 24)


@compiled
def whole_records(raw: npt.NDArray[np.uint8]) -> Int:
    """Say how many of these bytes are whole records; -1 for a length that cannot be."""
    at: Int = 0
    while at + 4 <= len(raw):
        size = _int32(raw, at)
        if size < _FIXED - 4:
            return -1
        if at + 4 + size > len(raw):
            break
        at += 4 + size
    return at


@compiled
def read_records(raw: npt.NDArray[np.uint8], n_chroms: int, found: npt.NDArray[np.int64]) -> int:
    """Read chromosome, start and end of the records that count into ``found`` (3, records).

    The answer is their number, or -1 for a record that contradicts itself. Layout: SAM/BAM
    specification, section 4.2.
    """
    at: Int = 0
    n = 0
    while at < len(raw):
        after = at + 4 + _int32(raw, at)
        chrom, start = _int32(raw, at + 4), _int32(raw, at + 8)
        operations = np.int64(raw[at + 16]) | np.int64(raw[at + 17]) << 8
        flag = np.int64(raw[at + 18]) | np.int64(raw[at + 19]) << 8
        cigar = at + _FIXED + np.int64(raw[at + 12])
        if cigar + 4 * operations > after or chrom >= n_chroms:
            return -1
        if not flag & _LEFT_OUT and chrom >= 0 and start >= 0:
            span: Int = 0
            for place in range(cigar, cigar + 4 * operations, 4):
                kind = raw[place] & 15
                if kind in (0, 2, 3, 7, 8):  # M, D, N, =, X advance on the genome
                    span += (_int32(raw, place) >> 4) & 0xFFFFFFF
            if span > 0:
                found[0, n], found[1, n], found[2, n] = chrom, start, start + span
                n += 1
        at = after
    return n
