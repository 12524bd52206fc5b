"""Which counts are outliers, what is put in their place, and Cook's distance by its definition."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import f

from exprimo.labels.engine.cooks import cooks_distances, robust_dispersion, trimmed_mean
from exprimo.labels.model import Model, Observed
from exprimo.labels.outliers import (
    cooks_cutoff,
    exempt,
    judged_samples,
    replaceable_samples,
    replaced_counts,
)


def two_groups(first: int, second: int) -> Model:
    return Model(np.column_stack([np.ones(first + second), np.repeat([0.0, 1.0], [first, second])]))


def test_the_cutoff_is_a_quantile_of_f() -> None:
    assert cooks_cutoff(two_groups(4, 4)) == pytest.approx(f.ppf(0.99, 2, 6), rel=1e-12)


def test_three_replicates_judge_and_seven_replace() -> None:
    model = two_groups(2, 3)
    assert judged_samples(model).tolist() == [False] * 2 + [True] * 3
    model = two_groups(7, 6)
    assert replaceable_samples(model).tolist() == [True] * 7 + [False] * 6
    # Replicates are samples of one cell of the whole design, not of one factor.
    batch = np.tile([0.0, 1.0], 4)
    paired = Model(np.column_stack([np.ones(8), np.repeat([0.0, 1.0], 4), batch]))
    assert not judged_samples(paired).any()


def test_the_trimmed_mean_by_hand() -> None:
    assert trimmed_mean(np.array([9.0, 1, 5, 3, 100, 7, 8, 2]), 0.25) == (3 + 5 + 7 + 8) / 4
    assert trimmed_mean(np.array([9.0, 1, 5]), 1 / 3) == 5


def test_an_outlier_is_replaced_by_what_its_sample_would_have() -> None:
    model, factors = two_groups(7, 7), np.ones((1, 14))
    factors[0, 3] = 2.55
    counts = np.full((1, 14), 10)
    counts[0, 3] = 5000
    distances = np.zeros((1, 14))
    distances[0, 3] = 100.0
    found = replaced_counts(Observed(counts, factors), distances, model)
    # 10 × 2.55, cut off after the point.
    assert found[0, 3] == 25
    assert (np.delete(found[0], 3) == 10).all()


def test_a_group_of_six_keeps_its_outlier() -> None:
    counts, distances = np.full((1, 13), 10), np.zeros((1, 13))
    counts[0, 8], distances[0, 8] = 5000, 100.0
    found = replaced_counts(Observed(counts, np.ones((1, 13))), distances, two_groups(7, 6))
    assert found[0, 8] == 5000


def test_pardoned_if_three_counts_are_larger() -> None:
    counts = np.array([[50, 0, 0, 90, 80, 70], [50, 0, 0, 90, 80, 50], [500, 0, 0, 90, 80, 70]])
    assert exempt(counts, np.array([0, 0, 0])).tolist() == [True, False, False]


def test_cooks_distance_by_hand() -> None:
    counts = np.array([[10, 12, 8, 90, 95, 105]])
    means, hat = np.array([[10.0] * 3 + [100.0] * 3]), np.full((1, 6), 1 / 3)
    cells = np.repeat([0, 1], 3)
    distances = np.empty((1, 6))
    cooks_distances(counts, np.ones((1, 6)), means, 2, hat, cells, 2, distances)
    # Variances of the cells: middle 10 and 95, middle squares 4 and 25, times 2.04.
    overall = counts.mean()
    alpha = max((2.04 * 25 - overall) / overall**2, 0.04)
    assert robust_dispersion(counts[0].astype(float), cells, 2) == pytest.approx(alpha)
    variance = means + alpha * means**2
    expected = (counts - means) ** 2 / variance / 2 * (1 / 3) / (2 / 3) ** 2
    np.testing.assert_allclose(distances, expected, rtol=1e-12)
