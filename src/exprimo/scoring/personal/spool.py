"""What is kept between planning and writing: who has which haplotype, and short windows' codes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import StorageError
from exprimo.core.files.atomic import storage_errors
from exprimo.core.sequence import Codes

# Codes of more than this are not kept, and built again when they are predicted.
_KEPT_BYTES = 1 << 30


class Carriers(NamedTuple):
    """Who has which haplotype of one window.

    Attributes
    ----------
    ids
        Names of the distinct haplotypes, text (distinct,).
    copies
        Their numbers, (samples, 2, phasings); -1 where there is no such copy.
    weights
        (samples, distinct) of a mixture; else None.
    """

    ids: npt.NDArray[Any]
    copies: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float32] | None


class CarrierFile:
    """Carriers of one window after another, in a file without a name."""

    def __init__(self, file: IO[bytes], near: Path) -> None:
        self._file, self._near = file, near

    def add(self, carriers: Carriers) -> None:
        """Append those of the next window."""
        content = BytesIO()
        for array in carriers:
            there = np.empty(0, np.float32) if array is None else array
            np.save(content, there, allow_pickle=False)
        _write(self._file, content.getvalue(), self._near)

    def read(self, n: int) -> Iterator[Carriers]:
        """Give those of all ``n`` windows, in order."""
        self._file.seek(0)
        for _ in range(n):
            ids, copies, weights = [np.load(self._file, allow_pickle=False) for _ in range(3)]
            yield Carriers(ids, copies, weights if weights.size else None)


class CodeFile:
    """Distinct haplotypes of the first windows, in a file without a name.

    Finding the haplotypes of a short window costs more than reading them back.
    """

    def __init__(self, file: IO[bytes], near: Path, length: int) -> None:
        self._file, self._near, self._length = file, near, length
        self._starts: list[int] = [0]
        self._rows = 0
        self._full = False

    def add(self, codes: Codes) -> None:
        """Append haplotypes of the next window, (some, length), while there is room."""
        self._full = self._full or (self._rows + len(codes)) * self._length > _KEPT_BYTES
        if not self._full:
            _write(self._file, codes.tobytes(), self._near)
            self._rows += len(codes)

    def end_window(self) -> None:
        """Say that these were all of a window; once there is no room, none counts any more."""
        if not self._full:
            self._starts.append(self._rows)

    def read(self, window: int, first: int, end: int) -> Codes | None:
        """Give some haplotypes of a window; None where its were not kept."""
        if window >= len(self._starts) - 1:
            return None
        self._file.seek((self._starts[window] + first) * self._length)
        content = self._file.read((end - first) * self._length)
        if len(content) != (end - first) * self._length:
            raise StorageError("the disk lost what was written", file=self._near)
        return np.frombuffer(content, dtype=np.uint8).reshape(-1, self._length)


class Spool(NamedTuple):
    """Both files."""

    carriers: CarrierFile
    codes: CodeFile


@contextmanager
def open_spool(out: Path, length: int) -> Iterator[Spool]:
    """Open both on the disk of an output; they end with the process."""
    carriers, codes = _nameless(out), _nameless(out)
    with carriers, codes:
        yield Spool(CarrierFile(carriers, out), CodeFile(codes, out, length))


def _write(file: IO[bytes], content: bytes, near: Path) -> None:
    """Write all of it, unbuffered: on a full disk a buffer would fail again when it is closed."""
    left = memoryview(content)
    with storage_errors(near):
        while left:
            left = left[file.write(left) :]


def _nameless(out: Path) -> IO[bytes]:
    try:
        with storage_errors(out):
            out.parent.mkdir(parents=True, exist_ok=True)
            return tempfile.TemporaryFile(dir=out.parent, buffering=0)
    except FileNotFoundError as error:  # so /proc refuses new files
        raise StorageError(
            "cannot write here",
            file=out,
            found=error.strerror,
            remedy="Choose a folder that you may write to",
        ) from error
