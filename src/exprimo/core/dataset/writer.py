"""Write a Dataset: one HDF5 file, whole or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.dataset.full_disk import new_hdf5
from exprimo.core.dataset.spooled import SpooledColumns, SpooledRows
from exprimo.core.dataset.variables import FEWEST_CLASSES, TargetKind
from exprimo.core.errors import FormatError, InputError, MismatchError
from exprimo.core.files.atomic import atomic_file, refuse_existing
from exprimo.core.files.versions import DATASET_FORMAT
from exprimo.core.sequence import ALPHABET


class DatasetWriter:
    """Fill a new Dataset; made by `write_dataset`.

    Arrays are contiguous and uncompressed so that readers can fetch any row with one read.
    The content hash covers every name, unit and byte written, in order.
    """

    def __init__(self, file: h5py.File, scratch: Path) -> None:
        self._file = file
        self._scratch = scratch
        self._n: int | None = None
        self._hash = hashlib.sha256()

    def examples(self, table: pd.DataFrame) -> None:
        """Store the table of examples, one row each; ``example_id`` must be unique."""
        with SpooledColumns(self._scratch) as columns:
            columns.append(table)
            self._examples(columns)

    @contextmanager
    def parts(self, inputs: Sequence[str]) -> Iterator[DatasetParts]:
        """Take the examples and some inputs part by part; they are stored when the block ends.

        Memory grows with what is distinct, not with the examples.
        """
        with ExitStack() as stack:
            columns = stack.enter_context(SpooledColumns(self._scratch))
            rows = {name: stack.enter_context(SpooledRows(name, self._scratch)) for name in inputs}
            yield DatasetParts(columns, rows)
            self._examples(columns)
            for one in rows.values():
                self._input(one, ())

    def input(
        self, name: str, chunks: Iterable[npt.NDArray[Any]], *, labels: Sequence[str] = ()
    ) -> int:
        """Store one row per example, equal rows once; return the number of distinct rows.

        Parameters
        ----------
        name
            A registered input (`variables.INPUTS`).
        chunks
            Arrays (rows, ...) whose rows run through the examples in order.
        labels
            Names along the second axis (k-mers, marks), if it has names.
        """
        with SpooledRows(name, self._scratch) as rows:
            for chunk in chunks:
                rows.append(rows.numbers(chunk))
            self._input(rows, labels)
            return rows.n_distinct

    def target(
        self,
        name: str,
        values: npt.ArrayLike,
        *,
        kind: TargetKind,
        units: str = "",
        classes: Sequence[str] = (),
    ) -> None:
        """Store one number per example; NaN is missing.

        Parameters
        ----------
        values
            Numbers; for ``classification`` 0 or 1; for ``multiclass`` the position of the class
            in ``classes``, which names three or more.
        """
        numbers = np.asarray(values, dtype=np.float32)
        if numbers.shape != (self._count(),):
            raise MismatchError(
                f"target {name} does not have one value per example",
                found=numbers.shape,
                expected=(self._n,),
            )
        present = numbers[~np.isnan(numbers)]
        if not np.isfinite(present).all():
            raise FormatError("a target is infinite", record=name, expected="numbers or missing")
        if kind == "classification" and not np.isin(present, (0, 1)).all():
            raise FormatError(
                "a class label is neither 0, 1 nor missing",
                record=name,
                found=sorted(set(present.tolist()) - {0.0, 1.0})[:3],
                remedy="Choose kind regression, or give labels 0, 1 or empty",
            )
        if classes or kind == "multiclass":
            _check_coded(name, present, kind, classes)
        group = self._file.require_group("targets")
        # What has no classes hashes as it did before there were any.
        facts = [name, kind, units, list(classes)] if classes else [name, kind, units]
        self._hash.update(json.dumps(facts).encode())
        self._copy(group, name, [numbers], numbers.shape)
        group[name].attrs.update(kind=kind, units=units)
        if classes:
            group[name].attrs["classes"] = list(classes)

    def finish(self, origin: dict[str, Any]) -> None:
        """Seal the file: provenance and the hash of its contents."""
        if self._n is None or "inputs" not in self._file:
            raise InputError("a dataset needs examples and at least one input")
        self._file.attrs.update(
            format="exprimo-dataset",
            format_version=DATASET_FORMAT,
            alphabet=ALPHABET,
            n_examples=self._n,
            sha256=self._hash.hexdigest(),
            provenance=json.dumps(origin),
        )

    def _count(self) -> int:
        if self._n is None:
            raise InputError("store the table of examples before inputs and targets")
        return self._n

    def _examples(self, columns: SpooledColumns) -> None:
        columns.check_ids()
        self._n = columns.n
        group = self._file.create_group("examples")
        group.attrs["columns"] = list(columns.names)
        for name in columns.names:
            self._copy(group, name, columns.column(name), (columns.n,))

    def _input(self, rows: SpooledRows, labels: Sequence[str]) -> None:
        shape = rows.check(self._count(), len(labels))
        name, spec = rows.name, rows.spec
        group = self._file.create_group(f"inputs/{name}")
        self._hash.update(json.dumps([name, spec.units, list(labels)]).encode())
        group.attrs.update(axes=list(spec.axes), units=spec.units, labels=list(labels))
        self._copy(group, "values", rows.values(), (rows.n_distinct, *shape))
        self._copy(group, "index", rows.index(), (rows.n,))

    def _copy(
        self,
        group: h5py.Group,
        name: str,
        chunks: Iterable[npt.NDArray[Any]],
        shape: tuple[int, ...],
    ) -> None:
        if name in group or "/" in name or name in ("", "."):
            # HDF5 reads a slash as a path.
            raise FormatError(
                "a name that cannot be stored",
                record=f"{group.name[1:]}: {name!r}",
                expected="names that differ, without a slash",
                remedy="Rename it",
            )
        stored: h5py.Dataset | None = None
        at = 0
        for chunk in chunks:
            if stored is None:
                stored = group.create_dataset(name, shape=shape, dtype=chunk.dtype)
                self._hash.update(f"{group.name}/{name}{chunk.dtype.str}{shape}".encode())
            self._hash.update(np.ascontiguousarray(chunk).tobytes())
            stored[at : at + len(chunk)] = chunk
            at += len(chunk)


class DatasetParts(NamedTuple):
    """Where examples and inputs that come in parts go; see `DatasetWriter.parts`.

    Rows of an input are stored by ``inputs[NAME].numbers(rows)``, whose answer says which of
    them an example has: ``inputs[NAME].append(numbers)``.
    """

    examples: SpooledColumns
    inputs: dict[str, SpooledRows]


def _check_coded(
    name: str, present: npt.NDArray[np.float32], kind: TargetKind, classes: Sequence[str]
) -> None:
    wanted = f"{FEWEST_CLASSES} or more different names, with kind multiclass"
    named = [one for one in classes if isinstance(one, str) and one.strip()]
    if kind != "multiclass" or len(set(named)) < max(FEWEST_CLASSES, len(classes)):
        raise FormatError(
            "these are not the names of classes", record=name, found=list(classes), expected=wanted
        )
    if not np.isin(present, np.arange(len(classes))).all():
        raise FormatError(
            "a class code without a name",
            record=name,
            found=sorted(set(present.tolist()) - set(range(len(classes))))[:3],
            expected=f"0 to {len(classes) - 1} ({', '.join(classes)}), or missing",
        )


@contextmanager
def write_dataset(path: str | Path, origin: dict[str, Any]) -> Iterator[DatasetWriter]:
    """Open a new Dataset for writing; it appears at ``path`` when the block ends well.

    Parameters
    ----------
    path
        A new ``.h5`` file.
    origin
        Provenance, from `describe_origin`.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "D.h5"
    >>> with write_dataset(target, {}) as out:
    ...     out.examples(pd.DataFrame({"example_id": ["a", "b"]}))
    ...     _ = out.input("sequence", [np.zeros((2, 8), np.uint8)])
    ...     out.target("expression", [1.0, 2.0], kind="regression")
    """
    with atomic_file(path) as partial:
        refuse_existing(path)  # inside the lock, or another writer may finish in between
        with new_hdf5(partial) as file:
            writer = DatasetWriter(file, partial.parent)
            yield writer
            writer.finish(origin)
