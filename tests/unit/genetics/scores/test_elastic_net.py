"""Elastic nets of genes: nested folds, PredictDB's scheme, and nothing from nothing."""

from __future__ import annotations

import numpy as np
import pytest

from exprimo.core.errors import InputError
from exprimo.evaluate.grouped import r2_against_training
from exprimo.genetics.scores.elastic_net import fit_elastic_nets, inner_folds, nested_elastic_net


def _gene(seed, people=150, variants=80, effect=1.0):
    rng = np.random.default_rng(seed)
    dosage = rng.binomial(2, rng.uniform(0.1, 0.5, (variants, 1)), (variants, people)) * 1.0
    target = effect * (dosage[3] - dosage[40]) + rng.normal(size=people)
    return dosage, target


def test_the_penalty_is_the_one_that_scikit_learn_chooses():
    from sklearn.linear_model import enet_path

    dosage, target = _gene(0)
    everybody = np.ones(150, dtype=bool)
    (net,) = fit_elastic_nets(dosage, target, everybody, n_inner=5, n_penalties=40, seed=3)
    folds = inner_folds(everybody, 5, 3)
    errors = np.zeros(40)
    for fold in range(5):
        kept = folds != fold
        mean = dosage[:, kept].mean(axis=1, keepdims=True)
        z = (dosage - mean) / dosage[:, kept].std(axis=1, keepdims=True)
        middle = target[kept].mean()
        _, weights, _ = enet_path(
            z[:, kept].T, target[kept] - middle, l1_ratio=0.5, alphas=net.penalties, tol=1e-10
        )
        told = middle + weights.T @ z[:, ~kept]
        errors += ((told - target[~kept]) ** 2).sum(axis=1)
    early = slice(0, 25)  # later the path ends where it gains nothing
    np.testing.assert_allclose(net.errors[early], errors[early] / 150, rtol=1e-3)
    assert net.penalty == net.penalties[errors.argmin()]


def test_people_of_the_outer_fold_change_nothing_about_their_own_prediction():
    dosage, target = _gene(1)
    folds = np.arange(150) % 5
    one = nested_elastic_net(dosage, target, folds, n_inner=5)
    moved = target.copy()
    moved[folds == 2] = np.random.default_rng(9).normal(50, 5, (folds == 2).sum())
    other = nested_elastic_net(dosage, moved, folds, n_inner=5)
    np.testing.assert_array_equal(one.predicted[folds == 2], other.predicted[folds == 2])
    assert (one.predicted[folds != 2] != other.predicted[folds != 2]).any()


def test_a_strong_gene_is_predicted_and_an_empty_one_is_not():
    folds = np.arange(150) % 5
    strong = nested_elastic_net(*_gene(2), folds)
    assert 0.15 < strong.r2 < 0.6
    assert set(np.argsort(-np.abs(strong.final.weights))[:2]) == {3, 40}
    assert strong.r2 == pytest.approx(
        1
        - ((_gene(2)[1] - strong.predicted) ** 2).sum()
        / ((_gene(2)[1] - strong.training_mean) ** 2).sum()
    )
    rng = np.random.default_rng(0)
    nothing = nested_elastic_net(_gene(2)[0], rng.normal(size=150), folds)
    assert -0.2 < nothing.r2 < 0.05
    empty = nothing.n_selected == 0
    assert (nothing.r2_folds[empty] == 0).all()


def test_other_people_are_predicted_with_the_means_of_those_who_trained():
    dosage, target = _gene(4)
    train = np.arange(150) < 100
    (net,) = fit_elastic_nets(dosage, target, train)
    gaps = dosage[:, ~train].copy()
    gaps[3] = np.nan
    away = net.predict(dosage[:, ~train]) - net.predict(gaps)
    expected = net.weights[3] * (dosage[3, ~train] - dosage[3, train].mean())
    np.testing.assert_allclose(away, expected, atol=1e-12)


def test_genes_without_variants_or_spread_predict_the_mean():
    target = np.random.default_rng(0).normal(size=60)
    (none,) = fit_elastic_nets(np.empty((0, 60)), target, np.ones(60, dtype=bool))
    assert (none.predict(np.empty((0, 4))) == target.mean()).all()
    (flat,) = fit_elastic_nets(np.ones((5, 60)), target, np.ones(60, dtype=bool))
    assert not flat.weights.any()


@pytest.mark.parametrize(
    ("dosage", "target", "training", "n_inner", "said"),
    [
        (np.ones((3, 9)), np.ones(8), np.ones(8, bool), 2, "same people"),
        (np.ones((3, 9)), np.ones(9), np.arange(9) < 3, 5, "too few people"),
        (np.ones((3, 9)), np.ones(9), np.ones(9, bool), 1, "too few people"),
        (np.ones((3, 9)), np.full(9, np.nan), np.ones(9, bool), 2, "missing"),
    ],
)
def test_what_does_not_fit_is_refused(dosage, target, training, n_inner, said):
    with pytest.raises(InputError, match=said):
        fit_elastic_nets(dosage, target, training, n_inner=n_inner)


def test_few_people_get_fewer_inner_folds():
    rng = np.random.default_rng(2)
    dosage = rng.integers(0, 3, (6, 13)).astype(float)
    target = dosage[1] + 0.1 * rng.normal(size=13)
    everybody = np.ones(13, dtype=bool)
    (asked,) = fit_elastic_nets(dosage, target, everybody, n_inner=10)
    (fewer,) = fit_elastic_nets(dosage, target, everybody, n_inner=6)
    assert asked.penalty == fewer.penalty
    np.testing.assert_array_equal(asked.weights, fewer.weights)
    assert abs(asked.weights[1]) > 0.5


def test_r2_against_the_training_mean():
    observed = np.array([[1.0, 2.0, 4.0], [1.0, 2.0, np.nan], [2.0, 2.0, 2.0]])
    told = np.array([[1.0, 2.0, 3.0], [3.0, 3.0, 9.0], [2.0, 2.0, 2.0]])
    found = r2_against_training(observed, told, [[2.0], [3.0], [2.0]])
    np.testing.assert_allclose(found[:2], [0.8, 0.0])
    assert np.isnan(found[2])
