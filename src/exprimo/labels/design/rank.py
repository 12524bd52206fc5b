"""Which columns of a matrix are combinations of earlier ones."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

# As R's qr(): what is left of a column, against its length, when nothing new is in it.
TOLERANCE = 1e-7

_SMALL = 1e-6


class Basis(NamedTuple):
    """What spans a matrix.

    Attributes
    ----------
    vectors
        Orthonormal, shape (rows, rank).
    independent, dependent
        Positions of the columns that add a direction, and of those that add none.
    """

    vectors: npt.NDArray[np.float64]
    independent: list[int]
    dependent: list[int]


def find_basis(values: npt.NDArray[np.float64]) -> Basis:
    """Go through the columns in order and keep those that are no combination of earlier ones.

    Parameters
    ----------
    values
        Shape (rows, columns).

    Examples
    --------
    >>> find_basis(np.array([[1.0, 1.0, 0.0], [1.0, 0.0, 1.0], [1.0, 0.0, 1.0]])).dependent
    [2]
    """
    vectors = np.empty((len(values), 0))
    independent: list[int] = []
    dependent: list[int] = []
    for at, column in enumerate(values.T):
        rest = remainder(column, vectors)
        length = float(np.linalg.norm(rest))
        if length > TOLERANCE * float(np.linalg.norm(column)):
            vectors = np.column_stack([vectors, rest / length])
            independent.append(at)
        else:
            dependent.append(at)
    return Basis(vectors, independent, dependent)


def remainder(
    column: npt.NDArray[np.float64], vectors: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Take from a column what orthonormal vectors explain."""
    rest = column - vectors @ (vectors.T @ column)
    # A second pass removes what rounding left in the first.
    return rest - vectors @ (vectors.T @ rest)


def combination(
    values: npt.NDArray[np.float64], column: int, others: list[int]
) -> list[tuple[float, int]]:
    """Write a column as a combination of others: pairs of (weight, position), zeros left out.

    Examples
    --------
    >>> combination(np.array([[1.0, 1.0, 0.0], [1.0, 0.0, 1.0]]), 2, [0, 1])
    [(1.0, 0), (-1.0, 1)]
    """
    scale = np.linalg.norm(values[:, others], axis=0)
    solved = np.linalg.lstsq(values[:, others] / scale, values[:, column], rcond=None)[0]
    # By what a term adds to the column, not by its weight, which depends on units.
    least = _SMALL * float(np.linalg.norm(values[:, column]))
    weights = solved / scale
    return [
        (float(f"{weight:.4g}"), other)
        for weight, part, other in zip(weights, solved, others, strict=True)
        if abs(part) > least
    ]
