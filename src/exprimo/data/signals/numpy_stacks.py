"""Binned signal in NumPy's files: an array for each cell type, or named stacks."""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import FormatError, InputError
from exprimo.data.signals.binned_cell import (
    BinnedCell,
    choose_marks,
    not_one_per_gene,
    numbered_marks,
    too_large,
)
from exprimo.data.tabular import unknown_name
from exprimo.data.textfile import open_text

_DEFAULT_MARKS = 5
_STACK = "arrays signal (genes, marks, bins) and gene_id (genes,)"
_NUMBERED = "the file does not name its marks, so they are numbered"

# What a damaged archive or header makes numpy and zipfile raise; a header may also claim more
# values than there is memory for.
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    tokenize.TokenError,
    MemoryError,
    ValueError,
    EOFError,
    OSError,
)


class ArrayHead(NamedTuple):
    """Shape and type of an array that was not read."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


def read_npz(
    path: Path, cell: str | None, name: str, marks: tuple[str, ...] | None
) -> Iterator[BinnedCell]:
    """Read an NPZ: stacks if it holds ``signal`` and ``gene_id``, else an array a cell type."""
    heads = read_heads(path)
    if {"signal", "gene_id"} <= heads.keys():
        yield _named_stack(path, heads, name, marks)
        return
    if "signal" in heads:
        raise FormatError("no array gene_id", file=path, found=", ".join(heads), expected=_STACK)
    if cell is not None and cell not in heads:
        raise unknown_name("cell type", cell, list(heads), file=path)
    chosen = [cell] if cell is not None else list(heads)
    for key in chosen:  # all are looked at before the first is read
        _n_marks(path, key, heads[key], marks)
    for key in chosen:
        yield _cell_array(path, key, _load(path, key), marks)


def read_npy(
    path: Path, cell: str, marks: tuple[str, ...] | None, genes: str | Path | None
) -> Iterator[BinnedCell]:
    """Read one stack (genes, marks, bins) whose genes stand in a text file."""
    try:
        values = np.load(path, allow_pickle=False)
    except _BROKEN as error:
        raise _unreadable(path, path.name, error) from error
    beside = Path(genes) if genes is not None else path.with_suffix(".genes.txt")
    if genes is None and not beside.exists():
        raise InputError(
            "an array without the names of its genes",
            file=path,
            expected=f"one gene id a line in {beside.name} beside it",
            remedy="Write that file, or name another",
        )
    with open_text(beside, "one gene id a line") as text:
        ids = tuple(line.strip() for line in text if line.strip())
    yield _stack(path, cell, values, ids, marks, None)


def read_heads(path: Path) -> dict[str, ArrayHead]:
    """Read shape and type of each array, no values; pickled objects are refused here."""
    found: dict[str, ArrayHead] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.namelist():
                if not member.endswith(".npy"):
                    raise FormatError(
                        "not an NPZ file", file=path, record=member, expected="arrays only"
                    )
                key = member.removesuffix(".npy")
                with archive.open(member) as handle:
                    version = np.lib.format.read_magic(handle)
                    read = (
                        np.lib.format.read_array_header_1_0
                        if version == (1, 0)
                        else np.lib.format.read_array_header_2_0
                    )
                    shape, _, dtype = read(handle)
                if dtype.hasobject:
                    raise _pickled(path, key)
                found[key] = ArrayHead(shape, dtype)
    except _BROKEN as error:
        raise _unreadable(path, None, error) from error
    if not found:
        raise FormatError("an NPZ file without arrays", file=path)
    return found


def _load(path: Path, key: str) -> npt.NDArray[Any]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            loaded: npt.NDArray[Any] = arrays[key]
    except _BROKEN as error:
        raise _unreadable(path, key, error) from error
    return loaded


def _n_marks(path: Path, key: str, head: ArrayHead, marks: tuple[str, ...] | None) -> int:
    """Say how many columns of a cell type's array are marks; another shape is an error."""
    n = _DEFAULT_MARKS if marks is None else len(marks)
    fits = len(head.shape) == 3 and head.shape[2] in (n + 1, n + 2) and 0 not in head.shape
    if not fits or head.dtype.kind not in "iuf":
        raise FormatError(
            "an array that is not genes × bins × columns",
            file=path,
            record=key,
            found=f"shape {head.shape}, {head.dtype}",
            expected=f"numbers of the shape (genes, bins, {n + 1} or {n + 2}): gene id, "
            f"{n} marks, and expression where it is known",
            remedy="Name the file's marks if it has others than five; one stack of arrays is to "
            "be called signal and gene_id",
        )
    return n


def _cell_array(
    path: Path, key: str, array: npt.NDArray[Any], marks: tuple[str, ...] | None
) -> BinnedCell:
    n = _n_marks(path, key, ArrayHead(array.shape, array.dtype), marks)
    ids = _gene_ids(path, key, array[:, :, 0])
    values = np.ascontiguousarray(
        too_large(array[:, :, 1 : n + 1], path, key).transpose(0, 2, 1), dtype=np.float32
    )
    expression = None
    if array.shape[2] == n + 2:
        last = array[:, :, -1]
        differs = np.flatnonzero((last != last[:, :1]).any(axis=1) & ~np.isnan(last).all(axis=1))
        if len(differs):
            row = last[differs[0]]
            other = row[row != row[0]][0]
            raise not_one_per_gene(
                "expression", path, f"{key}, gene {ids[differs[0]]}", f"{row[0]:g}", f"{other:g}"
            )
        expression = too_large(last[:, 0], path, key)
    names = marks or numbered_marks(n)
    return BinnedCell(key, ids, names, values, expression, None, "" if marks else _NUMBERED)


