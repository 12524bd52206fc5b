"""Alleles, ids, genes: which rows of two tables are the same variant."""

from __future__ import annotations

import pandas as pd
import pytest

from exprimo.core.errors import InputError, MismatchError
from exprimo.genetics.overlap.joining import Joined, join


def frame(rows: list[tuple], **columns: object) -> pd.DataFrame:
    names = ["variant_id", "chrom", "pos", "ref", "alt"]
    return pd.DataFrame(rows, columns=names).assign(gene_id="").assign(**columns)


def joined(
    mine: list[tuple], theirs: list[tuple], *, mine_gene: object = "", gene: object = ""
) -> Joined:
    scores = frame(mine, gene_id=mine_gene)
    scores["score:s"] = [float(i) for i in range(1, len(mine) + 1)]
    eqtl = frame(theirs, gene_id=gene, p=0.1, slope_se=1.0, af=0.2, tss_distance=3.0)
    eqtl["slope"] = [float(i) for i in range(1, len(theirs) + 1)]
    return join(scores, eqtl, ("S", "E"))


def test_swapped_alleles_turn_the_slope_and_are_counted() -> None:
    found = joined(
        [("a", "1", 5, "A", "G"), ("b", "1", 9, "C", "CT")],
        [("x", "chr1", 5, "G", "A"), ("y", "chr1", 9, "CT", "C")],
    )
    assert found.rows["slope"].tolist() == [-1, -2]
    assert found.facts["swapped"] == 2
    assert found.facts["by_position"] == 2
    assert found.rows["signed"].all()


def test_complements_are_the_same_single_base_and_no_insertion() -> None:
    found = joined(
        [("a", "1", 5, "A", "G"), ("b", "1", 7, "A", "G"), ("c", "1", 9, "C", "CA")],
        [("a2", "1", 5, "T", "C"), ("b2", "1", 7, "C", "T"), ("c2", "1", 9, "G", "GT")],
    )
    assert found.rows["slope"].tolist() == [1, -2]
    assert found.facts["other_strand"] == 2
    assert found.facts["alleles_differ"] == 1


def test_palindromes_keep_their_sign_only_where_the_strand_is_certain() -> None:
    plain = joined([("a", "1", 5, "A", "T")], [("a", "1", 5, "A", "T")])
    assert plain.rows["signed"].all()
    swapped = joined([("a", "1", 5, "A", "T")], [("a", "1", 5, "T", "A")])
    assert not swapped.rows["signed"].any()
    assert swapped.facts["sign_unknown"] == 1
    beside = joined(
        [("a", "1", 5, "A", "T"), ("b", "1", 7, "A", "G")],
        [("a", "1", 5, "A", "T"), ("b", "1", 7, "T", "C")],
    )
    assert beside.rows["signed"].tolist() == [False, True]


def test_an_exact_fit_is_preferred_to_a_swapped_one() -> None:
    found = joined(
        [("a", "1", 5, "A", "G"), ("b", "1", 5, "G", "A")],
        [("x", "1", 5, "A", "G"), ("y", "1", 5, "G", "A")],
    )
    assert found.rows[["score:s", "slope"]].to_numpy().tolist() == [[1, 1], [2, 2]]
    assert found.facts["swapped"] == 0


def test_one_that_fits_two_is_left_out_and_counted() -> None:
    found = joined(
        [("a", "1", 5, "A", "G"), ("b", "1", 6, "A", "G")],
        [("x", "1", 5, "A", "G"), ("y", "1", 5, "A", "G"), ("z", "1", 6, "A", "G")],
    )
    assert found.rows["variant_id"].tolist() == ["z"]
    assert found.facts["ambiguous"] == 2


def test_ids_join_what_has_no_place() -> None:
    found = joined(
        [("rs1", "1", 5, "A", "G"), ("rs2", "1", 7, "A", "G"), ("rs3", "1", 8, "A", "G")],
        [("rs1", "", -1, "", ""), ("rs2", "", -1, "G", "A"), ("rs3", "", -1, "A", "C")],
    )
    assert found.rows["slope"].tolist() == [1, -2]
    assert found.facts["by_id"] == 2
    assert found.facts["alleles_not_told"] == 1
    assert found.rows["pos"].tolist() == [5, 7]


def test_place_goes_before_id() -> None:
    found = joined(
        [("same", "1", 5, "A", "G"), ("other", "1", 9, "A", "G")],
        [("same", "1", 9, "A", "G")],
    )
    assert found.rows["score:s"].tolist() == [2]


def test_genes_join_with_their_own_scores() -> None:
    place = ("a", "1", 5, "A", "G")
    found = joined([place, place], [place, place], mine_gene=["g1", "g2"], gene=["g2", "g1"])
    assert found.rows[["gene_id", "score:s", "slope"]].to_numpy().tolist() == [
        ["g1", 1, 2],
        ["g2", 2, 1],
    ]


def test_scores_of_no_gene_go_with_every_gene() -> None:
    place = ("a", "1", 5, "A", "G")
    found = joined([place], [place, place], gene=["g1", "g2"])
    assert found.rows["score:s"].tolist() == [1, 1]
    assert found.facts["only_in_scores"] == 0


def test_genes_in_order_along_the_chromosome() -> None:
    mine = [(f"v{at}", "1", at, "A", "G") for at in (30, 9, 100)]
    assert joined(mine, mine).rows["pos"].tolist() == [9, 30, 100]


@pytest.mark.parametrize(
    ("mine_gene", "gene", "said"),
    [("g1", "h1", "no gene in common"), (["g1", "g2"], "", "several genes")],
)
def test_genes_that_do_not_fit_are_refused(mine_gene: object, gene: object, said: str) -> None:
    rows = [("a", "1", 5, "A", "G"), ("b", "1", 6, "A", "G")]
    with pytest.raises(MismatchError, match=said):
        joined(rows, rows, mine_gene=mine_gene, gene=gene)


def test_nothing_in_common_shows_both_heads() -> None:
    with pytest.raises(InputError, match=r"a at 1:5:A:G.*|b at 2:7:A:G"):
        joined([("a", "1", 5, "A", "G")], [("b", "2", 7, "A", "G")])
