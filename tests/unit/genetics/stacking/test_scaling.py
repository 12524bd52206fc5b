"""Scales are measured on training people alone."""

from __future__ import annotations

import numpy as np
import pytest

from exprimo.core.errors import InputError
from exprimo.genetics.stacking.scaling import (
    level_of,
    normal_quantiles,
    scale_features,
    without_covariates,
)

KNOWN = np.array([True, True, True, True, False, False] * 2)
GROUP = np.repeat([0, 1], 6)


@pytest.mark.parametrize("how", ["z", "quantile"])
def test_who_is_not_known_changes_no_scale(how):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(12, 3))
    moved = x.copy()
    moved[~KNOWN] += 100
    one, other = (scale_features(v, KNOWN, GROUP, how) for v in (x, moved))
    np.testing.assert_array_equal(one[KNOWN], other[KNOWN])
    for group in (0, 1):
        inside = one[KNOWN & (group == GROUP)]
        np.testing.assert_allclose(inside.mean(axis=0), 0, atol=1e-12)
    if how == "z":
        assert (other[~KNOWN] > 20).all()
    else:
        assert (other[~KNOWN] > 0.8).all()


def test_levels_are_of_each_gene():
    y = np.arange(12.0) + np.repeat([0, 50], 6)
    level = level_of(y, KNOWN, GROUP)
    np.testing.assert_allclose(level.mean[[0, 6]], [1.5, 57.5])
    np.testing.assert_allclose(level.restored(level.scaled(y)), y)
    flat = level_of(np.full(12, 3.0), KNOWN, GROUP)
    assert (flat.scaled(np.full(12, 3.0)) == 0).all()
    with pytest.raises(InputError, match="no training people"):
        level_of(y, KNOWN & (GROUP == 0), GROUP)


def test_quantiles_share_ranks_of_ties():
    found = normal_quantiles([1, 2, 2, 3], [1, 2, 2, 3])
    assert found[1] == found[2] == 0
    assert found[0] == pytest.approx(-found[3])
    assert found[3] > 0.5


def test_what_never_varied_in_training_says_nothing():
    x = np.array([[2.0], [2.0], [7.0]])
    scaled = scale_features(x, np.array([True, True, False]), np.zeros(3, int), "z")
    assert (scaled == 0).all()


def test_covariates_are_projected_out_by_training_people():
    rng = np.random.default_rng(0)
    age = rng.normal(size=(100, 2))
    y = 5 + age @ [3.0, -1.0] + 0.01 * rng.normal(size=100)
    known = np.arange(100) < 50
    left = without_covariates(y, age, known)
    assert left[~known].std() < 0.02
    assert left[known].mean() == pytest.approx(y[known].mean())
    moved = np.where(known, y, 1e6)
    np.testing.assert_array_equal(left[known], without_covariates(moved, age, known)[known])
