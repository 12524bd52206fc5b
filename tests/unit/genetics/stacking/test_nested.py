"""Nested stacks: nobody is predicted by what saw them, and nothing comes of nothing."""

from __future__ import annotations

import numpy as np
import pytest

from exprimo.core.errors import InputError
from exprimo.evaluate.grouped import r2_against_training, score_genes
from exprimo.genetics.stacking.config import MEMBERS, StackConfig
from exprimo.genetics.stacking.designs import stack_genes
from exprimo.genetics.stacking.inputs.tables import Features
from exprimo.genetics.stacking.nested import Rows, stack_rows
from exprimo.genetics.stacking.parts import Part, inner_parts, parts_of_people

QUICK = {"inner_folds": 3, "forest_trees": 10, "boosting_rounds": 15, "meta_rounds": 10}


def _stack(x, y, parts, seed=0, **settings):
    people, gene = np.arange(len(y)), np.zeros(len(y), dtype=np.int64)
    config = StackConfig(**{**QUICK, **settings})

    def inner(part):
        return inner_parts(part, people, gene, config.inner_folds, genes_too=False, seed=seed)

    return stack_rows(Rows(x, y, gene), parts, inner, config, seed=seed)


def test_each_learner_finds_what_is_there():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(150, 5))
    y = x[:, 0] - x[:, 1] + 0.5 * rng.normal(size=150)
    done = _stack(x, y, parts_of_people(np.arange(150) % 3), forest_trees=60, boosting_rounds=100)
    assert done.names == (*MEMBERS, "stack_linear", "stack_xgboost")
    r2 = dict(
        zip(done.names, r2_against_training(y, done.predicted, done.training_mean), strict=True)
    )
    assert min(r2.values()) > 0.4
    assert r2["ridge"] > 0.8
    assert r2["stack_linear"] > max(r2[name] for name in MEMBERS) - 0.03
    assert (done.weights >= 0).all()
    np.testing.assert_array_equal(done.observed, y)


def test_only_polynomial_and_trees_find_a_product():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(200, 3))
    y = x[:, 0] * x[:, 1] + 0.3 * rng.normal(size=200)
    done = _stack(
        x, y, parts_of_people(np.arange(200) % 2), members=("ridge", "polynomial"), metas=()
    )
    r2 = r2_against_training(y, done.predicted, done.training_mean)
    assert r2[0] < 0.1
    assert r2[1] > 0.8


def test_held_out_people_change_no_prediction_of_themselves():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(60, 4))
    y = x[:, 0] + rng.normal(size=60)
    parts = parts_of_people(np.arange(60) % 3)
    one = _stack(x, y, parts)
    held = parts[1].held
    moved = np.where(held, 1e3 * rng.normal(size=60), y)
    other = _stack(x, moved, parts)
    np.testing.assert_array_equal(one.predicted[:, held], other.predicted[:, held])
    assert (one.training_mean[held] == other.training_mean[held]).all()


def test_a_row_is_not_learned_from_and_judged():
    everybody = np.ones(30, dtype=bool)
    with pytest.raises(InputError, match="learned from and held out"):
        _stack(np.zeros((30, 1)), np.arange(30.0), [Part(everybody, everybody, everybody)])


def test_constant_features_predict_the_mean_and_score_0():
    y = np.random.default_rng(0).normal(size=40)
    done = _stack(np.ones((40, 2)), y, parts_of_people(np.arange(40) % 4))
    np.testing.assert_allclose(
        r2_against_training(y, done.predicted, done.training_mean), 0, atol=1e-6
    )


@pytest.mark.slow
def test_nothing_comes_of_nothing():
    """Mean r of people apart has 0 within its 99.9% interval, for every learner."""
    rng = np.random.default_rng(5)
    n, worlds = 90, 60
    test = np.arange(n) >= 50
    part = Part(~test, test, ~test)
    found = []
    for seed in range(worlds):
        x, y = rng.normal(size=(n, 8)), rng.normal(size=n)
        done = _stack(x, y, [part], seed=seed)
        held = slice(50, None)
        observed, mean = (
            np.tile(row[held], (len(done.names), 1)) for row in (done.observed, done.training_mean)
        )
        found.append(score_genes(observed, done.predicted[:, held], mean, "pearson_r"))
    r = np.array(found)
    assert (np.abs(r.mean(axis=0)) < 3.29 * r.std(axis=0) / np.sqrt(worlds)).all()
    assert r.shape == (worlds, 8)


def test_all_genes_at_once_hold_out_people_and_genes():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(1, 8, 60, 2))
    level = 10 * rng.normal(size=(8, 1))
    y = level + x[0, :, :, 1] + 0.3 * rng.normal(size=(8, 60))
    config = StackConfig(members=("ridge",), metas=("stack_linear",), inner_folds=2)
    fold = np.arange(60) % 3
    done = stack_genes(Features(("a", "b"), x), y, fold, config, design="genes", gene_folds=2)
    assert done.predicted.shape == (2, 8, 60)
    assert np.isfinite(done.predicted).all()
    assert (r2_against_training(y, done.predicted[1], done.training_mean) > 0.7).all()
    expected = [y[0, fold != number].mean() for number in fold]
    np.testing.assert_allclose(done.training_mean[0], expected)


def test_people_by_genes_reads_the_features_of_all_genes():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(1, 4, 80, 1))
    y = x[0, ::-1, :, 0] + 0.2 * rng.normal(size=(4, 80))
    config = StackConfig(members=("ridge",), metas=(), inner_folds=2)
    fold = np.arange(80) % 4
    wide = stack_genes(Features(("x",), x), y, fold, config, design="people-by-genes")
    alone = stack_genes(Features(("x",), x), y, fold, config)
    assert (r2_against_training(y, wide.predicted[0], wide.training_mean) > 0.8).all()
    assert (r2_against_training(y, alone.predicted[0], alone.training_mean) < 0.1).all()


def test_covariates_are_taken_off_by_each_fold_alone():
    rng = np.random.default_rng(6)
    x, age = rng.normal(size=(1, 3, 60, 1)), rng.normal(size=(60, 1))
    y = x[0, :, :, 0] + 4 * age[:, 0]
    config = StackConfig(members=("ridge",), metas=(), inner_folds=2)
    for design in ("gene", "genes"):
        done = stack_genes(
            Features(("x",), x), y, np.arange(60) % 3, config, design=design, covariates=age,
            gene_folds=1,
        )  # fmt: skip
        assert (
            r2_against_training(done.observed, done.predicted[0], done.training_mean) > 0.9
        ).all()
