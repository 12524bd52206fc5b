"""Write a Dataset: one HDF5 file, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import h5py
import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.dataset.full_disk import new_hdf5
from exprimo.core.dataset.variables import FEWEST_CLASSES, TargetKind, column_spec, input_spec
from exprimo.core.errors import FormatError, InputError, MismatchError
from exprimo.core.files.atomic import atomic_file, refuse_existing
from exprimo.core.files.versions import DATASET_FORMAT
from exprimo.core.sequence import ALPHABET, N_CODE

_COPY_BYTES = 1 << 24


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
        if "example_id" not in table:
            raise FormatError("the table of examples has no column example_id")
        missing = table["example_id"].isna() | (table["example_id"] == "")
        if missing.any():
            raise FormatError("an example has no id", record=f"row {int(missing.argmax()) + 1}")
        ids = table["example_id"].astype(str)
        repeated = ids[ids.duplicated()]
        if len(repeated):
            raise FormatError(
                "an example id occurs twice",
                record=str(repeated.iloc[0]),
                expected="unique ids",
                remedy="Name the examples apart, or drop the repeats",
            )
        if table.empty:
            raise InputError("no example is left to store")
        self._n = len(table)
        group = self._file.create_group("examples")
        group.attrs["columns"] = [str(name) for name in table.columns]
        for name in table.columns:
            self._store(group, str(name), _column_array(str(name), table[name]))

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
        spec = input_spec(name)
        seen: dict[bytes, int] = {}
        index: list[int] = []
        shape: tuple[int, ...] | None = None
        with tempfile.TemporaryFile(dir=self._scratch) as flat:
            for chunk in chunks:
                rows = _as_stored(name, chunk)
                if shape is not None and rows.shape[1:] != shape:
                    raise FormatError(
                        "rows differ in shape", record=name, found=rows.shape[1:], expected=shape
                    )
                shape = rows.shape[1:]
                for row in rows:
                    raw = row.tobytes()
                    key = hashlib.blake2b(raw, digest_size=16).digest()
                    if key not in seen:
                        seen[key] = len(seen)
                        flat.write(raw)
                    index.append(seen[key])
            if shape is None or len(index) != self._count():
                raise MismatchError(
                    f"input {name} does not have one row per example",
                    found=len(index),
                    expected=self._n,
                )
            if labels and len(labels) != shape[0]:
                raise MismatchError(
                    f"input {name} does not have one label per {spec.axes[1]}",
                    found=len(labels),
                    expected=shape[0],
                )
            group = self._file.create_group(f"inputs/{name}")
            self._hash.update(json.dumps([name, spec.units, list(labels)]).encode())
            group.attrs.update(axes=list(spec.axes), units=spec.units, labels=list(labels))
            self._copy(group, flat, (len(seen), *shape), np.dtype(spec.dtype))
        self._store(group, "index", np.asarray(index, dtype=np.int64))
        return len(seen)

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
        self._store(group, name, numbers)
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

    def _store(self, group: h5py.Group, name: str, values: npt.NDArray[Any]) -> None:
        if name in group or "/" in name or name in ("", "."):
            # HDF5 reads a slash as a path.
            raise FormatError(
                "a name that cannot be stored",
                record=f"{group.name[1:]}: {name!r}",
                expected="names that differ, without a slash",
                remedy="Rename it",
            )
        self._hash.update(f"{group.name}/{name}{values.dtype.str}{values.shape}".encode())
        self._hash.update(np.ascontiguousarray(values).tobytes())
        group.create_dataset(name, data=values)

    def _copy(
        self, group: h5py.Group, flat: IO[bytes], shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> None:
        values = group.create_dataset("values", shape=shape, dtype=dtype)
        self._hash.update(f"{group.name}/values{dtype.str}{shape}".encode())
        row_bytes = int(np.prod(shape[1:])) * dtype.itemsize
        step = max(1, _COPY_BYTES // row_bytes)
        flat.seek(0)
        for start in range(0, shape[0], step):
            count = min(step, shape[0] - start)
            raw = flat.read(count * row_bytes)
            self._hash.update(raw)
            values[start : start + count] = np.frombuffer(raw, dtype).reshape(count, *shape[1:])


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
    if name == "sequence" and given.size and given.max() > N_CODE:
        raise FormatError("not a base code", record=name, found=given.max(), expected="0 to 4")
    return np.ascontiguousarray(given, dtype=spec.dtype)


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
