"""Scores of genes over held-out people, and their two intervals."""

from __future__ import annotations

import numpy as np
import pytest

from exprimo.core.errors import InputError
from exprimo.evaluate.grouped import judge_genes, score_genes
from exprimo.evaluate.grouped.genes_and_people import _correlations


def test_r_is_pearsons_without_folds_and_0_for_the_mean_with_them():
    rng = np.random.default_rng(0)
    y, told = rng.normal(size=(4, 30)) + 5, rng.normal(size=(4, 30))
    found = score_genes(y, told, np.zeros((4, 1)), "pearson_r")
    expected = [np.corrcoef(a, b)[0, 1] for a, b in zip(y, told, strict=True)]
    np.testing.assert_allclose(found, expected)
    fold = np.arange(30) % 5
    mean = np.stack([y[:, fold != number].mean(axis=1) for number in fold], axis=1)
    assert (score_genes(y, mean, mean, "pearson_r") == 0).all()
    assert (score_genes(y, mean, mean, "r2") == 0).all()
    assert np.corrcoef(y[0], mean[0])[0, 1] < 0


def test_draws_of_people_are_those_of_copied_rows():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(3, 12)), rng.normal(size=(3, 12))
    times = rng.multinomial(12, np.full(12, 1 / 12), 5).astype(float)
    found = _correlations(a, b, times)
    for draw in range(5):
        rows = np.repeat(np.arange(12), times[draw].astype(int))
        expected = [np.corrcoef(a[g, rows], b[g, rows])[0, 1] for g in range(3)]
        np.testing.assert_allclose(found[:, draw], expected)


@pytest.mark.parametrize("score", ["r2", "pearson_r"])
def test_intervals_cover_the_truth_that_people_share(score):
    """Linked genes rise and fall together in a person: only the interval over people knows."""
    covered = {"genes": 0, "people": 0}
    for seed in range(60):
        rng = np.random.default_rng(seed)
        told = np.repeat(rng.normal(size=(1, 40)), 30, axis=0)
        y = 0.5 * told + np.sqrt(0.75) * rng.normal(size=(1, 40))
        y = y + 0.05 * rng.normal(size=(30, 40))
        done = judge_genes(y, 0.5 * told, 0.0, score, n_boot=300, seed=seed)
        truth = 0.5 if score == "pearson_r" else 0.25
        for over, estimate in (("genes", done.over_genes), ("people", done.over_people)):
            covered[over] += estimate.low <= truth <= estimate.high
    assert covered["people"] >= 52
    assert covered["genes"] < 20


def test_genes_that_were_measured_the_same_do_not_count():
    y = np.array([[1.0, 2.0, 3.0, 4.0], [5.0, 5.0, 5.0, 5.0]])
    done = judge_genes(y, y, y.mean(axis=1, keepdims=True), "pearson_r", n_boot=50)
    assert np.isnan(done.per_gene[1])
    assert done.over_genes.value == 1
    assert done.over_genes.n == 1


def test_a_missing_prediction_is_refused():
    with pytest.raises(InputError, match="full table"):
        score_genes([[1.0, 2.0, 3.0]], [[1.0, np.nan, 3.0]], 0.0, "r2")
