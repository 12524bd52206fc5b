"""Each measure against a case worked out by hand, or a property."""

from __future__ import annotations

import numpy as np
import pytest

from exprimo.core.sequence import encode
from exprimo.data.motifs import MotifMatrix
from exprimo.generate.fidelity.comparing import halves
from exprimo.generate.fidelity.measures import (
    activity,
    diversity,
    gc_profile,
    kmer_spectra,
    motif_use,
    position_kmers,
    two_sample,
    variety_of,
)
from exprimo.generate.fidelity.measures.divergence import jensen_shannon
from exprimo.generate.fidelity.measures.motifs import compare_use, place_divergence


def _random(n: int, length: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 4, (n, length)).astype(np.uint8)


def test_divergence_by_hand() -> None:
    # Middle (3/4, 1/4): half of log2(4/3), and half of (1/2 log2(2/3) + 1/2 log2 2).
    wanted = (np.log2(4 / 3) + (np.log2(2 / 3) + 1) / 2) / 2
    assert float(jensen_shannon(np.array([4, 0]), np.array([1, 1]))) == pytest.approx(wanted)
    assert np.isnan(jensen_shannon(np.array([0, 0]), np.array([1, 1])))


def test_spectra_by_hand() -> None:
    found = kmer_spectra(encode("AAAA")[None], encode("AACC")[None])
    wanted = (np.log2(4 / 3) + (np.log2(2 / 3) + 1) / 2) / 2
    assert found["kmers_1"] == pytest.approx(wanted)
    assert list(found) == ["kmers_1", "kmers_2", "kmers_3", "kmers_4"]
    assert found["kmers_4"] == 1.0


def test_position_distance_has_no_bias_and_the_divergence_has() -> None:
    found = [position_kmers(_random(200, 20, s), _random(200, 20, 999 + s)) for s in range(30)]
    squared = np.array([one["position_4mers"] for one in found])
    error = squared.std() / np.sqrt(30)
    assert abs(squared.mean()) < 4 * error
    assert min(one["position_4mers_js"] for one in found) > 1
    # One position with one word always: (1 - 1/256)^2 + 255 / 256^2, and the words beside it.
    planted = _random(20_000, 4, 5)
    planted[:] = [0, 1, 2, 3]
    apart = position_kmers(planted, _random(20_000, 4, 6))["position_4mers"]
    assert apart == pytest.approx(1 - 1 / 256, abs=0.001)


def test_gc_by_position_sees_what_whole_content_does_not() -> None:
    one = np.tile(encode("GGAA"), (10, 1))
    found = gc_profile(one, one[:, ::-1])
    assert found["gc_by_position"] == 1
    assert found["gc_content"] == 0


def test_diversity_by_hand() -> None:
    codes = np.stack([encode(word) for word in ("AAAA", "AAAC", "CCCC", "CCCC")])
    found = diversity(codes)
    # Six pairs differ at 1, 4, 4, 3, 3, 0 of 4 places.
    assert found["mean_difference"] == pytest.approx(15 / 24)
    assert found["unique_fraction"] == 0.75
    assert variety_of(codes).nearest.tolist() == [1, 1, 0, 0]


def test_two_samples_of_one_source_cannot_be_told_apart() -> None:
    rng = np.random.default_rng(0)
    one, other = (rng.normal(size=(300, 3)).astype(np.float32) for _ in range(2))
    assert two_sample(one, other)["two_sample"] == pytest.approx(0.5, abs=0.06)
    assert two_sample(one + np.float32(3), other)["two_sample"] > 0.9
    copied = other + np.float32(1e-4) * one
    assert two_sample(copied, other)["two_sample"] < 0.05


def test_activity_in_standard_deviations() -> None:
    real = np.random.default_rng(0).normal(3, 2, 4000)
    found = activity(real + 1, real)
    assert found["activity_distance"] == pytest.approx(0.5, abs=0.02)
    assert found["activity_mean"] == pytest.approx(0.5, abs=0.02)
    assert activity(3 + (real - 3) * 2, real)["activity_spread"] == pytest.approx(2)


