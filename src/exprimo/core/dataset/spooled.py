"""Examples and rows of inputs that lie on disk until a Dataset takes them.

Memory holds the numbers of what is distinct and where each part lies, not the examples.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.dataset.variables import SEQUENCES, column_spec, input_spec
from exprimo.core.errors import FormatError, InputError, MismatchError
from exprimo.core.sequence import N_CODE

# 16 MiB at a time: large enough for the disk's speed, small beside everything else.
_CHUNK_BYTES = 1 << 24
# Examples turned into arrays at a time, and digests of ids compared at a time.
_EXAMPLES = 1 << 16
_IDS = 1 << 20
_ID = "example_id"
_DIGEST_BYTES = 16


class _Part(NamedTuple):
    """Where some values of a column lie in the file."""

    at: int
    size: int
    dtype: np.dtype[Any]


class SpooledColumns:
    """The columns of a table of examples that comes in parts."""

    def __init__(self, folder: Path) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 -- see `close`
        self._parts: dict[str, list[_Part]] = {}
        self._digests: list[_Part] = []
        self.n = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the disk back."""
        self._file.close()

    @property
    def names(self) -> tuple[str, ...]:
        """The columns, in order."""
        return tuple(self._parts)

    def append(self, table: pd.DataFrame) -> None:
        """Add examples behind the others; every part has the same columns."""
        if _ID not in table:
            raise FormatError("the table of examples has no column example_id")
        missing = table[_ID].isna() | (table[_ID] == "")
        if missing.any():
            row = self.n + int(missing.argmax()) + 1
            raise FormatError("an example has no id", record=f"row {row}")
        names = [str(name) for name in table.columns]
        if len(set(names)) < len(names):
            raise FormatError(
                "two columns of one name", found=", ".join(names), expected="names that differ"
            )
        if self._parts and names != list(self._parts):
            raise FormatError(
                "parts of one table differ in their columns",
                found=", ".join(names),
                expected=", ".join(self._parts),
            )
        for start in range(0, len(table), _EXAMPLES):
            some = table.iloc[start : start + _EXAMPLES]
            for name, column in zip(names, some.columns, strict=True):
                values = _column_array(name, some[column])
                self._parts.setdefault(name, []).append(self._write(values))
                if name == _ID:
                    self._digests.append(self._write(_digests(values)))
        self.n += len(table)

    def column(self, name: str) -> Iterator[npt.NDArray[Any]]:
        """Give the values of a column in order, some at a time, all of one type."""
        parts = self._parts[name]
        # Texts of a part are as wide as its longest.
        dtype = max((part.dtype for part in parts), key=lambda one: one.itemsize)
        yield from (some.astype(dtype, copy=False) for some in self._read(parts))

    def check_ids(self) -> None:
        """Refuse a table without examples, and ids that occur twice."""
        if not self.n:
            raise InputError("no example is left to store")
        # Digests of one remainder are compared at a time, so that memory stays as it is.
        shares = -(-self.n // _IDS)
        repeated = [row for share in range(shares) for row in self._repeated(share, shares)]
        if not repeated:
            return
        raise FormatError(
            "an example id occurs twice",
            record=self._id(min(repeated)),
            expected="unique ids",
            remedy="Name the examples apart, or drop the repeats",
        )

    def _repeated(self, share: int, shares: int) -> Iterator[int]:
        """Give the first row whose id stands in a row before it, of those of one remainder."""
        found, rows, start = [], [], 0
        for digests in self._read(self._digests):
            # Of a digest any bytes are as good as others.
            mine = np.flatnonzero(digests.view(np.uint64)[::2] % np.uint64(shares) == share)
            found.append(digests[mine])
            rows.append(mine + start)
            start += len(digests)
        row = np.concatenate(rows)
        _, first = np.unique(np.concatenate(found), return_index=True)
        later = np.delete(row, first)
        if len(later):
            yield int(later.min())

    def _id(self, row: int) -> str:
        start = 0
        for values in self.column(_ID):
            if row < start + len(values):
                return bytes(values[row - start]).decode()
            start += len(values)
        raise AssertionError("a row behind the last")

    def _write(self, values: npt.NDArray[Any]) -> _Part:
        at = self._file.seek(0, 2)
        self._file.write(np.ascontiguousarray(values).tobytes())
        return _Part(at, len(values), values.dtype)

    def _read(self, parts: list[_Part]) -> Iterator[npt.NDArray[Any]]:
        """Give values as they were written, small parts joined."""
        held: list[npt.NDArray[Any]] = []
        size = 0
        for part in parts:
            self._file.seek(part.at)
            raw = self._file.read(part.size * part.dtype.itemsize)
            held.append(np.frombuffer(raw, part.dtype))
            size += len(raw)
            if size >= _CHUNK_BYTES:
                yield np.concatenate(held)
                held, size = [], 0
        if held:
            yield np.concatenate(held)


class SpooledRows:
    """Rows of one input, equal ones once, and which of them each example has."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.spec = input_spec(name)
        self.shape: tuple[int, ...] | None = None
        self.n = 0
        self._seen: dict[bytes, int] = {}
        self._rows: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 -- see `close`
        self._index: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 -- see `close`

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the disk back."""
        self._rows.close()
        self._index.close()

    @property
    def n_distinct(self) -> int:
        """How many rows differ."""
        return len(self._seen)

    def numbers(self, rows: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Store rows, those known before not again; give the number of each, (rows,)."""
        stored = _as_stored(self.name, rows)
        if self.shape is not None and stored.shape[1:] != self.shape:
            raise FormatError(
                "rows differ in shape",
                record=self.name,
                found=stored.shape[1:],
                expected=self.shape,
            )
        self.shape = stored.shape[1:]
        found = np.empty(len(stored), np.int64)
        for place, row in enumerate(stored):
            raw = row.tobytes()
            key = hashlib.blake2b(raw, digest_size=_DIGEST_BYTES).digest()
            if key not in self._seen:
                self._seen[key] = len(self._seen)
                self._rows.write(raw)
            found[place] = self._seen[key]
        return found

    def append(self, numbers: npt.NDArray[np.int64]) -> None:
        """Add examples: the number of the row of each, as `numbers` gave it."""
        self._index.write(np.ascontiguousarray(numbers, dtype=np.int64).tobytes())
        self.n += len(numbers)

    def check(self, examples: int, labels: int) -> tuple[int, ...]:
        """Give the shape of a row; refuse other numbers of rows or labels than there should be."""
        if self.shape is None or self.n != examples:
            raise MismatchError(
                f"input {self.name} does not have one row per example",
                found=self.n,
                expected=examples,
            )
        if labels and labels != self.shape[0]:
            raise MismatchError(
                f"input {self.name} does not have one label per {self.spec.axes[1]}",
                found=labels,
                expected=self.shape[0],
            )
        return self.shape

    def values(self) -> Iterator[npt.NDArray[Any]]:
        """Give the distinct rows in order, some at a time."""
        assert self.shape is not None  # `check` refused it
        return _chunks(self._rows, self.n_distinct, self.shape, np.dtype(self.spec.dtype))

    def index(self) -> Iterator[npt.NDArray[Any]]:
        """Give the number of each example's row in order, some at a time."""
        return _chunks(self._index, self.n, (), np.dtype(np.int64))


def _chunks(
    file: IO[bytes], n: int, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> Iterator[npt.NDArray[Any]]:
    row_bytes = int(np.prod(shape)) * dtype.itemsize
    step = max(1, _CHUNK_BYTES // row_bytes)
    file.seek(0)
    for start in range(0, n, step):
        count = min(step, n - start)
        yield np.frombuffer(file.read(count * row_bytes), dtype).reshape(count, *shape)


def _digests(ids: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Give 16 bytes for each id, (ids,) of void."""
    raw = b"".join(hashlib.blake2b(one, digest_size=_DIGEST_BYTES).digest() for one in ids.tolist())
    return np.frombuffer(raw, np.dtype((np.void, _DIGEST_BYTES)))


def _as_stored(name: str, chunk: npt.NDArray[Any]) -> npt.NDArray[Any]:
    spec = input_spec(name)
    given = np.asarray(chunk)
    if given.ndim != len(spec.axes) or 0 in given.shape[1:]:
        raise FormatError(
            "not rows of the registered axes",
            record=name,
            found=f"shape {given.shape}",
            expected=f"({', '.join(spec.axes)}), none of them empty",
        )
    if not np.can_cast(given.dtype, spec.dtype, casting="same_kind"):
        raise FormatError(
            "numbers of another kind", record=name, found=given.dtype, expected=spec.dtype
        )
    if name in SEQUENCES and given.size and given.max() > N_CODE:
        raise FormatError("not a base code", record=name, found=given.max(), expected="0 to 4")
    return np.ascontiguousarray(given, dtype=spec.dtype)


def _column_array(name: str, column: pd.Series[Any]) -> npt.NDArray[Any]:
    spec = column_spec(name)
    if spec.dtype == "string":
        text = column.astype(object).where(column.notna(), "").astype(str)
        encoded = [value.encode() for value in text]
        if bad := next((value for value in encoded if b"\0" in value), None):
            # HDF5 ends a text there, so two names could become one.
            raise FormatError("a text with a zero byte", record=f"column {name}", found=bad)
        width = max(1, *(len(value) for value in encoded)) if encoded else 1
        return np.array(encoded, dtype=f"S{width}")
    filled = column.astype(object).where(column.notna(), spec.missing).tolist()
    # bool("False") is true and int(3.5) is 3: only values that stay equal are taken.
    wanted = bool if spec.dtype == "bool" else int
    for value in filled:
        if isinstance(value, str) or wanted(value) != value:
            raise FormatError(
                f"not a {wanted.__name__}", record=f"column {name}", found=repr(value)
            )
    return np.asarray(filled, dtype=spec.dtype)
