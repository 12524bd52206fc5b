"""Deletion and insertion: does the output follow what an explanation calls important?

Deletion replaces the positions that the explanation ranks first by those of references, insertion
puts them into the references (Petsiuk, Das & Saenko 2018; of DNA the references are shuffles with
the same dinucleotides, so that composition alone changes nothing). The same is done in random
order. A signed explanation ranks from what raises the output most to what lowers it most, and
deletion should lower the output; one without signs ranks by size, and deletion should move it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.evaluate.results import FloatArray

Outputs = Callable[[npt.NDArray[Any], int], FloatArray]
"""Values of one input, (rows, positions), in the place of those of an example -> outputs."""

_TENTH = 0.1


class Curves(NamedTuple):
    """Means over references of each example's output along the share of replaced positions.

    Of an explanation without signs it is not the output but its distance from the example's.

    Attributes
    ----------
    shares
        Share of the positions, (points,), from 0 to 1.
    deleted, inserted
        In the explanation's order, (n, points): replaced, or put into the references.
    at_random
        Replaced in random order, (n, points); put in, the same backwards.
    signed
        Whether the explanation has signs.
    """

    shares: FloatArray
    deleted: FloatArray
    inserted: FloatArray
    at_random: FloatArray
    signed: bool

    @property
    def inserted_at_random(self) -> FloatArray:
        """Give what insertion in random order does, (n, points)."""
        return self.at_random[:, ::-1]

    @property
    def deletion(self) -> FloatArray:
        """Give by how much deletion beats random order, (n, points); more is better."""
        ahead = self.deleted - self.at_random
        return -ahead if self.signed else ahead

    @property
    def insertion(self) -> FloatArray:
        """Give by how much insertion beats random order, (n, points); more is better."""
        ahead = self.inserted - self.inserted_at_random
        return ahead if self.signed else -ahead

    def area(self, ahead: FloatArray) -> FloatArray:
        """Give the area under `deletion` or `insertion` over shares, (n,)."""
        return np.asarray(np.trapezoid(ahead, self.shares, axis=1), dtype=np.float64)

    @property
    def tenth(self) -> FloatArray:
        """Give what deleting a tenth of the positions does beyond a random tenth, (n,)."""
        return self.deletion[:, int(np.abs(self.shares - _TENTH).argmin())]


def grid(shares: tuple[float, ...], positions: int) -> npt.NDArray[np.int64]:
    """Give how many positions are replaced at each point: none, the shares, their complements, all.

    Examples
    --------
    >>> grid((0.1, 0.2), 20).tolist()
    [0, 2, 4, 10, 16, 18, 20]
    """
    low = np.unique([max(1, round(share * positions)) for share in shares if share < 1])
    low = low[2 * low < positions]
    half = [positions // 2] if positions % 2 == 0 else []
    return np.unique([0, *low, *half, *(positions - low), positions]).astype(np.int64)


def deletion_curves(
    contributions: npt.NDArray[Any],
    given: npt.NDArray[Any],
    references: npt.NDArray[Any],
    outputs: Outputs,
    *,
    shares: tuple[float, ...],
    signed: bool = True,
    seed: int = 0,
) -> Curves:
    """Delete and insert positions in the order of an explanation, and in random order.

    Parameters
    ----------
    contributions
        Of each position, (n, positions).
    given
        What the model reads, (n, positions).
    references
        What stands in the place of deleted positions, (n, references, positions).
    outputs
        Values in the place of those of the example of that number -> outputs.
    shares
        Shares of positions below a half.

    Examples
    --------
    >>> weights = np.array([3.0, -1.0, 2.0, 0.0])
    >>> x = np.ones((1, 4))
    >>> found = deletion_curves(x * weights, x, np.zeros((1, 1, 4)), lambda v, i: v @ weights,
    ...                         shares=(0.25,))
    >>> found.deleted.tolist(), found.inserted.tolist()
    ([[4.0, 1.0, -1.0, -1.0, 0.0]], [[0.0, 3.0, 5.0, 5.0, 4.0]])
    """
    n, positions = contributions.shape
    counts = grid(shares, positions)
    rng = np.random.default_rng(seed)
    mixed = np.stack(
        [[rng.permutation(positions) for _ in range(references.shape[1])] for _ in range(n)]
    )
    asked = _Asked(given, references, outputs, counts, signed)
    place = places(contributions, signed, seed)
    put_in = asked.curve(positions - 1 - place)[:, ::-1]
    return Curves(counts / positions, asked.curve(place), put_in, asked.curve(mixed), signed)


def deletion_by(
    contributions: npt.NDArray[Any],
    given: npt.NDArray[Any],
    references: npt.NDArray[Any],
    outputs: Outputs,
    *,
    shares: tuple[float, ...],
    signed: bool = True,
    seed: int = 0,
) -> FloatArray:
    """Give the curve `Curves.deleted` alone, (n, points); arguments as of `deletion_curves`."""
    asked = _Asked(given, references, outputs, grid(shares, contributions.shape[1]), signed)
    return asked.curve(places(contributions, signed, seed))


class _Asked(NamedTuple):
    """Examples, what replaces their positions, and how many are replaced at each point."""

    given: npt.NDArray[Any]
    references: npt.NDArray[Any]
    outputs: Outputs
    counts: npt.NDArray[np.int64]
    signed: bool

    def curve(self, place: npt.NDArray[np.int64]) -> FloatArray:
        """Replace positions from place 0 on; places (n, positions) or (n, references, positions).

        Inserting in one order is deleting in the opposite one, read backwards.
        """
        n, n_references, positions = self.references.shape
        found = np.empty((n, len(self.counts)))
        for example in range(n):
            first = np.atleast_2d(place[example]) < self.counts[:, None, None]
            changed = np.where(first, self.references[example], self.given[example])
            said = self.outputs(changed.reshape(-1, positions), example)
            curves = np.asarray(said, dtype=np.float64).reshape(len(self.counts), n_references)
            if not self.signed:
                curves = np.abs(curves - curves[0].mean())
            found[example] = curves.mean(1)
        return found


def places(contributions: npt.NDArray[Any], signed: bool, seed: int = 0) -> npt.NDArray[np.int64]:
    """Give each position's place in the order of its example, 0 first; ties in random order.

    Examples
    --------
    >>> places(np.array([[1.0, -5.0, 2.0]]), True).tolist()
    [[1, 2, 0]]
    >>> places(np.array([[1.0, -5.0, 2.0]]), False).tolist()
    [[2, 0, 1]]
    """
    size = np.asarray(contributions) if signed else np.abs(contributions)
    ties = np.random.default_rng(seed).random(size.shape)
    order = np.lexsort((ties, -size), axis=1)
    place = np.empty(order.shape, dtype=np.int64)
    np.put_along_axis(place, order, np.arange(order.shape[1])[None], axis=1)
    return place
