"""The coalescent against what theory expects of it."""

from __future__ import annotations

import numpy as np
import pytest

from exprimo.simulate.individuals.ancestry import Mutations, mutations_along, split_time

LENGTH, PEOPLE = 500_000, 100
THETA, RHO = 5e-4, 4e-4


def _draw(seed: int, fst: float = 0.0, wanted: tuple[int, ...] = ()) -> Mutations:
    return mutations_along(
        np.random.default_rng(seed),
        LENGTH,
        np.repeat([0, 1], PEOPLE // 2),
        np.array(wanted, dtype=np.int64),
        crossing=RHO / 2,
        mutation=THETA / 2,
        split=split_time(fst),
    )


@pytest.fixture(scope="module")
def chromosomes() -> list[Mutations]:
    return [_draw(seed) for seed in range(20)]


def test_the_site_frequency_spectrum_is_one_over_i(chromosomes: list[Mutations]) -> None:
    counts = np.concatenate([one.carriers.sum(axis=1) for one in chromosomes])
    assert counts.min() >= 1
    assert counts.max() <= PEOPLE - 1
    for low, high in ((1, 2), (2, 3), (3, 5), (5, 10), (10, 25), (25, 50), (50, 100)):
        expected = 20 * LENGTH * THETA * (1.0 / np.arange(low, high)).sum()
        assert ((counts >= low) & (counts < high)).sum() == pytest.approx(expected, rel=0.15)
    # Watterson (1975): the number of mutations is theta times the harmonic number.
    harmonic = (1.0 / np.arange(1, PEOPLE)).sum()
    assert counts.size == pytest.approx(20 * LENGTH * THETA * harmonic, rel=0.05)


def test_linkage_falls_with_distance_as_expected(chromosomes: list[Mutations]) -> None:
    """E[D²] / E[p(1 - p)q(1 - q)] = (10 + rho) / (22 + 13 rho + rho²) (Ohta & Kimura 1971)."""
    edges = np.array([0, 300, 1500, 4000, 10_000, 25_000, 50_000])
    shared, size, rho = np.zeros(6), np.zeros(6), np.zeros(6)
    pairs = np.zeros(6)
    for one in chromosomes:
        carriers, at = one.carriers.astype(float), one.positions
        p = carriers.mean(axis=1)
        for lag in range(1, 120):
            distance = at[lag:] - at[:-lag]
            d = (carriers[lag:] * carriers[:-lag]).mean(axis=1) - p[lag:] * p[:-lag]
            spread = p[lag:] * (1 - p[lag:]) * p[:-lag] * (1 - p[:-lag])
            bins = np.digitize(distance, edges) - 1
            for number in range(6):
                chosen = bins == number
                shared[number] += (d[chosen] ** 2).sum()
                size[number] += spread[chosen].sum()
                # Pairs count as much as they vary.
                expected = RHO * distance[chosen]
                curve = (10 + expected) / (22 + 13 * expected + expected**2)
                rho[number] += (curve * spread[chosen]).sum()
                pairs[number] += chosen.sum()
    found, theory = shared / size, rho / size
    assert pairs.min() > 1000
    # A sample of n haplotypes adds about 1 / n.
    assert found == pytest.approx(theory + 1 / PEOPLE, rel=0.15)
    assert (np.diff(found) < 0).all()


def test_groups_have_the_fst_that_was_asked() -> None:
    within, between = 0.0, 0.0
    half = PEOPLE // 2
    for seed in range(20):
        carriers = _draw(seed, fst=0.1).carriers
        p, q = carriers[:, :half].mean(axis=1), carriers[:, half:].mean(axis=1)
        within += ((p * (1 - p) + q * (1 - q)) * half / (half - 1)).sum()
        between += (p * (1 - q) + q * (1 - p)).sum()
    assert 1 - within / between == pytest.approx(0.1, abs=0.02)


def test_a_place_that_was_asked_for_gets_a_useful_frequency() -> None:
    wanted = tuple(range(1000, 490_000, 1000))
    drawn = _draw(1, wanted=wanted)
    own = drawn.wanted >= 0
    assert drawn.positions[own].tolist() == list(wanted)
    assert drawn.wanted[own].tolist() == list(range(len(wanted)))
    frequency = drawn.carriers[own].mean(axis=1)
    assert frequency.min() >= 0.05
    assert frequency.max() <= 0.95
    assert frequency.std() > 0.1
    assert (np.diff(drawn.positions) >= 0).all()


def test_without_recombination_no_two_variants_show_all_four_haplotypes() -> None:
    drawn = mutations_along(
        np.random.default_rng(3),
        50_000,
        np.zeros(30, np.int64),
        np.empty(0, np.int64),
        crossing=0.0,
        mutation=THETA / 2,
    )
    one = drawn.carriers.astype(int)
    both = one @ one.T
    each = one.sum(axis=1)
    only_first, only_second = each[:, None] - both, each[None, :] - both
    neither = 30 - each[:, None] - each[None, :] + both
    four = (both > 0) & (only_first > 0) & (only_second > 0) & (neither > 0)
    assert len(one) > 50
    assert not four.any()


def test_the_same_seed_gives_the_same_mutations() -> None:
    one, two = _draw(4), _draw(4)
    assert np.array_equal(one.positions, two.positions)
    assert np.array_equal(one.carriers, two.carriers)
