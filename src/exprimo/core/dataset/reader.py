"""Read a Dataset: lazily, row by row, in memory that does not grow with the examples."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self, cast

import h5py
import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.dataset.stored_rows import StoredRows
from exprimo.core.dataset.structure import check_structure
from exprimo.core.dataset.variables import TargetKind
from exprimo.core.errors import FormatError, InputError, MismatchError
from exprimo.core.files.atomic import being_written, is_being_written
from exprimo.core.files.versions import DATASET_FORMAT, check_alphabet, check_format_version

_BUILDERS = "promoters|table|features|hdf5|chromatin"


class InputInfo(NamedTuple):
    """What an input is: ``shape`` is that of one row, ``n_distinct`` how many rows are stored."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    n_distinct: int
    axes: tuple[str, ...]
    units: str
    labels: tuple[str, ...]


class TargetInfo(NamedTuple):
    """What a target is; ``classes`` names codes 0, 1, ... of a multiclass target, else empty."""

    name: str
    kind: TargetKind
    units: str
    classes: tuple[str, ...] = ()


class _Attached(NamedTuple):
    """An input that stands outside the file: distinct rows -> their values."""

    info: InputInfo
    take: Callable[[npt.NDArray[np.int64]], npt.NDArray[Any]]


class _Behind(NamedTuple):
    """Rows of an input behind those of the examples: the examples of another dataset."""

    first: int
    dataset: Dataset


