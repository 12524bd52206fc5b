"""Likeness of explanations, against scipy and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from exprimo.core.errors import MismatchError
from exprimo.interpret.faithfulness.alike import alike, rank_correlation, swaps, top_overlap
from exprimo.interpret.faithfulness.means import Units


def test_rank_correlations_are_those_of_scipy() -> None:
    rng = np.random.default_rng(0)
    one = rng.integers(0, 5, (6, 30)).astype(float)
    other = one + rng.normal(size=(6, 30))
    expected = [spearmanr(a, b).statistic for a, b in zip(one, other, strict=True)]
    np.testing.assert_allclose(rank_correlation(one, other), expected, atol=1e-12)


def test_overlap_counts_positions_of_greatest_size() -> None:
    one, other = np.array([[5.0, -4, 3, 0, 0]]), np.array([[-9.0, 0, 0, 4, 8]])
    assert top_overlap(one, other, 2).tolist() == [0.5]
    assert top_overlap(one, other, 1).tolist() == [1.0]


def test_swapped_examples_share_only_the_profile() -> None:
    rng = np.random.default_rng(1)
    units = Units(np.arange(40), "example")
    profile = np.linspace(0.1, 3, 50)
    one = profile * rng.normal(size=(40, 50))
    found = alike(one, one, units)
    assert found.size.value == pytest.approx(1)
    assert 0.1 < found.size_swapped < 0.9
    assert abs(found.signed_swapped) < 0.1
    assert found.expected == pytest.approx(0.4)
    unrelated = alike(one, profile * rng.normal(size=(40, 50)), units)
    assert unrelated.size.low < unrelated.size_swapped < unrelated.size.high


def test_no_example_is_swapped_with_itself() -> None:
    for by in swaps(7, 0):
        assert sorted(by) == list(range(7))
        assert (by != np.arange(7)).all()


def test_other_shapes_are_refused() -> None:
    with pytest.raises(MismatchError, match="differ in shape"):
        alike(np.ones((2, 3)), np.ones((2, 4)), Units(np.arange(2), "example"))
