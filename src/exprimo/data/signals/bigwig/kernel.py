"""The compiled loop over inflated BigWig blocks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from exprimo.core.compiled import compiled
from exprimo.data.signals.adding import Int, add_intervals

# What `add_blocks` answers beside the place.
FINE, DAMAGED, NOT_FINITE = 0, 1, 2

_HEADER_WORDS = 6
_BED_GRAPH, _VARIABLE_STEP, _FIXED_STEP = 1, 2, 3
_MOST_ITEMS = 1 << 16

Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint32]
Values = npt.NDArray[np.float32]


@compiled
def read_items(
    words: Words, values: Values, at: Int, stop: Int, starts: Ints, ends: Ints, found: Values
) -> Int:
    """Read the items of the block of words [at, stop) into the last three arrays.

    The answer is their number, or -1 where the block contradicts itself: more items than it has
    room for, empty ones, or such that overlap or are not sorted.
    """
    origin, step = np.int64(words[at + 1]), np.int64(words[at + 3])
    span = np.int64(words[at + 4])
    kind, count = np.int64(words[at + 5] & 255), np.int64(words[at + 5] >> 16)
    width = 4 - kind  # words of an item: start, end, value; start, value; value
    at += _HEADER_WORDS
    if kind < _BED_GRAPH or kind > _FIXED_STEP or at + count * width > stop:
        return -1
    last = np.int64(0)
    for item in range(count):
        start = origin + item * step if kind == _FIXED_STEP else np.int64(words[at])
        end = np.int64(words[at + 1]) if kind == _BED_GRAPH else start + span
        if start < last or end <= start:
            return -1
        starts[item], ends[item], found[item] = start, end, values[at + width - 1]
        last = end
        at += width
    return count


@compiled
def add_blocks(
    words: Words,
    values: Values,
    bounds: Ints,
    chrom: int,
    windows: Ints,
    bin_size: int,
    sums: npt.NDArray[np.float64],
) -> tuple[int, float, int]:
    """Add value × overlapping bases of each item to the bins that it overlaps.

    Parameters
    ----------
    words, values
        Inflated blocks behind one another, as whole numbers and (the same bytes) as floats.
    bounds
        Where each block begins in them, and the end of the last one.
    chrom
        The number of the chromosome; blocks of others are passed over.
    windows
        First bases of the windows, ascending.
    sums
        Shape (windows, bins); added to.

    Returns
    -------
    status; for `NOT_FINITE` the value and the start of its item.
    """
    starts, ends = np.empty(_MOST_ITEMS, np.int64), np.empty(_MOST_ITEMS, np.int64)
    found = np.empty(_MOST_ITEMS, np.float32)
    for block in range(len(bounds) - 1):
        at, stop = bounds[block], bounds[block + 1]
        if stop - at < _HEADER_WORDS:
            return DAMAGED, 0.0, 0
        if words[at] != chrom:
            continue
        n = read_items(words, values, at, stop, starts, ends, found)
        if n < 0:
            return DAMAGED, 0.0, 0
        bad = add_intervals(starts, ends, found, n, windows, bin_size, sums)
        if bad >= 0:
            return NOT_FINITE, float(found[bad]), int(starts[bad])
    return FINE, 0.0, 0
