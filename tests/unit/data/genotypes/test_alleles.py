"""REF against the genome, exchanged alleles, and normalised ones against bcftools."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pysam.bcftools
import pytest

from exprimo.core.errors import InputError, MismatchError
from exprimo.data.fasta.genome import Genome
from exprimo.data.genotypes import open_genotypes
from exprimo.data.genotypes.alleles import normalise_allele

Write = Callable[..., Path]
Pack = Callable[[Path], Path]

#            0123456789
SEQUENCE = "ACGTNACACAGGGT"


@pytest.fixture
def genome(tmp_path: Path) -> Iterator[Genome]:
    fasta = tmp_path / "genome.fa"
    fasta.write_text(f">chr1 first\n{SEQUENCE}\n>chr2\nTTTT\n")
    with Genome.open(fasta) as opened:
        yield opened


WRONG = ("1", 2, "rs2", "G", "C", "GT:DS", "0|1:0.75", "0|0:0", "1:1")


def test_names_become_those_of_the_genome(write_vcf: Write, genome: Genome) -> None:
    path = write_vcf([("1", 1, ".", "A", "C", "GT", "0|1")], ["ann"])
    with open_genotypes(path, genome=genome) as genotypes:
        assert genotypes.chromosomes == ("chr1",)
        block = genotypes.region("chr1", 0, 5)
    assert block.variants["variant_id"].tolist() == ["chr1:1:A:C"]
    assert block.variants["chrom"].tolist() == ["chr1"]


def test_chromosomes_that_the_genome_lacks_are_counted(write_vcf: Write, genome: Genome) -> None:
    rows = [("1", 1, ".", "A", "C", "GT", "0|1"), ("HLA", 1, ".", "A", "C,T", "GT", "0|1")]
    with open_genotypes(write_vcf(rows, ["ann"]), genome=genome) as genotypes:
        assert sum(len(block.variants) for block in genotypes.blocks()) == 1
        assert dict(genotypes.skipped) == {"chromosome that the genome does not have": 2}


def test_names_that_all_differ_are_an_error_or_need_a_table(
    write_vcf: Write, genome: Genome
) -> None:
    path = write_vcf([("one", 1, ".", "A", "C", "GT", "0|1")], ["ann"])
    with pytest.raises(MismatchError, match=r"no chromosome name.*one.*chr1, chr2"):
        open_genotypes(path, genome=genome)
    with open_genotypes(path, genome=genome, chrom_table={"one": "chr1"}) as genotypes:
        assert len(genotypes.region("chr1", 0, 1).variants) == 1


def test_a_wrong_ref_is_an_error_that_shows_both(write_vcf: Write, genome: Genome) -> None:
    path = write_vcf([WRONG], ["ann", "bob", "cem"])
    with (
        open_genotypes(path, genome=genome) as genotypes,
        pytest.raises(
            MismatchError, match=r"chr1:2 \(rs2\): REF is not.*Found: G\. Expected: C\..*build"
        ),
    ):
        genotypes.region("chr1", 0, 5)


def test_a_ref_beyond_the_end_is_an_error(write_vcf: Write, genome: Genome) -> None:
    path = write_vcf([("2", 4, ".", "TA", "T", "GT", "0|1")], ["ann"])
    with (
        open_genotypes(path, genome=genome) as genotypes,
        pytest.raises(MismatchError, match=r"Found: TA\. Expected: T"),
    ):
        list(genotypes.blocks())
    path = write_vcf([("2", 400, ".", "T", "A", "GT", "0|1")], ["ann"])
    with (
        open_genotypes(path, genome=genome) as genotypes,
        pytest.raises(MismatchError, match="which has 4 bases"),
    ):
        list(genotypes.blocks())


def test_a_wrong_ref_is_skipped_and_counted(write_vcf: Write, genome: Genome) -> None:
    right = ("1", 3, ".", "G", "C", "GT:DS", "0|1:1", "0|0:0", "0|0:0")
    path = write_vcf([WRONG, right], ["ann", "bob", "cem"])
    with open_genotypes(path, genome=genome, on_ref_mismatch="skip") as genotypes:
        block = genotypes.region("chr1", 0, 5)
        assert block.variants["start"].tolist() == [2]
        assert block.alleles[0, 0].tolist() == [0, 1]
        assert dict(genotypes.skipped) == {"REF is not the genome's": 1}


def test_a_telomere_at_position_0_moves_nothing_else(write_vcf: Write, genome: Genome) -> None:
    rows = [
        ("1", 0, "tip", "A", "C", "GT", "0|1"),
        ("1", 2, "fits", "C", "G", "GT", "0|1"),  # its ALT is what stands one base on
        ("1", 9, "fits2", "C", "A", "GT", "0|1"),
    ]
    path = write_vcf(rows, ["ann"])
    with open_genotypes(path, genome=genome, on_ref_mismatch="swap") as genotypes:
        block = genotypes.region("chr1", 0, 14)
        assert dict(genotypes.skipped) == {"REF is not the genome's": 1}
    assert block.variants[["variant_id", "ref", "alt"]].to_numpy().tolist() == [
        ["fits", "C", "G"],
        ["fits2", "C", "A"],
    ]
    assert block.alleles.tolist() == [[[0, 1]]] * 2


def test_a_swap_exchanges_alleles_genotypes_and_dosages(write_vcf: Write, genome: Genome) -> None:
    neither = ("1", 3, ".", "A", "C", "GT:DS", "0|1:1", "0|0:0", "0|0:0")
    path = write_vcf([WRONG, neither], ["ann", "bob", "cem"])
    with open_genotypes(path, genome=genome, on_ref_mismatch="swap") as genotypes:
        block = genotypes.region("chr1", 0, 5)
        assert dict(genotypes.skipped) == {"REF is not the genome's": 1}
    assert block.variants.loc[0, ["ref", "alt", "variant_id"]].tolist() == ["C", "G", "rs2"]
    assert block.alleles[0].tolist() == [[1, 0], [1, 1], [0, -2]]
    assert block.dosage()[0].tolist() == [1.25, 2, 0]


def test_a_swap_of_a_multiallelic_record_keeps_the_other_alt(
    write_vcf: Write, genome: Genome
) -> None:
    row = ("1", 2, ".", "G", "T,C", "GT", "0|2", "1|2", "0|1")
    path = write_vcf([row], ["ann", "bob", "cem"])
    with open_genotypes(path, genome=genome, on_ref_mismatch="swap") as genotypes:
        block = genotypes.region("chr1", 0, 5)
    assert block.variants["ref"].tolist() == ["C", "C"]
    assert block.variants["alt"].tolist() == ["T", "G"]
    assert block.alleles[0].tolist() == [[0, 0], [1, 0], [0, 1]]
    assert block.alleles[1].tolist() == [[1, 0], [0, 0], [1, 0]]


def test_n_fits_anything(write_vcf: Write, genome: Genome) -> None:
    rows = [("1", 5, ".", "A", "C", "GT", "0|1"), ("1", 4, ".", "TCA", "T", "GT", "0|1")]
    with open_genotypes(write_vcf(rows[1:] + rows[:1], ["ann"]), genome=genome) as genotypes:
        assert genotypes.region("chr1", 0, 14).variants["ref"].tolist() == ["TCA", "A"]


def test_normalising_needs_a_genome(write_vcf: Write) -> None:
    path = write_vcf([WRONG], ["ann", "bob", "cem"])
    with pytest.raises(InputError, match="against a genome"):
        open_genotypes(path, normalise=True)


def test_normalised_rows_are_found_where_they_then_lie(
    write_vcf: Write, packed: Pack, genome: Genome
) -> None:
    # ACACA begins at base 5: deleting its last CA is deleting its first AC.
    rows = [("1", 8, ".", "ACA", "A", "GT", "0|1"), ("1", 9, ".", "CAG", "TAG", "GT", "1|1")]
    for pack in (packed, lambda path: path):
        path = pack(write_vcf(rows, ["ann"]))
        with open_genotypes(path, genome=genome, normalise=True) as genotypes:
            block = genotypes.region("chr1", 4, 7)
            assert block.variants["variant_id"].tolist() == ["chr1:5:NAC:N"]
            later = genotypes.region("chr1", 8, 9).variants
            assert later["variant_id"].tolist() == ["chr1:9:C:T"]
            whole = [start for b in genotypes.blocks(1) for start in b.variants["start"]]
    assert whole == [4, 8]


def _random_variants(rng: np.random.Generator, sequence: str, n: int) -> list[tuple[int, str, str]]:
    made = []
    while len(made) < n:
        start, length = int(rng.integers(0, len(sequence) - 12)), int(rng.integers(1, 9))
        ref = sequence[start : start + length]
        # Copies of what stands there make repeats, in which indels can move.
        copied = sequence[start : start + int(rng.integers(1, 12))]
        alt = (
            copied if rng.random() < 0.6 else "".join(rng.choice(list("ACGT"), rng.integers(1, 7)))
        )
        if rng.random() < 0.5:
            alt = alt + ref[-1]
        if ref != alt and ref[0] == alt[0]:
            made.append((start, ref, alt))
    return made


@pytest.mark.parametrize("seed", range(4))
def test_normalised_alleles_equal_those_of_bcftools(
    write_vcf: Write, tmp_path: Path, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    units = ["".join(rng.choice(list("ACGT"), rng.integers(1, 4))) for _ in range(60)]
    sequence = "".join(unit * int(rng.integers(1, 12)) for unit in units)
    fasta = tmp_path / "repeats.fa"
    fasta.write_text(f">1\n{sequence}\n")
    variants = _random_variants(rng, sequence, 400)
    rows = [
        ("1", start + 1, f"v{i}", ref, alt, "GT", "0|1")
        for i, (start, ref, alt) in sorted(enumerate(variants), key=lambda pair: pair[1][0])
    ]
    text = pysam.bcftools.norm("-f", str(fasta), str(write_vcf(rows, ["ann"])))
    theirs = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            _, pos, name, ref, alt, *_ = line.split("\t")
            theirs[name] = (int(pos) - 1, ref, alt)
    with Genome.open(fasta) as genome:
        ours = {
            f"v{i}": normalise_allele(genome, "1", *variant) for i, variant in enumerate(variants)
        }
    assert len(theirs) == 400
    assert ours == theirs
    assert sum(ours[f"v{i}"][0] < variants[i][0] for i in range(400)) > 40


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_normalised_blocks_stay_in_order_and_equal_the_regions(
    write_vcf: Write, packed: Pack, tmp_path: Path, size: int
) -> None:
    rng = np.random.default_rng(5)
    units = ["".join(rng.choice(list("ACGT"), rng.integers(1, 4))) for _ in range(300)]
    sequence = "".join(unit * int(rng.integers(1, 12)) for unit in units)
    fasta = tmp_path / "repeats.fa"
    fasta.write_text(f">1\n{sequence}\n")
    variants = sorted(_random_variants(rng, sequence, 300))
    rows = [
        ("1", s + 1, f"v{i}", ref, alt, "GT", "0|1") for i, (s, ref, alt) in enumerate(variants)
    ]
    path = packed(write_vcf(rows, ["ann"]))
    with (
        Genome.open(fasta) as genome,
        open_genotypes(path, genome=genome, normalise=True) as genotypes,
    ):
        whole = genotypes.region("1", 0, len(sequence)).variants
        starts = [start for block in genotypes.blocks(size) for start in block.variants["start"]]
        assert starts == sorted(starts)
        assert starts == whole["start"].tolist()
        for start in range(0, len(sequence), 97):
            found = genotypes.region("1", start, start + 50).variants["variant_id"]
            ends = whole["start"] + whole["ref"].str.len()
            inside = (whole["start"] < start + 50) & (ends > start)
            assert set(found) == set(whole["variant_id"][inside])
