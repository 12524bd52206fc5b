"""Which edited windows are equal, told without building them.

A window is read as a number to a random base, modulo the prime 2^61 - 1 (Karp and Rabin 1987,
IBM Journal of Research and Development 31:249). A stretch of the reference between two edits then
costs one multiplication, however long it is. Two bases make a chance agreement of two different
windows of 200,000 bp less likely than 1e-25.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from exprimo.core.compiled import compiled
from exprimo.core.sequence import N_CODE, Codes
from exprimo.features.haplotypes.kernels import Edits, Integers

Words = npt.NDArray[np.uint64]

# Any two numbers below 2^61 - 1 do.
_BASES = np.array([0x0F3A9C5B7E21D64D, 0x1B87D0E2C49F3561], dtype=np.uint64)


def same_windows(
    reference: Codes, edits: Edits, members: Integers, at: Integers, shift: Integers, length: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Give the first haplotype with the same window, and whether N stands in it, (haplotypes,).

    Arguments are those of `fill_windows`; the window is wholly covered.
    """
    marks = _marks(reference, edits, members, at, shift, length, _BASES)
    _, first, inverse = np.unique(marks[:, :2], axis=0, return_index=True, return_inverse=True)
    return first[inverse.reshape(-1)], marks[:, 2] > 0


@compiled
def _reduced(number: np.uint64) -> np.uint64:
    prime = np.uint64(0x1FFFFFFFFFFFFFFF)
    number = (number & prime) + (number >> np.uint64(61))
    return number - prime if number >= prime else number


@compiled
def _times(a: np.uint64, b: np.uint64) -> np.uint64:
    """Multiply modulo 2^61 - 1 in halves of 31 bits, so that nothing leaves 64 bits."""
    low31, low30 = np.uint64(0x7FFFFFFF), np.uint64(0x3FFFFFFF)
    thirty, thirty_one = np.uint64(30), np.uint64(31)
    a_high, a_low = a >> thirty_one, a & low31
    b_high, b_low = b >> thirty_one, b & low31
    middle = a_low * b_high + a_high * b_low
    return _reduced(
        ((a_high * b_high) << np.uint64(1))
        + (middle >> thirty)
        + ((middle & low30) << thirty_one)
        + a_low * b_low
    )


@compiled
def _prefixes(codes: Codes, base: np.uint64) -> Words:
    """Give the number that the first i bases are, for each i, (length + 1,)."""
    found = np.zeros(codes.size + 1, dtype=np.uint64)
    for at in range(codes.size):
        found[at + 1] = _reduced(_times(found[at], base) + np.uint64(codes[at]) + np.uint64(1))
    return found


@compiled
def _powers(base: np.uint64, length: int) -> Words:
    found = np.ones(length + 1, dtype=np.uint64)
    for at in range(length):
        found[at + 1] = _times(found[at], base)
    return found


@compiled
def _counts(codes: Codes) -> Words:
    """Count N among the first i bases, (length + 1,)."""
    found = np.zeros(codes.size + 1, dtype=np.uint64)
    for at in range(codes.size):
        found[at + 1] = found[at] + np.uint64(codes[at] == N_CODE)
    return found


@compiled
def _added(
    mark: Words, begin: int, end: int, tables: tuple[Words, Words, Words], powers: Words
) -> None:
    """Append bases ``[begin, end)`` to a window's numbers (two bases) and its count of N."""
    prime = np.uint64(0x1FFFFFFFFFFFFFFF)
    for which in range(2):
        table = tables[which]
        power = powers[which, end - begin]
        stretch = _reduced(table[end] + prime - _times(table[begin], power))
        mark[which] = _reduced(_times(mark[which], power) + stretch)
    mark[2] += tables[2][end] - tables[2][begin]


@compiled
def _exchanged(mark: Words, before: int, after: int, power: Words) -> None:
    """Put one base for another; ``power`` is that of the number of bases behind it."""
    prime = np.uint64(0x1FFFFFFFFFFFFFFF)
    change = np.uint64(after) + prime - np.uint64(before)
    for which in range(2):
        mark[which] = _reduced(mark[which] + _times(_reduced(change), power[which]))
    mark[2] += np.uint64(after == N_CODE)
    mark[2] -= np.uint64(before == N_CODE)


@compiled
def _marks(
    reference: Codes,
    edits: Edits,
    members: Integers,
    at: Integers,
    shift: Integers,
    length: int,
    bases: Words,
) -> Words:
    powers = np.empty((2, length + 1), dtype=np.uint64)
    powers[0], powers[1] = _powers(bases[0], length), _powers(bases[1], length)
    of_reference = (
        _prefixes(reference, bases[0]), _prefixes(reference, bases[1]), _counts(reference),
    )  # fmt: skip
    of_alt = _prefixes(edits.alt, bases[0]), _prefixes(edits.alt, bases[1]), _counts(edits.alt)
    marks = np.zeros((at.size - 1, 3), dtype=np.uint64)
    for haplotype in range(at.size - 1):
        begin, end = at[haplotype], at[haplotype + 1]
        new, old, waiting = shift[haplotype], 0, 0
        mark = marks[haplotype]
        for step in range(end - begin + 1):
            if step < end - begin:
                v = members[end - 1 - step] if edits.minus else members[begin + step]
                first, last = edits.first[v], edits.last[v]
                alt_low = min(edits.alt_at[v], edits.alt_at[v + 1])
                alt_high = max(edits.alt_at[v], edits.alt_at[v + 1])
                if last - first == 1 and alt_high - alt_low == 1:
                    continue
            else:
                first, last, alt_low, alt_high = reference.size, reference.size, 0, 0
            low = max(new, 0, new - old)
            high = min(new - old + min(first, reference.size), length)
            if high > low:
                _added(mark, old + low - new, old + high - new, of_reference, powers)
            for passed in range(waiting, step):
                v = members[end - 1 - passed] if edits.minus else members[begin + passed]
                place = new - old + edits.first[v]
                if low <= place < high:
                    base = edits.alt[min(edits.alt_at[v], edits.alt_at[v + 1])]
                    _exchanged(mark, reference[edits.first[v]], base, powers[:, high - 1 - place])
            new += first - old
            low, high = max(new, 0), min(new + alt_high - alt_low, length)
            if high > low:
                _added(mark, alt_low + low - new, alt_low + high - new, of_alt, powers)
            new += alt_high - alt_low
            old, waiting = last, step + 1
            if new >= length:
                break
    return marks
