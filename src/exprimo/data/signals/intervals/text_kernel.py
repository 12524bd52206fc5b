"""The compiled reading of lines ``chrom start end [value]``."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from exprimo.core.compiled import compiled
from exprimo.data.signals.adding import Int

FINE, FEW_FIELDS, MANY_FIELDS, BAD_POSITION, BAD_STRETCH = 0, 1, 2, 3, 4

_LARGEST_POSITION = 2**31 - 1
# Whole numbers up to 2^53 and powers of ten up to 22 are exact in float64, and so is, but for one
# rounding, their product or quotient (Clinger 1990, "How to read floating point numbers
# accurately").
_EXACT = 2**53
_POWERS = 10.0 ** np.arange(23)

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

_TAB, _NEWLINE, _RETURN, _SPACE, _HASH = 9, 10, 13, 32, 35


@compiled
def _is_blank(letter: int) -> bool:
    return letter in (_TAB, _SPACE, _RETURN)


@compiled
def _skip_blanks(text: Bytes, at: int) -> int:
    while at < len(text) and _is_blank(text[at]):
        at += 1
    return at


@compiled
def _field_end(text: Bytes, at: int) -> int:
    while at < len(text) and text[at] != _NEWLINE and not _is_blank(text[at]):
        at += 1
    return at


@compiled
def _position(text: Bytes, at: int, end: int) -> Int:
    """Read a whole number; -1 where it is none or too large."""
    number: Int = 0
    if at == end or end - at > 10:
        return -1
    for place in range(at, end):
        digit = np.int64(text[place]) - 48
        if digit < 0 or digit > 9:
            return -1
        number = 10 * number + digit
    return number if number <= _LARGEST_POSITION else -1


@compiled
def _number(text: Bytes, at: int, end: int) -> float:
    """Read a decimal number; NaN where it is none, or where this way would not be exact."""
    negative = at < end and text[at] == 45
    if at < end and text[at] in (43, 45):
        at += 1
    mantissa: Int = np.int64(0)
    power: Int = 0
    digits = 0
    point = False
    while at < end:
        letter = text[at]
        if letter == 46 and not point:
            point = True
        elif 48 <= letter <= 57:
            if mantissa > _EXACT // 10:
                return np.nan
            mantissa = 10 * mantissa + np.int64(letter) - 48
            digits += 1
            power -= 1 if point else 0
        else:
            break
        at += 1
    if digits == 0:
        return np.nan
    if at < end:
        if text[at] not in (69, 101):  # e, E
            return np.nan
        at += 1
        minus = at < end and text[at] == 45
        if at < end and text[at] in (43, 45):
            at += 1
        exponent = _position(text, at, end)
        if exponent < 0:
            return np.nan
        power += -exponent if minus else exponent
    if power > 22 or power < -22:
        return np.nan
    number = mantissa * _POWERS[power] if power >= 0 else mantissa / _POWERS[-power]
    return float(-number if negative else number)


@compiled
def _is_remark(text: Bytes, at: int, end: int) -> bool:
    """Tell a line that holds no data by its first field."""
    if text[at] == _HASH:
        return True
    length = end - at
    if length == 5:  # track
        return bool(text[at] == 116 and text[at + 1] == 114 and text[at + 4] == 107)
    if length == 7:  # browser
        return bool(text[at] == 98 and text[at + 1] == 114 and text[at + 6] == 114)
    return False


@compiled
def _same(text: Bytes, one: int, other: int, length: int) -> bool:
    for at in range(length):  # noqa: SIM110 -- numba compiles no generators
        if text[one + at] != text[other + at]:
            return False
    return True


@compiled
def parse_lines(
    text: Bytes,
    with_values: bool,
    numbers: Ints,
    names: Ints,
    values: npt.NDArray[np.float64],
    fields: Ints,
) -> tuple[int, int, int]:
    """Read whole lines into arrays.

    Parameters
    ----------
    text
        Whole lines.
    numbers
        Shape (3, lines): filled with start, end, and the line counted from 0.
    names
        Shape (lines, 2): where the chromosome's name begins and ends in ``text``, or -1 and -1
        where it is that of the line before.
    values, fields
        The fourth column, and where it stands; empty without values.

    Returns
    -------
    status, lines of data, and the line (from 0) where it stopped.
    """
    at, line, n = 0, 0, 0
    name, name_length = 0, -1
    while at < len(text):
        at = _skip_blanks(text, at)
        end = _field_end(text, at)
        if end > at and not _is_remark(text, at, end):
            if end - at == name_length and _same(text, at, name, name_length):
                names[n, 0] = names[n, 1] = -1
            else:
                names[n, 0], names[n, 1] = at, end
                name, name_length = at, end - at
            for column in range(2):
                at = _skip_blanks(text, end)
                end = _field_end(text, at)
                if at == end:
                    return FEW_FIELDS, n, line
                numbers[column, n] = _position(text, at, end)
                if numbers[column, n] < 0:
                    return BAD_POSITION, n, line
            if numbers[0, n] >= numbers[1, n]:
                return BAD_STRETCH, n, line
            if with_values:
                at = _skip_blanks(text, end)
                end = _field_end(text, at)
                if at == end:
                    return FEW_FIELDS, n, line
                values[n] = _number(text, at, end)
                fields[n, 0], fields[n, 1] = at, end
                after = _skip_blanks(text, end)
                if after < len(text) and text[after] != _NEWLINE:
                    return MANY_FIELDS, n, line
            numbers[2, n] = line
            n += 1
        at = end
        while at < len(text) and text[at] != _NEWLINE:
            at += 1
        at += 1
        line += 1
    return FINE, n, 0
