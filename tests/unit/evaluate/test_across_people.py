"""Correlation over people, gene by gene."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from exprimo.core.errors import InputError
from exprimo.evaluate.grouped import across_people


def test_each_gene_has_pearsons_r_over_people() -> None:
    rng = np.random.default_rng(0)
    truth, told = rng.normal(size=(2, 6, 40))
    found = across_people(truth, told)
    expected = [stats.pearsonr(a, b).statistic for a, b in zip(truth, told, strict=True)]
    np.testing.assert_allclose(found.per_gene, expected, atol=1e-12)
    assert found.mean_r.value == pytest.approx(np.mean(expected))


def test_a_gene_that_is_predicted_the_same_for_all_counts_as_zero() -> None:
    truth = np.random.default_rng(1).normal(size=(4, 10))
    told = truth.copy()
    told[0] = 0.1 + 0.2  # a constant that is not exact in binary
    found = across_people(truth, told)
    assert found.n_constant == 1
    assert found.mean_r.value == pytest.approx(0.75)
    assert found.share_positive == 1.0


def test_a_gene_that_does_not_vary_is_not_judged() -> None:
    truth = np.random.default_rng(1).normal(size=(4, 10))
    told = truth.copy()
    truth[2] = 7.0
    found = across_people(truth, told)
    assert np.isnan(found.per_gene[2])
    assert found.mean_r.n == 3


def test_the_null_of_linked_genes_is_as_wide_as_it_is() -> None:
    """Fifty genes that all follow one factor are one observation, not fifty."""
    rng = np.random.default_rng(2)
    p_values = []
    for seed in range(60):
        shared, other = rng.normal(size=(2, 1, 30))
        truth = shared + 0.1 * rng.normal(size=(50, 30))
        told = other + 0.1 * rng.normal(size=(50, 30))
        p_values.append(across_people(truth, told, n_permutations=199, n_boot=50, seed=seed).p)
    assert 0.3 < np.mean(p_values) < 0.7
    assert np.mean(np.array(p_values) <= 0.05) < 0.15


def test_intervals_resample_groups_of_genes() -> None:
    rng = np.random.default_rng(3)
    effect = np.repeat(rng.normal(size=10), 20)
    truth = rng.normal(size=(200, 30))
    told = truth * effect[:, None] + rng.normal(size=(200, 30))
    alone = across_people(truth, told)
    together = across_people(truth, told, groups=np.repeat(np.arange(10), 20), unit="family")
    assert together.mean_r.n_groups == 10
    assert together.mean_r.high - together.mean_r.low > 2 * (alone.mean_r.high - alone.mean_r.low)


@pytest.mark.parametrize(
    ("truth", "told"),
    [([[1, 2, 3]], [[1, 2]]), ([[1, 2]], [[1, 2]]), ([[1, 2, np.nan]], [[1, 2, 3]])],
)
def test_other_shapes_are_refused(truth: list[list[float]], told: list[list[float]]) -> None:
    with pytest.raises(InputError):
        across_people(truth, told)
