"""Adding up copies times weights: what PLINK 2's --score does, over parts of a file."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import sparse

Floats = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
MissingDosage = Literal["mean", "skip"]


class Sums:
    """Sums of weights times copies of the effect allele, part by part.

    Missing dosages, as PLINK 2 takes them: ``"mean"`` puts the mean number of copies in (of the
    training people where it is known, else of those scored) and averages over all alleles;
    ``"skip"`` leaves the variant out for the person, from the sum and from what it is divided by
    (PLINK's ``no-mean-imputation``).

    Parameters
    ----------
    n_scores, n_people
        How many.

    Attributes
    ----------
    total
        (scores, people).
    known
        (scores, people): alleles whose number of copies was known, two a variant.
    n_variants
        (scores,).
    expected
        (scores,): sum of weights times mean copies among the training people.

    Examples
    --------
    >>> sums = Sums(1, 3)
    >>> sums.add(np.array([[0.0, 2.0, np.nan]]), np.array([0]), np.array([0.5]), np.array([np.nan]))
    >>> sums.total.tolist(), sums.average().tolist()
    ([[0.0, 1.0, 0.5]], [[0.0, 0.5, 0.25]])
    """

    def __init__(self, n_scores: int, n_people: int, missing: MissingDosage = "mean") -> None:
        self.total: Floats = np.zeros((n_scores, n_people))
        self.known: Floats = np.zeros((n_scores, n_people))
        self.n_variants: Int = np.zeros(n_scores, dtype=np.int64)
        self.expected: Floats = np.zeros(n_scores)
        self._missing = missing

    def add(
        self, copies: npt.NDArray[np.floating], score: Int, weight: Floats, mean: Floats
    ) -> None:
        """Add variants.

        Parameters
        ----------
        copies
            (rows, people), of the effect allele; NaN where missing.
        score, weight, mean
            (rows,): which score a row belongs to, its weight, and the mean copies among the
            training people (NaN: not told).
        """
        values = copies.astype(np.float64)
        gaps = np.isnan(values)
        values[gaps] = 0.0
        if self._missing == "mean" and gaps.any():
            n_known = (~gaps).sum(axis=1)
            here = values.sum(axis=1) / np.maximum(n_known, 1)
            filling = np.where(np.isnan(mean), here, mean)
            values[gaps] = np.broadcast_to(filling[:, None], values.shape)[gaps]
        shape, at = (len(self.total), len(values)), np.arange(len(values))
        self.total += np.asarray(sparse.csr_array((weight, (score, at)), shape=shape) @ values)
        ones = sparse.csr_array((np.full(len(score), 2.0), (score, at)), shape=shape)
        self.known += np.asarray(ones @ (~gaps).astype(np.float64))
        np.add.at(self.n_variants, score, 1)
        told = ~np.isnan(mean)
        np.add.at(self.expected, score[told], (weight * mean)[told])

    def average(self) -> Floats:
        """Divide the sums by numbers of alleles, (scores, people); NaN where there is none."""
        alleles = self.known
        if self._missing == "mean":
            alleles = np.broadcast_to(2.0 * self.n_variants[:, None], self.total.shape)
        divided: Floats = np.divide(
            self.total, alleles, out=np.full(self.total.shape, np.nan), where=alleles > 0
        )
        return divided