def test_motifs_planted_elsewhere_have_the_rate_but_not_the_places() -> None:
    matrix = MotifMatrix("M", "", np.eye(4)[encode("TGACTCATGC")], np.full(4, 0.25))
    sets = []
    for seed, place in ((0, 10), (1, 10), (2, 60)):
        codes = _random(400, 100, seed)
        codes[:200, place : place + 10] = encode("TGACTCATGC")
        sets.append(motif_use(codes, [matrix], np.full(4, 0.25), 1e-5))
    real, alike, moved = sets
    assert real.sites[0] == pytest.approx(0.5, abs=0.02)
    assert compare_use(alike, real)["motif_rate"] < 0.1
    assert place_divergence(alike, real)[0] < 0.02
    assert compare_use(moved, real)["motif_rate"] < 0.1
    assert place_divergence(moved, real)[0] > 0.9


def test_halves_share_no_group_but_the_one_that_is_cut() -> None:
    group = np.repeat(np.arange(20), 5)
    one, other = halves(group, 50, np.random.default_rng(0))
    assert not set(one.tolist()) & set(other.tolist())
    assert len(set(group[one].tolist()) & set(group[other].tolist())) <= 1


def _families(n: int, size: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw ``n`` families of ``size`` members that differ from their founder at 10% of bases."""
    codes = np.repeat(rng.integers(0, 4, (n, 40)), size, axis=0)
    changed = rng.random(codes.shape) < 0.1
    codes[changed] = rng.integers(0, 4, int(changed.sum()))
    return codes.astype(np.uint8), np.repeat(np.arange(n), size)


def test_families_of_one_source_are_at_distance_0_and_below_what_is_apart() -> None:
    rng = np.random.default_rng(4)
    floor, naive, apart = [], [], []
    for _ in range(60):
        codes, group = _families(40, 5, rng)
        # One family is cut, as the halves cut one.
        one, other = halves(group, 98, rng)
        kin = group[one], group[other]
        floor.append(position_kmers(codes[one], codes[other], *kin)["position_4mers"])
        naive.append(position_kmers(codes[one], codes[other])["position_4mers"])
        uniform = rng.integers(0, 3, (98, 40)).astype(np.uint8)
        apart.append(position_kmers(uniform, codes[other], None, kin[1])["position_4mers"])
    error = np.std(floor) / np.sqrt(60)
    assert abs(np.mean(floor)) < 3 * error
    assert np.mean(naive) > 20 * error
    # Of three bases: 81 words of 1/81 each, against 256 of 1/256.
    assert np.mean(apart) == pytest.approx(37 * (1 / 81 - 1 / 256), abs=0.05)


def test_pairs_of_kin_by_hand() -> None:
    real = np.stack([encode(word) for word in ("AAAA", "AAAA", "CCCC", "AAAA")])
    made = np.stack([encode(word) for word in ("AAAA", "CCCC")])
    # Made: no pair alike. Real: pairs of different groups are 2 x (0-2, 0-3, 1-2, 1-3, 2-3), of
    # which 0-3 and 1-3 are alike. Across: AAAA with three of four, CCCC with one.
    found = position_kmers(made, real, None, np.array([0, 0, 1, 2]))["position_4mers"]
    assert found == pytest.approx(0 + 4 / 10 - 2 * 4 / 8)
    # Shared groups leave out pairs across as well: made 0 with real 0 and 1, made 1 with real 2.
    found = position_kmers(made, real, np.array([0, 1]), np.array([0, 0, 1, 2]))["position_4mers"]
    assert found == pytest.approx(0 + 4 / 10 - 2 * 1 / 5)
    assert np.isnan(position_kmers(made, real, None, np.zeros(4, int))["position_4mers"])


def test_families_of_one_source_cannot_be_told_apart_by_neighbours() -> None:
    rng = np.random.default_rng(1)
    founders = rng.normal(size=(120, 3))
    members = np.repeat(founders, 5, axis=0) + rng.normal(0, 0.05, (600, 3))
    vectors, group = members.astype(np.float32), np.repeat(np.arange(120), 5)
    one, other = slice(0, 300), slice(300, 600)
    assert two_sample(vectors[one], vectors[other])["two_sample"] > 0.95
    kin = two_sample(vectors[one], vectors[other], group[one], group[other])["two_sample"]
    assert kin == pytest.approx(0.5, abs=0.15)
    fresh = rng.normal(size=(300, 3)).astype(np.float32)
    found = two_sample(fresh, vectors[other], None, group[other])["two_sample"]
    assert found == pytest.approx(0.5, abs=0.1)
