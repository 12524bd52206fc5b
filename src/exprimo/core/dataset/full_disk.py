"""HDF5 on a disk that may be full.

When a write fails, the HDF5 library keeps what it could not write, tries again while it closes
the file, and then crashes the process. So it is given a file whose writes never fail; the first
failure is kept aside and raised once HDF5 has closed in peace.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py


class _PatientFile(io.FileIO):
    """A file that keeps its first failure and from then on takes writes without storing them."""

    failure: OSError | None = None

    def write(self, data: Any) -> int:
        left = memoryview(data).cast("B")
        size = left.nbytes
        try:
            while left and self.failure is None:
                left = left[super().write(left) :]
        except OSError as error:
            self.failure = error
        return size

    def truncate(self, size: int | None = None) -> int:
        try:
            if self.failure is None:
                return super().truncate(size)
        except OSError as error:
            self.failure = error
        return size or 0


@contextmanager
def new_hdf5(path: Path) -> Iterator[h5py.File]:
    """Yield a new HDF5 file for writing; raise the OSError of a write that failed."""
    with _PatientFile(path, "w+") as raw:
        try:
            with h5py.File(raw, "w", libver="latest") as file:
                yield file
        except (OSError, RuntimeError):
            if raw.failure is None:
                raise
            # What HDF5 says about its lost bytes hides the reason.
            raise raw.failure from None
        if raw.failure is not None:
            raise raw.failure
