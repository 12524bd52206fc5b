"""Markov models of sequences: one chain for all positions, or one per position."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from exprimo.core.compiled import compiled
from exprimo.core.errors import ConfigError, InputError
from exprimo.core.sequence import N_CODE, Codes

STRENGTH = 4.0
"""Weight of the next lower order, in observations: one for each base."""
_MOST_ORDER = 8

Table = npt.NDArray[np.float32]


class MarkovModel(NamedTuple):
    """A Markov chain over A, C, G, T.

    The probability of a base after a context of ``order`` bases is its count there plus
    `STRENGTH` times its probability after the context without its oldest base, and so on down to
    equal probabilities (a Dirichlet prior around the next lower order; MacKay and Peto 1995). A
    context that is rare at a position thus leans on shorter contexts at the same position.

    Attributes
    ----------
    order
        Bases that a base depends on.
    length
        Bases of a sequence.
    start
        For base i < order its probabilities after the i bases before it, (4**i, 4).
    tables
        Probabilities of later bases, (positions, 4**order, 4); one position for all, or one each.

    Examples
    --------
    >>> codes = np.tile(np.array([0, 1, 2, 3], np.uint8), (500, 2))
    >>> model = MarkovModel.fit(codes, order=1, by_position=False)
    >>> model.tables[0].argmax(axis=1).tolist()
    [1, 2, 3, 0]
    """

    order: int
    length: int
    start: tuple[Table, ...]
    tables: Table

    @property
    def by_position(self) -> bool:
        """Whether each position has a chain of its own."""
        return len(self.tables) > 1

    @classmethod
    def fit(cls, codes: Codes, *, order: int, by_position: bool) -> Self:
        """Fit a chain to sequences (n, length) without N."""
        n, length = codes.shape
        if not 0 <= order <= _MOST_ORDER:
            raise ConfigError("no such order", found=order, expected=f"0 to {_MOST_ORDER}")
        if length <= order or not n:
            raise InputError(
                "sequences too short or too few for a Markov model",
                found=f"{n:,} of {length:,} bases",
                expected=f"one at least, of more than {order} bases",
            )
        if codes.max() >= N_CODE:
            raise InputError("a Markov model has no place for N", found="sequences with N")
        positions = length - order if by_position else 1
        counts = np.zeros((positions, 4**order, 4), np.float32)
        _count(np.ascontiguousarray(codes), order, counts)
        later = _smoothed(counts)
        if by_position:
            start = tuple(_first_bases(codes, i) for i in range(order))
        else:
            start = tuple(table[0] for table in later[:order])
        return cls(order, length, start, later[order])

    def sample(self, n: int, rng: np.random.Generator) -> Codes:
        """Draw ``n`` sequences, (n, length)."""
        drawn = np.empty((n, self.length), np.uint8)
        context = np.zeros(n, np.int64)
        for at in range(self.length):
            if at < self.order:
                table = self.start[at]
            else:
                table = self.tables[at - self.order if self.by_position else 0]
            below = np.cumsum(table, axis=1, dtype=np.float64)[:, :3]
            bases = (rng.random(n)[:, None] >= below[context]).sum(axis=1)
            drawn[:, at] = bases
            context = (context * 4 + bases) % 4 ** min(at + 1, self.order)
        return drawn


def _smoothed(counts: Table) -> list[Table]:
    """Turn counts (positions, 4**order, 4) into probabilities of every order, lowest first."""
    orders = [counts]
    while orders[0].shape[1] > 1:
        shorter = orders[0].reshape(len(counts), 4, -1, 4).sum(axis=1)
        orders.insert(0, shorter)
    lower: Table = np.full((len(counts), 1, 4), 0.25, np.float32)
    found = []
    for table in orders:
        # The oldest base varies slowest: dropping it tiles the lower order's contexts.
        prior = np.tile(lower, (1, table.shape[1] // lower.shape[1], 1))
        lower = (table + STRENGTH * prior) / (table.sum(axis=2, keepdims=True) + STRENGTH)
        found.append(lower)
    return found


def _first_bases(codes: Codes, order: int) -> Table:
    words = np.zeros(len(codes), np.int64)
    for at in range(order + 1):
        words = words * 4 + codes[:, at]
    counts = np.bincount(words, minlength=4 ** (order + 1)).astype(np.float32)
    table: Table = _smoothed(counts.reshape(1, -1, 4))[order][0]
    return table


@compiled
def _count(codes: Codes, order: int, counts: Table) -> None:
    several = counts.shape[0] > 1
    size = counts.shape[1]
    for row in range(codes.shape[0]):
        context = 0
        for at in range(codes.shape[1]):
            base = codes[row, at]
            if at >= order:
                counts[at - order if several else 0, context, base] += 1
            context = (context * 4 + base) % size
