"""The strongest association of a window by chance: expression permuted over people."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from exprimo.core.compiled import compiled
from exprimo.genetics.eqtl.projection import Projection
from exprimo.genetics.eqtl.statistics.association import Prepared

# Numbers in one product, so that it stays in the cache until its maxima are taken.
_AT_ONCE = 1 << 18
_FEWEST_ROWS = 32


def orders(people: int, count: int, seed: int) -> npt.NDArray[np.uint32]:
    """Draw orders of people, (count, people); every gene gets the same, as its neighbours do.

    Examples
    --------
    >>> sorted(orders(4, 2, seed=0)[1].tolist())
    [0, 1, 2, 3]
    """
    start = np.broadcast_to(np.arange(people, dtype=np.uint32), (count, people))
    return np.random.default_rng(seed).permuted(start, axis=1)


def orders_by_name(people: Sequence[str], count: int, seed: int) -> npt.NDArray[np.uint32]:
    """Draw orders as ``orders`` does, but by name: in which order people stand changes nothing.

    Examples
    --------
    >>> names, shuffled = np.array(["b", "c", "a"]), np.array(["a", "b", "c"])
    >>> one, two = (orders_by_name(list(people), 1, seed=4)[0] for people in (names, shuffled))
    >>> swapped_for = dict(zip(names.tolist(), names[one].tolist(), strict=True))
    >>> swapped_for == dict(zip(shuffled.tolist(), shuffled[two].tolist(), strict=True))
    True
    """
    by_name = np.argsort(np.asarray(people, dtype=object), kind="stable").astype(np.uint32)
    found = np.empty((count, len(people)), dtype=np.uint32)
    found[:, by_name] = by_name[orders(len(people), count, seed)]
    return found


def strongest_by_chance(
    prepared: Prepared,
    expression: npt.NDArray[np.float64],
    space: Projection,
    shuffled_people: npt.NDArray[np.uint32],
) -> npt.NDArray[np.float64]:
    """Give the largest squared partial correlation of a window under each permutation.

    The residuals of expression are permuted, and the covariates taken out of them once more
    (Freedman and Lane, J. Bus. Econ. Stat. 1983). Products are float32: they rank chance, and
    their error of 1e-6 is far below the spread of the permutations.

    Parameters
    ----------
    prepared
        The window's dosages, covariates taken out.
    expression
        (people,).
    space
        Of the covariates.
    shuffled_people
        (permutations, people), of ``orders``.

    Returns
    -------
    ndarray
        (permutations,) float64.

    Examples
    --------
    >>> from exprimo.genetics.eqtl.statistics.association import prepare
    >>> from exprimo.genetics.eqtl.projection import projection
    >>> rng = np.random.default_rng(0)
    >>> space = projection(np.empty((50, 0)))
    >>> window = prepare(rng.integers(0, 3, (20, 50)).astype(float), space)
    >>> drawn = orders(50, 100, seed=1)
    >>> chance = strongest_by_chance(window, rng.normal(size=50), space, drawn)
    >>> chance.shape, bool(chance.max() < 0.5)
    ((100,), True)
    """
    left = space.residuals(expression[None, :])[0]
    left /= np.linalg.norm(left)
    shuffled, products = _room.arrays(shuffled_people.shape)
    _shuffle(left.astype(np.float32), shuffled_people, shuffled)
    by_person = shuffled.T
    best = np.zeros(len(shuffled), dtype=np.float32)
    rows = len(products)
    for start in range(0, len(prepared.unit), rows):
        part = prepared.unit[start : start + rows].astype(np.float32)
        _raise(multiplied(part, by_person, products[: len(part)]), best)
    # The dosages are orthogonal to the covariates, so only the length of what is left matters.
    explained = shuffled @ space.basis.astype(np.float32)
    rest = 1.0 - np.einsum("ij,ij->i", explained, explained, dtype=np.float64)
    largest: npt.NDArray[np.float64] = np.minimum(best.astype(np.float64) ** 2 / rest, 1.0)
    return largest


class _Room(threading.local):
    """Arrays of a thread that each gene writes anew: fresh memory costs time."""

    shuffled = np.empty((0, 0), dtype=np.float32)
    products = np.empty((0, 0), dtype=np.float32)

    def arrays(
        self, shape: tuple[int, ...]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Give room for the permutations, and for products of some variants with them."""
        if self.shuffled.shape != shape:
            rows = max(_AT_ONCE // shape[0], _FEWEST_ROWS)
            self.shuffled = np.empty(shape, dtype=np.float32)
            self.products = np.empty((rows, shape[0]), dtype=np.float32)
        return self.shuffled, self.products


_room = _Room()


@compiled
def _shuffle(
    values: npt.NDArray[np.float32],
    shuffled_people: npt.NDArray[np.uint32],
    out: npt.NDArray[np.float32],
) -> None:
    """Put values in each order."""
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = values[shuffled_people[i, j]]


@compiled
def _raise(products: npt.NDArray[np.float32], best: npt.NDArray[np.float32]) -> None:
    """Raise the largest absolute value of each column where a row exceeds it."""
    for i in range(products.shape[0]):
        for j in range(products.shape[1]):
            size = abs(products[i, j])
            if size > best[j]:
                best[j] = size


def multiplied(
    rows: npt.NDArray[np.float32],
    columns: npt.NDArray[np.float32],
    out: npt.NDArray[np.float32],
) -> npt.NDArray[np.float32]:
    """Multiply into ``out``; apart, so that a profile tells its share."""
    np.dot(rows, columns, out=out)
    return out


def empirical_p(strongest: float, by_chance: npt.NDArray[np.float64]) -> float:
    """Give the share of permutations that are as strong, the data counted among them.

    Examples
    --------
    >>> empirical_p(0.5, np.array([0.1, 0.2, 0.6]))
    0.5
    """
    return float((np.count_nonzero(by_chance >= strongest) + 1) / (len(by_chance) + 1))
