"""Principal components of genotypes (Price et al. 2006), exact or randomised by size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.linalg import eigh

from exprimo.data.genotypes.cohort.tally import GenotypeCodes

Matrix = npt.NDArray[np.float64]

_CHUNK = 2048
# Up to here the decomposition of a whole matrix takes seconds.
_EXACT = 3000
_EXTRA = 10
_ROUNDS = 12


class Components(NamedTuple):
    """Principal components of samples.

    Attributes
    ----------
    vectors
        (samples, components), each of length 1; the largest value of each is positive.
    eigenvalues
        (components,), of the matrix of relationships, descending.
    shares
        (components,), of the variance of all standardised genotypes.
    n_variants
        Variants that were used: those with variation.
    """

    vectors: Matrix
    eigenvalues: Matrix
    shares: Matrix
    n_variants: int


def principal_components(
    codes: GenotypeCodes, n_components: int = 10, *, exact: bool | None = None, seed: int = 0
) -> Components:
    """Decompose the matrix of relationships of the samples.

    Each variant is centred by its mean 2p and divided by √(2p(1-p)); missing genotypes get the
    mean. The relationship of two samples is the mean product over the variants.

    Parameters
    ----------
    codes
        (variants, samples): 0, 1, 2 copies of ALT; anything else is missing. Unlinked variants.
    exact
        Whether all of the matrix is decomposed; by default up to 3,000 samples (or variants).
        Else by subspace iteration from a random start (Halko et al. 2011), 12 rounds.
    seed
        Of the random start.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> south, north = rng.binomial(2, 0.2, (200, 10)), rng.binomial(2, 0.8, (200, 10))
    >>> found = principal_components(np.hstack([south, north]).astype(np.int8), 2)
    >>> first = np.sign(found.vectors[:, 0])
    >>> bool((first[:10] == first[0]).all() and (first[10:] == -first[0]).all())
    True
    """
    n_samples = codes.shape[1]
    n_variants, total = 0, 0.0
    for z in standardised(codes):
        n_variants += len(z)
        total += float(np.square(z).sum())
    n_components = min(n_components, n_samples - 1, n_variants)
    if n_components < 1:
        return Components(np.empty((n_samples, 0)), np.empty(0), np.empty(0), n_variants)
    if exact if exact is not None else n_samples <= _EXACT:
        values, vectors = _whole(codes, n_components)
    else:
        values, vectors = _iterated(codes, n_components, seed)
    largest = np.abs(vectors).argmax(axis=0)
    vectors *= np.sign(vectors[largest, np.arange(n_components)])
    return Components(vectors, values / n_variants, values / total, n_variants)


def standardised(codes: GenotypeCodes) -> Iterator[Matrix]:
    """Give the standardised genotypes in chunks, (variants, samples); flat variants are left out.

    Examples
    --------
    >>> next(standardised(np.array([[0, 1, 2, 3], [1, 1, 2, 1]], np.int8)))[0].round(3).tolist()
    [-1.414, 0.0, 1.414, 0.0]
    """
    for begin in range(0, len(codes), _CHUNK):
        rows = codes[begin : begin + _CHUNK]
        known = (rows >= 0) & (rows <= 2)
        counts = np.where(known, rows, 0).astype(np.float64)
        p = counts.sum(axis=1) / np.maximum(2 * known.sum(axis=1), 1)
        varied = (p > 0) & (p < 1)
        p = p[varied, None]
        yield np.where(known[varied], (counts[varied] - 2 * p) / np.sqrt(2 * p * (1 - p)), 0.0)


def _whole(codes: GenotypeCodes, n_components: int) -> tuple[Matrix, Matrix]:
    n_samples = codes.shape[1]
    products = np.zeros((n_samples, n_samples))
    for z in standardised(codes):
        products += z.T @ z
    values, vectors = eigh(products, subset_by_index=(n_samples - n_components, n_samples - 1))
    return values[::-1], vectors[:, ::-1].copy()


def _iterated(codes: GenotypeCodes, n_components: int, seed: int) -> tuple[Matrix, Matrix]:
    n_samples = codes.shape[1]
    width = min(n_components + _EXTRA, n_samples)
    basis = np.linalg.qr(np.random.default_rng(seed).normal(size=(n_samples, width)))[0]
    for _ in range(_ROUNDS):
        image = np.zeros_like(basis)
        for z in standardised(codes):
            image += z.T @ (z @ basis)
        previous, (basis, _) = basis, np.linalg.qr(image)
    # Rayleigh and Ritz: within the last space but one, whose image is known.
    small = previous.T @ image
    values, turn = np.linalg.eigh((small + small.T) / 2)
    order = np.argsort(values)[::-1][:n_components]
    return values[order], previous @ turn[:, order]
