"""Meta-learners: weights between members and the mean."""

from __future__ import annotations

import numpy as np
import pytest

from exprimo.genetics.stacking.config import StackConfig
from exprimo.genetics.stacking.learners.meta import fit_meta

CONFIG = StackConfig()


def _told(seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=300)
    noise = rng.normal(size=(300, 3))
    return truth - truth.mean(), np.stack([truth, truth, 0 * truth], axis=1) + noise


def test_weights_are_the_best_within_their_limits():
    truth, told = _told()
    weights = fit_meta("stack_linear", told * 0.4, truth, CONFIG, 0).weights
    assert weights.sum() == pytest.approx(1, abs=1e-5)
    assert (weights >= 0).all()
    left = np.arange(0, 1.001, 0.01)
    tried = [((truth - 0.4 * told[:, :2] @ [w, 1 - w]) ** 2).sum() for w in left]
    reached = ((truth - 0.4 * told @ weights) ** 2).sum()
    assert reached <= min(tried) + 1e-3


def test_members_that_say_nothing_or_the_contrary_get_no_weight():
    truth, told = _told(1)
    weights = fit_meta("stack_linear", told * [1, -1, 1], truth, CONFIG, 0).weights
    assert weights[1] == 0
    assert weights[2] < 0.15
    none = fit_meta("stack_linear", -told[:, :2], truth, CONFIG, 0)
    assert (none.predict(told[:5, :2]) == 0).all()


def test_a_member_that_hardly_leaves_the_mean_cannot_be_blown_up():
    truth, told = _told(2)
    weights = fit_meta("stack_linear", told[:, :1] * 1e-3, truth, CONFIG, 0).weights
    assert weights[0] == pytest.approx(1)


def test_trees_learn_where_a_member_is_right():
    truth, told = _told(3)
    predict = fit_meta("stack_xgboost", told, truth, CONFIG, 0).predict
    assert np.corrcoef(predict(told), truth)[0, 1] > 0.75
    still = fit_meta("stack_xgboost", np.zeros((300, 2)), truth, CONFIG, 0).predict
    np.testing.assert_allclose(still(np.ones((4, 2))), truth.mean())
