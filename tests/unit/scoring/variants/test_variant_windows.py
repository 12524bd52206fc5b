"""Windows with one variant each: as they are made one by one, at edges, on both strands."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from exprimo.core.sequence import decode, encode
from exprimo.data.fasta import Genome
from exprimo.features.haplotypes import one_variant_windows
from exprimo.scoring.variants.plan import plan_around_tss, plan_around_variants
from exprimo.scoring.variants.windows.alleles import Alleles
from exprimo.scoring.variants.windows.cutting import unknown_in, variant_windows

LETTERS = np.array(list("ACGT"))


@pytest.fixture(scope="module")
def bases() -> str:
    # Two letters only, so that alleles often begin or end alike.
    return "".join(np.random.default_rng(3).choice(list("AC"), 300))


@pytest.fixture(scope="module")
def genome(bases: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Genome]:
    fasta = tmp_path_factory.mktemp("genome") / "g.fa"
    fasta.write_text(f">I\n{bases}\n>II\nACGTNACGTACGT\n")
    with Genome.open(fasta) as opened:
        yield opened


def _random_sites(bases: str, n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = []
    while len(rows) < n:
        start, n_ref, n_alt = rng.integers(0, len(bases) - 12), *rng.integers(1, 12, 2)
        if rng.random() < 0.5:
            n_ref = n_alt = 1
        ref = bases[start : start + n_ref]
        alt = "".join(rng.choice(list("AC"), n_alt))
        if rng.random() < 0.5:
            alt = ref[0] + alt
        if alt != ref:
            rows.append(("I", int(start), ref, alt))
    return pd.DataFrame(rows, columns=["chrom", "start", "ref", "alt"])


@pytest.mark.parametrize("strand", ["+", "-"])
@pytest.mark.parametrize("anchor", [2, 60, 150, 297])
def test_windows_equal_those_made_one_by_one(
    genome: Genome, bases: str, strand: str, anchor: int
) -> None:
    sites = _random_sites(bases, 2000, seed=anchor)
    sites = sites[sites["start"].between(anchor - 29, anchor + 18)]
    assert len(sites) > 100
    places = pd.DataFrame({"chrom": ["I", "I"], "anchor": [150, anchor], "strand": strand})
    place = np.full(len(sites), 1)
    found = variant_windows(genome, places, place, Alleles.of(sites), upstream=40, downstream=30)
    expected = one_variant_windows(
        genome,
        "I",
        anchor,
        strand,
        sites["start"],
        list(sites["ref"]),
        list(sites["alt"]),
        upstream=40,
        downstream=30,
    )
    np.testing.assert_array_equal(found.reference[1], expected.reference)
    np.testing.assert_array_equal(found.alternate, expected.alternates)


@pytest.mark.parametrize("strand", ["+", "-"])
def test_the_plan_has_every_variant_that_changes_a_window(
    genome: Genome, bases: str, strand: str
) -> None:
    sites = _random_sites(bases, 500, seed=9)
    genes = pd.DataFrame({"gene_id": ["a", "b"], "chrom": "I", "tss": [60, 200], "strand": strand})
    alleles = Alleles.of(sites)
    plan = plan_around_tss(sites, alleles, genes, upstream=20, downstream=10)
    places = genes.rename(columns={"tss": "anchor"})
    for number in (0, 1):
        planned = np.zeros(len(sites), dtype=bool)
        planned[plan.variant[plan.place == number]] = True
        every = np.full(len(sites), number)
        windows = variant_windows(genome, places, every, alleles, upstream=20, downstream=10)
        differs = (windows.alternate != windows.reference[every]).any(axis=1)
        assert differs.sum() > 20
        assert not (differs & ~planned).any()


def test_edges_of_a_window() -> None:
    # The window is bases 6 to 11: before the TSS base 9 three, from it on three.
    sites = pd.DataFrame(
        [
            ("I", 5, "A", "G"),  # the base before
            ("I", 6, "A", "G"),  # the first
            ("I", 11, "A", "G"),  # the last
            ("I", 12, "A", "G"),  # the base behind
            ("I", 3, "AAAC", "A"),  # takes 4 to 6
            ("I", 3, "AAC", "A"),  # takes 4 and 5
            ("I", 5, "A", "AT"),  # comes before 6: pushed out of the window
            ("I", 6, "A", "AT"),  # comes before 7
            ("I", 11, "A", "AT"),  # comes behind 11
            ("II", 8, "A", "G"),
        ],
        columns=["chrom", "start", "ref", "alt"],
    )
    genes = pd.DataFrame({"gene_id": ["g"], "chrom": ["I"], "tss": [9], "strand": ["+"]})
    plan = plan_around_tss(sites, Alleles.of(sites), genes, upstream=3, downstream=3)
    assert sorted(plan.variant.tolist()) == [1, 2, 4, 7]
    assert plan.n_outside == 6


def test_no_variant_meets_a_window() -> None:
    sites = pd.DataFrame({"chrom": ["II"], "start": [3], "ref": ["A"], "alt": ["G"]})
    genes = pd.DataFrame({"gene_id": ["g"], "chrom": ["I"], "tss": [9], "strand": ["+"]})
    plan = plan_around_tss(sites, Alleles.of(sites), genes, upstream=3, downstream=3)
    assert (len(plan.place), len(plan.places), plan.n_outside) == (0, 0, 1)


def test_a_window_around_each_variant(genome: Genome, bases: str) -> None:
    sites = pd.DataFrame(
        {
            "chrom": ["I", "I", "I"],
            "start": [100, 50, 100],
            "ref": [bases[100], bases[50:53], bases[100]],
            "alt": ["G", bases[50], "T"],
        }
    )
    plan = plan_around_variants(sites)
    assert plan.places["anchor"].tolist() == [100, 50]
    assert plan.place.tolist() == [0, 0, 1]
    assert plan.variant.tolist() == [0, 2, 1]
    windows = variant_windows(
        genome,
        plan.places,
        plan.place,
        Alleles.of(sites).take(plan.variant),
        upstream=5,
        downstream=5,
    )
    assert decode(windows.reference[1]) == bases[45:55]
    assert [decode(row) for row in windows.alternate] == [
        bases[95:100] + "G" + bases[101:105],
        bases[95:100] + "T" + bases[101:105],
        bases[45:51] + bases[53:57],
    ]


def test_unknown_bases_are_seen_in_either_window(genome: Genome) -> None:
    sites = pd.DataFrame({"chrom": "II", "start": [1, 8], "ref": "C", "alt": ["CN", "T"]})
    places = pd.DataFrame({"chrom": "II", "anchor": [2, 8], "strand": "+"})
    windows = variant_windows(
        genome, places, np.array([0, 1]), Alleles.of(sites), upstream=2, downstream=2
    )
    assert decode(windows.reference[0]) == "ACGT"
    assert unknown_in(windows.reference).tolist() == [False, False]
    assert unknown_in(windows.alternate).tolist() == [True, False]
    assert unknown_in(np.stack([encode("ACGN"), encode("ACGT")])).tolist() == [True, False]
