"""Weights matched with variants: swapped, complemented, ambiguous, absent."""

from __future__ import annotations

import pandas as pd
import pytest

from exprimo.genetics.scores.weights import harmonise
from exprimo.genetics.scores.weights.harmonise import (
    COMPLEMENT,
    MATCHED,
    OTHER_ALLELES,
    PALINDROMIC,
    SEVERAL,
    SWAPPED,
)


def _weights(*rows: tuple[int, str, str]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["pos", "effect_allele", "other_allele"])
    return table.assign(chrom="1", variant_id=[f"w{i}" for i in range(len(rows))])


def _variants(*rows: tuple[int, str, str]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["start", "ref", "alt"])
    names = [f"v{i}" for i in range(len(rows))]
    return table.assign(chrom="1", start=table["start"] - 1, variant_id=names)


@pytest.mark.parametrize(
    ("effect", "other", "outcome", "swapped"),
    [
        ("G", "A", MATCHED, False),
        ("A", "G", SWAPPED, True),
        ("C", "T", COMPLEMENT, False),
        ("T", "C", COMPLEMENT, True),
        ("C", "A", OTHER_ALLELES, None),
        ("G", "", MATCHED, False),
        ("A", "", SWAPPED, True),
        ("C", "", OTHER_ALLELES, None),
    ],
)
def test_one_weight(effect: str, other: str, outcome: str, swapped: bool | None) -> None:
    found = harmonise(_weights((5, effect, other)), _variants((5, "A", "G")))
    assert dict(found.counts) == {outcome: 1}
    assert found.swapped.tolist() == ([] if swapped is None else [swapped])


@pytest.mark.parametrize("alleles", ["AT", "TA", "CG", "GC"])
def test_palindromic_variants_are_dropped_unless_kept(alleles: str) -> None:
    ref, alt = alleles
    weights, variants = _weights((5, ref, alt)), _variants((5, ref, alt))
    assert dict(harmonise(weights, variants).counts) == {PALINDROMIC: 1}
    kept = harmonise(weights, variants, palindromic="keep")
    assert (dict(kept.counts), kept.swapped.tolist()) == ({SWAPPED: 1}, [True])


def test_insertions_match_by_letters_only() -> None:
    variants = _variants((5, "A", "AT"))
    assert dict(harmonise(_weights((5, "AT", "A")), variants).counts) == {MATCHED: 1}
    assert dict(harmonise(_weights((5, "TA", "T")), variants).counts) == {OTHER_ALLELES: 1}


def test_of_several_alleles_at_a_place_the_right_one_is_taken() -> None:
    variants = _variants((5, "A", "C"), (5, "A", "G"), (5, "A", "AG"))
    found = harmonise(_weights((5, "G", "A"), (5, "AG", "A")), variants)
    assert found.variant_row.tolist() == [1, 2]
    twice = _variants((5, "A", "G"), (5, "A", "G"))
    assert dict(harmonise(_weights((5, "G", "A")), twice).counts) == {SEVERAL: 1}


def test_without_a_place_the_id_counts_and_absent_ones_stay_unsettled() -> None:
    weights = _weights((0, "G", "A"), (0, "G", "A"), (99, "G", "A"))
    weights["variant_id"] = ["rs1", "rs2", "rs3"]
    variants = _variants((5, "A", "G")).assign(variant_id="rs1")
    found = harmonise(weights, variants)
    assert (found.weight_row.tolist(), found.met.tolist()) == ([0], [0])
