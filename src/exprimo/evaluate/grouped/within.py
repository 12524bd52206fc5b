"""Metrics over genes within each cell type, and over cell types within each gene.

A model can rank the genes of a cell well by knowing which genes are high everywhere, and say
nothing of how cells differ. The two questions are asked apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from exprimo.evaluate.intervals import bootstrap
from exprimo.evaluate.regression import pearson_r, spearman
from exprimo.evaluate.results import Estimate, FloatArray

FEWEST_LABELS = 10
"""Cell types from which on an interval over cell types is given; of fewer, each is shown."""

_FEWEST_WITHIN = 3


class WithinGene(NamedTuple):
    """Correlation over cell types within genes.

    ``pooled`` is r after taking each gene's own mean off both sides; ``median_r`` and
    ``median_spearman`` are medians over the ``n_genes`` genes with three cell types or more, NaN
    where there are none.
    """

    pooled: Estimate
    median_r: float
    median_spearman: float
    n_genes: int


def within_each(
    observed: ArrayLike,
    predicted: ArrayLike,
    label: ArrayLike,
    groups: ArrayLike,
    metrics: Sequence[str],
    *,
    unit: str,
) -> dict[str, dict[str, Estimate]]:
    """Estimate metrics over the examples of each label (the genes of each cell type).

    Parameters
    ----------
    observed
        Truth, (n,); NaN is left out.
    predicted
        (n,) or (seeds, n).
    label
        Cell type of each example, (n,).
    groups, unit
        What is resampled within a label, and its name.

    Returns
    -------
    dict
        Label -> metric -> estimate, labels in sorted order.

    Examples
    --------
    >>> y = np.arange(12.0)
    >>> found = within_each(y, y, np.repeat(["A", "B"], 6), np.arange(12), ["mse"], unit="gene")
    >>> found["B"]["mse"].value
    0.0
    """
    truth, told = np.asarray(observed, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    labels, units = np.asarray(label), np.asarray(groups)
    found = {}
    for name in np.unique(labels):
        here = labels == name
        found[str(name)] = bootstrap(truth[here], told[..., here], units[here], metrics, unit=unit)
    return found


def mean_over_labels(
    per_label: dict[str, dict[str, Estimate]], metric: str, *, unit: str, seed: int = 0
) -> Estimate:
    """Give the mean of a metric over labels, with an interval where there are enough of them.

    Labels are resampled, so the interval speaks of further cell types. Fewer than
    `FEWEST_LABELS` give NaN in place of its ends.

    Examples
    --------
    >>> one = Estimate(0.5, 0.4, 0.6, 10, 10, "gene")
    >>> mean = mean_over_labels({"A": {"mse": one}, "B": {"mse": one}}, "mse", unit="cell type")
    >>> mean.value, bool(np.isnan(mean.low)), mean.n_groups
    (0.5, True, 2)
    """
    values = np.array([found[metric].value for found in per_label.values()])
    values = values[np.isfinite(values)]
    mean = float(values.mean()) if len(values) else np.nan
    low = high = np.nan
    if len(values) >= FEWEST_LABELS:
        drawn = np.random.default_rng(seed).choice(values, (2000, len(values))).mean(1)
        low, high = (float(end) for end in np.quantile(drawn, (0.025, 0.975)))
    return Estimate(mean, low, high, len(values), len(values), unit)


def centred_by(label: ArrayLike, values: ArrayLike) -> FloatArray:
    """Take the mean of each label off, along the last axis; NaN does not count and stays.

    Examples
    --------
    >>> centred_by(["a", "a", "b"], [1.0, 3.0, 5.0]).tolist()
    [-1.0, 1.0, 0.0]
    """
    numbers = np.asarray(values, dtype=np.float64)
    _, code = np.unique(np.asarray(label), return_inverse=True)
    known = np.isfinite(numbers)
    flat = numbers.reshape(-1, numbers.shape[-1])
    seen = known.reshape(flat.shape)
    means = np.stack(
        [
            np.bincount(code, np.where(ok, row, 0)) / np.maximum(np.bincount(code, ok), 1)
            for row, ok in zip(flat, seen, strict=True)
        ]
    )
    centred: FloatArray = (flat - means[:, code]).reshape(numbers.shape)
    return centred


def correlation_within(
    observed: ArrayLike, predicted: ArrayLike, gene: ArrayLike, groups: ArrayLike, *, unit: str
) -> WithinGene:
    """Correlate observed and predicted over the cell types of each gene.

    Parameters
    ----------
    observed, predicted
        (n,) and (n,) or (seeds, n); rows without an observation are left out.
    gene
        Gene of each example, (n,).
    groups, unit
        What is resampled for the interval of the pooled r; genes of a group stay together.

    Returns
    -------
    WithinGene
        All NaN where no gene was measured in two cell types.

    Examples
    --------
    >>> gene, cell = np.repeat(np.arange(20), 2), np.tile([0.0, 1.0], 20)
    >>> found = correlation_within(gene + cell, 9.0 * gene - cell, gene, gene, unit="gene")
    >>> round(found.pooled.value, 6), found.n_genes
    (-1.0, 0)
    """
    truth, told = np.asarray(observed, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    known = np.isfinite(truth)
    genes, units = np.asarray(gene)[known], np.asarray(groups)[known]
    truth, told = truth[known], told[..., known]
    # A gene that was measured once says nothing of how cell types differ.
    _, code, count = np.unique(genes, return_inverse=True, return_counts=True)
    several = count[code] > 1
    pooled = Estimate(np.nan, np.nan, np.nan, 0, 0, unit)
    if several.any():
        pooled = bootstrap(
            centred_by(genes[several], truth[several]),
            centred_by(genes[several], told[..., several]),
            units[several],
            ["pearson_r"],
            unit=unit,
        )["pearson_r"]
    mean_told = told if told.ndim == 1 else told.mean(0)
    pairs = _per_gene(truth, mean_told, code, count)
    medians = np.median(pairs, axis=0) if len(pairs) else np.full(2, np.nan)
    return WithinGene(pooled, float(medians[0]), float(medians[1]), len(pairs))


def _per_gene(
    truth: FloatArray, told: FloatArray, code: NDArray[np.intp], count: NDArray[Any]
) -> FloatArray:
    """Give r and Spearman's of each gene with enough cell types that differ, (genes, 2)."""
    order = np.argsort(code, kind="stable")
    ends = np.cumsum(count)
    rows = []
    for end, n in zip(ends.tolist(), count.tolist(), strict=True):
        here = order[end - n : end]
        if n >= _FEWEST_WITHIN:
            pair = pearson_r(truth[here], told[here]), spearman(truth[here], told[here])
            if np.isfinite(pair).all():
                rows.append(pair)
    return np.array(rows, dtype=np.float64).reshape(-1, 2)
