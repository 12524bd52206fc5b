"""Levenshtein distance of whole sequences, 64 cells of the table at a time (Myers 1999).

The blocks of longer sequences are joined as Hyyrö (2003) does. An edit is a substitution, an
insertion or a deletion of one base.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from exprimo.core.compiled import compiled
from exprimo.core.sequence import Codes

Masks = npt.NDArray[np.uint64]

_ONE = np.uint64(1)
_TOP = np.uint64(63)
_NONE = np.uint64(0)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_LETTERS = 5


def edit_distance(one: Codes, other: Codes) -> int:
    """Count the edits that turn one sequence into another.

    Examples
    --------
    >>> from exprimo.core.sequence import encode
    >>> edit_distance(encode("GATTACA"), encode("GCATACA"))
    2
    """
    if not len(one) or not len(other):
        return max(len(one), len(other))
    return int(distance_to(masks_of(one), len(one), other))


@compiled
def masks_of(query: Codes) -> Masks:
    """Mark where each base stands in a sequence: bits of (bases, blocks of 64)."""
    masks = np.zeros((_LETTERS, (query.size + 63) // 64), np.uint64)
    for at in range(query.size):
        masks[query[at], at // 64] |= _ONE << np.uint64(at % 64)
    return masks


@compiled
def distance_to(masks: Masks, size: int, other: Codes) -> int:
    """Give the distance of a sequence of ``size`` bases, as masks, from another."""
    blocks = masks.shape[1]
    rises = np.full(blocks, _ALL, np.uint64)
    falls = np.zeros(blocks, np.uint64)
    last = np.uint64((size - 1) % 64)
    score = size
    for at in range(other.size):
        base = other[at]
        # The top row of the table rises by one at each column.
        carry_up, carry_down = _ONE, _NONE
        for block in range(blocks):
            equal = masks[base, block]
            up, down = rises[block], falls[block]
            vertical = equal | down
            equal |= carry_down
            horizontal = (((equal & up) + up) ^ up) | equal
            right_up = down | ~(horizontal | up)
            right_down = up & horizontal
            if block == blocks - 1:
                score += int((right_up >> last) & _ONE) - int((right_down >> last) & _ONE)
            next_up, next_down = right_up >> _TOP, right_down >> _TOP
            right_up = (right_up << _ONE) | carry_up
            right_down = (right_down << _ONE) | carry_down
            rises[block] = right_down | ~(vertical | right_up)
            falls[block] = right_up & vertical
            carry_up, carry_down = next_up, next_down
    return score


@compiled
def nearest_of_all(queries: Codes, others: Codes) -> npt.NDArray[np.int64]:
    """Give the row of the nearest of ``others`` and its distance, (queries, 2)."""
    found = np.empty((queries.shape[0], 2), np.int64)
    for row in range(queries.shape[0]):
        masks = masks_of(queries[row])
        best, best_row = 1 << 40, -1
        for other in range(others.shape[0]):
            distance = distance_to(masks, queries.shape[1], others[other])
            if distance < best:
                best, best_row = distance, other
        found[row, 0], found[row, 1] = best_row, best
    return found


@compiled
def nearest_of_some(
    queries: Codes, others: Codes, candidates: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Do the same among the candidates (queries, some rows of ``others``) of each query."""
    found = np.empty((queries.shape[0], 2), np.int64)
    for row in range(queries.shape[0]):
        masks = masks_of(queries[row])
        best, best_row = 1 << 40, -1
        for place in range(candidates.shape[1]):
            other = candidates[row, place]
            distance = distance_to(masks, queries.shape[1], others[other])
            if distance < best:
                best, best_row = distance, other
        found[row, 0], found[row, 1] = best_row, best
    return found
