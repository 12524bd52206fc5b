from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exprimo.core.errors import ConfigError
from exprimo.splits.allotment import allot, check_fractions

FRACTIONS = (0.8, 0.1, 0.1)


def held(parts, sizes):
    return np.bincount(parts, weights=sizes, minlength=3)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.lists(st.integers(1, 30), min_size=201, max_size=400), st.integers(0, 5))
def test_fractions_are_met_within_one_group(sizes, seed):
    sizes = np.asarray(sizes)
    keys = np.random.default_rng(0).integers(0, 2**63, len(sizes), dtype=np.uint64)
    parts = allot(sizes, keys, FRACTIONS, seed=seed)
    missed = held(parts, sizes) - np.asarray(FRACTIONS) * sizes.sum()
    assert np.abs(missed).max() <= sizes.max()
    order = np.random.default_rng(seed).permutation(len(sizes))
    assert (allot(sizes[order], keys[order], FRACTIONS, seed=seed) == parts[order]).all()


@pytest.mark.parametrize("n", [3, 5, 12, 24])
def test_few_groups_fill_every_part(n):
    sizes = np.random.default_rng(n).integers(50, 150, n)
    keys = np.arange(n, dtype=np.uint64)
    for seed in range(5):
        share = held(allot(sizes, keys, FRACTIONS, seed=seed), sizes) / sizes.sum()
        assert (share > 0).all()
        if n >= 12:
            assert np.abs(share - FRACTIONS).max() < 0.03


def test_a_giant_group_trains_and_the_others_share_the_rest():
    sizes = np.concatenate([[5000], np.ones(500, int)])
    parts = allot(sizes, np.arange(501, dtype=np.uint64), FRACTIONS, seed=0)
    assert parts[0] == 0
    assert held(parts, sizes)[1:].min() >= 200


def test_large_groups_reach_test_too():
    sizes = np.concatenate([np.full(20, 40), np.ones(9200, int)])
    keys = np.arange(len(sizes), dtype=np.uint64)
    in_test = [(allot(sizes, keys, FRACTIONS, seed=seed)[:20] == 2).sum() for seed in range(20)]
    # 2 of 20 expected: a deal by size would put all of them into train.
    assert 1.2 <= np.mean(in_test) <= 2.8


def test_seeds_differ():
    sizes, keys = np.ones(300, int), np.arange(300, dtype=np.uint64)
    deals = {allot(sizes, keys, FRACTIONS, seed=seed).tobytes() for seed in range(5)}
    assert len(deals) == 5


@pytest.mark.parametrize("wrong", [(0.8, 0.2), (0.9, 0.2, 0.1), (1.0, 0.0, 0.0), (1.2, -0.1, -0.1)])
def test_fractions_must_make_sense(wrong):
    with pytest.raises(ConfigError, match="not fractions"):
        check_fractions(wrong)
