"""The compiled loop that moves points on a map."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from exprimo.core.compiled import compiled

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_FARTHEST = 4.0


@compiled
def _mixed(value: Any) -> Any:
    # The finaliser of SplitMix64 (Steele et al. 2014).
    value = (value ^ (value >> np.uint64(30))) * _MIX_1
    value = (value ^ (value >> np.uint64(27))) * _MIX_2
    return value ^ (value >> np.uint64(31))


@compiled
def _step(slope: float) -> float:
    return min(max(slope, -_FARTHEST), _FARTHEST)


@compiled
def optimise_layout(
    places: npt.NDArray[np.float64],
    heads: npt.NDArray[np.int64],
    tails: npt.NDArray[np.int64],
    period: npt.NDArray[np.float64],
    rounds: int,
    a: float,
    b: float,
    negatives: int,
    state: Any,
) -> None:
    """Move ``places`` (n, 2) by stochastic descent of the cross-entropy, in one thread.

    McInnes et al. 2018, section 4.2: an edge is drawn once in ``period`` rounds, pulls its ends
    together, and pushes its head from ``negatives`` random points. Steps shrink linearly to 0.

    Parameters
    ----------
    heads, tails, period
        (edges,); the strongest edges have period 1.
    a, b
        Of the curve 1 / (1 + a d^2b).
    state
        Seed of the random points, an unsigned 64-bit number.
    """
    n = places.shape[0]
    due = period.copy()
    for now in range(rounds):
        rate = 1.0 - now / rounds
        for edge in range(heads.shape[0]):
            if due[edge] > now + 1:
                continue
            due[edge] += period[edge]
            i, j = heads[edge], tails[edge]
            x, y = places[i, 0] - places[j, 0], places[i, 1] - places[j, 1]
            squared = x * x + y * y
            if squared > 0.0:
                power = squared**b
                pull = -2.0 * a * b * power / squared / (1.0 + a * power)
                across, along = rate * _step(pull * x), rate * _step(pull * y)
                places[i, 0] += across
                places[i, 1] += along
                places[j, 0] -= across
                places[j, 1] -= along
            for _ in range(negatives):
                state += _GOLDEN
                # The high half, scaled: a remainder would favour low numbers.
                j = np.int64(((_mixed(state) >> np.uint64(32)) * np.uint64(n)) >> np.uint64(32))
                if j == i:
                    continue
                x, y = places[i, 0] - places[j, 0], places[i, 1] - places[j, 1]
                squared = x * x + y * y
                if squared > 0.0:
                    push = 2.0 * b / ((0.001 + squared) * (1.0 + a * squared**b))
                    places[i, 0] += rate * _step(push * x)
                    places[i, 1] += rate * _step(push * y)
