"""The compiled inner loops of the homology search.

Each takes plain arrays and releases the GIL, so that two threads can share the rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from exprimo.core.compiled import compiled

ROW_BITS = 24
"""A k-mer's key is 35 bits of its hash, 24 bits of row number, 5 bits of place in the row."""
PLACE_BITS = 5
PLACES = 1 << PLACE_BITS
"""A row is looked at as so many places of equal length, to see how far a likeness spans."""

_SHIFT = np.uint64(PLACE_BITS)
_PLACE_MASK = np.uint64(PLACES - 1)
_ROW_MASK = np.uint64((1 << ROW_BITS) - 1)
_BELOW_HASH = np.uint64((1 << (ROW_BITS + PLACE_BITS)) - 1)
_SAMPLE_MASK = np.uint64((1 << 24) - 1)
_HASH_1 = np.uint64(0xBF58476D1CE4E5B9)
_HASH_2 = np.uint64(0x94D049BB133111EB)


@compiled
def _scramble(value: Any) -> Any:
    # The finaliser of SplitMix64 (Steele et al. 2014): each bit of the k-mer reaches all others.
    value = (value ^ (value >> np.uint64(30))) * _HASH_1
    value = (value ^ (value >> np.uint64(27))) * _HASH_2
    return value ^ (value >> np.uint64(31))


@compiled
def _row(key: Any) -> Any:
    return np.int64((key >> _SHIFT) & _ROW_MASK)


