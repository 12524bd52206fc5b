"""A table of a page: what each cell says, and what it is sorted by."""

from __future__ import annotations

import math
import sys
from typing import NamedTuple

from exprimo.report.wording import (
    ABSENT,
    interval,
    number,
    p_value,
    percent,
    power_of_ten,
    visible,
)

MAX_ROWS = 200
"""Rows shown of a long table; the file that is named beside it has all."""


class Cell(NamedTuple):
    """A cell: text, a smaller second line, what it is sorted by, and whether it is the best."""

    text: str
    detail: str = ""
    order: str | float = ""
    best: bool = False


class Column(NamedTuple):
    """A column's heading, its explanation, and whether it holds numbers."""

    label: str
    numeric: bool = False
    note: str = ""


class Table(NamedTuple):
    """A table with its caption and the file that its numbers came from.

    `group_by` is the column by whose values the reader may filter, None where there is no need;
    `grouped` says in words what a group is.
    """

    key: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    source: str
    group_by: int | None = None
    groups: tuple[str, ...] = ()
    grouped: str = "split"


def named(text: str, detail: str = "") -> Cell:
    """Make a cell of text that somebody else chose."""
    text = visible(text)
    return Cell(text or ABSENT, visible(detail), text.lower())


def counting(n: int | float | None) -> Cell:
    """Make a cell of a whole number."""
    if n is None or math.isnan(n):
        return Cell(ABSENT, order="")
    return Cell(f"{int(n):,}".replace("-", "−"), order=float(n))


def quantity(value: float | None, digits: int = 3) -> Cell:
    """Make a cell of a number."""
    if value is None or math.isnan(value):
        return Cell(ABSENT, order="")
    return Cell(number(value, digits), order=float(value))


def share(value: float | None) -> Cell:
    """Make a cell of a share, written as a percentage."""
    if value is None or math.isnan(value):
        return Cell(ABSENT, order="")
    return Cell(percent(value), order=float(value))


def probability(p: float | None, *, exact: bool = False) -> Cell:
    """Make a cell of a p-value: below 0.001 only the bound, or its power of ten if `exact`."""
    if p is None or math.isnan(p):
        return Cell(ABSENT, order="")
    text = power_of_ten(p, 1) if exact and 0 < p < 0.001 else p_value(p)
    return Cell(text, order=float(p))


def estimate(value: float, low: float, high: float, *, best: bool = False) -> Cell:
    """Make a cell of a value above its interval."""
    if math.isnan(value):
        return Cell(ABSENT)
    # The page's script cannot read "inf".
    order = math.copysign(sys.float_info.max, value) if math.isinf(value) else value
    return Cell(number(value), interval(low, high), order, best)
