"""Hidden factors: principal components of expression, fitted on training people.

How many there are can be told by permutation (Buja & Eyuboglu 1992, Multivariate Behavioral
Research 27:509; for expression Zhou et al. 2022, Genome Biology 23:210).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import ConfigError, InputError

Matrix = npt.NDArray[np.float64]

# Permuted and observed shares of variance differ by rounding where nothing is left to explain.
_NOTHING = 1e-10


class HiddenFactors(NamedTuple):
    """Principal components of the standardised genes, known covariates projected out.

    Attributes
    ----------
    names
        PC1, PC2, ...
    known
        (covariates + 1, genes): what the intercept and the known covariates explain.
    sd
        (genes,): of what they leave in the training people; 1 where they leave nothing.
    loadings
        (genes, factors): expression that is standardised, times these, is the factor; it has
        variance 1 among the training people.
    share
        (factors,): of the variance of all genes that each explains.
    """

    names: tuple[str, ...]
    known: Matrix
    sd: Matrix
    loadings: Matrix
    share: Matrix

    def of(self, expression: Matrix, covariates: Matrix | None = None) -> Matrix:
        """Give the factors of people, (people, factors), from their expression (genes, people).

        All genes of a person go into it, the one that is to be explained too: a factor of a test
        person has seen a little of each of that person's values, as one of many.
        """
        left = expression - (_design(expression.shape[1], covariates) @ self.known).T
        scores: Matrix = (left / self.sd[:, None]).T @ self.loadings
        return scores


def fit_hidden_factors(
    training: Matrix,
    n: int | None = None,
    *,
    covariates: Matrix | None = None,
    permutations: int = 20,
    alpha: float = 0.05,
    seed: int = 0,
) -> HiddenFactors:
    """Find hidden factors of expression in training people.

    Parameters
    ----------
    training
        (genes, people), finite, transformed as the associations will have it.
    n
        How many; None: as `count_hidden_factors` tells.
    covariates
        (people, covariates) of the training people, projected out first, so that no factor tells
        again what is known.
    permutations, alpha, seed
        See `count_hidden_factors`.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> hidden = random.normal(size=40)
    >>> training = random.normal(size=(300, 40)) + random.normal(size=(300, 1)) * hidden
    >>> factors = fit_hidden_factors(training)
    >>> factors.names, bool(abs(np.corrcoef(factors.of(training)[:, 0], hidden)[0, 1]) > 0.95)
    (('PC1',), True)
    """
    people = training.shape[1]
    design = _design(people, covariates)
    _refuse(training, design)
    known = np.asarray(np.linalg.lstsq(design, training.T, rcond=None)[0], dtype=np.float64)
    left = training - (design @ known).T
    sd: Matrix = left.std(axis=1, ddof=1)
    # What is constant, or explained wholly, would be rounding blown up to a variance of 1.
    flat = sd <= 1e-9 * np.maximum(np.abs(training).max(axis=1), 1e-300)
    sd[flat] = 1
    left[flat] = 0
    standard = left / sd[:, None]
    most = people - design.shape[1]
    if n is None:
        n = count_hidden_factors(standard, design, permutations, alpha, seed)
    if not 0 <= n <= most:
        raise ConfigError(
            "no such number of hidden factors",
            found=n,
            expected=f"0 to {most}: people less covariates and the intercept",
        )
    shares, axes = _components(standard)
    shares, axes = shares[:n], axes[:, :n]
    if n and shares[-1] < _NOTHING:
        raise ConfigError(
            "fewer hidden factors than were asked for",
            found=f"{int((shares >= _NOTHING).sum())} with any variance",
            expected=f"{n}",
        )
    # standard.T @ loadings = axes * sqrt(people - 1), of variance 1.
    total = float((standard**2).sum())
    loadings = standard @ axes * (np.sqrt(people - 1) / (shares * total))
    return HiddenFactors(tuple(f"PC{at + 1}" for at in range(n)), known, sd, loadings, shares)


def count_hidden_factors(
    standard: Matrix, design: Matrix, permutations: int = 20, alpha: float = 0.05, seed: int = 0
) -> int:
    """Count the leading components that explain more than by chance.

    The values of each gene are exchanged between people, which breaks what genes share, and the
    known covariates are projected out again: else the observed variance, which lies in fewer
    dimensions than the permuted, would seem to be shared. A component counts where its share of
    the variance is exceeded by that of the same rank in at most ``alpha`` of the permutations, as
    do all before it. Of thousands of genes weak factors count as well, such as what neighbouring
    genes share through linked variants.

    Parameters
    ----------
    standard
        (genes, people), ``design`` projected out, standardised per gene.
    design
        (people, covariates + 1): the intercept and what is known.
    permutations, alpha, seed
        How often, the level, the seed.

    Examples
    --------
    >>> random = np.random.default_rng(1)
    >>> count_hidden_factors(random.normal(size=(200, 30)), np.ones((30, 1)))
    0
    """
    if permutations < 1 or not 0 <= alpha < 1:
        raise ConfigError(
            "not a permutation rule",
            found=f"{permutations} permutations, alpha {alpha}",
            expected="at least 1 permutation, alpha from 0 to below 1",
        )
    observed, _ = _components(standard)
    basis, _ = np.linalg.qr(design)
    random = np.random.default_rng(seed)
    exceeded = np.zeros(len(observed))
    for _ in range(permutations):
        shuffled = random.permuted(standard, axis=1)
        shuffled -= (shuffled @ basis) @ basis.T
        lengths = np.linalg.norm(shuffled, axis=1, keepdims=True)
        lengths[lengths < _NOTHING] = 1
        shuffled /= lengths
        exceeded += _components(shuffled)[0] >= observed
    real = (exceeded / permutations <= alpha) & (observed > _NOTHING)
    most = int(design.shape[0] - design.shape[1])
    return min(int(np.cumprod(real).sum()), most)


def _components(standard: Matrix) -> tuple[Matrix, Matrix]:
    """Give shares of variance, largest first, and axes (people, components) of length 1."""
    # People are fewer than genes: the small product has the same eigenvalues.
    values, axes = np.linalg.eigh(standard.T @ standard)
    values, axes = np.clip(values[::-1], 0, None), axes[:, ::-1]
    # The sign of an axis is free; the largest entry of each is made positive.
    signs = np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    total = values.sum()
    return values / total if total > 0 else values, axes * signs


def _design(people: int, covariates: Matrix | None) -> Matrix:
    ones = np.ones((people, 1))
    return ones if covariates is None else np.hstack([ones, covariates])


def _refuse(training: Matrix, design: Matrix) -> None:
    if not np.isfinite(training).all():
        raise InputError(
            "hidden factors are found in finite values only",
            found=f"{int((~np.isfinite(training)).sum())} others",
            expected="a number for each gene and training person",
        )
    if training.shape[1] <= design.shape[1]:
        raise InputError(
            "too few people for hidden factors",
            found=f"{training.shape[1]} people, {design.shape[1] - 1} covariates",
            expected=f"more than {design.shape[1]} people",
        )
