"""Trees on few people: not far below a ridge where the truth is a sum, and at 0 where is none."""

from __future__ import annotations

import numpy as np
import pytest

from exprimo.genetics.stacking import Features, StackConfig, stack_genes
from exprimo.genetics.stacking.judging import judge_predictors
from exprimo.genetics.stacking.learners.members import calibration
from exprimo.genetics.stacking.learners.meta import fit_meta

FOLD = np.arange(200) % 5


def _r2(h2: float, n_genes: int = 14) -> dict[str, float]:
    """Give mean R² of 160 who train and 40 who are judged; two of four features tell of a gene."""
    rng = np.random.default_rng(3)
    truth = rng.normal(size=(n_genes, 200))
    noise = rng.normal(size=truth.shape)
    expression = np.sqrt(h2) * truth + np.sqrt(1 - h2) * noise
    told = [truth + rng.normal(size=truth.shape) for _ in range(2)]
    features = np.stack([*told, *rng.normal(size=(2, *truth.shape))], axis=-1)[None]
    settings = StackConfig(members=("ridge", "xgboost"), metas=("stack_xgboost",), inner_folds=3)
    done = stack_genes(Features(("a", "b", "c", "d"), features), expression, FOLD, settings)
    names = [f"g{at}" for at in range(n_genes)]
    _, found = judge_predictors(done, names, FOLD, n_boot=20)
    return {name: one.r2.value for name, one in found.items()}


@pytest.mark.slow
def test_a_sum_of_features_is_learned_nearly_as_well_as_by_a_ridge():
    found = _r2(0.15)
    assert found["ridge"] > 0.05
    assert found["xgboost"] > 0.6 * found["ridge"]
    assert found["stack_xgboost"] > 0.4 * found["ridge"]


@pytest.mark.slow
def test_where_there_is_nothing_nothing_is_said():
    found = _r2(0.0)
    assert -0.015 < found["xgboost"] < 0.015
    assert -0.02 < found["stack_xgboost"] < 0.015


def test_what_says_nothing_true_is_not_trusted_and_none_for_more_than_it_says():
    away = np.array([1.0, -1.0, 2.0, -2.0])
    assert calibration(away, away / 4) == 0.25
    assert calibration(away, 3 * away) == 1.0
    assert calibration(away, -away) == 0.0
    assert calibration(np.zeros(4), away) == 0.0


def test_trees_on_members_that_say_nothing_give_the_mean_or_hardly_more():
    rng = np.random.default_rng(0)
    spread = []
    for seed in range(6):
        told, target = rng.normal(size=(160, 3)), rng.normal(size=160)
        meta = fit_meta("stack_xgboost", told, target, StackConfig(), seed)
        spread.append(float(np.std(meta.predict(rng.normal(size=(100, 3))))))
    assert min(spread) == pytest.approx(0.0, abs=1e-9)
    assert np.median(spread) < 0.15
