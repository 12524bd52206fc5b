"""Size factors: what makes counts of different samples comparable.

Median of ratios after Anders & Huber (2010), equation 5; ``poscounts`` takes geometric means over
positive counts only, for data in which every gene has a zero somewhere. Transcript lengths of
salmon and kallisto turn into factors of their own for every gene and sample, as in tximport
(Soneson, Love & Robinson 2015).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import InputError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
SizeFactorMethod = Literal["ratio", "poscounts", "iterative"]


def size_factors(counts: Ints, method: Literal["ratio", "poscounts"] = "ratio") -> Floats:
    """Estimate one factor per sample.

    Parameters
    ----------
    counts
        (genes, samples).
    method
        ``ratio``: genes without a zero decide; ``poscounts``: all genes do, and the factors have
        geometric mean 1.

    Examples
    --------
    >>> np.round(size_factors(np.array([[1, 2], [3, 6], [5, 10]])), 4)
    array([0.7071, 1.4142])
    """
    return _median_ratios(counts.astype(np.float64), method)


def length_factors(
    counts: Ints, lengths: Floats, method: Literal["ratio", "poscounts"] = "ratio"
) -> Floats:
    """Estimate one factor per gene and sample from average transcript lengths.

    Parameters
    ----------
    counts, lengths
        (genes, samples); lengths in bases, positive.

    Returns
    -------
    array
        (genes, samples), each row with geometric mean 1.
    """
    relative = lengths / np.exp(np.log(lengths).mean(1, keepdims=True))
    factors = relative * _median_ratios(counts / relative, method, raw=counts)
    return np.asarray(factors / np.exp(np.log(factors).mean(1, keepdims=True)))


def _median_ratios(values: Floats, method: str, raw: npt.NDArray[np.int64] | None = None) -> Floats:
    n_genes, n_samples = values.shape
    with np.errstate(divide="ignore"):
        logs = np.log(values)
    if method == "poscounts":
        # The means are those of the counts themselves, even where lengths divide them.
        source = logs if raw is None else np.log(np.maximum(raw, 1))
        positive = values > 0
        means = np.where(positive, source, 0.0).sum(1) / n_samples
        usable = positive.any(1)
    else:
        means = logs.mean(1)
        usable = np.isfinite(means)
    if not usable.any():
        raise InputError(
            "no gene has a read in every sample, so there is no ratio to take a median of",
            found=f"{n_genes} genes with a zero somewhere",
            expected="at least one gene without",
            remedy="Choose --size-factors poscounts, or leave out nearly empty samples",
        )
    factors = np.empty(n_samples)
    for j in range(n_samples):
        chosen = usable & (values[:, j] > 0)
        factors[j] = np.exp(np.median(logs[chosen, j] - means[chosen])) if chosen.any() else np.nan
    if method == "poscounts":
        factors /= np.exp(np.log(factors).mean())
    return factors
