"""Differences: pairing narrows, overlap is used, p means what it says."""

from __future__ import annotations

import math

import numpy as np
import pytest

from exprimo.core.errors import InputError
from exprimo.evaluate.intervals import bootstrap
from exprimo.evaluate.paired import (
    bootstrap_p,
    difference_between_test_sets,
    paired_difference,
    unpaired_difference,
)
from exprimo.evaluate.results import JudgedSet


def test_the_value_is_a_minus_b_and_swapping_turns_it_round() -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(size=200)
    a, b = y + rng.normal(size=200), y + 2 * rng.normal(size=200)
    got = paired_difference(y, a, b, None, "pearson_r", unit="gene")
    each = [bootstrap(y, s, None, ["pearson_r"])["pearson_r"].value for s in (a, b)]
    back = paired_difference(y, b, a, None, "pearson_r")
    assert got.value == pytest.approx(each[0] - each[1])
    assert 0 < got.low < got.value < got.high
    assert (back.low, back.high) == pytest.approx((-got.high, -got.low))
    assert got.p == back.p < 0.01
    assert (got.n_groups, got.n_shared, got.unit) == (200, 200, "gene")


def test_pairing_is_narrower_than_not_pairing() -> None:
    rng = np.random.default_rng(1)
    y = rng.normal(size=300)
    shared = rng.normal(size=300)
    a, b = y + shared, y + shared + 0.2 * rng.normal(size=300)
    paired = paired_difference(y, a, b, None, "mse")
    apart = unpaired_difference(JudgedSet(y, a), JudgedSet(y, b), "mse")
    assert paired.value == apart.value
    assert paired.high - paired.low < 0.5 * (apart.high - apart.low)
    assert apart.n_shared == 0


def test_a_model_does_not_differ_from_itself() -> None:
    y = np.arange(50.0)
    got = paired_difference(y, y + 1, y + 1, None, "mae")
    assert (got.value, got.low, got.high, got.p) == (0.0, 0.0, 0.0, 1.0)


def test_under_the_null_p_is_near_uniform() -> None:
    rng = np.random.default_rng(5)
    small = 0
    for world in range(300):
        y, a, b = rng.normal(size=(3, 80))
        small += paired_difference(y, a, b, None, "mae", n_boot=200, seed=world).p < 0.1
    assert 0.05 <= small / 300 <= 0.17


def test_overlapping_test_sets_are_paired_where_they_overlap() -> None:
    rng = np.random.default_rng(2)
    y = rng.normal(size=300)
    error = rng.exponential(size=300)
    names = np.array([f"g{i}" for i in range(300)])

    def part(start: int, end: int) -> JudgedSet:
        here = slice(start, end)
        return JudgedSet(y[here], (y + error)[here], names[here])

    width = {}
    for label, other in (("same", part(0, 150)), ("half", part(75, 225)), ("none", part(150, 300))):
        got = difference_between_test_sets(part(0, 150), other, "mae")
        width[label] = got.high - got.low
        assert got.n_shared == {"same": 150, "half": 75, "none": 0}[label]
        assert got.n_groups == 150
    assert width["same"] == 0.0
    assert 0 < width["half"] < width["none"]
    apart = unpaired_difference(part(0, 150), part(150, 300), "mae")
    assert width["none"] == pytest.approx(apart.high - apart.low, rel=0.15)


def test_the_same_rows_in_another_order_give_the_paired_difference() -> None:
    rng = np.random.default_rng(3)
    y, a, b = rng.normal(size=(3, 60))
    names = np.array([f"g{i % 20}" for i in range(60)])
    turned = rng.permutation(60)
    got = difference_between_test_sets(
        JudgedSet(y, a, names), JudgedSet(y[turned], b[turned], names[turned]), "spearman"
    )
    paired = paired_difference(y, a, b, names, "spearman")
    assert got[:4] == pytest.approx(paired[:4])
    assert got[4:] == paired[4:]


def test_rows_without_observation_leave_their_groups_behind() -> None:
    y = np.arange(20.0)
    names = np.arange(20)
    missing = y.copy()
    missing[:10] = np.nan
    got = difference_between_test_sets(
        JudgedSet(y, y + 1, names), JudgedSet(missing, y + 3, names), "mae"
    )
    assert (got.value, got.n_groups, got.n_shared) == (-2.0, 10, 10)


def test_a_model_and_its_threshold_on_two_test_sets() -> None:
    y = np.tile([0.0, 1.0], 20)
    s = np.where(y == 1, 0.6, 0.4)
    got = paired_difference(y, s, s, None, "accuracy", threshold_a=0.5, threshold_b=0.7)
    assert got.value == 0.5


def test_seeds_of_the_two_models_are_drawn_apart() -> None:
    """Seeds that scatter widely must widen the interval of a difference of means of 0."""
    rng = np.random.default_rng(8)
    y = rng.normal(size=500)
    seeds = y + np.array([[0.5], [1.5]]) * rng.normal(size=500)
    got = paired_difference(y, seeds, seeds, None, "rmse")
    assert got.value == 0.0
    assert got.low < -0.9
    assert got.high > 0.9


def test_two_units_give_no_interval_and_no_p() -> None:
    y = np.arange(10.0)
    got = paired_difference(y, y + 1, y + 2, [0, 1] * 5, "mae")
    assert got.value == -1.0
    assert got.few_groups
    assert all(math.isnan(x) for x in (got.low, got.high, got.p))


def test_groups_must_be_comparable() -> None:
    y = np.arange(10.0)
    with pytest.raises(InputError, match="no groups"):
        difference_between_test_sets(JudgedSet(y, y), JudgedSet(y, y), "mae")
    words, numbers = np.array(list("abcdefghij")), np.arange(10)
    with pytest.raises(InputError, match="different kinds"):
        difference_between_test_sets(JudgedSet(y, y, words), JudgedSet(y, y, numbers), "mae")


def test_p_by_hand() -> None:
    assert bootstrap_p(np.array([1.0, 2.0, 3.0, -1.0])) == pytest.approx(2 * 2 / 5)
    assert bootstrap_p(np.ones(999)) == pytest.approx(0.002)
    assert bootstrap_p(np.zeros(9)) == 1.0
