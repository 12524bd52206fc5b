"""Trends of dispersion and the width of the prior around them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import polygamma

from exprimo.core.errors import InputError
from exprimo.labels.dispersion.prior_width import prior_variance
from exprimo.labels.dispersion.trend import fit_trend, residual_spread

MEANS = np.geomspace(0.5, 1e5, 2000)


def _scattered(true: np.ndarray, freedom: int, width: float, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    noise = np.log(rng.chisquare(freedom, len(true)) / freedom)
    return true * np.exp(noise + rng.normal(0, np.sqrt(width), len(true)))


def test_the_parametric_form_is_found_through_noise() -> None:
    rng = np.random.default_rng(1)
    dispersion = (0.1 + 3 / MEANS) * rng.gamma(5, 1 / 5, len(MEANS))
    trend = fit_trend(MEANS, dispersion)
    assert (trend.kind, trend.fell_back) == ("parametric", False)
    assert (trend.asymptote, trend.slope) == (
        pytest.approx(0.1, rel=0.05),
        pytest.approx(3, rel=0.1),
    )
    np.testing.assert_allclose(trend.function(MEANS), trend.asymptote + trend.slope / MEANS)


def test_genes_without_dispersion_take_no_part() -> None:
    dispersion = 0.1 + 3 / MEANS
    dispersion[::3] = 1e-8
    trend = fit_trend(MEANS, dispersion)
    assert trend.asymptote == pytest.approx(0.1, rel=1e-4)


def test_a_rising_trend_is_followed_locally() -> None:
    true = 0.02 * MEANS**0.3
    trend = fit_trend(MEANS, true)
    assert (trend.kind, trend.fell_back) == ("local", True)
    np.testing.assert_allclose(trend.function(MEANS), true, rtol=1e-3)
    asked = fit_trend(MEANS, true, "local")
    assert (asked.kind, asked.fell_back) == ("local", False)


def test_a_constant_is_a_trimmed_mean() -> None:
    dispersion = np.full(4000, 0.2)
    dispersion[:4], dispersion[-4:] = 1e-3, 1e4
    assert fit_trend(np.ones(4000), dispersion, "mean").asymptote == pytest.approx(0.2)


def test_copies_of_one_sample_have_no_trend() -> None:
    with pytest.raises(InputError, match="no gene varies more than chance"):
        fit_trend(MEANS, np.full(len(MEANS), 1e-8))


def test_the_spread_is_that_of_the_middle_half() -> None:
    assert residual_spread(np.exp(np.array([-1.0, 0, 1, 100, 0])), np.ones(5)) == pytest.approx(
        1.4826**2
    )


@pytest.mark.parametrize(("freedom", "width"), [(4, 2.0), (10, 1.0), (30, 0.6)])
def test_with_many_degrees_of_freedom_sampling_is_taken_out(freedom: int, width: float) -> None:
    dispersion = _scattered(np.full(20_000, 0.1), freedom, width, 7)
    spread = residual_spread(dispersion, np.full(20_000, 0.1))
    found = prior_variance(dispersion, np.full(20_000, 0.1), spread, freedom)
    assert found == pytest.approx(spread - polygamma(1, freedom / 2), rel=1e-12)
    assert found == pytest.approx(width, rel=0.25)


@pytest.mark.parametrize("freedom", [1, 2, 3])
@pytest.mark.parametrize("width", [1.0, 2.5, 5.0])
def test_with_few_the_width_that_was_drawn_is_found(freedom: int, width: float) -> None:
    true = np.full(20_000, 0.1)
    dispersion = _scattered(true, freedom, width, 11)
    found = prior_variance(dispersion, true, residual_spread(dispersion, true), freedom)
    assert found == pytest.approx(width, rel=0.2)


@pytest.mark.parametrize("freedom", [1, 3, 12])
def test_the_width_has_a_floor(freedom: int) -> None:
    true = np.full(5000, 0.1)
    dispersion = _scattered(true, freedom, 0.0, 13)
    spread = residual_spread(dispersion, true)
    assert prior_variance(dispersion, true, spread, freedom) == 0.25
