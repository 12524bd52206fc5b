"""Linkage of two variants on bits against plain arithmetic and an EM that iterates."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import xlogy

from exprimo.genetics.clumping import hard_calls, linkage_r2, pack_calls
from exprimo.genetics.clumping.calls import Calls


def _table(a: Calls, b: Calls) -> np.ndarray:
    known = (a >= 0) & (b >= 0)
    table = np.zeros((3, 3))
    np.add.at(table, (a[known], b[known]), 1)
    return table


def _likeliest_r2(a: Calls, b: Calls) -> float:
    """Search the haplotype frequency on a fine grid, then finer."""
    t = _table(a, b)
    n = 2 * t.sum()
    p, q = (t[1].sum() + 2 * t[2].sum()) / n, (t[:, 1].sum() + 2 * t[:, 2].sum()) / n
    k11 = 2 * t[2, 2] + t[2, 1] + t[1, 2]
    k10 = 2 * t[2, 0] + t[2, 1] + t[1, 0]
    k01 = 2 * t[0, 2] + t[0, 1] + t[1, 2]
    k00 = 2 * t[0, 0] + t[0, 1] + t[1, 0]
    low, high = max(0.0, p + q - 1), min(p, q)
    for _ in range(8):
        f = np.linspace(low, high, 20_001)
        f10, f01, f00 = (np.maximum(x, 0) for x in (p - f, q - f, 1 - p - q + f))
        value = xlogy(k11, f) + xlogy(k10, f10) + xlogy(k01, f01) + xlogy(k00, f00)
        value += xlogy(t[1, 1], f * f00 + f10 * f01)
        at = int(np.argmax(value))
        low, high = f[max(at - 2, 0)], f[min(at + 2, len(f) - 1)]
    return float((f[at] - p * q) ** 2 / (p * (1 - p) * q * (1 - q)))


def _linked(seed: int, n: int, missing: float) -> tuple[Calls, Calls]:
    rng = np.random.default_rng(seed)
    first = rng.random((2, n)) < rng.uniform(0.1, 0.9)
    second = np.where(rng.random((2, n)) < rng.uniform(0.05, 0.5), ~first, first)
    a, b = first.sum(axis=0).astype(np.int8), second.sum(axis=0).astype(np.int8)
    a[rng.random(n) < missing] = -1
    b[rng.random(n) < missing] = -1
    return a, b


@pytest.mark.parametrize("missing", [0.0, 0.15])
@pytest.mark.parametrize("seed", range(12))
def test_haplotype_r2_is_that_of_the_likeliest_haplotypes(seed: int, missing: float) -> None:
    a, b = _linked(seed, 40 + 17 * seed, missing)
    found = linkage_r2(pack_calls(np.stack([a, b])), 0, 1)
    assert found == pytest.approx(_likeliest_r2(a, b), abs=2e-6)


@pytest.mark.parametrize("missing", [0.0, 0.15])
@pytest.mark.parametrize("n", [3, 63, 64, 65, 200])
def test_counts_r2_is_the_squared_correlation(n: int, missing: float) -> None:
    a, b = _linked(n, n, missing)
    known = (a >= 0) & (b >= 0)
    found = linkage_r2(pack_calls(np.stack([a, b])), 0, 1, "counts")
    if len(set(a[known])) < 2 or len(set(b[known])) < 2:
        assert found == 0
    else:
        expected = np.corrcoef(a[known], b[known])[0, 1] ** 2
        assert found == pytest.approx(expected, rel=1e-12)


def test_a_case_by_hand_without_double_heterozygotes() -> None:
    # Of 16 haplotypes 8 carry the first, 8 the second, 6 both: D = 1/8, r² = (1/8)² / (1/16).
    calls = np.array([[0, 0, 0, 0, 2, 2, 2, 2], [0, 0, 0, 2, 0, 2, 2, 2]], np.int8)
    assert linkage_r2(pack_calls(calls), 0, 1) == pytest.approx(0.25, rel=1e-12)


def test_no_variation_is_no_linkage() -> None:
    calls = np.array([[1, 1, 1, 1], [0, 1, 2, 1], [2, 2, 2, 2], [-1, -1, -1, -1]], np.int8)
    planes = pack_calls(calls)
    assert [linkage_r2(planes, 1, j) for j in (2, 3)] == [0, 0]
    assert linkage_r2(planes, 0, 1, "counts") == 0


def test_dosages_far_from_whole_are_missing() -> None:
    dosage = np.array([[0.1, 0.11, 0.9, 1.5, 2.0, np.nan, 1.89]], np.float32)
    assert hard_calls(dosage).tolist() == [[0, -1, 1, -1, 2, -1, -1]]
