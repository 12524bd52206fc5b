"""Intervals by chromosome in an unnamed temporary file, so that memory does not grow."""

from __future__ import annotations

import os
import tempfile
from typing import BinaryIO, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import StorageError

# Intervals that wait in memory before they are written: 24 MiB at most.
_WAITING = 1 << 20

Positions32 = npt.NDArray[np.int32]
Values = npt.NDArray[np.float64]


class Intervals(NamedTuple):
    """Intervals of one chromosome: 0-based, half-open; ``values`` is empty for reads."""

    starts: Positions32
    ends: Positions32
    values: Values


class IntervalSpool:
    """Collect intervals in whatever order they come, and give them back by chromosome.

    Examples
    --------
    >>> spool = IntervalSpool()
    >>> spool.add("chr1", np.array([5]), np.array([9]), np.empty(0))
    >>> spool.take("chr1").ends.tolist(), spool.chromosomes, spool.count
    ([9], ['chr1'], 1)
    >>> spool.close()
    """

    def __init__(self) -> None:
        self.count = 0
        self._file: BinaryIO | None = None
        self._waiting: dict[str, list[Intervals]] = {}
        self._n_waiting = 0
        # Of each chromosome: place in the file, intervals, values.
        self._extents: dict[str, list[tuple[int, int, int]]] = {}

    @property
    def chromosomes(self) -> list[str]:
        """Names in the order of their first interval."""
        return list(self._extents)

    def add(
        self, chrom: str, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], values: Values
    ) -> None:
        """Keep intervals of one chromosome; the arrays are copied."""
        self._extents.setdefault(chrom, [])
        piece = Intervals(starts.astype(np.int32), ends.astype(np.int32), values.copy())
        self._waiting.setdefault(chrom, []).append(piece)
        self._n_waiting += len(starts)
        self.count += len(starts)
        if self._n_waiting >= _WAITING:
            self._write()

    def take(self, chrom: str) -> Intervals:
        """Read the intervals of a chromosome, in the order in which they came."""
        pieces = [self._read(*extent) for extent in self._extents.get(chrom, [])]
        pieces += self._waiting.get(chrom, [])
        return _joined(pieces)

    def close(self) -> None:
        """Drop everything."""
        if self._file is not None:
            self._file.close()
        self._file = None
        self._waiting, self._extents = {}, {}

    def _write(self) -> None:
        try:
            if self._file is None:
                self._file = cast(BinaryIO, tempfile.TemporaryFile(prefix="exprimo-"))  # noqa: SIM115 -- closed by close()
            for chrom, pieces in self._waiting.items():
                whole = _joined(pieces)
                place = self._file.seek(0, os.SEEK_END)
                for array in whole:
                    self._file.write(array.tobytes())
                self._extents[chrom].append((place, len(whole.starts), len(whole.values)))
            self._file.flush()
        except OSError as error:
            raise StorageError(
                "intervals cannot be kept in the folder of temporary files",
                file=tempfile.gettempdir(),
                found=error.strerror,
                expected="room for 8 bytes a read, or 16 an interval of signal",
                remedy="Make room, or set TMPDIR to a folder with room",
            ) from error
        self._waiting, self._n_waiting = {}, 0

    def _read(self, place: int, n: int, n_values: int) -> Intervals:
        assert self._file is not None
        self._file.seek(place)
        raw = self._file.read(8 * n + 8 * n_values)
        return Intervals(
            np.frombuffer(raw, np.int32, n),
            np.frombuffer(raw, np.int32, n, 4 * n),
            np.frombuffer(raw, np.float64, n_values, 8 * n),
        )


def _joined(pieces: list[Intervals]) -> Intervals:
    if not pieces:
        none = np.empty(0, dtype=np.int32)
        return Intervals(none, none, np.empty(0))
    return Intervals(*(np.concatenate(arrays) for arrays in zip(*pieces, strict=True)))
