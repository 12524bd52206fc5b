"""An opened BigWig: only the blocks that a window needs are read, each once a call."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from isal import isal_zlib

from exprimo.core.errors import FormatError
from exprimo.data.signals.bigwig.kernel import DAMAGED, NOT_FINITE, add_blocks
from exprimo.data.signals.bigwig.layout import (
    MAGIC,
    Blocks,
    Bytes,
    read_blocks,
    read_chromosomes,
    read_header,
    read_total,
)
from exprimo.data.signals.track import Bins, Positions, SignalFile
from exprimo.data.textfile import require_file

WHAT = "a BigWig file"
_InflateError: type[Exception] = isal_zlib.error  # type: ignore[assignment]  # its stub errs
# Blocks (about 12 KiB inflated) that are handled at once.
_BATCH = 64
# Packed bytes between two needed blocks that are cheaper to read over than to skip.
_GAP = 1 << 16
# First guess of an inflated block, whatever a damaged header says; it grows where that is short.
_LARGEST_BUFFER = 1 << 20


class BigWigFile(SignalFile):
    """A BigWig; means per bin are exact, from the data and never from the zoom levels.

    Memory: the index of one chromosome (32 bytes a block of about 1,000 items), a batch of blocks,
    and the answer.
    """

    kind = "bigwig"

    def __init__(self, path: str | Path) -> None:
        super().__init__(require_file(path, WHAT))
        self._bytes = Bytes(self.path)
        try:
            self._header = read_header(self._bytes)
            self._chromosomes = read_chromosomes(self._bytes, self._header)
            read_blocks(self._bytes, self._header, -1)  # a cut file shows at once
        except FormatError:
            self._bytes.close()
            raise
        self._index: tuple[str, Blocks] | None = None

    def close(self) -> None:
        """Close the file."""
        self._bytes.close()

    @property
    def chromosomes(self) -> dict[str, int | None]:
        """Chromosomes in the order of the file's numbers, with their lengths."""
        return {name: chromosome.length for name, chromosome in self._chromosomes.items()}

    def total(self) -> float:
        """Give the sum of the signal over all bases, as the file's summary states it."""
        stated = read_total(self._bytes, self._header)
        return stated if np.isfinite(stated) else self._summed()

    def _summed(self) -> float:
        whole = 0.0
        for name, (_, length) in self._chromosomes.items():
            found = self._sums(name, np.zeros(1, dtype=np.int64), 1, max(length, 1))
            whole += float(found[0, 0])
        return whole

    def _bins(self, chrom: str, starts: Positions, n_bins: int, bin_size: int) -> Bins:
        order = np.argsort(starts, kind="stable")
        sums = self._sums(chrom, starts[order], n_bins, bin_size)
        sums /= bin_size
        found = np.empty(sums.shape, dtype=np.float32)
        found[order] = sums
        return found

    def _sums(
        self, chrom: str, starts: Positions, n_bins: int, bin_size: int
    ) -> npt.NDArray[np.float64]:
        """Sum the signal over the bases of each bin; ``starts`` ascend."""
        sums = np.zeros((len(starts), n_bins), dtype=np.float64)
        blocks = _overlapping(self._blocks(chrom), starts, n_bins * bin_size)
        number = self._chromosomes[chrom].number
        for batch in _batches(blocks):
            words, bounds = self._inflate(batch, chrom)
            status, value, at = add_blocks(
                words, words.view(np.float32), bounds, number, starts, bin_size, sums
            )
            if status == NOT_FINITE:
                raise self.not_finite(value, chrom, at)
            if status == DAMAGED:
                raise self._bytes.damaged(f"a block of {chrom} that contradicts itself")
        return sums

    def _blocks(self, chrom: str) -> Blocks:
        if self._index is None or self._index[0] != chrom:
            number = self._chromosomes[chrom].number
            self._index = chrom, read_blocks(self._bytes, self._header, number)
        return self._index[1]

    def _inflate(
        self, batch: Blocks, chrom: str
    ) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
        """Read blocks that lie near one another; give their words, and where each begins."""
        origin = int(batch["offset"][0])
        end = int(batch["offset"][-1] + batch["size"][-1])
        packed = memoryview(self._bytes.read(origin, end - origin))
        parts: list[bytes | memoryview] = []
        size = min(self._header.inflated_block, _LARGEST_BUFFER)
        for offset, length in zip(
            (batch["offset"] - np.uint64(origin)).tolist(), batch["size"].tolist(), strict=True
        ):
            part = packed[offset : offset + length]
            try:
                parts.append(isal_zlib.decompress(part, bufsize=size) if size else part)
            except _InflateError as error:
                raise self._bytes.damaged(f"a block of {chrom} that cannot be inflated") from error
        lengths = np.fromiter(map(len, parts), dtype=np.int64, count=len(parts))
        if np.any(lengths % 4):
            raise self._bytes.damaged(f"a block of {chrom} of {int(lengths[0])} bytes")
        bounds = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths // 4)])
        return np.frombuffer(b"".join(parts), dtype="<u4"), bounds


def looks_like_bigwig(path: Path) -> bool:
    """Tell a BigWig by its first four bytes, in either order."""
    with path.open("rb") as handle:
        raw = handle.read(4)
    return MAGIC in (int.from_bytes(raw, "little"), int.from_bytes(raw, "big"))


def _overlapping(blocks: Blocks, starts: Positions, length: int) -> Blocks:
    """Keep the blocks that overlap a window; ``starts`` ascend, all windows are equally long."""
    # The first window that ends behind the block's start is the only one to look at.
    first = np.searchsorted(starts + length, blocks["start"].astype(np.int64), side="right")
    begins = np.append(starts, np.iinfo(np.int64).max)[first]
    return blocks[begins < blocks["end"].astype(np.int64)]


def _batches(blocks: Blocks) -> Iterator[Blocks]:
    """Cut blocks, in file order, where the gap to the next is wide or a batch is full."""
    if not len(blocks):
        return
    ends = blocks["offset"] + blocks["size"]
    wide = blocks["offset"][1:] > ends[:-1] + np.uint64(_GAP)
    edges = [0, *(np.flatnonzero(wide) + 1).tolist(), len(blocks)]
    for left, right in itertools.pairwise(edges):
        for at in range(left, right, _BATCH):
            yield blocks[at : min(at + _BATCH, right)]