@compiled
def sample_kmers(
    codes: npt.NDArray[np.uint8],
    first_row: int,
    k: int,
    every: int,
    max_repeats: int,
    keys: npt.NDArray[np.uint64],
    contents: npt.NDArray[np.uint64],
    composition: npt.NDArray[np.int64],
) -> int:
    """Write the sampled canonical k-mers of each row into ``keys``; return how many.

    A k-mer is skipped where it holds an N, or where ``max_repeats`` or more pairs of its
    triplets are equal (low complexity). Of the others one in ``every`` is kept, chosen by its
    hash, so that a k-mer shared by two rows is kept in both or in neither.

    Parameters
    ----------
    codes
        Shape (rows, length), bases 0..4.
    keys
        Room for the result.
    contents
        Shape (rows,): receives a strand-independent hash of each row.
    composition
        Shape (4,): the bases are added to it.
    """
    two, three = np.uint64(2), np.uint64(3)
    low = np.uint64((1 << (2 * k)) - 1)
    top = np.uint64(2 * (k - 1))
    oldest = np.uint64(2 * (k - 3))
    limit = (_SAMPLE_MASK + np.uint64(1)) // np.uint64(every)
    length = codes.shape[1]
    triplets = np.zeros(64, np.int64)
    used = 0
    for row in range(codes.shape[0]):
        number = np.uint64(first_row + row) << _SHIFT
        forward = reverse = content = np.uint64(0)
        run, repeats = 0, 0
        triplets[:] = 0
        for position in range(length):
            code = codes[row, position]
            if code > 3:
                if run > 0:
                    triplets[:] = 0
                run, repeats = 0, 0
                continue
            composition[code] += 1
            if run >= k:
                leaving = np.int64((forward >> oldest) & np.uint64(63))
                triplets[leaving] -= 1
                repeats -= triplets[leaving]
            base = np.uint64(code)
            forward = ((forward << two) | base) & low
            reverse = (reverse >> two) | ((three - base) << top)
            run += 1
            if run >= 3:
                entering = np.int64(forward & np.uint64(63))
                repeats += triplets[entering]
                triplets[entering] += 1
            if run >= k:
                mixed = _scramble(min(forward, reverse) + np.uint64(1))
                content += mixed
                if repeats < max_repeats and (mixed & _SAMPLE_MASK) < limit:
                    place = np.uint64((position - k + 1) * PLACES // length)
                    keys[used] = (mixed & ~_BELOW_HASH) | number | place
                    used += 1
        contents[row] = content
    return used


@compiled
def renumber(keys: npt.NDArray[np.uint64], number: npt.NDArray[np.uint64]) -> None:
    """Replace each key's row by ``number[row]``."""
    for at in range(len(keys)):
        place = keys[at] & _PLACE_MASK
        keys[at] = (keys[at] & ~_BELOW_HASH) | (number[_row(keys[at])] << _SHIFT) | place


@compiled
def count_kmers(keys: npt.NDArray[np.uint64], per_row: npt.NDArray[np.int64]) -> tuple[int, int]:
    """Count each row's distinct k-mers in sorted ``keys``; return (buckets, members).

    A bucket is a k-mer that two or more rows hold; its members are those rows.
    """
    buckets, members, size = 0, 0, 0
    for at in range(len(keys)):
        if at > 0 and (keys[at] ^ keys[at - 1]) <= _PLACE_MASK:
            continue
        new = at == 0 or (keys[at] ^ keys[at - 1]) > _BELOW_HASH
        if new:
            if size > 1:
                buckets += 1
                members += size
            size = 0
        size += 1
        per_row[_row(keys[at])] += 1
    if size > 1:
        buckets += 1
        members += size
    return buckets, members


@compiled
def fill_buckets(
    keys: npt.NDArray[np.uint64],
    starts: npt.NDArray[np.int64],
    members: npt.NDArray[np.int32],
    member_places: npt.NDArray[np.uint8],
) -> None:
    """Write each bucket's rows, the k-mer's place in them, and where each bucket starts."""
    bucket, used, begin = 0, 0, 0
    for at in range(len(keys)):
        if at > 0 and (keys[at] ^ keys[at - 1]) <= _PLACE_MASK:
            continue
        if at > 0 and (keys[at] ^ keys[at - 1]) > _BELOW_HASH:
            if used - begin > 1:
                bucket += 1
                starts[bucket] = used
                begin = used
            else:
                used = begin
        if used < len(members):
            members[used] = np.int32(_row(keys[at]))
            member_places[used] = np.uint8(keys[at] & _PLACE_MASK)
        used += 1
    if used - begin > 1:
        starts[bucket + 1] = used


@compiled
def index_rows(
    starts: npt.NDArray[np.int64],
    members: npt.NDArray[np.int32],
    member_places: npt.NDArray[np.uint8],
    row_starts: npt.NDArray[np.int64],
    slots: npt.NDArray[np.int64],
    buckets: npt.NDArray[np.int32],
    places: npt.NDArray[np.uint8],
) -> None:
    """Turn buckets around: each row's buckets in order, places, and slots in ``members``."""
    for slot in range(len(members)):
        row_starts[members[slot] + 1] += 1
    for row in range(len(row_starts) - 1):
        row_starts[row + 1] += row_starts[row]
    filled = row_starts[:-1].copy()
    for bucket in range(len(starts) - 1):
        for slot in range(starts[bucket], starts[bucket + 1]):
            row = members[slot]
            slots[filled[row]] = slot
            buckets[filled[row]] = bucket
            places[filled[row]] = member_places[slot]
            filled[row] += 1


@compiled
def _compare(
    one: int,
    other: int,
    row_starts: npt.NDArray[np.int64],
    buckets: npt.NDArray[np.int32],
    places: npt.NDArray[np.uint8],
) -> tuple[int, int]:
    """Count the k-mers in common, and the places that they span in the row with fewer."""
    a, a_end = row_starts[one], row_starts[one + 1]
    b, b_end = row_starts[other], row_starts[other + 1]
    common = 0
    first_a = first_b = PLACES
    last_a = last_b = 0
    while a < a_end and b < b_end:
        left, right = buckets[a], buckets[b]
        if left == right:
            common += 1
            first_a, last_a = min(first_a, places[a]), max(last_a, places[a])
            first_b, last_b = min(first_b, places[b]), max(last_b, places[b])
        if left <= right:
            a += 1
        if right <= left:
            b += 1
    return common, min(last_a - first_a, last_b - first_b) + 1


@compiled
def _count_partners(
    row: int,
    starts: npt.NDArray[np.int64],
    members: npt.NDArray[np.int32],
    row_starts: npt.NDArray[np.int64],
    slots: npt.NDArray[np.int64],
    buckets: npt.NDArray[np.int32],
    max_copies: int,
    count: npt.NDArray[np.int32],
    follower: npt.NDArray[np.int32],
    touched: npt.NDArray[np.int32],
) -> tuple[int, int]:
    """Count the k-mers that later rows share with one row; list those rows in ``touched``."""
    n_touched, best = 0, -1
    for at in range(row_starts[row], row_starts[row + 1]):
        slot = slots[at]
        end = starts[buckets[at] + 1]
        if end - starts[buckets[at]] <= max_copies:
            for later in range(slot + 1, end):
                other = members[later]
                if count[other] == 0 and follower[other] == 0:
                    touched[n_touched] = other
                    n_touched += 1
                count[other] += 1
        elif slot + 1 < end:
            # All pairs of a frequent k-mer would be quadratic: only the next row is tried,
            # which still chains a large family of near-identical sequences together.
            other = members[slot + 1]
            if count[other] == 0 and follower[other] == 0:
                touched[n_touched] = other
                n_touched += 1
            follower[other] += 1
            if best < 0 or follower[other] > follower[best]:
                best = other
    return n_touched, best


@compiled
def link_rows(
    first: int,
    last: int,
    starts: npt.NDArray[np.int64],
    members: npt.NDArray[np.int32],
    row_starts: npt.NDArray[np.int64],
    slots: npt.NDArray[np.int64],
    buckets: npt.NDArray[np.int32],
    places: npt.NDArray[np.uint8],
    per_row: npt.NDArray[np.int64],
    max_copies: int,
    min_shared: float,
    min_count: int,
    min_places: int,
    local_shared: float,
    family_shared: float,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32], int]:
    """Find the partners after themselves of rows ``first`` to ``last``.

    Returns
    -------
    pairs, shared, families
        Shape (pairs, 2), shape (pairs,), and how many pairs came from frequent k-mers only.
    """
    count = np.zeros(len(per_row), np.int32)
    follower = np.zeros(len(per_row), np.int32)
    touched = np.empty(len(per_row), np.int32)
    pairs = np.empty((1024, 2), np.int32)
    shared = np.empty(1024, np.float32)
    found, families = 0, 0
    for row in range(first, last):
        n_touched, best = _count_partners(
            row, starts, members, row_starts, slots, buckets, max_copies, count, follower, touched
        )
        for at in range(n_touched):
            other = touched[at]
            smaller = min(per_row[row], per_row[other])
            rare = count[other]
            linked = rare >= min_count and rare >= min_shared * smaller
            if linked or other == best:
                in_common, span = _compare(row, other, row_starts, buckets, places)
            if linked:
                linked = span >= min_places or rare >= local_shared * smaller
            if (
                not linked
                and other == best
                and in_common >= max(min_count, family_shared * smaller)
            ):
                linked = True
                families += 1
            count[other] = 0
            follower[other] = 0
            if linked:
                if found == len(shared):
                    pairs = np.concatenate((pairs, np.empty_like(pairs)))
                    shared = np.concatenate((shared, np.empty_like(shared)))
                pairs[found, 0], pairs[found, 1] = row, other
                shared[found] = in_common / smaller
                found += 1
    return pairs[:found], shared[:found], families


@compiled
def unite(parent: npt.NDArray[np.int64], pairs: npt.NDArray[np.int32]) -> None:
    """Join the sets of each pair; ``parent`` leads from each row to its set's smallest row."""
    for at in range(len(pairs)):
        one, other = np.int64(pairs[at, 0]), np.int64(pairs[at, 1])
        while parent[one] != one:
            parent[one] = parent[parent[one]]
            one = parent[one]
        while parent[other] != other:
            parent[other] = parent[parent[other]]
            other = parent[other]
        if one < other:
            parent[other] = one
        elif other < one:
            parent[one] = other
