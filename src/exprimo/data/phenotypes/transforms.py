"""Transforms of expression: fitted on training people, applied to any.

``log2``: log2(x + 1). ``zscore``: less the gene's mean, by its standard deviation.
``inverse_normal``: the gene's ranks to normal quantiles, rank / (n + 1), as GTEx has it.
``quantile``: each person's values to the mean distribution of the people (Bolstad et al. 2003,
Bioinformatics 19:185).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol, get_args

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri
from scipy.stats import rankdata

from exprimo.core.errors import ConfigError, InputError

Matrix = npt.NDArray[np.float64]
TransformName = Literal["log2", "zscore", "inverse_normal", "quantile"]
TRANSFORMS: tuple[TransformName, ...] = get_args(TransformName)


class Transform(Protocol):
    """Something fitted that maps (genes, people) to the same shape."""

    def apply(self, values: Matrix) -> Matrix:
        """Give values of the genes that it was fitted on, for any people."""
        ...


class Log2(NamedTuple):
    """log2(x + 1); nothing is fitted."""

    def apply(self, values: Matrix) -> Matrix:
        """Give log2(x + 1); a negative value is refused."""
        if values.size and values.min() < 0:
            raise InputError(
                "a negative value has no logarithm here",
                found=f"{values.min():g}",
                expected="counts or abundances, from 0",
                remedy="Leave log2 out if the values are logarithms already",
            )
        return np.log2(values + 1)


class ZScore(NamedTuple):
    """Mean and standard deviation (n - 1) of each gene, (genes, 1).

    A gene that is constant in the training people has the deviation 1: it is only centred.
    """

    mean: Matrix
    sd: Matrix

    def apply(self, values: Matrix) -> Matrix:
        """Give (x - mean) / sd."""
        scores: Matrix = (values - self.mean) / self.sd
        return scores


class InverseNormal(NamedTuple):
    """The sorted values of each gene in the training people, (genes, people)."""

    ordered: Matrix

    def apply(self, values: Matrix) -> Matrix:
        """Give the normal quantile of each value's rank among the training people.

        Between two of their values ranks are interpolated; beyond the outermost, theirs is given.
        """
        n = self.ordered.shape[1]
        ranks = np.empty(values.shape)
        for gene, (known, asked) in enumerate(zip(self.ordered, values, strict=True)):
            distinct, first, count = np.unique(known, return_index=True, return_counts=True)
            ranks[gene] = np.interp(asked, distinct, first + (count + 1) / 2)
        quantiles: Matrix = ndtri(ranks / (n + 1))
        return quantiles


class Quantile(NamedTuple):
    """The mean over training people of their sorted values, (genes,)."""

    reference: Matrix

    def apply(self, values: Matrix) -> Matrix:
        """Give each person the reference's values in the order of their own; ties share a mean."""
        places = np.arange(1, len(self.reference) + 1)
        ranks = rankdata(values, axis=0)
        # A tie of an even number has a rank between two: their mean.
        normalised: Matrix = np.interp(ranks, places, self.reference)
        return normalised


class Chain(NamedTuple):
    """Transforms one after the other."""

    steps: tuple[Transform, ...]

    def apply(self, values: Matrix) -> Matrix:
        """Give what the last of them gives."""
        for step in self.steps:
            values = step.apply(values)
        return values


def fit_transforms(names: Sequence[TransformName], training: Matrix) -> Chain:
    """Fit transforms on training people, each on what those before it give.

    Parameters
    ----------
    names
        Of ``log2``, ``zscore``, ``inverse_normal``, ``quantile``, in the order of use; none:
        nothing is done.
    training
        (genes, people), finite.

    Examples
    --------
    >>> training = np.array([[0.0, 1.0, 3.0], [7.0, 7.0, 15.0]])
    >>> chain = fit_transforms(["log2", "zscore"], training)
    >>> chain.apply(np.array([[7.0], [7.0]])).round(2).tolist()
    [[2.0], [-0.58]]
    """
    unknown = [name for name in names if name not in TRANSFORMS]
    if unknown:
        raise ConfigError(
            "no such transform", found=", ".join(unknown), expected=", ".join(TRANSFORMS)
        )
    if training.size == 0 or not np.isfinite(training).all():
        raise InputError(
            "transforms are fitted on finite values only",
            found="none" if training.size == 0 else f"{int((~np.isfinite(training)).sum())} others",
            expected="a number for each gene and training person",
        )
    steps: list[Transform] = []
    values = training
    for name in names:
        steps.append(_fitted(name, values))
        values = steps[-1].apply(values)
    return Chain(tuple(steps))


def _fitted(name: TransformName, values: Matrix) -> Transform:
    if name == "log2":
        return Log2()
    if name == "inverse_normal":
        return InverseNormal(np.sort(values, axis=1))
    if name == "quantile":
        return Quantile(np.sort(values, axis=0).mean(axis=1))
    if values.shape[1] < 2:
        raise InputError("a standard deviation needs two people", found="1 training person")
    sd = values.std(axis=1, ddof=1, keepdims=True)
    sd[np.ptp(values, axis=1) == 0] = 1
    return ZScore(values.mean(axis=1, keepdims=True), sd)
