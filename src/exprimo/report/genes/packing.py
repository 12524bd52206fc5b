"""Numbers in little room: quantised, compressed, and written as text that a page can hold."""

from __future__ import annotations

import base64
import zlib
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Packed = dict[str, Any]
Floats = npt.NDArray[np.float32]

_TYPES = {"f8": "<f8", "f4": "<f4", "i4": "<i4", "i1": "|i1", "u1": "|u1"}


def packed(values: npt.ArrayLike, kind: str = "f4") -> Packed:
    """Compress an array and write it as text, with its type and its shape.

    Parameters
    ----------
    values
        Any shape.
    kind
        ``f8``, ``f4``, ``i4``, ``i1`` or ``u1``: what is kept of each number.

    Examples
    --------
    >>> unpacked(packed([[1.5, 2], [3, 4]])).tolist()
    [[1.5, 2.0], [3.0, 4.0]]
    """
    array = np.ascontiguousarray(values, dtype=_TYPES[kind])
    text = base64.b64encode(zlib.compress(array.tobytes(), 6)).decode()
    return {"type": kind, "shape": list(array.shape), "data": text}


def unpacked(given: Packed) -> npt.NDArray[Any]:
    """Give back the array of `packed`."""
    plain = zlib.decompress(base64.b64decode(given["data"]))
    return np.frombuffer(plain, _TYPES[given["type"]]).reshape(given["shape"])


class Signed(NamedTuple):
    """Numbers of both signs as one byte each: a value is ``steps * scale``.

    Attributes
    ----------
    steps
        int8, (n, ...), -127 to 127.
    scale
        Of each row, (n,); 0 where a row is 0 throughout.
    """

    steps: npt.NDArray[np.int8]
    scale: Floats


class Bounded(NamedTuple):
    """Numbers between two bounds as one byte each: ``low + steps * (high - low) / 255``.

    Attributes
    ----------
    steps
        uint8, (n, bins).
    low, high
        Of each row, (n,).
    """

    steps: npt.NDArray[np.uint8]
    low: Floats
    high: Floats


def signed_bytes(values: npt.NDArray[Any]) -> Signed:
    """Quantise each row by its own scale; a value is off by at most half a step.

    Parameters
    ----------
    values
        (n, ...); what is not finite counts as 0.

    Examples
    --------
    >>> found = signed_bytes(np.array([[0.0, -2.54, 1.27]]))
    >>> found.steps.tolist(), round(float(found.scale[0]), 4)
    ([[0, -127, 64]], 0.02)
    """
    clean = np.nan_to_num(np.asarray(values, np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    flat = clean.reshape(len(clean), -1)
    scale = np.abs(flat).max(1, initial=0.0) / 127
    steps = np.rint(flat / np.where(scale > 0, scale, 1.0)[:, None])
    # A scale too small for float32 is 0 there, and its row with it.
    return Signed(steps.reshape(clean.shape).astype(np.int8), scale.astype(np.float32))


def bounded_bytes(values: npt.NDArray[Any]) -> Bounded:
    """Quantise each row between its least and its greatest value, off by half a step at most.

    Parameters
    ----------
    values
        (n, bins); what is not finite counts as the least.
    """
    array = np.asarray(values, np.float64)
    known = np.where(np.isfinite(array), array, np.nan)
    empty = np.isnan(known).all(1)
    known[empty] = 0.0
    low, high = np.nanmin(known, 1), np.nanmax(known, 1)
    span = np.where(high > low, high - low, 1.0)
    steps = np.rint((np.nan_to_num(known - low[:, None]) / span[:, None]) * 255)
    return Bounded(steps.astype(np.uint8), low.astype(np.float32), high.astype(np.float32))
