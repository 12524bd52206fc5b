"""Reliability against scikit-learn, calibrators against a known distortion, coverage of sd."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression

from exprimo.core.errors import InputError, MismatchError
from exprimo.evaluate.calibration import (
    equal_mass_bins,
    fit_calibrator,
    reliability,
    sd_coverage,
)
from exprimo.evaluate.classification import auroc, calibration_error
from exprimo.evaluate.results import FloatArray


def labelled(n: int, slope: float, seed: int = 0) -> tuple[FloatArray, FloatArray]:
    """Draw labels, and probabilities whose logit is the true one times `slope`."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=n) * 1.5
    y = (rng.random(n) < expit(truth)).astype(float)
    return y, expit(slope * truth)


def test_reliability_equals_sklearn() -> None:
    y, p = labelled(1000, 1.0)
    got = reliability(y, p, n_bins=10)
    observed, predicted = calibration_curve(y, p, n_bins=10, strategy="quantile")
    np.testing.assert_allclose(got.observed, observed)
    np.testing.assert_allclose(got.predicted, predicted)
    assert got.n.tolist() == [100] * 10
    assert (got.low < got.observed).all()
    assert (got.observed < got.high).all()


def test_its_summary_is_the_calibration_error() -> None:
    y, p = labelled(500, 2.0)
    assert reliability(y, p).expected_error == pytest.approx(calibration_error(y, p))


def test_equal_values_share_a_bin() -> None:
    bins, n = equal_mass_bins(np.r_[np.zeros(90), np.arange(1.0, 11.0)], 10)
    assert set(bins[:90]) == {0}
    assert n == bins.max() + 1
    assert (np.diff(bins[90:]) >= 0).all()
    assert equal_mass_bins(np.full(7, 0.3), 10)[1] == 1
    assert equal_mass_bins(np.zeros(0), 10)[1] == 0


def test_bins_of_grouped_rows_have_wider_intervals() -> None:
    y, p = labelled(200, 1.0)
    copied = reliability(np.repeat(y, 5), np.repeat(p, 5), np.repeat(np.arange(200), 5))
    naive = reliability(np.repeat(y, 5), np.repeat(p, 5))
    assert ((copied.high - copied.low) > 1.4 * (naive.high - naive.low)).all()


def test_platt_undoes_a_known_distortion() -> None:
    y, p = labelled(20_000, 3.0)
    shifted = expit(logit(p) + 1.0)
    fit = fit_calibrator(y, shifted)
    assert fit.slope == pytest.approx(1 / 3, abs=0.02)
    assert fit.intercept == pytest.approx(-1 / 3, abs=0.05)
    fresh_y, fresh_p = labelled(5_000, 3.0, seed=1)
    before = expit(logit(fresh_p) + 1.0)
    after = fit.apply(before)
    assert calibration_error(fresh_y, after) < 0.03 < calibration_error(fresh_y, before)
    assert auroc(fresh_y, after) == pytest.approx(auroc(fresh_y, before))


def test_platt_equals_logistic_regression_on_many_rows() -> None:
    y, p = labelled(20_000, 0.5)
    want = LogisticRegression(C=np.inf, tol=1e-8).fit(logit(p)[:, None], y)
    fit = fit_calibrator(y, p)
    assert fit.slope == pytest.approx(want.coef_[0, 0], rel=5e-3)
    assert fit.intercept == pytest.approx(want.intercept_[0], abs=5e-3)


def test_a_temperature_keeps_one_half() -> None:
    y, p = labelled(5_000, 4.0)
    fit = fit_calibrator(y, p, temperature_only=True)
    assert fit.intercept == 0.0
    assert fit.slope == pytest.approx(0.25, abs=0.03)
    assert fit.apply(np.array([0.5])).tolist() == [0.5]


def test_separated_classes_and_constants_stay_finite() -> None:
    y = np.r_[np.zeros(20), np.ones(20)]
    apart = fit_calibrator(y, np.where(y == 1, 1.0, 0.0))
    assert np.isfinite(apart[:2]).all()
    assert 0 < apart.apply(np.array([0.0]))[0] < apart.apply(np.array([1.0]))[0] < 1
    constant = fit_calibrator(np.r_[np.zeros(90), np.ones(10)], np.full(100, 0.5))
    assert constant.apply(np.array([0.5]))[0] == pytest.approx(0.1, abs=0.02)
    with pytest.raises(InputError, match="one class"):
        fit_calibrator(np.ones(5), np.full(5, 0.5))


def test_normal_errors_are_covered_as_expected() -> None:
    rng = np.random.default_rng(3)
    sd = rng.uniform(0.5, 2.0, 4000)
    predicted = rng.normal(size=4000)
    y = predicted + sd * rng.normal(size=4000)
    for row in sd_coverage(y, predicted, sd):
        assert row.measured.value == pytest.approx(row.expected, abs=0.025)
        assert row.measured.low < row.measured.value < row.measured.high
    half = sd_coverage(y, predicted, sd / 2, z=[1.96])[0]
    assert half.expected == pytest.approx(0.95, abs=1e-3)
    assert half.measured.high < 0.75


def test_columns_must_fit_together() -> None:
    with pytest.raises(MismatchError, match="differ in length"):
        sd_coverage([1.0, 2.0], [1.0, 2.0], [1.0])
    with pytest.raises(InputError, match="negative"):
        sd_coverage([1.0, 2.0], [1.0, 2.0], [1.0, -1.0])
