"""Genotypes without phase: refused where it matters, mixed, or drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from exprimo.core.errors import MismatchError
from exprimo.core.sequence import decode, encode
from exprimo.features.haplotypes import window_haplotypes

LETTERS = "ACGTACGTACGTACGTACGT"


def window(genome: Any, genotypes: Any, **options: Any) -> Any:
    return window_haplotypes(genome, genotypes, "c", 10, "+", upstream=8, downstream=8, **options)


def snp(start: int, *genotypes: str, sets: tuple[int, ...] | None = None) -> Any:
    ref = LETTERS[start]
    return (start, ref, ("A" if ref != "A" else "C",), genotypes, sets)


def test_two_unphased_heterozygous_variants_are_refused(people: Any, genome_of: Any) -> None:
    cohort = people([snp(4, "0|1", "1/1"), snp(7, "0|1", "0/1"), snp(9, "0|1", "0/1")])
    with (
        genome_of(LETTERS) as genome,
        pytest.raises(MismatchError, match=r"person p1, variant c:8:T:A at c:8.*unphased"),
    ):
        window(genome, cohort)


def test_one_heterozygous_variant_needs_no_phase(people: Any, genome_of: Any) -> None:
    cohort = people([snp(4, "1/1"), snp(7, "0/1"), snp(9, "0/0"), snp(19, "0/1")])
    with genome_of(LETTERS) as genome:
        made = window(genome, cohort)
    assert {decode(row) for row in made.codes} == {"GTCCGTACGTACGTAC", "GTCCGAACGTACGTAC"}


def test_different_phase_sets_are_refused_and_one_is_not(people: Any, genome_of: Any) -> None:
    one = people([snp(4, "0|1", sets=(5,)), snp(7, "1|0", sets=(5,))])
    two = people([snp(4, "0|1", sets=(5,)), snp(7, "1|0", sets=(8,))])
    with genome_of(LETTERS) as genome:
        assert len(window(genome, one).codes) == 2
        with pytest.raises(MismatchError, match="different phase sets"):
            window(genome, two)


def test_random_phasings_keep_genotypes_and_known_phase(people: Any, genome_of: Any) -> None:
    sites = [
        snp(4, "0/1", "0|1"),
        snp(7, "0/1", "1|0"),
        snp(9, "1/1", "1|1"),
        snp(12, "0/1", "0|0"),
    ]
    with genome_of(LETTERS) as genome:
        made = window(genome, people(sites), unphased=40, seed=5)
        again = window(genome, people(sites), unphased=40, seed=5)
        other = window(genome, people(sites), unphased=40, seed=6)
        alone = [(*site[:3], site[3][:1]) for site in sites]
        first = window(genome, people(alone), unphased=40, seed=5)
    np.testing.assert_array_equal(made.index, again.index)
    assert (made.index != other.index).any()
    # The same phasings whichever other people are asked for.
    np.testing.assert_array_equal(made.codes[made.index[0]], first.codes[first.index[0]])
    assert made.index.shape == (2, 2, 40)
    assert (made.index[1] == made.index[1, :, :1]).all()
    # Four ways to phase three heterozygous variants, eight with the copies told apart.
    assert len({tuple(pair) for pair in made.index[0].T.tolist()}) == 8
    carried = made.codes[made.index[0]][..., [2, 5, 7, 10]] == encode("CAAC")
    assert (carried.sum(axis=0) == [1, 1, 2, 1]).all()


def test_phase_is_drawn_once_for_windows_that_overlap(people: Any, genome_of: Any) -> None:
    sites = [snp(start, "0/1") for start in (5, 7, 9, 11)]
    with genome_of(LETTERS) as genome:
        first = window(genome, people(sites), unphased=6)
        second = window_haplotypes(
            genome, people(sites), "c", 11, "+", upstream=8, downstream=8, unphased=6
        )
    one, two = first.codes[first.index[0]], second.codes[second.index[0]]
    np.testing.assert_array_equal(one[..., 1:], two[..., :-1])


def test_a_mixture_adds_up_effects_by_dosage(people: Any, genome_of: Any) -> None:
    sites = [
        snp(4, "0/1", "1/1", "1", "0/0"),
        snp(7, "0/1", "./.", "0", "0/0"),
        snp(12, "1/1", "0/1", "1", "0/0"),
    ]
    rng = np.random.default_rng(2)
    per_base = rng.normal(size=(5, 16))
    with genome_of(LETTERS) as genome:
        made = window(genome, people(sites), unphased="mixture")
        exact = window(genome, people([(*s[:3], tuple(g.replace("/", "|") for g in s[3]))
                                       for s in sites]))  # fmt: skip
    assert (made.index == -1).all()
    assert len(made.codes) == 4

    def predict(codes: Any) -> Any:
        return per_base[codes, np.arange(16)].sum(axis=1)

    mixed = made.weights @ predict(made.codes)
    both = np.where(exact.index[..., 0] < 0, np.nan, predict(exact.codes)[exact.index[..., 0]])
    np.testing.assert_allclose(mixed, np.nanmean(both, axis=1), rtol=1e-5)
    np.testing.assert_allclose(made.weights.sum(axis=1), 1, rtol=1e-6)
    assert made.skipped == {"missing genotype, read as reference": 2}


def test_one_multiallelic_record_is_turned_as_a_whole(people: Any, genome_of: Any) -> None:
    sites = [(4, "A", ("C", "G"), ("1/2",)), (9, "C", ("T",), ("0/1",))]
    with genome_of(LETTERS) as genome:
        made = window(genome, people(sites), unphased=30)
    at = made.codes[made.index[0]][..., 2]
    assert (np.sort(at, axis=0) == [[1], [2]]).all()
    assert len(np.unique(at[0])) == 2


def test_a_mixture_counts_the_copies_of_each_variant(people: Any, genome_of: Any) -> None:
    # As of a man where the pseudoautosomal part of X ends: two copies here, one there.
    sites = [snp(9, "1/1", "0/1"), snp(12, "1", "1/1")]
    with genome_of(LETTERS) as genome:
        made = window(genome, people(sites), unphased="mixture")
    assert made.weights is not None
    # Effects add up: f(first) + f(second) - f(reference), not twice the first.
    assert np.sort(made.weights, axis=1).tolist() == [[-1, 1, 1], [-0.5, 0.5, 1]]


def test_alleles_of_a_copy_that_is_left_out_are_counted(people: Any, genome_of: Any) -> None:
    sites = [snp(9, "1|1", "0|1"), snp(12, "1", "1|1")]
    with genome_of(LETTERS) as genome:
        made = window(genome, people(sites))
    assert made.index[..., 0].tolist() == [[0, -1], [1, 0]]
    [(reason, count)] = made.skipped.items()
    assert count == 1
    assert "second copy" in reason
