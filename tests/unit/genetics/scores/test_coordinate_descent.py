"""Elastic nets along paths: the same as scikit-learn's, for many subsets of people at once."""

from __future__ import annotations

import numpy as np
import pytest

from exprimo.genetics.scores.coordinate_descent import follow_paths


def _people(seed=0, variants=60, people=50):
    rng = np.random.default_rng(seed)
    ancestors = rng.integers(0, 2, (variants // 3, people))
    dosage = np.repeat(ancestors, 3, axis=0) + (rng.random((variants, people)) < 0.3)
    target = dosage[4] - 0.7 * dosage[31] + rng.normal(size=people)
    return dosage.astype(np.float64), target


def _reference(dosage, target, penalty, alpha):
    """Scikit-learn's weights, per unit of dosage, and its intercept."""
    from sklearn.linear_model import ElasticNet

    mean, sd = dosage.mean(axis=1), dosage.std(axis=1)
    z = ((dosage - mean[:, None]) / sd[:, None]).T
    model = ElasticNet(alpha=penalty, l1_ratio=alpha, tol=1e-14, max_iter=1_000_000)
    model.fit(z, target)
    return model.coef_ / sd


@pytest.mark.parametrize("alpha", [0.5, 1.0, 0.05])
@pytest.mark.parametrize("penalty", [0.5, 0.1, 0.02])
def test_one_penalty_gives_the_weights_of_scikit_learn(penalty, alpha):
    dosage, target = _people()
    everybody = np.ones((1, 50), dtype=bool)
    paths = follow_paths(
        dosage, target, everybody, np.array([[penalty]]), alpha=alpha, tolerance=1e-13
    )
    weights = np.zeros(60)
    weights[paths.support[0][0]] = paths.weights[0][0]
    assert np.abs(weights - _reference(dosage, target, penalty, alpha)).max() < 1e-6
    assert weights.any() or penalty == 0.5


def test_subsets_in_step_equal_each_alone():
    dosage, target = _people(1)
    rng = np.random.default_rng(2)
    training = rng.random((7, 50)) < 0.7
    penalties = np.geomspace(0.6, 0.01, 30)[None].repeat(7, axis=0)
    paths = follow_paths(dosage, target, training, penalties, tolerance=1e-12, stop_early=False)
    for fit, step in [(0, 3), (2, 12), (6, 29)]:
        people = training[fit]
        weights = np.zeros(60)
        weights[paths.support[fit][step]] = paths.weights[fit][step]
        expected = _reference(dosage[:, people], target[people], penalties[fit, step], 0.5)
        assert np.abs(weights - expected).max() < 1e-6
        told = target[people].mean() + weights @ (
            dosage - dosage[:, people].mean(axis=1, keepdims=True)
        )
        np.testing.assert_allclose(paths.predicted[fit, step], told, atol=1e-12)


def test_missing_dosages_count_as_the_mean_of_the_training_people():
    dosage, target = _people(3)
    rng = np.random.default_rng(4)
    missing = rng.random(dosage.shape) < 0.1
    training = np.arange(50)[None] < 40
    filled = dosage.copy()
    for row, gone in zip(filled, missing, strict=True):
        row[gone] = row[~gone & training[0]].mean()
    penalties = np.array([[0.2, 0.1, 0.05]])
    gaps = follow_paths(
        np.where(missing, 0.0, dosage),
        target,
        training,
        penalties,
        missing=missing,
        tolerance=1e-12,
    )
    whole = follow_paths(filled, target, training, penalties, tolerance=1e-12)
    np.testing.assert_allclose(gaps.predicted, whole.predicted, atol=1e-9)


def test_constant_variants_and_a_constant_target_give_the_mean():
    dosage, target = _people(5)
    dosage[4] = 2.0
    everybody = np.ones((1, 50), dtype=bool)
    paths = follow_paths(dosage, target, everybody, np.array([[1e-3]]))
    assert 4 not in paths.support[0][0]
    flat = follow_paths(dosage, np.full(50, 3.0), everybody, np.array([[1e-3]]))
    assert len(flat.support[0][0]) == 0
    assert (flat.predicted == 3.0).all()
