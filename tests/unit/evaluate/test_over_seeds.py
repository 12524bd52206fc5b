"""Differences over several seeds: what one seed gives, what seeds add, coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest

from exprimo.core.errors import InputError, MismatchError
from exprimo.evaluate import difference_over_seeds, paired_difference


def test_of_one_seed_it_is_the_paired_difference() -> None:
    rng = np.random.default_rng(0)
    y = (rng.random(120) < 0.4).astype(float)
    a, b = rng.random((2, 120))
    names = np.arange(120) // 3
    got = difference_over_seeds(y, a, b, names, "mcc", threshold_a=0.4, threshold_b=0.6)
    paired = paired_difference(y, a, b, names, "mcc", threshold_a=0.4, threshold_b=0.6)
    assert got[:4] == pytest.approx(paired[:4])
    assert (got.n_groups, got.seeds) == (40, 1)
    assert math.isnan(got.seed_sd)


def test_the_value_is_the_mean_over_seeds_of_paired_ones() -> None:
    rng = np.random.default_rng(1)
    y = (rng.random(150) < 0.4).astype(float)
    a, b = rng.random((2, 3, 150))
    limits_a, limits_b = [0.3, 0.5, 0.7], [0.5, 0.4, 0.6]
    got = difference_over_seeds(y, a, b, None, "mcc", threshold_a=limits_a, threshold_b=limits_b)
    each = [
        paired_difference(
            y, a[k], b[k], None, "mcc", threshold_a=limits_a[k], threshold_b=limits_b[k]
        ).value
        for k in range(3)
    ]
    assert got.per_seed == pytest.approx(each)
    assert got.value == pytest.approx(np.mean(each))
    assert got.seed_sd == pytest.approx(np.std(each, ddof=1))


def test_equal_seeds_add_nothing() -> None:
    rng = np.random.default_rng(2)
    y, a, b = rng.normal(size=(3, 80))
    thrice = difference_over_seeds(y, np.tile(a, (3, 1)), np.tile(b, (3, 1)), None, "mse")
    once = difference_over_seeds(y, a, b, None, "mse")
    assert thrice[:5] == pytest.approx(once[:5])
    assert thrice.seed_sd == pytest.approx(0.0)


def test_many_groups_do_not_make_few_seeds_certain() -> None:
    """On 5,000 genes three seeds of which one is bad decide nothing; each alone would."""
    rng = np.random.default_rng(3)
    y = rng.normal(size=5000)
    a = y + np.array([[0.3], [0.4], [1.4]]) * rng.normal(size=(3, 5000))
    b = y + rng.normal(size=(3, 5000))
    got = difference_over_seeds(y, a, b, None, "rmse")
    each = [paired_difference(y, a[k], b[k], None, "rmse") for k in range(3)]
    assert all(one.p < 0.01 for one in each)
    assert got.value < 0 < got.high
    # Student's t of two degrees of freedom, 4.3 standard errors.
    assert got.high - got.value == pytest.approx(4.3 * got.seed_sd / math.sqrt(3), rel=0.15)


@pytest.mark.parametrize(("of_seeds", "of_groups", "of_both"), [(0, 5, 5), (1, 3, 3), (0, 1, 7)])
def test_intervals_hold_what_they_promise(
    of_seeds: float, of_groups: float, of_both: float
) -> None:
    """Known truth: differences of 0 plus a seed's own, a group's own, and what both make."""
    rng = np.random.default_rng(4)
    worlds, n, covered = 400, 100, 0
    for world in range(worlds):
        error = (
            of_seeds / 10 * rng.normal(size=(3, 1))
            + of_groups / 10 * rng.normal(size=n)
            + of_both / 10 * rng.normal(size=(3, n))
        )
        # The mean absolute error of 10 + e is linear in e, and that of b is always 10.
        y = np.zeros(n)
        got = difference_over_seeds(
            y, 10 + error, np.full((3, n), 10.0), None, "mae", n_boot=300, seed=world
        )
        covered += got.low <= 0 <= got.high
    # Two standard errors of a share of 400 are 0.022; five seeds would come nearer to 0.95.
    assert 0.92 <= covered / worlds <= 0.99


def test_what_cannot_be_paired_is_refused() -> None:
    rng = np.random.default_rng(5)
    y = (rng.random(40) < 0.5).astype(float)
    with pytest.raises(MismatchError, match="different numbers of seeds"):
        difference_over_seeds(y, rng.random((3, 40)), rng.random((2, 40)), None, "auroc")
    scores = rng.random((3, 40))
    with pytest.raises(InputError, match="2 thresholds for 3 seeds"):
        difference_over_seeds(
            y, scores, scores, None, "mcc", threshold_a=[0.1, 0.2], threshold_b=0.5
        )
    with pytest.raises(InputError, match="needs a threshold"):
        difference_over_seeds(y, scores, scores, None, "mcc")
