"""One variant alone: what a person homozygous for it alone would have."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from exprimo.core.errors import InputError
from exprimo.core.sequence import decode
from exprimo.features.haplotypes import one_variant_windows, window_haplotypes


def random_variants(seed: int, size: int) -> tuple[str, list[tuple[int, str, str]]]:
    rng = np.random.default_rng(seed)
    letters = "".join(rng.choice(list("ACGT"), size))
    variants = []
    for start in rng.integers(0, size - 1, 60).tolist():
        ref = letters[start : start + int(rng.integers(1, 9))]
        alt = "".join(rng.choice(list("ACGT"), int(rng.integers(1, 7))))
        alt = ref[0] + alt[1:] if rng.random() < 0.6 else alt
        if alt != ref:
            variants.append((start, ref, alt))
    return letters, variants


@pytest.mark.parametrize("strand", ["+", "-"])
@pytest.mark.parametrize("anchor", [2, 60, 118])
def test_equal_to_the_window_of_a_carrier(
    people: Any, genome_of: Any, strand: str, anchor: int
) -> None:
    letters, variants = random_variants(anchor, 120)
    sizes = {"upstream": 30, "downstream": 20}
    with genome_of(letters) as genome:
        starts, refs, alts = map(list, zip(*variants, strict=True))
        made = one_variant_windows(genome, "c", anchor, strand, starts, refs, alts, **sizes)
        for row, (start, ref, alt) in enumerate(variants):
            carrier = people([(start, ref, (alt,), ("0|1",))])
            both = window_haplotypes(genome, carrier, "c", anchor, strand, **sizes)
            first, second = (both.codes[both.index[0, copy, 0]] for copy in (0, 1))
            assert decode(made.reference) == decode(first)
            assert decode(made.alternates[row]) == decode(second)
            assert made.contains_unknown[row] == ((first == 4) | (second == 4)).any()
            if not made.changed[row]:
                assert decode(first) == decode(second)
    assert made.ref_match.all()
    assert 3 < made.changed.sum() < len(variants)


def test_far_variants_leave_the_window_as_it_is(genome_of: Any) -> None:
    letters = "ACGT" * 100
    with genome_of(letters) as genome:
        made = one_variant_windows(
            genome, "c", 200, "-", [4, 380], ["ACGTACGT", "A"], ["A", "ATTTT"],
            upstream=10, downstream=10,
        )  # fmt: skip
    assert not made.changed.any()
    assert (made.alternates == made.reference).all()


def test_a_ref_that_the_genome_does_not_have_is_told(genome_of: Any) -> None:
    with genome_of("ACGTACGTAC") as genome:
        made = one_variant_windows(
            genome, "c", 5, "+", [6, 4], ["T", "A"], ["A", "T"], upstream=3, downstream=3
        )
    assert made.ref_match.tolist() == [False, True]
    assert [decode(row) for row in made.alternates] == ["GTACAT", "GTTCGT"]


def test_a_variant_beyond_the_chromosome_is_refused(genome_of: Any) -> None:
    with genome_of("ACGTACGTAC") as genome, pytest.raises(InputError, match="beyond the end"):
        one_variant_windows(genome, "c", 5, "+", [9], ["CA"], ["C"], upstream=2, downstream=2)


def test_no_variants_give_the_reference_alone(genome_of: Any) -> None:
    with genome_of("ACGTACGTAC") as genome:
        made = one_variant_windows(genome, "c", 5, "+", [], [], [], upstream=2, downstream=2)
    assert decode(made.reference) == "TACG"
    assert made.alternates.shape == (0, 4)
