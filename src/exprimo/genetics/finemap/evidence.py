"""What fine-mapping sees of a region: how variants go with the trait and with one another.

A linear regression with many predictors needs X'X, X'y and y'y alone. People give them, and so do
summary statistics with a matrix of LD; SuSiE then runs on either.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import ConfigError, InputError, MismatchError

Floats = npt.NDArray[np.float64]


class Evidence(NamedTuple):
    """A region as sufficient statistics of centred, scaled variants.

    Attributes
    ----------
    gram_times
        b -> X'X b, both (variants,).
    gram_diagonal
        (variants,): the diagonal of X'X; 0 for a variant that does not vary.
    xty
        (variants,): X'y.
    yty
        y'y of the centred trait.
    n
        People, less the covariates that were projected out; of summary statistics without n, 1
        (and the residual variance is fixed).
    ld
        indices -> LD among them, (k, k) correlations.
    estimates_residual
        Whether the residual variance can be estimated from these statistics.
    scale
        (variants,): what an effect is divided by to be per unit of the variant as given.
    """

    gram_times: Callable[[Floats], Floats]
    gram_diagonal: Floats
    xty: Floats
    yty: float
    n: float
    ld: Callable[[npt.NDArray[np.intp]], Floats]
    estimates_residual: bool
    scale: Floats

    @property
    def n_variants(self) -> int:
        """Count the variants of the region."""
        return len(self.xty)


def evidence_of_people(
    variants: npt.ArrayLike, trait: npt.ArrayLike, *, covariates: int = 0
) -> Evidence:
    """Take the evidence from individual data.

    What k covariates and the mean leave of n people lies in n - k - 1 dimensions. In an orthonormal
    basis of these the products of X and y are what they are, so that n - k stands for n in all
    variances: the noise would else be taken for smaller than it is.

    Parameters
    ----------
    variants
        (people, variants), complete; covariates projected out where there are any.
    trait
        (people,), complete, treated alike.
    covariates
        How many columns were projected out, beside the mean.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[0.0, 1], [1, 0], [2, 1], [1, 2]])
    >>> seen = evidence_of_people(x, [0.0, 1, 2, 1])
    >>> seen.xty.round(3).tolist(), seen.yty
    ([2.449, 0.0], 2.0)
    """
    x = np.asarray(variants, dtype=np.float64)
    y = np.asarray(trait, dtype=np.float64)
    if x.ndim != 2 or y.ndim != 1 or len(x) != len(y):
        raise MismatchError(
            "genotypes and trait have other people",
            found=f"{x.shape} and {y.shape}",
            expected="(people, variants) and (people,)",
        )
    _refuse_missing(x, y)
    n = len(y) - covariates
    if n < 3 or covariates < 0:
        raise InputError(
            "too few people to map an effect",
            found=f"{len(y)} people, {covariates} covariates",
            expected="3 people more than covariates, at least",
        )
    y = y - y.mean()
    yty = float(y @ y)
    if yty <= 1e-12 * len(y):
        raise InputError("the trait does not vary", found="one value", remedy="Leave it out")
    x = x - x.mean(axis=0)
    spread = np.sqrt(np.einsum("ij,ij->j", x, x) / (n - 1))
    varies = spread > 1e-8
    scale = np.where(varies, spread, 1.0)
    x /= scale
    x[:, ~varies] = 0.0
    diagonal = np.einsum("ij,ij->j", x, x)

    def ld(chosen: npt.NDArray[np.intp]) -> Floats:
        part = x[:, chosen]
        return np.asarray(part.T @ part / (n - 1), dtype=np.float64)

    times = _gram_times(x)
    return Evidence(times, diagonal, x.T @ y, yty, float(n), ld, True, scale)


def _gram_times(x: Floats) -> Callable[[Floats], Floats]:
    """Multiply by X'X: through the matrix itself where it is the smaller one."""
    n, p = x.shape
    if p < 2 * n:
        gram = x.T @ x
        return lambda b: np.asarray(gram @ b, dtype=np.float64)
    return lambda b: np.asarray(x.T @ (x @ b), dtype=np.float64)


