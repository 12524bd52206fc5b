"""Scores of all predictors on the same held-out people, per gene and on average."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from exprimo.evaluate import Estimate
from exprimo.evaluate.grouped import judge_genes, score_genes
from exprimo.genetics.stacking.designs import GenePredictions

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_FEWEST = 3
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
        Likewise the mean of Pearson's r.
    median_r_folds, share_above
        Over genes, of the mean of the r within folds: the median, and the share above 0.3.
    """

    r2: Estimate
    r2_people: Estimate
    pearson_r: Estimate
    pearson_r_people: Estimate
    median_r_folds: float
    share_above: float


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
    A table ``gene_id, predictor, r2, pearson_r, pearson_r_folds, n``, and the means.
    """
    tables, found = [], {}
    for name, predicted in zip(done.names, done.predicted, strict=True):
        given = (done.observed, predicted, done.training_mean)
        r2 = judge_genes(*given, "r2", n_boot=n_boot, seed=seed)
        r = judge_genes(*given, "pearson_r", n_boot=n_boot, seed=seed)
        by_fold = correlation_by_fold(*given, fold)
        measured = by_fold[np.isfinite(by_fold)]
        tables.append(
            pd.DataFrame(
                {
                    "gene_id": list(genes),
                    "predictor": name,
                    "r2": r2.per_gene,
                    "pearson_r": r.per_gene,
                    "pearson_r_folds": by_fold,
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
        )
    return pd.concat(tables, ignore_index=True), found
