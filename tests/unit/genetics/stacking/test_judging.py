"""What r means: the mean within folds is the headline, the pooled one is named so."""

from __future__ import annotations

import numpy as np
import pytest

from exprimo.genetics.scores.fitting import judge
from exprimo.genetics.scores.fitting.gene import GeneScores
from exprimo.genetics.stacking.designs import GenePredictions
from exprimo.genetics.stacking.judging import judge_predictors, judge_within_folds

FOLD = np.arange(60) % 5


def _by_training_mean(n_genes: int, seed: int) -> GenePredictions:
    """Make predictions of nothing: the training mean of each fold, and a little noise."""
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(n_genes, 60))
    mean = np.empty_like(y)
    for k in range(5):
        mean[:, k == FOLD] = y[:, k != FOLD].mean(axis=1, keepdims=True)
    told = mean + 0.01 * rng.normal(size=y.shape)
    return GenePredictions(("noise",), told[None], y, mean, np.empty((n_genes, 5, 0)))


def test_where_nothing_is_to_be_found_r_is_0_and_the_pooled_one_below():
    done = _by_training_mean(400, 0)
    # Against the training mean itself, which is low where the held-out are high.
    plain = done._replace(training_mean=np.zeros_like(done.observed))
    _, found = judge_predictors(plain, [f"g{at}" for at in range(400)], FOLD, n_boot=200)
    one = found["noise"]
    assert one.pearson_r.low < 0 < one.pearson_r.high
    assert one.pearson_r_people.low < 0 < one.pearson_r_people.high
    assert one.pearson_r_pooled < -0.05


def test_scores_and_stacks_mean_the_same_by_r():
    done = _by_training_mean(3, 1)
    told = done.predicted + np.array([1.0, 0.3, 0.0])[:, None] * done.observed
    table, _ = judge_predictors(done._replace(predicted=told), ["a", "b", "c"], FOLD, n_boot=50)
    for gene, r in enumerate(table["pearson_r"]):
        scores = GeneScores(
            [], done.observed[gene], done.training_mean[gene], {"p+t": told[0, gene]}
        )
        assert judge(scores, "p+t", FOLD).pearson_r == pytest.approx(r)


def test_people_are_drawn_within_folds():
    """Of one gene the interval over people is that of its r, and holds it."""
    rng = np.random.default_rng(3)
    y = rng.normal(size=(1, 200))
    told = y + rng.normal(size=y.shape)
    found = judge_within_folds(y, told, np.zeros_like(y), np.arange(200) % 2)
    r = found.over_people.value
    assert found.over_people.low < r < found.over_people.high
    # Fisher's z: a standard error of about (1 - r²) / sqrt(n).
    width = found.over_people.high - found.over_people.low
    assert width == pytest.approx(2 * 1.96 * (1 - r**2) / np.sqrt(200), rel=0.2)
