"""Curves against scikit-learn, thinning, and verdicts on learning curves."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from exprimo.core.errors import ConfigError, InputError, MismatchError
from exprimo.evaluate.curves import (
    MORE_DATA_HARDLY_HELPS,
    MORE_DATA_HELPS,
    MORE_DATA_UNCLEAR,
    more_data_helps,
    observed_by_prediction,
    pr_points,
    roc_points,
)
from exprimo.evaluate.paired import paired_difference
from exprimo.evaluate.results import Difference


@pytest.fixture
def scored() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = (rng.random(5000) < 0.3).astype(float)
    return y, np.round(y + rng.normal(size=5000), 2)


def test_roc_equals_sklearn(scored: tuple[np.ndarray, np.ndarray]) -> None:
    y, s = scored
    got = roc_points(y, s, max_points=10_000)
    x, recall, _ = sk.roc_curve(y, s, drop_intermediate=False)
    np.testing.assert_allclose(got.x, x)
    np.testing.assert_allclose(got.y, recall)


def test_pr_equals_sklearn(scored: tuple[np.ndarray, np.ndarray]) -> None:
    y, s = scored
    got = pr_points(y, s, max_points=10_000)
    precision, recall, _ = sk.precision_recall_curve(y, s)
    np.testing.assert_allclose(got.x[1:], recall[:-1][::-1])
    np.testing.assert_allclose(got.y[1:], precision[:-1][::-1])
    assert got.x[0] == 0.0
    assert got.y[0] == got.y[1]


def test_thinned_curves_keep_their_ends_and_area(scored: tuple[np.ndarray, np.ndarray]) -> None:
    y, s = scored
    for points in (roc_points, pr_points):
        full, thin = points(y, s, max_points=10_000), points(y, s)
        assert thin.x.size <= 400 < full.x.size
        assert (thin.x[0], thin.y[0]) == (full.x[0], full.y[0])
        assert (thin.x[-1], thin.y[-1]) == (full.x[-1], full.y[-1])
        area = np.trapezoid(thin.y, thin.x)
        assert area == pytest.approx(np.trapezoid(full.y, full.x), abs=5e-3)


def test_one_class_has_no_curve() -> None:
    assert roc_points(np.ones(5), np.arange(5.0)).x.size == 0
    assert pr_points(np.zeros(5), np.arange(5.0)).x.size == 0
    assert roc_points([], []).x.size == 0
    with pytest.raises(InputError, match="hard labels"):
        roc_points([0, 1] * 10, [0, 1] * 10)


def test_binned_summary_by_hand() -> None:
    got = observed_by_prediction([1.0, 3.0, 10.0, 20.0], [0.1, 0.2, 5.0, 6.0], n_bins=2)
    assert got.observed.tolist() == [2.0, 15.0]
    assert got.predicted.tolist() == pytest.approx([0.15, 5.5])
    assert got.lower_quartile.tolist() == [1.5, 12.5]
    assert got.upper_quartile.tolist() == [2.5, 17.5]
    assert got.n.tolist() == [2, 2]
    assert observed_by_prediction([], []).n.size == 0


def test_a_rising_curve_says_more_and_a_flat_one_hardly() -> None:
    rising = more_data_helps([0.25, 0.5, 1.0], [[0.5, 0.5], [0.6, 0.61], [0.7, 0.72]], "pearson_r")
    assert rising.verdict == MORE_DATA_HELPS
    assert rising.gain == pytest.approx(0.105)
    flat = more_data_helps([0.5, 1.0], [[0.8, 0.801], [0.801, 0.8]], "pearson_r", worthwhile=0.02)
    assert flat.verdict == MORE_DATA_HARDLY_HELPS


def test_for_an_error_a_falling_curve_is_the_gain() -> None:
    got = more_data_helps([100, 400], [[3.0, 3.1, 3.0], [2.0, 2.1, 2.05]], "mse")
    assert got.verdict == MORE_DATA_HELPS
    assert got.gain == pytest.approx(0.9833, abs=1e-4)
    assert got.next_doubling == pytest.approx(got.gain / 2)
    assert got.next_low == pytest.approx(got.low / 2)


def test_without_seeds_or_difference_nothing_is_claimed() -> None:
    got = more_data_helps([0.5, 1.0], [0.5, 0.9], "auroc")
    assert got.verdict == MORE_DATA_UNCLEAR
    assert np.isnan(got.low)


def test_the_paired_difference_on_the_test_set_decides() -> None:
    rng = np.random.default_rng(0)
    y, noise = rng.normal(size=(2, 400))
    step = paired_difference(y, y + 0.5 * noise, y + 1.0 * noise, None, "rmse")
    got = more_data_helps([0.5, 1.0], [1.0, 0.5], "rmse", last_step=step)
    assert got.verdict == MORE_DATA_HELPS
    assert (got.gain, got.low, got.high) == (-step.value, -step.high, -step.low)
    unsure = Difference(0.02, -0.05, 0.09, 0.6, 50, 50, "gene")
    scores = [[0.6, 0.6], [0.62, 0.62]]
    assert (
        more_data_helps([0.5, 1.0], scores, "pearson_r", last_step=unsure).verdict
        == MORE_DATA_UNCLEAR
    )


def test_learning_curves_are_checked() -> None:
    with pytest.raises(InputError, match="growing amounts"):
        more_data_helps([1.0, 0.5], [0.5, 0.6], "r2")
    with pytest.raises(InputError, match="growing amounts"):
        more_data_helps([1.0], [0.5], "r2")
    with pytest.raises(MismatchError, match="do not fit"):
        more_data_helps([0.5, 1.0], [0.5], "r2")
    with pytest.raises(ConfigError, match="unknown metric"):
        more_data_helps([0.5, 1.0], [0.5, 0.6], "r3")
