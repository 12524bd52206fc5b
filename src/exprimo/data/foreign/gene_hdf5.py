"""One HDF5 file of genes as Xpresso and its successors write them, read a block at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, cast

import h5py
import numpy as np
import numpy.typing as npt

from exprimo.core.errors import FormatError, InputError
from exprimo.core.files.atomic import being_written
from exprimo.core.sequence import Codes
from exprimo.data.foreign.one_hot import NotOneHot, channel_codes, decode_one_hot
from exprimo.data.textfile import require_file

WHAT = "an HDF5 file of genes: gene_id, halflife, promoter, label"
# Xpresso's own names stand behind those of the later files; the first that is there is read.
GENE_KEYS = ("gene_id", "geneName")
HALFLIFE_KEYS = ("halflife", "data")
PROMOTER_KEYS = ("promoter",)
LABEL_KEYS = ("label", "detectionFlagInt")

# Codes of a block, and the one-hot stripe that they are decoded from: 16 MiB each. A compressed
# chunk spans many genes, so blocks are as tall as chunks and are read in stripes of positions.
_BLOCK_BYTES = 1 << 24
_CHUNK_CACHE = 1 << 26
# What float32, the type of stored numbers, holds.
_LARGEST = float(np.finfo(np.float32).max)


class GeneHdf5:
    """An opened file of genes; use `GeneHdf5.open`, as a context manager.

    Attributes
    ----------
    path
        The file.
    n_genes, length
        Genes, and bases of each promoter.
    channels_first
        Whether promoters are stored as (genes, 4, positions).
    """

    def __init__(self, path: Path, file: h5py.File) -> None:
        self.path = path
        self._file = file
        promoter = self._array(PROMOTER_KEYS)
        self._promoter = promoter
        self.n_genes, self.length, self.channels_first = _promoter_shape(path, promoter)

    @classmethod
    @contextmanager
    def open(cls, path: str | Path) -> Iterator[Self]:
        """Open a file after checking that promoters, genes and half-life features are there."""
        target = require_file(path, WHAT)
        with _open_hdf5(target) as file:
            if file.attrs.get("format") == "exprimo-dataset":
                raise FormatError("this is an Exprimo dataset already", file=target, expected=WHAT)
            found = cls(target, file)
            for keys in (GENE_KEYS, HALFLIFE_KEYS):
                found._array(keys)
            yield found

    def gene_ids(self) -> list[str]:
        """Read the ids as they stand in the file."""
        array = self._array(GENE_KEYS)
        self._check_length(array)
        raw = self._read(array, ...).reshape(-1).tolist()
        text = (one.decode("utf-8", "replace") if isinstance(one, bytes) else one for one in raw)
        return [str(one).strip() for one in text]

    def halflife(self, genes: Sequence[str]) -> npt.NDArray[np.float32]:
        """Read the features that go with half-life, shape (genes, features), all finite."""
        array = self._array(HALFLIFE_KEYS)
        if array.ndim != 2 or array.shape[1] == 0:
            raise self._unfit(array, f"shape {array.shape}", "(genes, features)")
        self._check_length(array)
        self._check_numbers(array)
        values = np.asarray(self._read(array, ...), dtype=np.float64)
        bad = np.argwhere(~(np.abs(values) <= _LARGEST))
        if len(bad):
            row, column = bad[0]
            raise FormatError(
                "a half-life feature that is no finite number",
                file=self.path,
                record=f"{_name(array)}, gene {genes[row]}, column {column + 1}",
                found=f"{values[row, column]:g} ({len(bad):,} such cells)",
                expected="a finite number for every gene and feature",
                remedy="Fill or leave out such genes before the file is made",
            )
        return values.astype(np.float32)

    def labels(self, key: str | None, genes: Sequence[str]) -> tuple[str, npt.NDArray[np.float64]]:
        """Read the target: its key, and one number per gene, NaN where missing."""
        array = self._label(key)
        self._check_length(array)
        self._check_numbers(array)
        values = np.asarray(self._read(array, ...), dtype=np.float64).reshape(-1)
        bad = np.flatnonzero(np.abs(values) > _LARGEST)
        if len(bad):
            raise FormatError(
                "a label that is no finite number",
                file=self.path,
                record=f"{_name(array)}, gene {genes[bad[0]]}",
                found=values[bad[0]],
                expected="a finite number, or NaN where it is missing",
            )
        return _name(array), values

    def label_keys(self) -> list[str]:
        """Name those arrays that may be the target."""
        return [name for name in LABEL_KEYS if name in self._file]

    def promoters(self, channels: str, genes: Sequence[str]) -> Iterator[Codes]:
        """Yield base codes of all promoters in order, shape (rows, length), block by block."""
        codes_of = channel_codes(channels)
        rows, positions = self._block_shape()
        for first in range(0, self.n_genes, rows):
            last = min(first + rows, self.n_genes)
            block = np.empty((last - first, self.length), dtype=np.uint8)
            for start in range(0, self.length, positions):
                stop = min(start + positions, self.length)
                found = decode_one_hot(self._stripe(first, last, start, stop), codes_of)
                if isinstance(found, NotOneHot):
                    raise self._not_one_hot(found, genes[first + found.row], start)
                block[:, start:stop] = found
            yield block

    def _stripe(self, first: int, last: int, start: int, stop: int) -> npt.NDArray[np.generic]:
        if self.channels_first:
            values = self._read(self._promoter, (slice(first, last), ..., slice(start, stop)))
            return values.transpose(0, 2, 1)
        return self._read(self._promoter, (slice(first, last), slice(start, stop)))

    def _block_shape(self) -> tuple[int, int]:
        """Give rows of a block and positions of a stripe: whole chunks as far as memory allows."""
        bytes_of_position = 4 * self._promoter.dtype.itemsize
        if self._promoter.chunks is None:
            return max(1, _BLOCK_BYTES // (self.length * bytes_of_position)), self.length
        tall = int(self._promoter.chunks[0])
        wide = int(self._promoter.chunks[2 if self.channels_first else 1])
        most_rows = max(1, _BLOCK_BYTES // self.length)
        rows = most_rows // tall * tall or most_rows
        most_positions = max(1, _BLOCK_BYTES // (rows * bytes_of_position))
        return rows, most_positions // wide * wide or most_positions

    def _not_one_hot(self, found: NotOneHot, gene: str, start: int) -> FormatError:
        problem = "two bases at one position" if found.two_bases else "not one-hot"
        return FormatError(
            problem,
            file=self.path,
            record=f"promoter, gene {gene}, position {start + found.position + 1}",
            found=", ".join(f"{value:g}" for value in found.values),
            expected="one 1 and three 0, or four 0 for an unknown base",
        )

    def _label(self, key: str | None) -> h5py.Dataset:
        if key is not None:
            return self._array((key,))
        if len(self.label_keys()) > 1:
            raise InputError(
                "say which target",
                file=self.path,
                found=", ".join(self.label_keys()),
                remedy="Use --target NAME",
            )
        return self._array(LABEL_KEYS)

    def _array(self, keys: Sequence[str]) -> h5py.Dataset:
        name = next((key for key in keys if key in self._file), None)
        if name is None:
            present = ", ".join(map(str, list(self._file)[:12]))
            raise FormatError(
                f"no array {' or '.join(keys)}",
                file=self.path,
                found=present or "an HDF5 file with nothing in it",
                expected=WHAT,
            )
        try:
            found = self._file[name]
        except (KeyError, OSError, RuntimeError) as error:
            raise self._damaged(name) from error
        if not isinstance(found, h5py.Dataset) or found.shape is None:
            raise FormatError("not an array", file=self.path, record=name, expected=WHAT)
        return found

    def _check_length(self, array: h5py.Dataset) -> None:
        flat = _name(array) in HALFLIFE_KEYS or array.shape[1:] in ((), (1,))
        if array.shape[:1] != (self.n_genes,) or not flat:
            raise self._unfit(
                array, f"shape {array.shape}", f"one row for each of {self.n_genes:,} promoters"
            )

    def _check_numbers(self, array: h5py.Dataset) -> None:
        if array.dtype.kind not in "biuf":
            raise self._unfit(array, array.dtype, "numbers")

    def _unfit(self, array: h5py.Dataset, found: object, expected: str) -> FormatError:
        return FormatError(
            "an array that does not fit", file=self.path, record=_name(array), found=found,
            expected=expected,
        )  # fmt: skip

    def _read(self, array: h5py.Dataset, selection: Any) -> npt.NDArray[Any]:
        try:
            return cast(npt.NDArray[Any], array[selection])
        except (OSError, RuntimeError) as error:
            raise self._damaged(_name(array)) from error

    def _damaged(self, record: str) -> FormatError:
        return FormatError(
            "cannot be read: damaged, or cut short",
            file=self.path,
            record=record,
            remedy="Copy the file again from where it was whole",
        )


def looks_like_gene_hdf5(path: Path) -> bool:
    """Tell whether an HDF5 file holds promoters and one more array of such files."""
    try:
        with h5py.File(path, "r") as file:
            others = (*GENE_KEYS, *HALFLIFE_KEYS, *LABEL_KEYS)
            return PROMOTER_KEYS[0] in file and any(key in file for key in others)
    except (OSError, RuntimeError):
        return False


@contextmanager
def _open_hdf5(path: Path) -> Iterator[h5py.File]:
    try:
        file = h5py.File(path, "r", rdcc_nbytes=_CHUNK_CACHE, rdcc_nslots=10_007)
    except BlockingIOError:
        raise being_written(path) from None
    except PermissionError as error:
        raise InputError("you may not read this file", file=path) from error
    except OSError as error:
        if "unable to lock" in str(error):
            raise being_written(path) from error
        raise FormatError(
            "not an HDF5 file, or cut short",
            file=path,
            found=f"{path.stat().st_size:,} bytes",
            remedy="Copy the file again from where it was whole",
        ) from error
    with file:
        yield file


def _promoter_shape(path: Path, promoter: h5py.Dataset) -> tuple[int, int, bool]:
    shape = promoter.shape
    fits = len(shape) == 3 and 4 in shape[1:] and 0 not in shape
    if not fits or promoter.dtype.kind not in "biuf":
        raise FormatError(
            "not one-hot promoters",
            file=path,
            record=_name(promoter),
            found=f"shape {shape}, {promoter.dtype}",
            expected="numbers or bool of the shape (genes, positions, 4)",
        )
    if shape[2] == 4:
        return int(shape[0]), int(shape[1]), False
    return int(shape[0]), int(shape[2]), True


def _name(array: h5py.Dataset) -> str:
    return str(array.name).lstrip("/")
