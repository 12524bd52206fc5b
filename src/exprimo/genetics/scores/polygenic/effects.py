"""Marginal effects of variants in many sets of people at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from exprimo.genetics.scores.polygenic.covariates import space_of_set

Floats = npt.NDArray[np.float64]
Sets = npt.NDArray[np.bool_]

# Of the squared length of a dosage about its mean: less than this left by the covariates is none.
_EXPLAINED = 1e-10


class SetEffects(NamedTuple):
    """What each set of people says of each variant and of expression.

    Attributes
    ----------
    slope
        (sets, variants): change of expression per ALT allele; 0 where a variant does not vary.
    r2
        (sets, variants): squared partial correlation; NaN where a variant does not vary.
    mean
        (sets, variants): dosage of ALT among the set's people; missing ones count as it.
    residual
        (sets, people): expression less the covariates' and the intercept's part, as the set's
        people give it, for everybody.
    df
        (sets,): degrees of freedom of a regression on one variant.
    intercept
        (sets,): mean expression of the set's people.
    """

    slope: Floats
    r2: Floats
    mean: Floats
    residual: Floats
    df: npt.NDArray[np.int64]
    intercept: Floats

    def least_r2(self, p: float) -> Floats:
        """Give the r² whose p-value is ``p``, (sets,): at least as large means p at most that."""
        if p >= 1:
            return np.zeros(len(self.df))
        t2 = special.stdtrit(self.df, p / 2) ** 2
        needed: Floats = np.asarray(t2 / (t2 + self.df), dtype=np.float64)
        return needed

    def p_values(self) -> Floats:
        """Give two-sided p-values of Student's t, (sets, variants)."""
        p = special.betainc(self.df[:, None] / 2, 0.5, 1.0 - self.r2)
        return np.asarray(p, dtype=np.float64)


def effects_of_sets(
    dosage: npt.NDArray[np.floating], target: Floats, covariates: Floats, sets: Sets
) -> SetEffects:
    """Regress expression on each variant with the covariates, within each set of people.

    One matrix product serves all sets: sums over a set of dosage times covariates and expression
    are enough (theorem of Frisch, Waugh and Lovell). A missing dosage is the mean of the set.

    Parameters
    ----------
    dosage
        (variants, people), NaN where missing.
    target
        (people,).
    covariates
        (people, covariates), without an intercept. One that says nothing in a set, as a batch of
        which nobody is in it, is left out of that set.
    sets
        (sets, people): who is in.

    Examples
    --------
    >>> dosage, y = np.array([[0.0, 1.0, 1.0, 2.0, 0.0]]), np.array([1.0, 2.0, 3.0, 4.0, 9.0])
    >>> found = effects_of_sets(dosage, y, np.empty((5, 0)), np.array([[1, 1, 1, 1, 0]], bool))
    >>> float(found.slope[0, 0].round(9)), float(found.r2[0, 0].round(9))
    (1.5, 0.9)
    """
    full = dosage.astype(np.float64)
    missing = np.isnan(full)
    some = bool(missing.any())
    full[missing] = 0.0
    gaps = missing.astype(np.float64) if some else np.empty((0, 0))
    inside = sets.T.astype(np.float64)
    n = inside.sum(axis=0)
    known = n[None, :] - gaps @ inside if some else np.broadcast_to(n, (len(full), len(n)))
    mean = (full @ inside) / np.maximum(known, 1)
    squares = (full * full) @ inside + mean * mean * (n - known)
    width = 1 + covariates.shape[1]
    columns, residual, df = _columns(target, covariates, sets)
    products = full @ columns
    if some:
        products += np.repeat(mean, width + 1, axis=1) * (gaps @ columns)
    products = products.reshape(len(full), len(sets), width + 1)
    along = np.einsum("vsk,vsk->vs", products[..., :width], products[..., :width])
    spread = squares - n * mean * mean
    left = squares - along
    usable = left > _EXPLAINED * np.maximum(spread, 1e-12)
    usable &= spread > 1e-9
    product, safe = products[..., width], np.where(usable, left, 1.0)
    length = np.einsum("sp,sp->s", residual * sets, residual)
    flat = length <= 0
    r2 = product**2 / safe / np.where(flat, 1.0, length)
    r2 = np.where(usable & ~flat, np.minimum(r2, 1.0), np.nan)
    slope = np.where(np.isnan(r2), 0.0, product / safe)
    intercept = (inside.T @ target) / n
    return SetEffects(slope.T.copy(), r2.T.copy(), mean.T.copy(), residual, df, intercept)


def _columns(
    target: Floats, covariates: Floats, sets: Sets
) -> tuple[Floats, Floats, npt.NDArray[np.int64]]:
    """Give what dosages are multiplied with, (people, sets x (1 + covariates + 1)).

    Of each set an orthonormal basis of intercept and covariates, then the residual expression;
    0 outside the set. With them the residuals of everybody, (sets, people), and the degrees of
    freedom.
    """
    n_people, n_covariates = covariates.shape
    blocks = np.zeros((n_people, len(sets), n_covariates + 2))
    residual = np.empty((len(sets), n_people))
    df = np.empty(len(sets), dtype=np.int64)
    design = np.hstack([np.ones((n_people, 1)), covariates])
    for at, inside in enumerate(sets):
        kept, space = space_of_set(covariates[inside])
        blocks[inside, at, : space.basis.shape[1]] = space.basis
        used = design[:, np.concatenate([[True], kept])]
        weights = np.linalg.lstsq(used[inside], target[inside], rcond=None)[0]
        residual[at] = target - used @ weights
        centred = space.residuals(target[inside][None, :])[0]
        # Rounding leaves expression that the covariates explain wholly with a little.
        scale = np.abs(target[inside]).max(initial=0.0)
        centred[np.abs(centred) <= 1e-12 * scale] = 0.0
        residual[at, inside] = centred
        blocks[inside, at, -1] = centred
        df[at] = space.df
    return blocks.reshape(n_people, -1), residual, df
