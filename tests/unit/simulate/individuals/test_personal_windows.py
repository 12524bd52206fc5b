"""Windows of edited chromosomes against edits base by base, and causal changes by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exprimo.core.sequence import decode, encode, reverse_complement
from exprimo.simulate.config import WorldConfig, random_stream
from exprimo.simulate.individuals.ancestry import Mutations
from exprimo.simulate.individuals.config import IndividualsConfig
from exprimo.simulate.individuals.haplotypes import Anchor, edited_window, gene_haplotypes
from exprimo.simulate.individuals.placing import (
    ActingSite,
    Change,
    PlacedChange,
    breaking_changes,
    making_changes,
)
from exprimo.simulate.individuals.variants import Allele, Variants, left_aligned, make_variants
from exprimo.simulate.regulation.motifs import draw_motifs
from exprimo.simulate.regulation.sites import scan, site_effects

REFERENCE = "GATTACAGGCTTAACCGGTATTGCA" * 2
OTHER = str.maketrans("ACGTN", "TGCAN")


@st.composite
def _alleles(draw: st.DrawFn) -> list[Allele]:
    """Draw variants in order, none overlapping another; some abut."""
    found, at = list[Allele](), draw(st.integers(0, 6))
    while at < len(REFERENCE) - 6:
        ref, kind = REFERENCE[at], draw(st.sampled_from(["snp", "insertion", "deletion"]))
        if kind == "snp":
            found.append(Allele(at, ref, draw(st.sampled_from(sorted(set("ACGT") - {ref})))))
        elif kind == "insertion":
            found.append(Allele(at, ref, ref + draw(st.text("ACGT", min_size=1, max_size=5))))
        else:
            found.append(Allele(at, REFERENCE[at : at + draw(st.integers(2, 6))], ref))
        at += len(found[-1].ref) + draw(st.integers(0, 9))
    return found


def _by_base(alleles: list[Allele], anchor: Anchor) -> str:
    """Edit base by base: each base carries what was inserted before it."""
    bases, inserted = list(REFERENCE), [""] * (len(REFERENCE) + 1)
    for one in alleles:
        if len(one.ref) == len(one.alt):
            bases[one.start] = one.alt
        else:
            bases[one.start + 1 : one.start + len(one.ref)] = [""] * (len(one.ref) - 1)
            inserted[one.start + 1] = one.alt[1:]
    whole = [before + base for before, base in zip(inserted, [*bases, ""], strict=True)]
    tss = anchor.tss
    if anchor.strand == "+":
        left, right = "".join(whole[:tss]) + inserted[tss], bases[tss] + "".join(whole[tss + 1 :])
        before, after = anchor.upstream, anchor.downstream
    else:
        left, right = "".join(whole[: tss + 1]), "".join(whole[tss + 1 :])
        before, after = anchor.downstream, anchor.upstream
    window = left.rjust(before, "N")[len(left.rjust(before, "N")) - before :]
    window += right.ljust(after, "N")[:after]
    return window if anchor.strand == "+" else window.translate(OTHER)[::-1]


@settings(max_examples=300, deadline=None)
@given(
    alleles=_alleles(),
    tss=st.integers(0, len(REFERENCE) - 1),
    strand=st.sampled_from("+-"),
    upstream=st.integers(0, 20),
    downstream=st.integers(1, 20),
)
def test_a_window_is_that_of_the_edited_chromosome(
    alleles: list[Allele], tss: int, strand: str, upstream: int, downstream: int
) -> None:
    anchor = Anchor(tss, strand, upstream, downstream)
    found = decode(edited_window(encode(REFERENCE), alleles, anchor))
    assert found == _by_base(alleles, anchor)


@pytest.mark.parametrize("strand", ["+", "-"])
def test_the_tss_base_keeps_its_place_whatever_lies_upstream(strand: str) -> None:
    """Hand-made: A stands at the TSS, C before it and G after it, along the gene."""
    sequence = "C" * 20 + "A" + "G" * 20
    inserted, deleted = Allele(10, "C", "CTT"), Allele(10, "CCC", "C")
    tss = 20
    if strand == "-":
        sequence = sequence.translate(OTHER)[::-1]
        inserted, deleted = Allele(29, "G", "GAA"), Allele(28, "GGG", "G")
    anchor = Anchor(tss, strand, 12, 4)
    windows = [
        decode(edited_window(encode(sequence), chosen, anchor))
        for chosen in ([], [inserted], [deleted])
    ]
    assert windows == ["CCCCCCCCCCCCAGGG", "CTTCCCCCCCCCAGGG", "CCCCCCCCCCCCAGGG"]


def test_distinct_windows_are_stored_once_and_carried_by_whom_they_belong_to() -> None:
    alleles = [Allele(3, "T", "G"), Allele(20, "CG", "C"), Allele(45, "T", "A")]
    carriers = np.array([[0, 1, 0, 1], [1, 0, 0, 1], [1, 1, 0, 0]], dtype=np.uint8)
    starts = np.array([one.start for one in alleles])
    ends = np.array([one.start + len(one.ref) for one in alleles])
    variants = Variants("1", alleles, carriers, np.zeros(3, bool), starts, ends)
    anchor = Anchor(18, "+", 10, 10)
    found = gene_haplotypes(encode(REFERENCE), variants, anchor)
    # The first lies before the window, the last behind it; only the deletion changes it.
    assert len(found.windows) == 2
    assert found.carried.tolist() == [1, 0, 0, 1]
    assert found.variants.tolist() == [1]
    assert found.alone.tolist() == [1]


@given(
    at=st.integers(1, len(REFERENCE) - 7),
    deleted=st.integers(0, 6),
    inserted=st.text("ACGT", min_size=1, max_size=6),
)
def test_left_alignment_changes_how_an_indel_is_written_only(
    at: int, deleted: int, inserted: str
) -> None:
    bases = "" if deleted else inserted
    expected = REFERENCE[:at] + bases + REFERENCE[at + deleted :]
    found = left_aligned(encode(REFERENCE), at, deleted, encode(bases))
    assert found is not None
    assert REFERENCE[found.start : found.start + len(found.ref)] == found.ref
    edited = REFERENCE[: found.start] + found.alt + REFERENCE[found.start + len(found.ref) :]
    assert edited == expected
    assert found.start == 0 or found.ref[-1] != found.alt[-1]


def test_a_variant_that_would_overlap_is_left_out_and_placed_ones_come_first() -> None:
    codes = encode("NN" + REFERENCE + "NN")
    mutations = Mutations(
        np.array([1, 10, 10, 30]),
        np.eye(4, dtype=np.uint8),
        np.array([-1, -1, 0, -1]),
    )
    config = IndividualsConfig(people=10, indel_share=0.0)
    rng = np.random.default_rng(0)
    other = (int(codes[10]) + 1) % 4
    made = make_variants(rng, "1", codes, mutations, [PlacedChange(10, other)], config)
    assert made.starts.tolist() == [10, 30]
    assert made.placed.tolist() == [True, False]
    assert made.alleles[0] == Allele(10, decode(codes[10:11]), "ACGT"[other])
    # Who carries a variant goes with it.
    assert made.carriers.tolist() == [[0, 0, 1, 0], [0, 0, 0, 1]]
    assert made.names[0] == f"1:11:{made.alleles[0].ref}:{made.alleles[0].alt}"


def test_changes_break_and_make_sites_as_they_say() -> None:
    rules = WorldConfig().regulation
    motifs = draw_motifs(random_stream(1, "motifs"), rules)
    window = np.random.default_rng(2).integers(0, 4, 600).astype(np.uint8)
    word = reverse_complement(motifs["REPR"].consensus)
    window[400 : 400 + word.size] = word

    def sites_of(codes: np.ndarray) -> pd.DataFrame:
        sites = scan(codes[np.newaxis], motifs, rules)
        return sites.assign(effect=site_effects(sites, motifs, rules))

    def at(change: Change) -> np.ndarray:
        changed = window.copy()
        assert changed[500 + change.offset] != change.base
        changed[500 + change.offset] = change.base
        return changed

    before = sites_of(window)
    whole = before[(before["factor"] == "REPR") & (before["offset"] == -100)]
    assert whole["effect"].tolist() == [-2.0]
    (broken,) = breaking_changes(window, [ActingSite("REPR", -100, -1)], motifs, 500)
    assert len(broken) == 9 * 3
    for change in broken:
        sites = sites_of(at(change))
        left = sites[(sites["factor"] == "REPR") & (sites["offset"] == -100)]["effect"]
        # One of nine bases lost leaves the site at 0.65 of its occupancy.
        assert left.tolist() == pytest.approx([-1.2937], abs=1e-3)
    made = making_changes(window, motifs, rules, 0.3)
    assert len(made) > 5
    keys = ["factor", "offset", "orientation"]
    for change in made:
        sites = sites_of(at(change)).merge(before[keys], on=keys, how="left", indicator=True)
        new = sites[sites["_merge"] == "left_only"]
        assert new["effect"].abs().max() >= 0.3
