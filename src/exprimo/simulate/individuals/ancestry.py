"""Who descends from whom along a chromosome, and where mutations fell.

The sequentially Markov coalescent of Marjoram & Wall (2006, BMC Genetics 7:16), SMC': the tree at
the first base is a coalescent; at each crossing-over, a point of the tree is chosen uniformly, the
branch above it is cut, and the lineage below coalesces anew with any lineage of the tree, the one
it was cut from included. Time counts in units of 2N generations, so pairs coalesce at rate 1,
crossings-over fall at 2Nr per unit of branch length and base, and mutations at 2N mu.

Two groups share one ancestral population until ``split`` (backwards in time); more recently a
lineage coalesces only within its own group, at rate 2, because each has half the size. A pair of
one group then has the mean age w = (1 + exp(-2 split)) / 2, a pair of two groups b = 1 + split, and
FST is 1 - w / b (Slatkin 1991, Genetical Research 58:167).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.compiled import compiled
from exprimo.simulate.individuals.tree import (
    clade_sizes,
    first_tree,
    leaves_under,
    pick_branch,
    pick_branch_of_size,
    regraft,
    total_length,
)

Positions = npt.NDArray[np.int64]
Carriers = npt.NDArray[np.uint8]


class Mutations(NamedTuple):
    """Mutations along a chromosome, in order of position."""

    positions: Positions
    """Shape (mutations,); 0-based. Several may share a base."""
    carriers: Carriers
    """Shape (mutations, haplotypes): 1 where a haplotype descends from the mutation."""
    wanted: npt.NDArray[np.int64]
    """Shape (mutations,): number of the place that asked for it; -1: fell by chance."""


def split_time(fst: float) -> float:
    """Give the age of a split, in units of 2N generations, that makes two groups this FST.

    Examples
    --------
    >>> round(split_time(0.02), 4), split_time(0.0)
    (0.0102, 0.0)
    """
    low, high = 0.0, 2.0
    for _ in range(60):
        middle = (low + high) / 2
        reached = 1.0 - 0.5 * (1.0 + np.exp(-2.0 * middle)) / (1.0 + middle)
        low, high = (middle, high) if reached < fst else (low, middle)
    return low if fst > 0 else 0.0


def mutations_along(
    rng: np.random.Generator,
    length: int,
    groups: npt.NDArray[np.int64],
    wanted: Positions,
    *,
    crossing: float,
    mutation: float,
    split: float = 0.0,
    frequency: tuple[float, float] = (0.05, 0.95),
) -> Mutations:
    """Draw the mutations of a chromosome and who carries them.

    Parameters
    ----------
    length
        Of the chromosome, in bases.
    groups
        Group (0 or 1) of each haplotype.
    wanted
        Places that get a mutation of a frequency within ``frequency``, in ascending order; on the
        tree that stands there, the branch is chosen in proportion to its length.
    crossing, mutation
        2Nr and 2N mu.
    split
        Age of the split of the groups; 0: none.

    Examples
    --------
    >>> rng, groups = np.random.default_rng(1), np.zeros(20, np.int64)
    >>> found = mutations_along(
    ...     rng, 10_000, groups, np.array([500]), crossing=2e-4, mutation=2.5e-4
    ... )
    >>> found.carriers.shape == (found.positions.size, 20)
    True
    >>> found.positions[found.wanted >= 0].tolist()
    [500]
    """
    sizes = np.ceil(np.array([groups.size * frequency[0], groups.size * frequency[1] + 1e-9]))
    low, high = max(1, int(sizes[0])), min(groups.size - 1, int(sizes[1]) - 1)
    # The expected number, with room for chance; the kernel asks for more where it does not do.
    harmonic = float((1.0 / np.arange(1, groups.size)).sum())
    room = int(2 * mutation * length * harmonic * (1 + split) * 1.3) + wanted.size + 1000
    count, positions, carriers, asked = _walk(
        rng, float(length), groups, wanted, crossing, mutation, split, low, high, room
    )
    return Mutations(positions[:count], carriers[:count], asked[:count])


@compiled
def _walk(
    rng: np.random.Generator,
    length: float,
    groups: npt.NDArray[np.int64],
    wanted: Positions,
    crossing: float,
    mutation: float,
    split: float,
    low: int,
    high: int,
    room: int,
) -> tuple[int, Positions, Carriers, npt.NDArray[np.int64]]:
    n = groups.size
    positions = np.empty(room, np.int64)
    carriers = np.zeros((room, n), np.uint8)
    asked = np.empty(room, np.int64)
    tree = first_tree(rng, groups, split)
    count, following, at = 0, 0, 0.0
    while True:
        branches = total_length(tree)
        at_next = at + rng.standard_exponential() / ((crossing + mutation) * branches)
        node = -1
        number = -1
        if following < wanted.size and wanted[following] < min(at_next, length):
            # What comes after this place does not depend on what came before it.
            at = float(wanted[following])
            node = pick_branch_of_size(rng, tree, clade_sizes(tree), low, high)
            number = following
            following += 1
        elif at_next >= length:
            break
        else:
            at = at_next
            if rng.random() * (crossing + mutation) < crossing:
                regraft(rng, tree, branches, split)
                continue
            node = pick_branch(rng, tree, branches)[0]
        if node < 0:
            continue
        if count == positions.size:
            positions = np.concatenate((positions, np.empty(count, np.int64)))
            carriers = np.concatenate((carriers, np.zeros((count, n), np.uint8)))
            asked = np.concatenate((asked, np.empty(count, np.int64)))
        positions[count] = int(at)
        asked[count] = number
        leaves_under(tree, node, carriers[count])
        count += 1
    return count, positions, carriers, asked
