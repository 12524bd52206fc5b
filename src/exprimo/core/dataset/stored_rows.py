"""Rows of one contiguous array in a file, fetched when they are asked for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from exprimo.core.errors import FormatError, StorageError


class StoredRows:
    """Fetch rows of one contiguous array with ``pread``.

    A memory map would count every page touched in an epoch as resident; reads into one small
    buffer do not, and cost about a microsecond a row from the page cache.
    """

    def __init__(self, path: Path, handle: int, values: h5py.Dataset) -> None:
        self._path = path
        self._handle = handle
        self._dtype = values.dtype
        self._shape = tuple(values.shape)
        self._row_bytes = int(np.prod(self._shape[1:])) * values.dtype.itemsize
        offset = values.id.get_offset()
        if offset is None:
            raise FormatError(
                "an input is chunked or compressed, so rows cannot be read one by one",
                file=path,
                record=values.name,
                remedy="Use the file as Exprimo wrote it; no tool may repack it",
            )
        self._offset = int(offset)

    def take(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        """Fetch rows by their numbers, (len(rows), ...)."""
        out = np.empty((len(rows), *self._shape[1:]), dtype=self._dtype)
        if not out.size:
            return out
        view = memoryview(out).cast("B")  # type: ignore[arg-type]  # an ndarray is a buffer
        size = self._row_bytes
        for position, row in enumerate(rows.tolist()):
            if not 0 <= row < self._shape[0]:
                raise IndexError(f"row {row} of {self._shape[0]}")
            part = view[position * size : (position + 1) * size]
            if os.preadv(self._handle, [part], self._offset + row * size) != size:
                raise self._cut_short()
        return out

    def slice(self, start: int, stop: int) -> npt.NDArray[Any]:
        """Fetch rows ``start`` to ``stop`` (outside)."""
        count = stop - start
        at, wanted = self._offset + start * self._row_bytes, count * self._row_bytes
        raw = b""
        while len(raw) < wanted:
            more = os.pread(self._handle, wanted - len(raw), at + len(raw))
            if not more:
                raise self._cut_short()
            raw += more
        return np.frombuffer(raw, self._dtype).reshape(count, *self._shape[1:])

    def _cut_short(self) -> StorageError:
        return StorageError("the dataset was cut short while it was read", file=self._path)
