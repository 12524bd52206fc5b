"""Hidden factors of expression."""

from __future__ import annotations

import numpy as np
import pytest

from exprimo.core.errors import ConfigError, InputError
from exprimo.data.phenotypes.hidden_factors import fit_hidden_factors

GENES, PEOPLE = 400, 80


def world(seed: int, hidden: int) -> tuple[np.ndarray, np.ndarray]:
    """Expression with ``hidden`` factors, and the factors."""
    random = np.random.default_rng(seed)
    factors = random.normal(size=(PEOPLE, hidden))
    weights = random.normal(size=(GENES, hidden)) * np.linspace(1, 0.6, max(hidden, 1))[:hidden]
    return weights @ factors.T + random.normal(size=(GENES, PEOPLE)) + 5, factors


@pytest.mark.parametrize("hidden", [0, 1, 3])
def test_the_permutation_rule_counts_planted_factors(hidden: int) -> None:
    for seed in range(3):
        expression, factors = world(seed, hidden)
        found = fit_hidden_factors(expression, seed=seed)
        assert len(found.names) == hidden
        scores = found.of(expression)
        assert scores.shape == (PEOPLE, hidden)
        if hidden:
            design = np.column_stack([np.ones(PEOPLE), scores])
            weights = np.linalg.lstsq(design, factors, rcond=None)[0]
            left = factors - design @ weights
            assert (1 - left.var(axis=0) / factors.var(axis=0)).min() > 0.9


def test_scores_are_the_principal_components() -> None:
    expression, _ = world(5, 2)
    found = fit_hidden_factors(expression, 4)
    scores = found.of(expression)
    np.testing.assert_allclose(scores.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(np.cov(scores.T), np.eye(4), atol=1e-10)
    standard = expression - expression.mean(axis=1, keepdims=True)
    standard /= standard.std(axis=1, ddof=1, keepdims=True)
    _, singular, axes = np.linalg.svd(standard, full_matrices=False)
    np.testing.assert_allclose(found.share, (singular**2 / (singular**2).sum())[:4])
    np.testing.assert_allclose(np.abs(scores), np.abs(axes[:4].T) * np.sqrt(PEOPLE - 1))


def test_known_covariates_are_not_found_again() -> None:
    expression, factors = world(7, 2)
    known = factors[:, :1]
    found = fit_hidden_factors(expression, covariates=known)
    assert len(found.names) == 1
    scores = found.of(expression, known)
    assert abs(np.corrcoef(scores[:, 0], known[:, 0])[0, 1]) < 1e-10
    assert abs(np.corrcoef(scores[:, 0], factors[:, 1])[0, 1]) > 0.9


@pytest.mark.parametrize("count", [5, 25])
def test_covariates_that_explain_nothing_make_no_factors(count: int) -> None:
    random = np.random.default_rng(count)
    for hidden in (0, 2):
        expression, _ = world(count, hidden)
        useless = random.normal(size=(PEOPLE, count))
        assert len(fit_hidden_factors(expression, covariates=useless).names) == hidden


def test_others_are_projected_and_change_nothing() -> None:
    expression, factors = world(9, 2)
    training, others = expression[:, :60], expression[:, 60:]
    found = fit_hidden_factors(training, 2)
    alone = np.vstack([found.of(others[:, [at]]) for at in range(others.shape[1])])
    np.testing.assert_allclose(found.of(others), alone)
    design = np.column_stack([np.ones(60), found.of(training)])
    weights = np.linalg.lstsq(design, factors[:60], rcond=None)[0]
    predicted = np.column_stack([np.ones(20), alone]) @ weights
    assert min(np.corrcoef(predicted[:, at], factors[60:, at])[0, 1] for at in range(2)) > 0.9


def test_constant_genes_carry_nothing() -> None:
    expression, _ = world(2, 1)
    expression[:5] = 0.1
    found = fit_hidden_factors(expression, 1)
    np.testing.assert_array_equal(found.loadings[:5], 0)


def test_what_cannot_be_found() -> None:
    expression, _ = world(1, 1)
    with pytest.raises(ConfigError, match=f"0 to {PEOPLE - 1}"):
        fit_hidden_factors(expression, PEOPLE)
    with pytest.raises(ConfigError, match="permutation rule"):
        fit_hidden_factors(expression, permutations=0)
    with pytest.raises(ConfigError, match="fewer hidden factors"):
        fit_hidden_factors(expression[:3], 5)
    with pytest.raises(InputError, match="too few people"):
        fit_hidden_factors(expression[:, :3], covariates=np.eye(3)[:, :2])
    expression[0, 0] = np.nan
    with pytest.raises(InputError, match="1 others"):
        fit_hidden_factors(expression)
