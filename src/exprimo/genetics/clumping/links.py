"""Linkage kept, so that many rankings of the same variants are clumped without measuring again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.compiled import compiled
from exprimo.core.errors import ConfigError
from exprimo.genetics.clumping.calls import Planes, Words
from exprimo.genetics.clumping.linkage import MEASURES, copies_of, pair_r2

Int = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_ABOVE = 1 + 1e-12


class Links(NamedTuple):
    """Pairs of near variants whose r² is above the lowest of some bars.

    Attributes
    ----------
    first
        (variants + 1,): those of variant ``i`` stand from ``first[i]`` to ``first[i + 1]``.
    other
        The other variant of each pair; every pair stands twice.
    n_bars
        How many of the bars, from the lowest up, the pair's r² is above.
    bars
        Rising.
    """

    first: Int
    other: npt.NDArray[np.int32]
    n_bars: npt.NDArray[np.int8]
    bars: tuple[float, ...]


def link_variants(
    planes: Planes,
    position: Int,
    bars: Sequence[float],
    *,
    window: int = 250_000,
    measure: str = "haplotype",
) -> Links:
    """Measure linkage between variants of one chromosome that are nearer than ``window`` bases.

    Parameters
    ----------
    position
        (variants,), rising or equal.
    bars
        Thresholds of r² that will be asked for.

    Examples
    --------
    >>> from exprimo.genetics.clumping.calls import pack_calls
    >>> calls = np.array([[0, 1, 2, 0] * 2, [0, 1, 2, 0] * 2, [0] * 4 + [2] * 4], np.int8)
    >>> planes = pack_calls(calls)
    >>> links = link_variants(planes, np.array([10, 20, 30]), [0.1, 0.5])
    >>> links.first.tolist(), links.other.tolist(), links.n_bars.tolist()
    ([0, 1, 2, 2], [1, 0], [2, 2])
    """
    levels = tuple(sorted(bars))
    if not levels or levels[0] < 0 or levels[-1] > 1:
        raise ConfigError("not thresholds of r²", found=levels, expected="numbers from 0 to 1")
    one, other, count = _pairs(
        position,
        (planes.carrier, planes.double, planes.called),
        planes.n_called,
        copies_of(planes),
        planes.n_people,
        MEASURES[measure],
        np.array(levels),
        window,
    )
    rows, columns = np.concatenate([one, other]), np.concatenate([other, one])
    order = np.lexsort((columns, rows))
    first = np.zeros(len(position) + 1, dtype=np.int64)
    np.cumsum(np.bincount(rows, minlength=len(position)), out=first[1:])
    return Links(first, columns[order], np.concatenate([count, count])[order], levels)


@compiled
def _pairs(
    position: Int,
    planes: tuple[Words, Words, Words],
    n_called: Int,
    copies: Floats,
    n_people: int,
    measure: int,
    bars: Floats,
    window: int,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int8]]:
    room, used = 1024, 0
    one, other = np.empty(room, dtype=np.int32), np.empty(room, dtype=np.int32)
    count = np.empty(room, dtype=np.int8)
    for i in range(position.shape[0]):
        j = i + 1
        while j < position.shape[0] and position[j] - position[i] < window:
            r2 = pair_r2(i, j, planes, n_called, copies, n_people, measure, bars[0])
            if r2 > bars[0] * _ABOVE:
                if used == room:
                    room *= 2
                    one = np.concatenate((one, np.empty_like(one)))
                    other = np.concatenate((other, np.empty_like(other)))
                    count = np.concatenate((count, np.empty_like(count)))
                above = 0
                for bar in bars:
                    if r2 > bar * _ABOVE:
                        above += 1
                one[used], other[used], count[used] = i, j, above
                used += 1
            j += 1
    return one[:used], other[:used], count[:used]


def clump_ranked(links: Links, rank: Int, bar: float) -> Int:
    """Clump variants that come in an order; give the index variants, in that order.

    Parameters
    ----------
    rank
        Rows of the variants that take part, the most significant first.
    bar
        One of the bars of the links.

    Examples
    --------
    >>> links = Links(np.array([0, 1, 2, 2]), np.array([1, 0], np.int32),
    ...               np.array([1, 1], np.int8), (0.1, 0.5))
    >>> clump_ranked(links, np.array([1, 0, 2]), 0.1).tolist()
    [1, 2]
    >>> clump_ranked(links, np.array([1, 0, 2]), 0.5).tolist()
    [1, 0, 2]
    """
    if bar not in links.bars:
        raise ConfigError("r² was not measured against this", found=bar, expected=links.bars)
    return _index(links.first, links.other, links.n_bars, rank, links.bars.index(bar))


@compiled
def _index(
    first: Int,
    other: npt.NDArray[np.int32],
    n_bars: npt.NDArray[np.int8],
    rank: Int,
    level: int,
) -> Int:
    gone = np.zeros(first.shape[0] - 1, dtype=np.bool_)
    chosen = np.empty(rank.shape[0], dtype=np.int64)
    used = 0
    for i in rank:
        if gone[i]:
            continue
        chosen[used] = i
        used += 1
        for at in range(first[i], first[i + 1]):
            if n_bars[at] > level:
                gone[other[at]] = True
    return chosen[:used]
