"""Rows that are needed again later, kept on disk meanwhile."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

# 16 MiB at a time: large enough for the disk's speed, small beside everything else.
_CHUNK_BYTES = 1 << 24


class Spool:
    """Rows of one shape and type in a nameless file, which ends with the block.

    Memory does not grow with the rows.

    Examples
    --------
    >>> with Spool(Path(tempfile.mkdtemp())) as spool:
    ...     spool.append(np.array([[1, 2], [3, 4], [5, 6]]))
    ...     [chunk.tolist() for chunk in spool.rows(1, 3)]
    [[[3, 4], [5, 6]]]
    """

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  # closed by __exit__
        self._like: npt.NDArray[Any] | None = None
        self._n = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def __len__(self) -> int:
        return self._n

    def append(self, rows: npt.NDArray[Any]) -> None:
        """Add rows, shape (n, ...), behind the others."""
        if self._like is None:
            self._like = np.empty((0, *rows.shape[1:]), rows.dtype)
        if rows.shape[1:] != self._like.shape[1:] or rows.dtype != self._like.dtype:
            raise ValueError(f"rows {rows.shape} {rows.dtype} beside {self._like.shape}")
        if len(rows):
            self._file.seek(0, 2)
            self._file.write(np.ascontiguousarray(rows).data)
            self._n += len(rows)

    def rows(self, start: int, stop: int) -> Iterator[npt.NDArray[Any]]:
        """Give rows ``start`` to ``stop`` (outside), some at a time."""
        if self._like is None:
            return
        shape, dtype = self._like.shape[1:], self._like.dtype
        size = int(np.prod(shape)) * dtype.itemsize
        step = max(1, _CHUNK_BYTES // size)
        for at in range(start, stop, step):
            count = min(step, stop - at)
            self._file.seek(at * size)
            raw = self._file.read(count * size)
            yield np.frombuffer(raw, dtype).reshape(count, *shape)
