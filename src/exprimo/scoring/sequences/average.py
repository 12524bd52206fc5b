"""Averages over readings of one sequence that should not differ: both strands, small shifts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from pydantic import Field

from exprimo.core.config import Config
from exprimo.core.predictor import Floats
from exprimo.core.sequence import N_CODE, Codes, reverse_complement


class Average(Config):
    """Over which readings of a window a model's output is averaged."""

    strands: bool = False
    """Read the other strand too, its bins turned round."""
    shifts: int = Field(0, ge=0, le=64)
    """Also read the window shifted by up to so many bases either way; N fills the end."""


class Reading(NamedTuple):
    """One reading of a batch: codes, and whether its bins run the other way."""

    codes: Codes
    turned: bool


def readings(codes: Codes, average: Average) -> Iterator[Reading]:
    """Give every reading of some windows, (n, length) each.

    Examples
    --------
    >>> codes = np.array([[0, 1, 2]], dtype=np.uint8)
    >>> [reading.codes[0].tolist() for reading in readings(codes, Average(shifts=1))]
    [[1, 2, 4], [0, 1, 2], [4, 0, 1]]
    >>> [reading.turned for reading in readings(codes, Average(strands=True))]
    [False, True]
    """
    for shift in range(-average.shifts, average.shifts + 1):
        moved = shifted(codes, shift)
        yield Reading(moved, False)
        if average.strands:
            yield Reading(reverse_complement(moved), True)


def shifted(codes: Codes, shift: int) -> Codes:
    """Move bases ``shift`` places to the right (left if negative); N fills the end.

    Examples
    --------
    >>> shifted(np.array([[0, 1, 2]], dtype=np.uint8), 1).tolist()
    [[4, 0, 1]]
    """
    if not shift:
        return codes
    moved = np.full_like(codes, N_CODE)
    if shift > 0:
        moved[:, shift:] = codes[:, :-shift]
    else:
        moved[:, :shift] = codes[:, -shift:]
    return moved


def in_order(values: Floats, turned: bool) -> Floats:
    """Turn bins, the last axis, back to the order of the window."""
    return np.ascontiguousarray(values[..., ::-1]) if turned else values
