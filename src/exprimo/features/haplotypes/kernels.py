"""The compiled loops: which variants apply, where that moves the origin, and the edited bases.

Haplotypes are lists of variant numbers written one behind the other: ``members``, of which
haplotype h has those from ``at[h]`` to ``at[h + 1]``, in order of position.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.compiled import compiled
from exprimo.core.sequence import Codes

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


class Edits(NamedTuple):
    """Replacements of stretches ``[first, last)`` by some of ``alt``.

    Variant v has the bases of ``alt`` between ``alt_at[v]`` and ``alt_at[v + 1]``, whichever is
    the lesser. Where ``minus``, positions count down the forward strand and ``alt`` is
    reverse-complemented, so that the variants of a haplotype come from the last to the first.
    """

    first: Integers
    last: Integers
    alt: Codes
    alt_at: Integers
    minus: bool


@compiled
def which_apply(
    members: Integers,
    at: Integers,
    start: Integers,
    end: Integers,
    anchored: Flags,
    grows: Flags,
) -> Flags:
    """Tell which variants of each haplotype apply, (members,): the rule of bcftools consensus."""
    kept = np.zeros(members.size, dtype=np.bool_)
    for haplotype in range(at.size - 1):
        frozen, grew = -1, False
        for place in range(at[haplotype], at[haplotype + 1]):
            v = members[place]
            if start[v] < frozen or (start[v] == frozen and (grew or not anchored[v])):
                continue
            kept[place] = True
            frozen, grew = end[v] - 1, grows[v]
    return kept


@compiled
def origins(members: Integers, at: Integers, edits: Edits, origin: int) -> Integers:
    """Give the index of the base ``origin`` in each edited sequence, (haplotypes,).

    Where an edit took it away: of the next base that is left.
    """
    found = np.empty(at.size - 1, dtype=np.int64)
    for haplotype in range(at.size - 1):
        begin, end = at[haplotype], at[haplotype + 1]
        gained, moved = 0, -1
        for step in range(end - begin):
            v = members[end - 1 - step] if edits.minus else members[begin + step]
            first, last = edits.first[v], edits.last[v]
            if first > origin:
                break
            size = abs(edits.alt_at[v + 1] - edits.alt_at[v])
            if origin < last:
                # Replaced bases pair with new ones from the left of the forward strand.
                within = origin - first
                if edits.minus:
                    within = max(within - (last - first - size), 0)
                moved = first + gained + min(within, size)
                break
            gained += size - (last - first)
        found[haplotype] = origin + gained if moved < 0 else moved
    return found


@compiled
def touching(
    members: Integers, at: Integers, edits: Edits, origin: int, shift: Integers, length: int
) -> Flags:
    """Tell which variants change something within each window, (members,).

    Those that replace bases by themselves may be told, too.
    """
    found = np.zeros(members.size, dtype=np.bool_)
    for haplotype in range(at.size - 1):
        begin, end = at[haplotype], at[haplotype + 1]
        gained = shift[haplotype]
        for step in range(end - begin):
            place = end - 1 - step if edits.minus else begin + step
            v = members[place]
            first, last = edits.first[v], edits.last[v]
            size = abs(edits.alt_at[v + 1] - edits.alt_at[v])
            new = first + gained
            # What lies between the window and an origin outside of it counts, too.
            if first > origin:
                found[place] = new < length
            else:
                found[place] = last > origin or new + size > 0
            gained += size - (last - first)
    return found


@compiled
def fill_windows(
    reference: Codes,
    edits: Edits,
    members: Integers,
    at: Integers,
    rows: Integers,
    shift: Integers,
    out: Codes,
) -> None:
    """Write the edited bases of haplotype ``rows[i]`` to ``out[i]``, moved by its ``shift``.

    What the reference and its edits do not reach is left as it is. Edits may lie outside the
    reference.
    """
    length = out.shape[1]
    for row in range(rows.size):
        haplotype = rows[row]
        begin, end = at[haplotype], at[haplotype + 1]
        new, old, waiting = shift[haplotype], 0, 0
        target = out[row]
        for step in range(end - begin + 1):
            if step < end - begin:
                v = members[end - 1 - step] if edits.minus else members[begin + step]
                first, last = edits.first[v], edits.last[v]
                alt_low = min(edits.alt_at[v], edits.alt_at[v + 1])
                alt_high = max(edits.alt_at[v], edits.alt_at[v + 1])
                if last - first == 1 and alt_high - alt_low == 1:
                    continue  # one base for one: put in when what lies around it is copied
            else:
                first, last, alt_low, alt_high = reference.size, reference.size, 0, 0
            # An edit may begin before the reference does: it has no base below 0.
            low = max(new, 0, new - old)
            high = min(new - old + min(first, reference.size), length)
            if high > low:
                _copy(reference[old + low - new : old + high - new], target[low:high])
            for passed in range(waiting, step):
                v = members[end - 1 - passed] if edits.minus else members[begin + passed]
                place = new - old + edits.first[v]
                if 0 <= place < length:
                    target[place] = edits.alt[min(edits.alt_at[v], edits.alt_at[v + 1])]
            new += first - old
            low, high = max(new, 0), min(new + alt_high - alt_low, length)
            if high > low:
                _copy(edits.alt[alt_low + low - new : alt_low + high - new], target[low:high])
            new += alt_high - alt_low
            old, waiting = last, step + 1
            if new >= length:
                break


@compiled
def _copy(source: Codes, target: Codes) -> None:
    # Ten times as fast as an assignment of slices, which numba does not make a copy of memory.
    for at in range(target.size):
        target[at] = source[at]
