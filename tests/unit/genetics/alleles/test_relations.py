"""One rule for alleles: what `relate` says, what its table form says, what the key says."""

from __future__ import annotations

from itertools import permutations, product

import pandas as pd
import pytest

from exprimo.genetics.alleles import (
    allele_key,
    one_to_one,
    pair_rows,
    relate,
    relations,
    told_by_ids,
)

PAIRS = [*permutations("ACGT", 2), ("A", "AC"), ("AC", "A"), ("G", "AC"), ("T", "TG")]
COMPLEMENT = str.maketrans("ACGT", "TGCA")


@pytest.mark.parametrize(("ours", "theirs"), list(product(PAIRS, PAIRS)))
def test_swaps_and_strands_of_every_pair(ours: tuple[str, str], theirs: tuple[str, str]) -> None:
    sign, other_strand, palindromic = relate(*ours, *theirs)
    single = all(len(allele) == 1 for allele in (*ours, *theirs))
    turned = tuple(allele.translate(COMPLEMENT) for allele in theirs)
    same = ours == theirs or (single and ours == turned)
    swapped = ours == theirs[::-1] or (single and ours == turned[::-1])
    assert (sign != 0) == (same or swapped)
    assert (allele_key(*ours) == allele_key(*theirs)) == (sign != 0)
    # Seen from the other table it is the same relation.
    assert relate(*theirs, *ours)[:2] == (sign, other_strand)
    if palindromic:
        # The letters fit either way: that is why they do not tell the strand.
        assert ours == tuple(allele.translate(COMPLEMENT) for allele in ours[::-1])
        assert not other_strand
    elif sign:
        assert sign == (1 if same else -1)


def test_rows_are_compared_as_pairs_are() -> None:
    rows = pd.DataFrame(
        [(*ours, *theirs) for ours, theirs in product(PAIRS, PAIRS)],
        columns=["ref", "alt", "their_ref", "their_alt"],
    )
    found = relations(rows)
    expected = [relate(*row) for row in rows.itertuples(index=False, name=None)]
    assert list(zip(*(side.tolist() for side in found), strict=True)) == expected


def test_letters_as_they_stand_go_before_the_other_strand() -> None:
    mine = pd.DataFrame({"at": [1, 1], "ref": ["A", "T"], "alt": ["G", "C"]})
    theirs = pd.DataFrame({"at": [1], "ref": ["T"], "alt": ["C"]})
    pairs, n_left_out = one_to_one(pair_rows(mine, theirs, ["at"]))
    assert pairs[["mine", "theirs"]].to_numpy().tolist() == [[1, 0]]
    assert n_left_out == 0
    twice = pd.concat([theirs, theirs], ignore_index=True)
    pairs, n_left_out = one_to_one(pair_rows(mine, twice, ["at"]))
    assert pairs.empty
    assert n_left_out == 2


def test_ids_that_tell_places_and_those_that_do_not() -> None:
    ids = pd.Series(["chr1-5-a-g", "X:7:C:CT", "1_9_A_T_b38", "rs5", "1:5", "1:5:A", ""])
    told = told_by_ids(ids)
    assert told.index.tolist() == [0, 1, 2]
    assert told["pos"].tolist() == [5, 7, 9]
    assert told["alt"].tolist() == ["G", "CT", "T"]
