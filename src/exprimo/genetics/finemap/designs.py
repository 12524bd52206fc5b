"""Covariates of the people a fit is made in, where some may say nothing among these alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import InputError
from exprimo.genetics.cohort import Cohort
from exprimo.genetics.eqtl.projection import Projection, projection
from exprimo.genetics.finemap.tables import NO_FOLD

Indices = npt.NDArray[np.intp]

# Of a column's length: what is left of it beside those before, when it adds nothing.
_NOTHING_LEFT = 1e-9
# People less covariates. Of noise 15% of genes have a credible set at 3, 8% at 4, 5% at 6, and
# 2 to 4% from 8 on, as with any number.
_LEAST_FREE = 10


def adding(covariates: npt.NDArray[np.float64]) -> Indices:
    """Give the covariates that are neither constant nor explained by those before them.

    Parameters
    ----------
    covariates
        (people, covariates), without an intercept.

    Examples
    --------
    >>> adding(np.array([[1.0, 5, 2], [2, 5, 4], [4, 5, 8], [3, 5, 6]])).tolist()
    [0]
    """
    n_people, count = covariates.shape
    basis = np.full((n_people, 1), n_people**-0.5)
    kept = []
    for at in range(count):
        column = covariates[:, at]
        centred = column - column.mean()
        # Twice: once leaves rounding errors along the basis.
        rest = centred - basis @ (basis.T @ centred)
        rest = rest - basis @ (basis.T @ rest)
        length = float(np.linalg.norm(rest))
        if np.linalg.norm(centred) <= _NOTHING_LEFT * np.linalg.norm(column):
            continue
        if length > _NOTHING_LEFT * np.linalg.norm(centred):
            basis = np.column_stack([basis, rest / length])
            kept.append(at)
    return np.array(kept, dtype=np.intp)


def spaces_of(
    cohort: Cohort, parts: Mapping[int, Indices], file: str | Path | None
) -> tuple[dict[int, Projection], dict[str, int]]:
    """Span the covariates of each part's people; those that add nothing there are left out.

    A batch of one person is no batch where that person is left out.

    Parameters
    ----------
    cohort
        Whose covariates each add something among all people.
    parts
        Fold -> people that a fit is made in.
    file
        Of the covariates, for messages.

    Returns
    -------
    Fold -> what its covariates and the intercept span, and reason -> covariates left out.
    """
    spaces: dict[int, Projection] = {}
    left_out: dict[str, int] = {}
    for fold, people in parts.items():
        values = cohort.covariates[people]
        kept = adding(values)
        if len(people) - len(kept) < _LEAST_FREE:
            raise InputError(
                "too few people for the covariates",
                file=file,
                record=None if fold == NO_FOLD else f"people outside of fold {fold}",
                found=f"{len(people)} people, {values.shape[1]} covariates",
                expected=f"at least {values.shape[1] + _LEAST_FREE} people",
                remedy="Give fewer covariates, or fewer folds",
            )
        spaces[fold] = projection(values[:, kept], [cohort.covariate_names[at] for at in kept])
        if lost := values.shape[1] - len(kept):
            left_out[f"covariates that say nothing of the people outside of fold {fold}"] = lost
    return spaces, left_out
