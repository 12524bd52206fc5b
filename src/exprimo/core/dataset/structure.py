"""What a dataset must hold before any of it is used; only metadata is read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, get_args

import h5py
import numpy as np
import numpy.typing as npt

from exprimo.core.dataset.variables import FEWEST_CLASSES, INPUTS, TargetKind
from exprimo.core.errors import FormatError

_UNREADABLE = (AttributeError, KeyError, OSError, RuntimeError, TypeError, ValueError)
_COLUMN_KINDS = "Sib"
_Parsed = TypeVar("_Parsed")

T = TypeVar("T")


def check_structure(path: Path, file: h5py.File) -> None:
    """Refuse a file of which a part is missing, or of another kind or length than the rest."""
    n = _attribute(path, file, "n_examples", _count)
    _attribute(path, file, "sha256", _text)
    _attribute(path, file, "provenance", _facts)
    examples = _group(path, file, "examples")
    names = _attribute(path, examples, "columns", _texts)
    if "example_id" not in names:
        raise _damaged(path, "examples", ", ".join(names), "a column example_id")
    for name in names:
        column = _array(path, examples, name, n)
        if column.dtype.kind not in _COLUMN_KINDS:
            raise _damaged(path, column.name, column.dtype, "text, whole numbers or bool")
    inputs = _group(path, file, "inputs")
    for name in inputs:
        _check_input(path, _group(path, inputs, name), name, n)
    if "targets" in file:
        targets = _group(path, file, "targets")
        for name in targets:
            target = _array(path, targets, name, n, np.float32)
            kind = _attribute(path, target, "kind", _target_kind)
            if kind == "multiclass":
                _attribute(path, target, "classes", _class_names)
            _attribute(path, target, "units", _text)


def _check_input(path: Path, group: h5py.Group, name: str, n: int) -> None:
    axes = _attribute(path, group, "axes", _texts)
    _attribute(path, group, "labels", _texts)
    _attribute(path, group, "units", _text)
    _array(path, group, "index", n, np.int64)
    values = _array(path, group, "values", None, INPUTS[name].dtype if name in INPUTS else None)
    if len(values.shape) != len(axes) or 0 in values.shape:
        raise _damaged(
            path, values.name, f"shape {values.shape}", f"({', '.join(axes)}), none of them empty"
        )


def _attribute(
    path: Path, owner: h5py.Group | h5py.Dataset, name: str, parse: Callable[[Any], _Parsed]
) -> _Parsed:
    try:
        return parse(owner.attrs[name])
    except _UNREADABLE as error:
        record = f"{owner.name}, attribute {name}"
        raise _damaged(path, record, "missing or unreadable", "what was written") from error


def _member(path: Path, group: h5py.Group, name: str) -> Any:
    try:
        return group[name]
    except _UNREADABLE as error:
        record = f"{group.name}/{name}"
        raise _damaged(path, record, "missing or unreadable", "what was written") from error


def _group(path: Path, parent: h5py.Group, name: str) -> h5py.Group:
    found = _member(path, parent, name)
    if not isinstance(found, h5py.Group):
        raise _damaged(path, f"{parent.name}/{name}", "an array", "a group")
    return found


def _array(
    path: Path, parent: h5py.Group, name: str, n: int | None, dtype: npt.DTypeLike | None = None
) -> h5py.Dataset:
    found = _member(path, parent, name)
    record = f"{parent.name}/{name}"
    if not isinstance(found, h5py.Dataset) or found.shape is None:
        raise _damaged(path, record, "no array", "an array")
    if n is not None and found.shape != (n,):
        raise _damaged(path, record, f"shape {found.shape}", f"one value for each of {n} examples")
    if dtype is not None and found.dtype != dtype:
        raise _damaged(path, record, found.dtype, np.dtype(dtype))
    return found


def _damaged(path: Path, record: str, found: object, expected: object) -> FormatError:
    return FormatError(
        "a dataset that is damaged or was changed by another tool",
        file=path,
        record=record.lstrip("/"),
        found=found,
        expected=expected,
        remedy="Build it again, or copy it again from where it was whole",
    )


def _count(value: Any) -> int:
    if not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(value)
    return int(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _texts(value: Any) -> list[str]:
    return [_text(one) for one in np.asarray(value).tolist()]


def _facts(value: Any) -> dict[str, Any]:
    facts = json.loads(value)
    if not isinstance(facts, dict):
        raise TypeError(facts)
    return facts


def _class_names(value: Any) -> list[str]:
    names = _texts(value)
    if len(names) < FEWEST_CLASSES or len(set(names)) < len(names):
        raise ValueError(names)
    return names


def _target_kind(value: Any) -> str:
    if value not in get_args(TargetKind):
        raise ValueError(value)
    return _text(value)
