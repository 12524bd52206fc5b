"""How well predictions follow people within genes: the question that a genotype can answer.

Between genes a reference genome predicts most of what can be predicted; whatever a personal
sequence adds shows only in how people differ in one gene. Each gene's r over people counts, and a
gene for which everybody is predicted the same counts as 0.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from exprimo.core.errors import InputError
from exprimo.evaluate.intervals import percentile_interval
from exprimo.evaluate.results import Estimate, FloatArray

_FEWEST_PEOPLE = 3
_FEWEST_GROUPS = 3


class AcrossPeople(NamedTuple):
    """Correlation over people, gene by gene.

    Attributes
    ----------
    per_gene
        r of each gene, (genes,); 0 where everybody is predicted the same, NaN where everybody
        was measured the same.
    mean_r
        Mean over genes, with an interval over genes (or groups of them).
    median_r
        Median over genes.
    share_positive
        Share of genes with r above 0 among those whose predictions differ.
    n_constant
        Genes for which everybody is predicted the same.
    null_low, null_high
        Central 95% of the mean when people's names are dealt out anew, the same way in all genes.
    p
        Share of those means, with the true one, that lie as far from 0.
    """

    per_gene: FloatArray
    mean_r: Estimate
    median_r: float
    share_positive: float
    n_constant: int
    null_low: float
    null_high: float
    p: float


def across_people(
    observed: ArrayLike,
    predicted: ArrayLike,
    *,
    groups: Any = None,
    unit: str = "gene",
    n_boot: int = 2000,
    n_permutations: int = 2000,
    seed: int = 0,
) -> AcrossPeople:
    """Correlate observed and predicted over people, in each gene.

    Parameters
    ----------
    observed, predicted
        (genes, people), no value missing.
    groups, unit
        Genes that are resampled together, (genes,); none: each for itself.
    n_permutations
        People are permuted, not single values: genes that go together in a person stay together,
        so linked genes do not make the null too narrow.

    Examples
    --------
    >>> truth = np.array([[1.0, 2.0, 3.0], [5.0, 5.5, 5.2]])
    >>> found = across_people(truth, [[2.0, 4.0, 6.0], [1.0, 1.0, 1.0]])
    >>> found.per_gene.round(6).tolist(), found.n_constant
    ([1.0, 0.0], 1)
    """
    truth, told = _standardised(observed), _standardised(predicted)
    if truth.shape != told.shape:
        raise InputError(
            "observed and predicted are not of the same genes and people",
            found=f"{told.shape} predicted",
            expected=f"{truth.shape} observed",
        )
    people = truth.shape[1]
    if people < _FEWEST_PEOPLE:
        raise InputError("too few people for a correlation", found=people, expected=_FEWEST_PEOPLE)
    measured = np.abs(truth).sum(axis=1) > 0
    differs = np.abs(told).sum(axis=1) > 0
    per_gene = np.where(measured, (truth * told).sum(axis=1) / people, np.nan)
    counted = per_gene[measured]
    members = np.arange(len(per_gene)) if groups is None else np.asarray(groups)
    mean_r = mean_over_groups(counted, members[measured], unit, n_boot, seed)
    low, high, p = _null(truth[measured], told[measured], n_permutations, seed)
    moving = per_gene[measured & differs]
    return AcrossPeople(
        per_gene=per_gene,
        mean_r=mean_r,
        median_r=float(np.median(counted)) if len(counted) else np.nan,
        share_positive=float((moving > 0).mean()) if len(moving) else np.nan,
        n_constant=int((measured & ~differs).sum()),
        null_low=low,
        null_high=high,
        p=p,
    )


def _standardised(values: ArrayLike) -> FloatArray:
    """Centre and scale each row; a row without spread becomes 0."""
    rows = np.asarray(values, dtype=np.float64)
    if rows.ndim != 2 or not np.isfinite(rows).all():
        raise InputError("expression of genes over people needs a full table of finite numbers")
    centred = rows - rows.mean(axis=1, keepdims=True)
    spread = rows.std(axis=1, keepdims=True)
    # Equal values differ by rounding after a mean was taken off.
    still = spread <= 1e-9 * np.maximum(np.abs(rows).max(axis=1, keepdims=True), 1e-300)
    found: FloatArray = np.where(still, 0.0, centred / np.where(still, 1.0, spread))
    return found


def mean_over_groups(
    values: FloatArray, groups: Any, unit: str, n_boot: int, seed: int, level: float = 0.95
) -> Estimate:
    """Estimate the mean over genes by resampling groups of them."""
    _, code = np.unique(groups, return_inverse=True)
    n_groups = int(code.max()) + 1 if len(code) else 0
    value = float(values.mean()) if len(values) else np.nan
    low = high = np.nan
    if n_groups >= _FEWEST_GROUPS:
        total, count = np.bincount(code, values), np.bincount(code)
        drawn = np.random.default_rng(seed).integers(0, n_groups, (n_boot, n_groups))
        means = total[drawn].sum(axis=1) / count[drawn].sum(axis=1)
        low, high = percentile_interval(means, value, level)
    return Estimate(value, low, high, len(values), n_groups, unit)


def _null(
    truth: FloatArray, told: FloatArray, n_permutations: int, seed: int
) -> tuple[float, float, float]:
    """Give the middle of the mean r under permuted people, and a two-sided p."""
    genes, people = truth.shape
    if not genes:
        return np.nan, np.nan, np.nan
    # The mean r of any permutation is a sum over one product of people with people.
    product = truth.T @ told / (genes * people)
    true = float(np.trace(product))
    rng = np.random.default_rng([seed, 1])
    columns = np.arange(people)
    means = np.array(
        [product[rng.permutation(people), columns].sum() for _ in range(n_permutations)]
    )
    low, high = (float(end) for end in np.quantile(means, (0.025, 0.975)))
    p = (1 + int((np.abs(means) >= abs(true)).sum())) / (n_permutations + 1)
    return low, high, p
