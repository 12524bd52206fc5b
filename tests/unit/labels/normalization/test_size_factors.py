"""Size factors worked out by hand, and what must not change them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exprimo.core.errors import InputError
from exprimo.labels.normalization import iterative_size_factors, length_factors, size_factors


def test_median_of_ratios_by_hand() -> None:
    # Geometric means 2, 4 and 6: ratios 0.5, 0.5, 1.5 and 2, 2, 2/3. The gene with a zero has none.
    counts = np.array([[1, 4], [2, 8], [9, 4], [0, 1000]])
    np.testing.assert_allclose(size_factors(counts), [0.5, 2.0], rtol=1e-14)


def test_of_an_even_number_of_genes_the_median_is_that_of_logarithms() -> None:
    counts = np.array([[1, 4], [18, 8]])
    # Ratios 1/2 and 3/2, 2 and 2/3: the median lies between them on the logarithmic scale.
    np.testing.assert_allclose(size_factors(counts), [np.sqrt(3 / 4), np.sqrt(4 / 3)], rtol=1e-14)


def test_positive_counts_by_hand() -> None:
    # Means over both samples of positive logarithms: 2, 4, 3. Ratios 1 and 3; 2 and 1.
    counts = np.array([[0, 4], [4, 4], [9, 0]])
    found = size_factors(counts, "poscounts")
    np.testing.assert_allclose(found, [1.5**0.25, (2 / 3) ** 0.25], rtol=1e-14)
    assert np.log(found).mean() == pytest.approx(0, abs=1e-15)


def test_lengths_by_hand() -> None:
    # Gene 1 is half and twice its usual length of 200; without that its counts are 10 and 40.
    counts, lengths = np.array([[5, 80], [10, 40]]), np.array([[100.0, 400.0], [70.0, 70.0]])
    np.testing.assert_allclose(
        length_factors(counts, lengths), [[0.25, 4.0], [0.5, 2.0]], rtol=1e-14
    )


def test_equal_lengths_change_nothing_but_the_overall_scale() -> None:
    counts = np.random.default_rng(1).poisson(50, (40, 5)) + 1
    factors = length_factors(counts, np.full(counts.shape, 777.0))
    plain = size_factors(counts)
    np.testing.assert_allclose(factors, np.tile(plain / np.exp(np.log(plain).mean()), (40, 1)))


def test_every_gene_with_a_zero_needs_another_method() -> None:
    counts = np.array([[0, 5, 3], [4, 0, 2], [7, 1, 0]])
    with pytest.raises(InputError, match="no gene has a read in every sample") as refused:
        size_factors(counts)
    assert "poscounts" in str(refused.value)
    assert np.isfinite(size_factors(counts, "poscounts")).all()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), deeper=st.integers(2, 9))
def test_a_sample_sequenced_deeper_has_a_factor_as_much_larger(seed: int, deeper: int) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rng.gamma(2, 50, (30, 1)), (30, 4)) + 1
    deep = counts.copy()
    deep[:, 2] *= deeper
    ratio = size_factors(deep) / size_factors(counts)
    assert ratio[2] / ratio[0] == pytest.approx(deeper, rel=1e-12)
    np.testing.assert_allclose(ratio[[0, 1, 3]], ratio[0], rtol=1e-12)


def test_the_likelihood_finds_the_depths_that_were_drawn() -> None:
    rng = np.random.default_rng(3)
    depth = np.array([0.5, 0.8, 1.0, 1.5, 2.0])
    mean = rng.gamma(1, 60, (400, 1)) * depth
    counts = rng.negative_binomial(10, 10 / (10 + mean))
    counts[np.arange(400), np.arange(400) % 5] *= np.arange(400) % 7 > 0
    found = iterative_size_factors(counts, threads=1)
    assert np.log(found).mean() == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(found, depth / np.exp(np.log(depth).mean()), rtol=0.12)