def _gene_ids(path: Path, key: str, column: npt.NDArray[Any]) -> tuple[str, ...]:
    """Read ids that are stored as numbers, repeated over the bins of each gene."""
    differs = np.flatnonzero((column != column[:, :1]).any(axis=1))
    if len(differs):
        row = column[differs[0]]
        other = row[row != row[0]]
        raise not_one_per_gene(
            "gene id",
            path,
            f"{key}, row {differs[0] + 1}",
            f"{row[0]:.15g}",
            f"{other[0] if len(other) else row[0]:.15g}",
        )
    ids = column[:, 0].astype(np.float64)
    # Above this a float of that width no longer holds every whole number.
    bits = np.finfo(column.dtype).nmant + 1 if column.dtype.kind == "f" else 53
    bad = np.flatnonzero((ids != np.floor(ids)) | (np.abs(ids) > 2.0**bits))
    if len(bad):
        raise FormatError(
            "a gene id that is no whole number",
            file=path,
            record=f"{key}, row {bad[0] + 1}",
            found=f"{ids[bad[0]]:.15g}",
            expected=f"whole numbers that {column.dtype} holds exactly, in the first column",
        )
    return tuple(map(str, ids.astype(np.int64).tolist()))


def _named_stack(
    path: Path, heads: dict[str, ArrayHead], cell: str, marks: tuple[str, ...] | None
) -> BinnedCell:
    ids = tuple(str(one).strip() for one in _texts(_load(path, "gene_id")).reshape(-1).tolist())
    named = None
    if "marks" in heads:
        named = tuple(str(one).strip() for one in _texts(_load(path, "marks")).reshape(-1).tolist())
    found = _stack(path, cell, _load(path, "signal"), ids, marks, named)
    targets: dict[str, npt.NDArray[np.float32] | None] = {"expression": None, "label": None}
    for key in targets.keys() & heads.keys():
        array = _load(path, key)
        if array.dtype.kind not in "biuf" or array.size != len(ids):
            raise FormatError(
                "an array that does not fit",
                file=path,
                record=key,
                found=f"shape {array.shape}, {array.dtype}",
                expected=f"one number for each of {len(ids):,} genes",
            )
        targets[key] = too_large(array.astype(np.float64).reshape(-1), path, key)
    label = targets["label"]
    if label is not None and not np.all(np.isin(label, (0, 1)) | np.isnan(label)):
        raise FormatError(
            "a label that is neither 0 nor 1",
            file=path,
            record="label",
            found=f"{label[~np.isin(label, (0, 1))][0]:g}",
            expected="0, 1, or NaN where it is missing",
            remedy="Call measurements expression",
        )
    return found._replace(expression=targets["expression"], label=label)


def _stack(
    path: Path,
    cell: str,
    values: npt.NDArray[Any],
    ids: tuple[str, ...],
    marks: tuple[str, ...] | None,
    named: tuple[str, ...] | None,
) -> BinnedCell:
    if values.ndim != 3 or values.dtype.kind not in "biuf" or values.shape[0] != len(ids):
        raise FormatError(
            "an array that is not genes × marks × bins",
            file=path,
            record="signal",
            found=f"shape {values.shape}, {values.dtype}, with {len(ids):,} gene ids",
            expected="numbers of the shape (genes, marks, bins), and an id for each gene",
        )
    wanted = named or marks or numbered_marks(values.shape[1])
    if len(wanted) != values.shape[1]:
        raise FormatError(
            "another number of marks than names",
            file=path,
            record="signal",
            found=f"{values.shape[1]} marks",
            expected=f"{len(wanted)}: {', '.join(wanted)}",
            remedy="Name the file's marks, in the order of its second axis",
        )
    signal = too_large(values, path, cell)
    if named:
        wanted, signal = choose_marks(marks, named, signal, path)
    return BinnedCell(cell, ids, wanted, signal, None, None, "" if named or marks else _NUMBERED)


def _texts(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.char.decode(array, "utf-8") if array.dtype.kind == "S" else array


def _pickled(path: Path, key: str) -> FormatError:
    return FormatError(
        "an array of pickled objects, which is never loaded because it can run code",
        file=path,
        record=f"array {key}",
        expected="numbers or text of a fixed width",
        remedy="Save it anew as numbers (astype(float)) or text (astype(str))",
    )


def _unreadable(path: Path, key: str | None, error: Exception) -> FormatError:
    if "allow_pickle" in str(error):
        return _pickled(path, key or path.name)
    return FormatError(
        "cannot be read as a NumPy file: damaged, or cut short",
        file=path,
        record=key,
        found=str(error),
        remedy="Copy the file again from where it was whole",
    )