def evidence_of_summary(
    z: npt.ArrayLike,
    ld: npt.ArrayLike,
    n: float | None = None,
    *,
    in_sample: bool = False,
    shrink: float = 0.0,
) -> Evidence:
    """Take the evidence from z-scores and LD (Zou et al. 2022).

    With ``n`` the z-scores become correlations with the trait, so that a strong effect is not
    taken for more than it can explain; without, X'X = R and X'y = z, with a residual variance of 1.

    Parameters
    ----------
    z
        (variants,): effect / standard error, of the allele that ``ld`` counts.
    ld
        (variants, variants): correlations of the people studied, or of a panel.
    n
        People studied. Where z-scores are of a regression on few people and k covariates: people
        less k.
    in_sample
        Whether ``ld`` is that of the very people (and covariates): then the residual variance
        can be estimated. Of another panel it cannot.
    shrink
        From 0 to 1: LD becomes (1 - shrink) R + shrink I; see `check_ld`.

    Examples
    --------
    >>> seen = evidence_of_summary([5.0, 1.0], [[1.0, 0.1], [0.1, 1.0]], n=101)
    >>> (seen.xty / seen.yty).round(3).tolist()
    [0.449, 0.1]
    """
    scores = np.asarray(z, dtype=np.float64)
    r = np.array(ld, dtype=np.float64)
    refuse_bad_ld(scores, r)
    if not 0 <= shrink <= 1:
        raise ConfigError("not a share", record="shrink", found=shrink, expected="0 to 1")
    if shrink:
        r *= 1 - shrink
        np.fill_diagonal(r, 1.0)
    ones = np.ones(len(scores))

    def some(chosen: npt.NDArray[np.intp]) -> Floats:
        return r[np.ix_(chosen, chosen)]

    if n is None:
        return Evidence(lambda b: r @ b, ones, scores, 1.0, 1.0, some, False, ones)
    if n <= 2:
        raise ConfigError("too few people", record="n", found=n, expected="more than 2")
    # z of a regression -> correlation times sqrt(n - 1).
    adjusted = scores * np.sqrt((n - 1) / (scores**2 + n - 2))
    return Evidence(
        lambda b: (n - 1) * (r @ b),
        (n - 1) * ones,
        np.sqrt(n - 1) * adjusted,
        float(n - 1),
        float(n),
        some,
        in_sample,
        ones,
    )


def _refuse_missing(x: Floats, y: Floats) -> None:
    bad_people = ~np.isfinite(y)
    bad_variants = ~np.isfinite(x).all(axis=0)
    if bad_people.any() or bad_variants.any():
        raise InputError(
            "values are missing",
            found=f"{bad_people.sum()} of the trait, {bad_variants.sum()} variants",
            expected="finite numbers",
            remedy="Fill in missing genotypes with the variant's mean; leave out people "
            "without a trait",
        )


def refuse_bad_ld(z: Floats, r: Floats) -> None:
    """Refuse LD that is no matrix of correlations, or is not of these variants."""
    if z.ndim != 1 or r.shape != (len(z), len(z)):
        raise MismatchError(
            "LD and z-scores have other variants",
            found=f"{r.shape} and {z.shape}",
            expected="(variants, variants) and (variants,)",
        )
    if not (np.isfinite(z).all() and np.isfinite(r).all()):
        raise InputError(
            "values are missing",
            found=f"{(~np.isfinite(z)).sum()} z-scores, {(~np.isfinite(r)).sum()} cells of LD",
            expected="finite numbers",
            remedy="Leave out variants that do not vary in the panel",
        )
    if np.abs(r - r.T).max(initial=0) > 1e-6 or np.abs(np.diag(r) - 1).max(initial=0) > 1e-3:
        raise InputError(
            "not a matrix of correlations",
            found=f"diagonal from {np.diag(r).min():.3g} to {np.diag(r).max():.3g}",
            expected="symmetric, with a diagonal of 1",
            remedy="Give r, not r² or covariances",
        )
