"""Covariates taken out of genotypes and expression: both sides of a regression, by QR."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import InputError

# Of a column's length: what is left of it beside the columns before, when it is a sum of them.
_NOTHING_LEFT = 1e-9


class Projection(NamedTuple):
    """The space that covariates and the intercept span.

    Attributes
    ----------
    basis
        (people, 1 + covariates), orthonormal columns; the first is the intercept's.
    df
        Degrees of freedom of a regression on one variant, the covariates and an intercept.

    Examples
    --------
    >>> age = np.array([[20.0], [30.0], [40.0], [50.0]])
    >>> found = projection(age, ["age"])
    >>> found.df, np.allclose(found.residuals(age.T * 2 + 1), 0)
    (1, True)
    """

    basis: npt.NDArray[np.float64]
    df: int

    def residuals(self, rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Give what the covariates leave of each row, (rows, people)."""
        left: npt.NDArray[np.float64] = rows - (rows @ self.basis) @ self.basis.T
        return left

    def with_columns(self, columns: npt.NDArray[np.float64]) -> Projection:
        """Add columns, (people, more), such as dosages of variants to condition on.

        A column that adds nothing is left out and takes no degree of freedom.
        """
        basis = self.basis
        for column in columns.T:
            # Twice: once leaves rounding errors along the basis.
            rest = column - basis @ (basis.T @ column)
            rest = rest - basis @ (basis.T @ rest)
            if _length(rest) > _NOTHING_LEFT * _length(column):
                basis = np.column_stack([basis, rest / _length(rest)])
        return Projection(basis, self.df - (basis.shape[1] - self.basis.shape[1]))


def projection(
    covariates: npt.NDArray[np.float64], names: Sequence[str] | None = None
) -> Projection:
    """Span the space of the covariates and an intercept.

    Parameters
    ----------
    covariates
        (people, covariates), without an intercept; may have no columns.
    names
        Of the columns, for messages.

    Raises
    ------
    InputError
        Where covariates leave no degree of freedom, are not finite, or one is a sum of others.
    """
    people, count = covariates.shape
    labels = list(names) if names is not None else [f"column {i + 1}" for i in range(count)]
    df = people - 2 - count
    if df < 1:
        raise InputError(
            "too few people for the covariates",
            found=f"{people} people, {count} covariates",
            expected=f"at least {count + 3} people, for an intercept, a variant and one to spare",
            remedy="Give fewer covariates, or more people",
        )
    if not np.isfinite(covariates).all():
        bad = int(np.flatnonzero(~np.isfinite(covariates).all(axis=0))[0])
        raise InputError("a covariate is not a number", record=labels[bad], expected="finite")
    centred = covariates - covariates.mean(axis=0)
    length = np.linalg.norm(centred, axis=0)
    constant = length <= _NOTHING_LEFT * np.linalg.norm(covariates, axis=0)
    scaled = centred / np.where(constant, 1.0, length)
    intercept = np.full((people, 1), people**-0.5)
    basis, triangle = np.linalg.qr(np.hstack([intercept, scaled]))
    sums = constant | (np.abs(np.diag(triangle))[1:] <= _NOTHING_LEFT)
    if sums.any():
        raise InputError(
            "collinear covariates",
            record=", ".join(labels[i] for i in np.flatnonzero(sums)[:5]),
            found="constant, or a sum of multiples of the covariates before it",
            expected="covariates that each add something",
            remedy="Leave it out",
        )
    return Projection(basis, df)


def _length(column: npt.NDArray[np.float64]) -> float:
    return float(np.linalg.norm(column))
