"""Covariates within a set of people: those that say nothing there are left out of it, and counted.

A batch that one person was in does not vary among the others, so that the folds in which this
person is held out cannot tell its effect.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import InputError
from exprimo.genetics.eqtl.projection import Projection, projection
from exprimo.genetics.scores.elastic_net import inner_folds

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
# Of a covariate's length: less than this left by the intercept and those before it is rounding.
_NOTHING_LEFT = 1e-9


def telling(covariates: Floats) -> Mask:
    """Tell which covariates add something to an intercept and those before them, (covariates,).

    Examples
    --------
    >>> batch = np.array([[0.0, 1.0, 2.0], [0.0, 2.0, 4.0], [0.0, 4.0, 8.0]])
    >>> telling(batch).tolist()
    [False, True, False]
    """
    kept = np.ones(covariates.shape[1], dtype=np.bool_)
    basis = np.full((len(covariates), 1), len(covariates) ** -0.5)
    for at, column in enumerate(covariates.T):
        left = column - basis @ (basis.T @ column)
        left -= basis @ (basis.T @ left)
        length = float(np.linalg.norm(left))
        kept[at] = length > _NOTHING_LEFT * max(float(np.linalg.norm(column)), 1e-300)
        if kept[at]:
            basis = np.column_stack([basis, left / length])
    return kept


def space_of_set(covariates: Floats) -> tuple[Mask, Projection]:
    """Span the covariates of a set's people, without those that say nothing there.

    Returns
    -------
    Which are kept, (covariates,), and the space.
    """
    try:
        return np.ones(covariates.shape[1], dtype=np.bool_), projection(covariates)
    except InputError:
        kept = telling(covariates)
        if kept.all():
            raise
        return kept, projection(covariates[:, kept])


def sets_of_folds(folds: npt.NDArray[np.int64], n_inner: int, seed: int) -> Iterator[Mask]:
    """Give who trains for each fold, and for each of its inner folds."""
    for number in np.unique(folds):
        training = folds != number
        yield training
        if n_inner:
            inner = inner_folds(training, n_inner, seed)
            yield from (training & (inner != part) for part in range(n_inner))


def note_left_out(covariates: Floats, sets: Iterable[Mask]) -> tuple[str, ...]:
    """Say in how many sets of training people some covariate says nothing; empty: in none.

    Examples
    --------
    >>> one = np.array([[1.0], [0.0], [0.0], [0.0]])
    >>> folds = np.array([0, 0, 1, 1])
    >>> note_left_out(one, sets_of_folds(folds, 0, 0))
    ('in 1 of 2 sets of training people a covariate does not vary or follows from others: left \
out there',)
    """
    each = [not bool(telling(covariates[one]).all()) for one in sets]
    if not any(each):
        return ()
    return (
        f"in {sum(each)} of {len(each)} sets of training people a covariate does not vary or "
        "follows from others: left out there",
    )
