"""Held-out predictions of genes over people: each gene's score, and what chance could make of it.

The mean over genes is uncertain in two ways: other genes, and other people. People are shared by
all genes, so an interval over genes alone says nothing of the second.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from exprimo.core.errors import InputError
from exprimo.evaluate.grouped.against_training import r2_against_training
from exprimo.evaluate.grouped.people import mean_over_groups
from exprimo.evaluate.intervals import percentile_interval
from exprimo.evaluate.results import MIN_GROUPS, Estimate, FloatArray

Score = Literal["r2", "pearson_r"]

# Below this share of the sum of squares, a variation is rounding error.
_ROUNDING = 1e-13
# Resamples of people at once: (genes, this many) numbers stand in memory.
_BLOCK = 250


class GenesAndPeople(NamedTuple):
    """A score of each gene, and its mean.

    Attributes
    ----------
    per_gene
        (genes,); NaN where everybody was measured the same.
    over_genes
        The mean over genes, with an interval over other genes of the same people.
    over_people
        The same mean, with an interval over other people in the same genes.
    """

    per_gene: FloatArray
    over_genes: Estimate
    over_people: Estimate


def score_genes(
    observed: ArrayLike, predicted: ArrayLike, training_mean: ArrayLike, score: Score
) -> FloatArray:
    """Score each gene over held-out people, (genes,).

    Parameters
    ----------
    observed, predicted, training_mean
        (genes, people), and what broadcasts to it. The training mean is that of the person's
        fold.
    score
        ``r2``: see `r2_against_training`. ``pearson_r``: of what observation and prediction add
        to the training mean. Without that, folds alone would make r negative: the mean of those
        who train is low where the held-out are high.

    Examples
    --------
    >>> observed = np.array([[1.0, 2.0, 3.0, 4.0]])
    >>> means = np.array([[3.5, 3.5, 1.5, 1.5]])
    >>> score_genes(observed, means, means, "pearson_r").tolist()
    [0.0]
    >>> np.corrcoef(observed[0], means[0])[0, 1].round(2).item()
    -0.89
    """
    y, told, mean = _checked(observed, predicted, training_mean)
    if score == "r2":
        return r2_against_training(y, told, mean)
    return _correlations(y - mean, told - mean, np.ones((1, y.shape[1])))[:, 0]


def judge_genes(
    observed: ArrayLike,
    predicted: ArrayLike,
    training_mean: ArrayLike,
    score: Score,
    *,
    n_boot: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> GenesAndPeople:
    """Score each gene over held-out people, and the mean with intervals over genes and people.

    Parameters
    ----------
    observed, predicted, training_mean, score
        See `score_genes`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.normal(size=(20, 50))
    >>> done = judge_genes(truth, truth + rng.normal(size=(20, 50)), 0.0, "pearson_r")
    >>> done.over_people.low < done.over_people.value < done.over_people.high
    True
    >>> done.over_genes.value == done.over_people.value, done.over_people.unit
    (True, 'person')
    """
    y, told, mean = _checked(observed, predicted, training_mean)
    per_gene = score_genes(y, told, mean, score)
    measured = np.isfinite(per_gene)
    kept = per_gene[measured]
    genes = mean_over_groups(kept, np.arange(len(kept)), "gene", n_boot, seed, level)
    people, low, high = y.shape[1], np.nan, np.nan
    if people >= MIN_GROUPS and len(kept):
        drawn = _over_people(y[measured], told[measured], mean[measured], score, n_boot, seed)
        low, high = percentile_interval(drawn, genes.value, level)
    over = Estimate(genes.value, low, high, len(kept), people, "person")
    return GenesAndPeople(per_gene, genes, over)


def _over_people(
    y: FloatArray, told: FloatArray, mean: FloatArray, score: Score, n_boot: int, seed: int
) -> FloatArray:
    """Draw people anew, the same ones in all genes, and give the mean score of each draw."""
    rng = np.random.default_rng([seed, 2])
    people = y.shape[1]
    means = np.empty(n_boot)
    for start in range(0, n_boot, _BLOCK):
        size = min(_BLOCK, n_boot - start)
        times = rng.multinomial(people, np.full(people, 1 / people), size).astype(np.float64)
        if score == "r2":
            rss, tss = (y - told) ** 2 @ times.T, (y - mean) ** 2 @ times.T
            scores = 1.0 - np.divide(rss, tss, out=np.full_like(rss, np.nan), where=tss > 0)
        else:
            scores = _correlations(y - mean, told - mean, times)
        defined = np.isfinite(scores)
        total = np.where(defined, scores, 0.0).sum(axis=0)
        means[start : start + size] = total / np.maximum(defined.sum(axis=0), 1)
    return means


def _correlations(a: FloatArray, b: FloatArray, times: FloatArray) -> FloatArray:
    """Correlate rows of a and b, people counted as often as drawn: (genes, draws).

    A prediction that never varies has 0, an observation that never varies has none.
    """
    scale_a, scale_b = (a * a).sum(axis=1), (b * b).sum(axis=1)
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    n = times.sum(axis=1)
    sum_a, sum_b = a @ times.T, b @ times.T
    var_a = (a * a) @ times.T - sum_a**2 / n
    var_b = (b * b) @ times.T - sum_b**2 / n
    product = (a * b) @ times.T - sum_a * sum_b / n
    still_a = var_a <= _ROUNDING * np.maximum(scale_a, 1e-300)[:, None]
    still_b = var_b <= _ROUNDING * np.maximum(scale_b, 1e-300)[:, None]
    below = np.sqrt(np.where(still_a | still_b, 1.0, var_a * var_b))
    r = np.where(still_b, 0.0, np.clip(product / below, -1.0, 1.0))
    found: FloatArray = np.where(still_a, np.nan, r)
    return found


def _checked(
    observed: ArrayLike, predicted: ArrayLike, training_mean: ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray]:
    y, told, mean = np.broadcast_arrays(
        np.asarray(observed, dtype=np.float64),
        np.asarray(predicted, dtype=np.float64),
        np.asarray(training_mean, dtype=np.float64),
    )
    if y.ndim != 2 or not (np.isfinite(y).all() and np.isfinite(told).all()):
        raise InputError(
            "scores of genes over people need a full table of finite numbers",
            found=f"{y.shape}, {int((~np.isfinite(told)).sum())} predictions missing",
            expected="(genes, people)",
        )
    return y, told, mean
