"""Adjustment for many tests, and the filter before it."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from exprimo.labels.testing.adjustment import benjamini_hochberg, filter_independently, lowess


def test_benjamini_hochberg_by_hand() -> None:
    # 0.005 × 3, 0.02 × 3 / 2, 0.5; the missing one does not count.
    found = benjamini_hochberg(np.array([0.02, 0.5, np.nan, 0.005]))
    np.testing.assert_allclose(found, [0.03, 0.5, np.nan, 0.015], rtol=1e-14)
    # Each × n / rank is 0.05, so the order of the adjusted ones never turns around.
    np.testing.assert_allclose(benjamini_hochberg(np.arange(1, 6) / 100), np.full(5, 0.05))
    assert benjamini_hochberg(np.array([0.9, 1.0])).tolist() == [1.0, 1.0]


def test_benjamini_hochberg_is_that_of_scipy() -> None:
    p = np.random.default_rng(2).uniform(size=300) ** 3
    p[::10] = p[0]
    np.testing.assert_allclose(
        benjamini_hochberg(p), scipy.stats.false_discovery_control(p), rtol=1e-12
    )


def _weak_and_strong(n_real: int) -> tuple[np.ndarray, np.ndarray]:
    """Give 2,000 ascending means and p-values; the last ones differ."""
    rng = np.random.default_rng(5)
    means = np.sort(rng.gamma(1, 100, 2000))
    p = rng.uniform(size=2000)
    p[2000 - n_real :] = rng.uniform(0, 0.03, n_real)
    return means, p


def test_genes_that_never_differ_leave_the_family() -> None:
    means, p = _weak_and_strong(300)
    found = filter_independently(means, p, 0.1)
    assert 0.4 < found.share < 0.9
    assert found.threshold == pytest.approx(np.quantile(means, found.share), rel=1e-12)
    np.testing.assert_array_equal(np.isnan(found.padj), means < found.threshold)
    kept = means >= found.threshold
    np.testing.assert_allclose(found.padj[kept], benjamini_hochberg(p[kept]))
    assert (found.padj < 0.1).sum() > (benjamini_hochberg(p) < 0.1).sum() + 20


def test_the_filter_serves_alpha() -> None:
    means, p = _weak_and_strong(300)
    thresholds = {alpha: filter_independently(means, p, alpha).threshold for alpha in (0.1, 0.2)}
    assert thresholds[0.1] > thresholds[0.2]


def test_ten_rejections_are_too_few_to_choose_by() -> None:
    means, p = _weak_and_strong(300)
    p[:] = 0.5 + p / 2
    p[-10:] = 1e-9
    found = filter_independently(means, p, 0.1)
    assert (found.padj < 0.1).sum() == 10
    assert found.share == 0
    assert not np.isnan(found.padj).any()


def test_all_zero_genes_are_where_the_cuts_begin() -> None:
    means, p = _weak_and_strong(0)
    p = 0.5 + p / 2
    means[:500], p[:500] = 0.0, np.nan
    found = filter_independently(means, p, 0.1)
    assert (found.share, found.threshold) == (0.25, pytest.approx(means[500], rel=0.5))
    assert np.isnan(found.padj).sum() == 500


def test_lowess_keeps_a_line() -> None:
    x = np.linspace(0, 1, 50)
    np.testing.assert_allclose(lowess(x, 3 + 2 * x), 3 + 2 * x, atol=1e-10)


def test_lowess_as_r_gives_it() -> None:
    """R: ``lowess(x, y, f = 0.2)``, with an outlier at the 21st point, and on a hill of counts."""
    x = np.linspace(0, 1, 50)
    y = 3 + 2 * x + 0.3 * np.sin(40 * x)
    y[20] += 5
    np.testing.assert_allclose(
        lowess(x, y)[[0, 4, 17, 18, 19, 20, 21, 22, 23, 39, 49]],
        [3.220969685, 3.157444044, 3.794968646, 3.822384457, 3.814185399, 3.815781615,
         3.830003259, 3.85897341, 3.924917352, 4.616950646, 5.272930201],
        rtol=1e-9,
    )  # fmt: skip
    hill = np.round(400 * np.exp(-((x - 0.6) ** 2) * 8))
    np.testing.assert_allclose(
        lowess(x, hill)[[0, 12, 24, 29, 30, 43, 49]],
        [19.80061241, 147.5451472, 359.3539615, 394.8707618, 394.5068082, 216.6588882, 108.8220852],
        rtol=1e-9,
    )