class Dataset:
    """A table of examples with named inputs and targets, in one HDF5 file.

    An input is an array of distinct rows plus an index from examples to rows, so what many
    examples share is stored once. Use `Dataset.open`, as a context manager.

    Examples
    --------
    >>> with Dataset.open("D.h5") as data:                      # doctest: +SKIP
    ...     data.rows("sequence", np.array([0, 5]))             # (2, length) uint8
    """

    def __init__(self, path: Path, file: h5py.File) -> None:
        self.path = path
        self._file = file
        self._handle = os.open(path, os.O_RDONLY)
        self._rows: dict[str, StoredRows] = {}
        self._indexes: dict[str, npt.NDArray[np.int64]] = {}
        self._attached: dict[str, _Attached] = {}
        self._behind: dict[str, _Behind] = {}
        self._stored: dict[str, InputInfo] | None = None

    @classmethod
    def open(cls, path: str | Path, *, remedy: str | None = None) -> Self:
        """Open ``path`` after checking that it is a whole dataset that this version can read.

        ``remedy`` says how such a file is made, where it is not by ``exprimo dataset``.
        """
        target = Path(path)
        if not target.exists():
            if is_being_written(target):
                raise being_written(target)
            raise InputError(
                "no such dataset",
                file=target,
                remedy=remedy
                or f"Build one with: exprimo dataset {_BUILDERS} ... -o {target.name}",
            )
        if target.is_dir():
            raise FormatError("a folder, not a dataset", file=target, expected="an .h5 file")
        try:
            file = h5py.File(target, "r")
        except BlockingIOError:
            raise being_written(target) from None
        except PermissionError as error:
            raise InputError("you may not read this file", file=target) from error
        except OSError as error:
            if "unable to lock" in str(error):
                raise being_written(target) from error
            raise _unreadable(target) from error
        try:
            _check_head(target, file)
            check_structure(target, file)
            return cls(target, file)
        except BaseException:
            file.close()
            raise

    def close(self) -> None:
        """Release the file."""
        if self._handle >= 0:
            self._file.close()
            os.close(self._handle)
            self._handle = -1
        for behind in self._behind.values():
            behind.dataset.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return int(self._file.attrs["n_examples"])

    @property
    def sha256(self) -> str:
        """Hash of the contents, computed while they were written."""
        return str(self._file.attrs["sha256"])

    @property
    def provenance(self) -> dict[str, Any]:
        """Genome build, annotation, command line, version, checksums of the sources."""
        return cast(dict[str, Any], json.loads(self._file.attrs["provenance"]))

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns of the table of examples."""
        return tuple(str(name) for name in self._file["examples"].attrs["columns"])

    def column(self, name: str) -> npt.NDArray[Any]:
        """Give one column, shape (examples,); text as ``str``."""
        if name not in self.columns:
            raise InputError(f"no column {name}", file=self.path, expected=", ".join(self.columns))
        values = self._file[f"examples/{name}"][:]
        return np.char.decode(values, "utf-8") if values.dtype.kind == "S" else values

    def examples(self) -> pd.DataFrame:
        """Give the table of examples."""
        return pd.DataFrame({name: self.column(name) for name in self.columns})

    @property
    def inputs(self) -> Mapping[str, InputInfo]:
        """Inputs by name."""
        if self._stored is None:
            # Asked for with every block of rows, and HDF5 takes milliseconds to answer.
            self._stored = self._stored_inputs()
        return self._stored | {name: attached.info for name, attached in self._attached.items()}

    def _stored_inputs(self) -> dict[str, InputInfo]:
        found = {}
        for name, group in self._file["inputs"].items():
            values, attrs = group["values"], group.attrs
            found[name] = InputInfo(
                name=name,
                shape=tuple(values.shape[1:]),
                dtype=values.dtype,
                n_distinct=int(values.shape[0]),
                axes=tuple(map(str, attrs["axes"])),
                units=str(attrs["units"]),
                labels=tuple(map(str, attrs["labels"])),
            )
        return found

    def attach(
        self,
        info: InputInfo,
        index: npt.NDArray[np.int64],
        take: Callable[[npt.NDArray[np.int64]], npt.NDArray[Any]],
    ) -> None:
        """Add an input whose values stand outside the file, such as stored embeddings.

        Parameters
        ----------
        info
            What it is; its name must not be that of another input.
        index
            The distinct row that each example uses, shape (examples,).
        take
            Distinct rows -> their values, (rows, ...), fetched when they are asked for.
        """
        if info.name in self.inputs:
            raise InputError(f"there is an input {info.name} already", file=self.path)
        self._attached[info.name] = _Attached(info, take)
        self._indexes[info.name] = index

    def extend(self, name: str, other: Dataset) -> npt.NDArray[np.int64]:
        """Let an input have the examples of another dataset behind those of this one.

        `index`, `rows` and `batch` know them, and read them from that file when they are asked
        for. The table, targets, `inputs` and `distinct` stay what this file holds. ``other`` is
        closed together with this dataset.

        Returns
        -------
        ndarray
            The numbers that they have here, ``len(self)`` and on, shape (len(other),).

        Examples
        --------
        >>> with Dataset.open("D.h5") as data:                      # doctest: +SKIP
        ...     rows = data.extend("sequence", Dataset.open("S.h5"))
        ...     data.rows("sequence", rows[:2])                     # (2, length) uint8
        """
        mine, theirs = self.inputs[name], other.inputs[name]
        if (mine.shape, mine.labels) != (theirs.shape, theirs.labels):
            raise MismatchError(
                f"rows of another shape than {name} has",
                file=other.path,
                found=theirs.shape,
                expected=mine.shape,
            )
        if name in self._attached or name in self._behind:
            raise InputError(f"input {name} cannot be extended again", file=self.path)
        n, more = len(self), np.arange(len(other), dtype=np.int64)
        self._indexes[name] = np.concatenate([self.index(name), mine.n_distinct + more])
        self._behind[name] = _Behind(mine.n_distinct, other)
        return n + more

    @property
    def targets(self) -> Mapping[str, TargetInfo]:
        """Targets by name."""
        group = self._file.get("targets", {})
        return {
            name: TargetInfo(
                name,
                str(t.attrs["kind"]),  # type: ignore[arg-type]  # checked when opened
                str(t.attrs["units"]),
                tuple(map(str, t.attrs.get("classes", ()))),
            )
            for name, t in group.items()
        }

    def target(self, name: str) -> npt.NDArray[np.float32]:
        """Give a target, shape (examples,) float32, NaN where missing; classes as their codes."""
        if name not in self.targets:
            raise InputError(
                f"no target {name}",
                file=self.path,
                expected=", ".join(self.targets) or "a dataset with targets",
            )
        return cast(npt.NDArray[np.float32], self._file[f"targets/{name}"][:])

    def the_target(self, name: str | None = None) -> TargetInfo:
        """Look a target up; without a name the only one, or an error that lists them."""
        if name is None:
            if len(self.targets) != 1:
                raise InputError(
                    "say which target",
                    file=self.path,
                    found=", ".join(self.targets) or "no target at all",
                    remedy="Use --target NAME",
                )
            return next(iter(self.targets.values()))
        self.target(name)
        return self.targets[name]

    def index(self, name: str) -> npt.NDArray[np.int64]:
        """Give the row of input ``name`` that each example uses, shape (examples,)."""
        if name not in self._indexes:
            group = self._group(name)
            index, stored = group["index"][:], group["values"].shape[0]
            if index.min() < 0 or index.max() >= stored:
                raise FormatError(
                    "an example uses a row that is not stored",
                    file=self.path,
                    record=f"inputs/{name}/index",
                    found=f"rows {index.min()} to {index.max()}",
                    expected=f"0 to {stored - 1}",
                )
            self._indexes[name] = index
        return self._indexes[name]

    def rows(self, name: str, examples: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        """Fetch an input for these examples, shape (len(examples), ...)."""
        index = self.index(name)[examples]
        if name in self._attached:
            return self._attached[name].take(index)
        if name in self._behind:
            return self._rows_of_both(name, index)
        return self._reader(name).take(index)

    def _rows_of_both(self, name: str, index: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        """Fetch rows that stand partly in this file, partly in the one behind it."""
        first, other = self._behind[name]
        behind = index >= first
        info = self.inputs[name]
        out = np.empty((len(index), *info.shape), info.dtype)
        out[~behind] = self._reader(name).take(index[~behind])
        out[behind] = other.rows(name, index[behind] - first)
        return out

    def distinct(self, name: str, start: int, stop: int) -> npt.NDArray[Any]:
        """Fetch distinct rows ``start`` to ``stop`` (outside) of an input."""
        n = self.inputs[name].n_distinct
        start, stop = min(start, n), min(stop, n)
        if name in self._attached:
            return self._attached[name].take(np.arange(start, stop, dtype=np.int64))
        return self._reader(name).slice(start, stop)

    def batch(
        self, names: tuple[str, ...], examples: npt.NDArray[np.int64]
    ) -> dict[str, npt.NDArray[Any]]:
        """Fetch several inputs for the same examples."""
        return {name: self.rows(name, examples) for name in names}

    def _group(self, name: str) -> h5py.Group:
        if name not in self._file["inputs"]:
            raise InputError(
                f"no input {name}",
                file=self.path,
                expected=", ".join(self._file["inputs"]),
                remedy="Build it with: exprimo dataset promoters --halflife"
                if name == "halflife"
                else None,
            )
        return self._file[f"inputs/{name}"]

    def _reader(self, name: str) -> StoredRows:
        if name not in self._rows:
            self._rows[name] = StoredRows(self.path, self._handle, self._group(name)["values"])
        return self._rows[name]


def _unreadable(path: Path) -> FormatError:
    with open(path, "rb") as handle:
        start = handle.read(4)
    if start and not start.startswith(b"\x89"):
        fasta = start.startswith(b">")
        return FormatError(
            f"{'a FASTA file' if fasta else 'not an HDF5 file'}, not a dataset",
            file=path,
            expected="an .h5 file",
            remedy=f"Build one with: exprimo dataset {_BUILDERS}",
        )
    return FormatError(
        "cut short, or damaged",
        file=path,
        found=f"{path.stat().st_size:,} bytes",
        remedy="Build it again, or copy it again from where it was whole",
    )


def _check_head(path: Path, file: h5py.File) -> None:
    if file.attrs.get("format") != "exprimo-dataset":
        raise FormatError(
            "an HDF5 file, but not an Exprimo dataset",
            file=path,
            found=f"groups {', '.join(list(file)[:5]) or 'none'}",
            remedy=f"Build one with: exprimo dataset {_BUILDERS}",
        )
    check_format_version(
        file.attrs.get("format_version"), DATASET_FORMAT, file=path, what="dataset"
    )
    check_alphabet(file.attrs.get("alphabet"), file=path)
