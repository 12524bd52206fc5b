"""Clumps from kept linkage are those that are measured anew."""

from __future__ import annotations

import numpy as np
import pytest

from exprimo.core.errors import ConfigError
from exprimo.genetics.clumping import (
    ClumpConfig,
    clump,
    clump_ranked,
    link_variants,
    linkage_r2,
    pack_calls,
)


def _calls(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    base = np.repeat(rng.random((30, 160)) < 0.4, 5, axis=0)
    base ^= rng.random(base.shape) < 0.1
    calls = (base[:, :80].astype(np.int8) + base[:, 80:]).astype(np.int8)
    calls[rng.random(calls.shape) < 0.03] = -1
    return calls


@pytest.mark.parametrize("measure", ["haplotype", "counts"])
@pytest.mark.parametrize("bar", [0.05, 0.2, 0.6])
def test_clumps_from_links_are_clumps(bar: float, measure: str) -> None:
    planes, at = pack_calls(_calls(1)), np.arange(150) * 100
    links = link_variants(planes, at, [0.6, 0.05, 0.2], window=1500, measure=measure)
    for seed in range(3):
        p = np.random.default_rng(seed).random(150)
        settings = {"window": 1500, "r2": bar, "measure": measure}
        expected = clump(
            planes, np.zeros(150, int), at, p, ClumpConfig.checked(settings)
        ).index_rows
        assert clump_ranked(links, np.argsort(p), bar).tolist() == expected.tolist()
    assert 3 < len(expected) < 150


def test_every_near_linked_pair_stands_twice() -> None:
    planes, at = pack_calls(_calls(2)[:40]), np.arange(40) * 10
    links = link_variants(planes, at, [0.1, 0.5], window=101)
    found = {
        (i, int(j)): int(n)
        for i in range(40)
        for j, n in zip(
            links.other[links.first[i] : links.first[i + 1]],
            links.n_bars[links.first[i] : links.first[i + 1]],
            strict=True,
        )
    }
    expected = {}
    for i in range(40):
        for j in range(40):
            r2 = linkage_r2(planes, i, j)
            if i != j and abs(i - j) <= 10 and r2 > 0.1:
                expected[i, j] = 1 + int(r2 > 0.5)
    assert found == expected
    assert set(expected.values()) == {1, 2}


def test_another_bar_is_refused() -> None:
    links = link_variants(pack_calls(_calls(3)[:10]), np.arange(10), [0.2])
    with pytest.raises(ConfigError, match="r²"):
        clump_ranked(links, np.arange(10), 0.3)
    with pytest.raises(ConfigError, match="thresholds"):
        link_variants(pack_calls(_calls(3)[:10]), np.arange(10), [])


def test_no_variants_have_no_links() -> None:
    links = link_variants(pack_calls(np.empty((0, 9), np.int8)), np.empty(0, int), [0.2])
    assert links.first.tolist() == [0]
    assert len(clump_ranked(links, np.empty(0, int), 0.2)) == 0
