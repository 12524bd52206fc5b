"""The same variants in two tables, whichever allele they count."""

from __future__ import annotations

import pandas as pd
import pytest

from exprimo.core.errors import MismatchError
from exprimo.genetics.alleles import match_variants


def _table(*rows, ids=None):
    table = pd.DataFrame(rows, columns=["chrom", "pos", "ref", "alt"])
    return table.assign(variant_id=ids or [f"v{at}" for at in range(len(rows))])


OURS = _table(
    ("1", 1, "A", "G"), ("1", 2, "A", "G"), ("1", 3, "A", "G"), ("1", 4, "A", "T"),
    ("1", 5, "A", "AC"), ("1", 6, "A", "G"), ("1", 7, "A", "G"),
)  # fmt: skip
THEIRS = _table(
    ("chr1", 1, "A", "G"), ("chr1", 2, "G", "A"), ("chr1", 3, "C", "T"), ("chr1", 4, "T", "A"),
    ("chr1", 5, "AC", "A"), ("chr1", 6, "A", "C"), ("chr1", 9, "A", "G"),
)  # fmt: skip


def test_alleles_are_resolved():
    found = match_variants(OURS, THEIRS)
    assert found.ours.tolist() == [0, 1, 2, 4]
    assert found.theirs.tolist() == [0, 1, 2, 4]
    assert found.sign.tolist() == [1, -1, -1, -1]
    assert found.counts == {
        "alleles differ": 1, "ambiguous alleles": 1, "several partners": 0, "swapped alleles": 3,
        "other strand": 1, "matched": 4,
    }  # fmt: skip


def test_ambiguous_alleles_are_kept_by_their_letters():
    found = match_variants(OURS, THEIRS, ambiguous="keep")
    assert found.ours.tolist() == [0, 1, 2, 3, 4]
    assert found.sign[3] == -1


def test_ids_where_there_are_no_places():
    theirs = THEIRS.assign(pos=-1, chrom="")
    found = match_variants(OURS, theirs)
    assert found.ours.tolist() == [0, 1, 2, 4, 6]  # v6 is the same by id
    bare = theirs.assign(ref="", alt="")
    assert len(match_variants(OURS, bare, ambiguous="keep").ours) == 7
    with pytest.raises(MismatchError, match="ambiguous alleles: 7"):
        match_variants(OURS, bare)


def test_the_best_of_several_partners():
    # A multiallelic place: each ALT goes with its own; a repeated row goes with none.
    ours = _table(("1", 1, "A", "G"), ("1", 1, "A", "C"), ("1", 2, "A", "G"))
    theirs = _table(("1", 1, "A", "C"), ("1", 1, "A", "G"), ("1", 2, "A", "G"), ("1", 2, "A", "G"))
    found = match_variants(ours, theirs)
    assert found.ours.tolist() == [0, 1]
    assert found.theirs.tolist() == [1, 0]
    assert found.counts["several partners"] == 2


def test_nothing_in_common_shows_both():
    with pytest.raises(MismatchError, match=r"v0 at 1:100:A:G.*v0 at 1:1:A:G"):
        match_variants(OURS, _table(("1", 100, "A", "G")))
