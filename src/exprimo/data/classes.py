"""Cells that name one of several classes, and the codes that they become."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.dataset.variables import FEWEST_CLASSES
from exprimo.core.errors import ConfigError, FormatError
from exprimo.data.tabular import is_missing

# A column with more different names than this holds ids or measurements.
_MOST_CLASSES = 50


class Classes(NamedTuple):
    """Codes, (rows,) float32, NaN where missing; ``names[code]`` is the class."""

    codes: npt.NDArray[np.float32]
    names: tuple[str, ...]


def parse_class(
    cell: str, known: Sequence[str] = (), *, file: str | Path, record: str
) -> str | float:
    """Read the name of a class; NaN where there is none.

    Whole numbers are written alike (``1.0`` as ``1``: tables with gaps are often saved so).

    Parameters
    ----------
    known
        The names that may occur; empty takes any. A cell ``none`` is a class only if named here,
        because other tables write it where there is no value.

    Examples
    --------
    >>> parse_class(" up", file="t.tsv", record="g1"), parse_class("2.0", file="t.tsv", record="g1")
    ('up', '2')
    """
    name = class_name(cell)
    if name in known:
        return name
    if known:
        if is_missing(cell):
            return math.nan
        raise FormatError(
            "not one of the classes",
            file=file,
            record=record,
            found=repr(cell),
            expected=", ".join(known) + ", or empty",
        )
    if name.lower() == "none":
        raise FormatError(
            "this may be a class or a missing value",
            file=file,
            record=record,
            found=repr(cell),
            expected="names of classes that do not also mean a missing value",
            remedy="Name the classes in order (--classes down,none,up), or leave such cells empty",
        )
    return math.nan if is_missing(cell) else name


def class_name(text: str) -> str:
    """Give a name as it is compared and stored: stripped, whole numbers without a fraction.

    Examples
    --------
    >>> class_name("2.0"), class_name(" none ")
    ('2', 'none')
    """
    name = text.strip()
    try:
        number = float(name)
    except ValueError:
        return name
    return str(int(number)) if number.is_integer() and "_" not in name else name


def check_class_names(names: Sequence[str]) -> tuple[str, ...]:
    """Give the names of classes in their stored form, or refuse them before any work is done."""
    tidy = tuple(class_name(str(name)) for name in names)
    repeated = [name for name, count in Counter(tidy).items() if count > 1]
    if len(tidy) < FEWEST_CLASSES or repeated or not all(tidy):
        raise ConfigError(
            "these cannot be classes",
            record="classes",
            found=", ".join(map(str, names)) or "no name",
            expected=f"{FEWEST_CLASSES} or more different names",
            remedy="For two classes use labels 0 and 1 with kind classification",
        )
    return tidy


def encode_classes(
    cells: Sequence[str | float] | npt.NDArray[np.object_],
    known: Sequence[str] = (),
    *,
    name: str,
) -> Classes:
    """Turn names into codes: positions in ``known``, or in the sorted names that occur.

    Parameters
    ----------
    cells
        What `parse_class` gave, (rows,).
    name
        Of the target, for errors.

    Examples
    --------
    >>> codes, names = encode_classes(["up", "down", math.nan, "same"], name="change")
    >>> codes.tolist(), names
    ([2.0, 0.0, nan, 1.0], ('down', 'same', 'up'))
    """
    names = tuple(known) or _sorted({cell for cell in cells if isinstance(cell, str)})
    if not FEWEST_CLASSES <= len(names) <= _MOST_CLASSES:
        raise FormatError(
            "not a column of classes",
            record=name,
            found=f"{len(names):,} different values ({', '.join(names[:5])})",
            expected=f"{FEWEST_CLASSES} to {_MOST_CLASSES} names or small whole numbers",
            remedy="Choose kind regression for numbers, classification for labels 0 and 1",
        )
    codes: dict[str | float, int] = {each: code for code, each in enumerate(names)}
    found = [codes[cell] if isinstance(cell, str) else math.nan for cell in cells]
    return Classes(np.array(found, dtype=np.float32), names)


def _sorted(names: set[str]) -> tuple[str, ...]:
    if all(name.lstrip("-").isdecimal() for name in names):
        return tuple(sorted(names, key=int))
    return tuple(sorted(names))
