"""Scores of all predictors on the same held-out people, per gene and on average."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from exprimo.evaluate import Estimate
from exprimo.evaluate.grouped import GenesAndPeople, judge_genes, score_genes
from exprimo.evaluate.grouped.people import mean_over_groups
from exprimo.evaluate.intervals import percentile_interval
from exprimo.evaluate.results import MIN_GROUPS
from exprimo.genetics.stacking.designs import GenePredictions

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_FEWEST = 3
# Of the squared length of a gene's values.
_ROUNDING = 1e-12
_LEVEL = 0.95
# What is called a predicted gene in published tables.
_GOOD = 0.3


class Judgement(NamedTuple):
    """How well one predictor does.

    Attributes
    ----------
    r2
        Mean over genes of 1 - RSS / TSS against the training mean; interval over genes.
    r2_people
        The same mean; interval over people.
    pearson_r, pearson_r_people
        Likewise the mean of a gene's mean of Pearson's r within folds.
    median_pearson_r, share_above
        Of this r over genes: the median, and the share above 0.3.
    pearson_r_pooled
        Mean over genes of r over all folds together; below 0 where there is nothing to predict.
    """

    r2: Estimate
    r2_people: Estimate
    pearson_r: Estimate
    pearson_r_people: Estimate
    median_pearson_r: float
    share_above: float
    pearson_r_pooled: float


def correlation_by_fold(
    observed: FloatArray, predicted: FloatArray, training_mean: FloatArray, fold: IntArray
) -> FloatArray:
    """Give each gene's mean over folds of Pearson's r within the fold, (genes,).

    A fold in which everybody is predicted the same counts as 0; folds of fewer than three people,
    or of equal observations, do not count.

    Examples
    --------
    >>> y = np.array([[1.0, 2.0, 3.0, 3.0, 2.0, 1.0]])
    >>> told = np.array([[1.0, 2.0, 3.0, 0.0, 0.0, 0.0]])
    >>> correlation_by_fold(y, told, np.zeros((1, 6)), np.array([0, 0, 0, 1, 1, 1])).tolist()
    [0.5]
    """
    each = [
        score_genes(observed[:, here], predicted[:, here], training_mean[:, here], "pearson_r")
        for number in np.unique(fold)
        if (here := fold == number).sum() >= _FEWEST
    ]
    if not each:
        return np.full(len(observed), np.nan)
    table = np.stack(each)
    counted = np.isfinite(table)
    total, n = np.where(counted, table, 0.0).sum(axis=0), counted.sum(axis=0)
    found: FloatArray = np.divide(total, n, out=np.full(len(observed), np.nan), where=n > 0)
    return found


def judge_within_folds(
    observed: FloatArray,
    predicted: FloatArray,
    training_mean: FloatArray,
    fold: IntArray,
    *,
    n_boot: int = 1000,
    seed: int = 0,
) -> GenesAndPeople:
    """Judge each gene's mean of r within folds, with intervals over genes and over people.

    People are drawn anew within their folds, the same ones in all genes.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = rng.normal(size=(20, 40))
    >>> done = judge_within_folds(y, y + rng.normal(size=y.shape), np.zeros_like(y),
    ...                           np.arange(40) % 4)
    >>> done.over_people.low < done.over_people.value < done.over_people.high
    True
    """
    given = (observed, predicted, training_mean)
    per_gene = correlation_by_fold(*given, fold)
    measured = np.isfinite(per_gene)
    kept = per_gene[measured]
    genes = mean_over_groups(kept, np.arange(len(kept)), "gene", n_boot, seed)
    low = high = np.nan
    if len(kept) and observed.shape[1] >= MIN_GROUPS:
        y, told, mean = (part[measured] for part in given)
        drawn = _drawn_within_folds(y - mean, told - mean, fold, n_boot, seed)
        low, high = percentile_interval(drawn, genes.value, _LEVEL)
    over = Estimate(genes.value, low, high, len(kept), observed.shape[1], "person")
    return GenesAndPeople(per_gene, genes, over)


def _drawn_within_folds(
    observed: FloatArray, predicted: FloatArray, fold: IntArray, n_boot: int, seed: int
) -> FloatArray:
    """Give the mean over genes of the mean r within folds, for each draw of people."""
    rng = np.random.default_rng([seed, 3])
    total = np.zeros((len(observed), n_boot))
    counted = np.zeros_like(total)
    for number in np.unique(fold):
        here = np.flatnonzero(fold == number)
        if len(here) < _FEWEST:
            continue
        times = rng.multinomial(len(here), np.full(len(here), 1 / len(here)), n_boot).T
        r = _weighted_correlations(observed[:, here], predicted[:, here], times.astype(np.float64))
        known = np.isfinite(r)
        total += np.where(known, r, 0.0)
        counted += known
    defined = counted > 0
    each = np.where(defined, total / np.maximum(counted, 1), 0.0)
    found: FloatArray = each.sum(axis=0) / np.maximum(defined.sum(axis=0), 1)
    return found


def _weighted_correlations(a: FloatArray, b: FloatArray, times: FloatArray) -> FloatArray:
    """Correlate rows of a and b, (genes, people), with people counted so often: (genes, draws).

    0 where b does not vary in a draw, NaN where a does not.
    """
    n = times.sum(axis=0)
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    sum_a, sum_b = a @ times, b @ times
    var_a, var_b = (a * a) @ times - sum_a**2 / n, (b * b) @ times - sum_b**2 / n
    still_a, still_b = (
        var <= _ROUNDING * np.maximum((x * x).sum(axis=1), 1e-300)[:, None]
        for var, x in ((var_a, a), (var_b, b))
    )
    below = np.sqrt(np.where(still_a | still_b, 1.0, var_a * var_b))
    r = np.clip(((a * b) @ times - sum_a * sum_b / n) / below, -1.0, 1.0)
    found: FloatArray = np.where(still_a, np.nan, np.where(still_b, 0.0, r))
    return found


def judge_predictors(
    done: GenePredictions,
    genes: Sequence[str],
    fold: IntArray,
    *,
    n_boot: int = 1000,
    seed: int = 0,
) -> tuple[pd.DataFrame, Mapping[str, Judgement]]:
    """Judge every predictor on the same people.

    Returns
    -------
    A table ``gene_id, predictor, r2, pearson_r, pearson_r_pooled, n``, and the means.
    """
    tables, found = [], {}
    for name, predicted in zip(done.names, done.predicted, strict=True):
        given = (done.observed, predicted, done.training_mean)
        r2 = judge_genes(*given, "r2", n_boot=n_boot, seed=seed)
        r = judge_within_folds(*given, fold, n_boot=n_boot, seed=seed)
        pooled = score_genes(*given, "pearson_r")
        measured = r.per_gene[np.isfinite(r.per_gene)]
        tables.append(
            pd.DataFrame(
                {
                    "gene_id": list(genes),
                    "predictor": name,
                    "r2": r2.per_gene,
                    "pearson_r": r.per_gene,
                    "pearson_r_pooled": pooled,
                    "n": done.observed.shape[1],
                }
            )
        )
        found[name] = Judgement(
            r2.over_genes,
            r2.over_people,
            r.over_genes,
            r.over_people,
            float(np.median(measured)) if len(measured) else float("nan"),
            float((measured > _GOOD).mean()) if len(measured) else float("nan"),
            float(pooled[np.isfinite(pooled)].mean()) if np.isfinite(pooled).any() else np.nan,
        )
    return pd.concat(tables, ignore_index=True), found
