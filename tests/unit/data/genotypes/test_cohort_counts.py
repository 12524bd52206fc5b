"""What is counted of a cohort, by hand: missingness, frequencies, heterozygosity, ploidy."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd
import pytest

from exprimo.core.errors import InputError
from exprimo.data.genotypes.cohort import hardy_weinberg_p, summarise_cohort, variant_statistics
from exprimo.data.genotypes.cohort.tally import chromosome_groups
from exprimo.data.genotypes.view import Block

CODES = {
    "00": (0, 0), "01": (0, 1), "10": (1, 0), "11": (1, 1),
    "..": (-1, -1), ".1": (-1, 1), "0": (0, -2), "1": (1, -2), ".": (-1, -2), "": (-2, -2),
}  # fmt: skip


class InMemory:
    """Genotypes that are written out in a test."""

    kind = "VCF"
    skipped = MappingProxyType({})

    def __init__(self, rows, alleles=None):
        self.path = Path("made.vcf")
        places = [row.split()[:3] for row in rows]
        self.table = pd.DataFrame(
            {
                "chrom": [place[0] for place in places],
                "start": np.array([int(place[1]) for place in places], np.int64),
                "ref": "A",
                "alt": [place[2] for place in places],
                "variant_id": [f"v{n}" for n in range(len(rows))],
            }
        )
        record = (self.table["chrom"] + self.table["start"].astype(str)).factorize()[0]
        self.table["record"] = record.astype(np.int64)
        self.alleles = alleles if alleles is not None else written(rows)
        self.samples = tuple(f"s{n}" for n in range(self.alleles.shape[1]))
        self.chromosomes = tuple(dict.fromkeys(self.table["chrom"]))

    def blocks(self, variants=10_000):
        for at in range(0, len(self.table), variants):
            yield Block(
                self.table.iloc[at : at + variants].reset_index(drop=True),
                self.alleles[at : at + variants],
                np.ones(self.alleles[at : at + variants].shape[:2], bool),
                None,
                None,
            )


def written(rows):
    cells = [[CODES[cell.strip("-")] for cell in row.split()[3:]] for row in rows]
    return np.array(cells, np.int8).reshape(len(rows), -1, 2)


def the_rest(summary, *columns):
    return summary.samples[list(columns)].to_numpy().tolist()


def test_a_table_of_variants_worked_out_by_hand():
    rows = ["1 1 C 00 01 11 ..", "X 1 C 1 0 01 .", "2 2 C .. .. .. ..", "Y 1 C - - 1 ."]
    block = next(InMemory(rows).blocks())
    table = variant_statistics(block)
    assert table["n_called"].tolist() == [3, 3, 0, 1]
    assert table["n_missing"].tolist() == [1, 1, 4, 1]
    np.testing.assert_allclose(table["missing_share"], [0.25, 0.25, 1, 0.5])
    assert table["n_haploid"].tolist() == [0, 2, 0, 1]
    # One of six copies and three; of X, 1 + 0 + 1 of four copies.
    np.testing.assert_allclose(table["alt_frequency"], [0.5, 0.5, np.nan, 1])
    np.testing.assert_allclose(table["maf"], [0.5, 0.5, np.nan, 0])
    assert table["hardy_p"].iloc[2] == 1


def test_counts_of_samples():
    rows = [
        "1 1 C 00 01 11 ..",
        "1 2 C 00 00 01 01",
        "1 3 C .1 00 00 00",  # half missing is missing
        "1 4 C 01 00 00 00",  # a record of two ALT: missingness only
        "1 4 G 00 00 .. 00",
        "X 1 C 1 0 01 00",
    ]
    summary = summarise_cohort(InMemory(rows))
    assert the_rest(summary, "n_called", "n_missing", "het", "hom_ref", "hom_alt") == [
        [4, 1, 0, 2, 0],
        [5, 0, 1, 2, 0],
        [5, 0, 1, 1, 1],
        [4, 1, 1, 1, 0],
    ]
    assert the_rest(summary, "x_haploid_share") == [[1], [1], [0], [0]]
    # s2: p is 1/2, 1/4 and 0, so 1/2, 5/8 and 1 of its genotypes are expected homozygous.
    expected = 0.5 + 0.625 + 1
    assert summary.samples["f"].iloc[2] == pytest.approx((2 - expected) / (3 - expected))
    counts = summary.counts
    assert (counts["variants"], counts["records"], counts["multiallelic records"]) == (6, 5, 1)
    assert (counts["without variation"], counts["singletons"]) == (2, 1)
    assert summary.ploidy.empty


def test_spectra():
    alleles = np.zeros((4, 500, 2), np.int8)
    alleles[1, 0, 0] = 1  # 0.001
    alleles[2, :100, 0] = 1  # 0.1
    alleles[3] = 1
    alleles[3, :10] = 0  # 0.02
    alleles[3, 490:] = -1  # 2% missing
    summary = summarise_cohort(InMemory([f"1 {n} C" for n in range(4)], alleles))
    spectrum = summary.maf_spectrum.set_index("up_to")["n_variants"]
    assert spectrum[spectrum > 0].to_dict() == {0.0: 1, 0.001: 1, 0.05: 1, 0.1: 1}
    missing = summary.missingness.set_index("up_to")["n_variants"]
    assert missing[missing > 0].to_dict() == {0.0: 3, 0.02: 1}


def test_what_contradicts_the_number_of_copies_is_told():
    rows = [
        "X 1 C 1 0 00 11",
        "X 2 C 01 0 01 11",
        "MT 1 C 1 01 1 1",
        "2 1 C 00 00 00 1",
    ]
    ploidy = summarise_cohort(InMemory(rows)).ploidy
    assert ploidy[["sample", "chromosome", "oddity"]].to_numpy().tolist() == [
        ["s3", "autosomes", "haploid genotypes on autosomes"],
        ["s0", "X", "heterozygous beside haploid genotypes"],
        ["s1", "MT", "two alleles where there is one copy"],
    ]


def test_a_variant_listed_twice_is_counted():
    rows = ["1 1 C 00 01", "1 1 C 00 01", "1 2 C 00 01"]
    assert summarise_cohort(InMemory(rows)).counts["listed twice"] == 1


def test_blocks_do_not_change_the_answer(monkeypatch):
    rng = np.random.default_rng(1)
    alleles = rng.integers(0, 2, (700, 12, 2)).astype(np.int8)
    alleles[rng.random((700, 12)) < 0.05] = -1
    genotypes = InMemory([f"{1 + n // 400} {n} C" for n in range(700)], alleles)
    whole = summarise_cohort(genotypes)
    monkeypatch.setattr(f"{summarise_cohort.__module__}._BLOCK_GENOTYPES", 64)
    pieces = summarise_cohort(genotypes)
    pd.testing.assert_frame_equal(whole.samples, pieces.samples)
    pd.testing.assert_frame_equal(whole.hardy, pieces.hardy)
    np.testing.assert_allclose(whole.components.eigenvalues, pieces.components.eigenvalues)
    assert whole.counts == pieces.counts


def test_work_is_bounded_and_that_is_said():
    rng = np.random.default_rng(2)
    alleles = rng.integers(0, 2, (1000, 8, 2)).astype(np.int8)
    genotypes = InMemory([f"1 {n * 1000} C" for n in range(1000)], alleles)
    summary = summarise_cohort(genotypes, most_variants=100)
    assert any("from 63 of " in n and "evenly spread" in n for n in summary.notes), summary.notes
    short = summarise_cohort(genotypes, stop_after=1000)
    assert short.notes[0] == "only the first 1,000 variants were looked at"


def test_nothing_to_summarise_is_an_error():
    with pytest.raises(InputError, match="no variant"):
        summarise_cohort(InMemory([], np.zeros((0, 2, 2), np.int8)))
    with pytest.raises(InputError, match="no sample"):
        summarise_cohort(InMemory(["1 1 C"], np.zeros((1, 0, 2), np.int8)))


def test_the_exact_test_is_the_sum_over_all_heterozygote_counts():
    from math import comb

    def by_enumeration(hom_ref, het, hom_alt):
        n, rare = hom_ref + het + hom_alt, het + 2 * min(hom_ref, hom_alt)
        chance = {}
        for h in range(rare % 2, rare + 1, 2):
            a = (rare - h) // 2
            # Wigginton et al. 2005, equation 1, without the constant.
            chance[h] = comb(n, a) * comb(n - a, h) * 2**h
        total = sum(chance.values())
        return sum(c for c in chance.values() if c <= chance[het]) / total

    rng = np.random.default_rng(3)
    tables = [(0, 0, 0), (5, 0, 0), (5, 1, 0), (57, 14, 50), (0, 9, 0), (1, 0, 1)]
    tables += rng.integers(0, 40, (60, 3)).tolist()
    found = hardy_weinberg_p(*np.array(tables).T)
    for counts, p in zip(tables, found, strict=True):
        expected = by_enumeration(*counts) if sum(counts) else 1
        assert p == pytest.approx(expected, rel=1e-9), counts


def test_chromosomes_with_one_copy_are_known_by_name():
    assert chromosome_groups(["X", "chrY", "23", "26", "25", "XY", "7"]) == {
        "X": 1, "chrY": 2, "23": 1, "26": 3, "25": 0, "XY": 0, "7": 0,
    }  # fmt: skip
    assert chromosome_groups(["23", "27"]) == {"23": 0, "27": 0}
    assert chromosome_groups(["chrIX", "chrX", "chrM"]) == {"chrIX": 0, "chrX": 0, "chrM": 3}
