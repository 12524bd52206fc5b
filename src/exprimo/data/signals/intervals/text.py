"""Lines of BED and bedGraph, a block of the file at a time."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import FormatError
from exprimo.data.signals.intervals.text_kernel import (
    BAD_POSITION,
    BAD_STRETCH,
    FEW_FIELDS,
    FINE,
    MANY_FIELDS,
    parse_lines,
)
from exprimo.data.tabular import is_number, refuse_binary
from exprimo.data.textfile import open_bytes

_BLOCK = 1 << 22
_NOT_DATA = (b"#", b"track", b"browser")

_PROBLEMS = {
    FEW_FIELDS: ("a line that is cut off", "chromosome, start, end"),
    MANY_FIELDS: ("a line with more than four fields", "chromosome, start, end, value"),
    BAD_POSITION: ("start or end is not a whole number below 2,147,483,648", "two positions"),
    BAD_STRETCH: ("an impossible stretch", "0 <= start < end"),
}


class Stretch(NamedTuple):
    """Consecutive lines of one chromosome.

    ``values`` is empty where none were asked for; ``lines`` are numbered from 1.
    """

    chrom: str
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    lines: npt.NDArray[np.int64]


def first_fields(path: Path, what: str) -> list[str]:
    """Split the first line of data; a file without one is an error."""
    refuse_binary(path)
    with open_bytes(path, what) as handle:
        for line in handle:
            fields = line.split()
            if fields and not line.startswith(_NOT_DATA):
                return [field.decode("utf-8", "replace") for field in fields]
    raise FormatError("no line of data in this file", file=path, expected=what)


def read_stretches(path: Path, what: str, *, with_values: bool) -> Iterator[Stretch]:
    """Yield the lines of a BED (three columns are read) or a bedGraph (four, no more).

    Fields are separated by tabs or spaces; ``#``, ``track`` and ``browser`` lines and blank ones
    are passed over. A stretch ends with a block of the file, too.
    """
    line = 1
    with open_bytes(path, what) as handle:
        rest = b""
        while True:
            block = handle.read(_BLOCK)
            whole = rest + block
            cut = whole.rfind(b"\n") + 1 if block else len(whole)
            text, rest = whole[:cut], whole[cut:]
            if text:
                yield from _parsed(text, path, line, with_values)
                line += text.count(b"\n")
            if not block:
                return


def _parsed(text: bytes, path: Path, line: int, with_values: bool) -> Iterator[Stretch]:
    raw = np.frombuffer(text, dtype=np.uint8)
    most = text.count(b"\n") + 1
    numbers = np.empty((3, most), dtype=np.int64)  # start, end, line
    names = np.empty((most, 2), dtype=np.int64)
    values = np.empty(most if with_values else 0)
    fields = np.empty((most if with_values else 0, 2), dtype=np.int64)
    status, n, bad = parse_lines(raw, with_values, numbers, names, values, fields)
    numbers[2] += line
    if status != FINE:
        problem, expected = _PROBLEMS[status]
        shown = text.split(b"\n")[bad][:60].decode("utf-8", "replace")
        raise FormatError(
            problem, file=path, record=f"line {line + bad}", found=repr(shown), expected=expected
        )
    # The kernel leaves NaN where the plain way of reading a number is not exact.
    for at in np.flatnonzero(np.isnan(values[:n])) if with_values else ():
        values[at] = _value(text[slice(*fields[at])], path, int(numbers[2, at]))
    # A name is noted where it differs from that of the line before, -1 elsewhere.
    begins = np.flatnonzero(names[:n, 0] >= 0)
    for left, right in itertools.pairwise([*begins.tolist(), n]):
        chrom = text[names[left, 0] : names[left, 1]].decode("utf-8", "replace")
        part = slice(left, right)
        starts, ends, lines = numbers[:, part]
        yield Stretch(chrom, starts, ends, values[part], lines)


def _value(field: bytes, path: Path, line: int) -> float:
    text = field.decode("utf-8", "replace")
    if not is_number(text):
        raise FormatError(
            "signal that is no finite number",
            file=path,
            record=f"line {line}",
            found=repr(text),
            expected="a finite number in the fourth column",
        )
    return float(text)
