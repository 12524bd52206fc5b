"""Readers of genotypes on 1000 Genomes, one phased person, and a PLINK data set."""

from __future__ import annotations

import shutil
from pathlib import Path

import cyvcf2
import numpy as np
import pandas as pd
import pysam
import pysam.bcftools
import pytest

from exprimo.core.errors import MismatchError
from exprimo.data.fasta.genome import Genome
from exprimo.data.genotypes import open_genotypes

pytestmark = pytest.mark.real

THOUSAND = "genotypes/1000G_phase3_chr1_11697036_11836540_2504samples.vcf.gz"
PERSON = "human_chr21/NA20787.chr21_24985581_26000306.GRCh38.lifted.vcf"
FIRST, LAST = 24_985_580, 26_000_306


@pytest.fixture(scope="module")
def thousand(realdata: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("thousand") / "g.vcf.gz"
    shutil.copyfile(realdata / THOUSAND, path)
    pysam.tabix_index(str(path), preset="vcf")
    return path


@pytest.fixture(scope="module")
def chr21(realdata: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stretch of chromosome 21 in its place, N before it."""
    with Genome.open(realdata / "human_chr21/GRCh38_chr21_assembled.fa.gz") as genome:
        name = genome.names[0]
        letters = np.frombuffer(b"ACGTN", np.uint8)[genome.chromosome(name)].tobytes()
    path = tmp_path_factory.mktemp("chr21") / "chr21.fa"
    path.write_bytes(b">21\n" + b"N" * FIRST + letters + b"\n")
    return path


@pytest.mark.slow
def test_thousand_genomes_counts_equal_the_published_ones(thousand: Path) -> None:
    with open_genotypes(thousand) as genotypes:
        assert genotypes.kind == "VCF"
        assert genotypes.chromosomes == ("1",)
        assert len(genotypes.samples) == 2504
        blocks = list(genotypes.blocks(2000))
        assert dict(genotypes.skipped) == {"symbolic allele": 2}
    counted = np.concatenate([block.dosage().sum(axis=1) for block in blocks])
    published = {
        record.ID: record.INFO["AC"]
        for record in cyvcf2.VCF(str(thousand))
        if not record.ALT[0].startswith("<")
    }
    names = [name for block in blocks for name in block.variants["variant_id"]]
    assert len(names) == 4294
    assert dict(zip(names, counted, strict=True)) == published
    assert all(block.phased.all() for block in blocks)


def test_thousand_genomes_regions_and_people(thousand: Path) -> None:
    with open_genotypes(thousand) as genotypes:
        everybody = genotypes.region("1", 11_750_000, 11_760_000)
        names = [genotypes.samples[i] for i in (2503, 0, 77)]
    assert len(everybody.variants) == 281
    assert everybody.variants["start"].between(11_750_000, 11_759_999).all()
    with open_genotypes(thousand, samples=names) as genotypes:
        some = genotypes.region("1", 11_750_000, 11_760_000)
    np.testing.assert_array_equal(some.alleles, everybody.alleles[:, [2503, 0, 77]])


def test_one_person_needs_no_index(realdata: Path) -> None:
    with open_genotypes(realdata / PERSON) as genotypes:
        assert genotypes.samples == ("NA20787",)
        block = genotypes.region("chr21", FIRST, LAST)
        assert dict(genotypes.skipped) == {"symbolic allele": 2}
    pairs = pd.Series([tuple(pair) for pair in block.alleles[:, 0].tolist()]).value_counts()
    assert pairs.to_dict() == {(1, 1): 578, (0, 1): 417, (1, 0): 290}
    assert block.phased.all()


def test_one_person_fits_the_genome_and_normalises_as_bcftools_does(
    realdata: Path, chr21: Path
) -> None:
    with (
        Genome.open(chr21) as genome,
        open_genotypes(realdata / PERSON, genome=genome, normalise=True) as genotypes,
    ):
        assert genotypes.chromosomes == ("21",)
        ours = genotypes.region("21", FIRST, LAST).variants
    renamed = chr21.with_suffix(".vcf")
    text = (realdata / PERSON).read_text().replace("chr21", "21")
    renamed.write_text(
        "".join(line for line in text.splitlines(keepends=True) if "\t<" not in line)
    )
    normal = pysam.bcftools.norm("-f", str(chr21), str(renamed))
    theirs = [line.split("\t")[1:5] for line in normal.splitlines() if not line.startswith("#")]
    assert len(ours) == len(theirs) == 1285
    table = pd.DataFrame(theirs, columns=["pos", "variant_id", "ref", "alt"])
    table["start"] = table["pos"].astype(int) - 1
    columns = ["start", "ref", "alt"]
    ordered = ours[columns].sort_values(columns, ignore_index=True)
    pd.testing.assert_frame_equal(
        ordered, table[columns].sort_values(columns, ignore_index=True), check_dtype=False
    )


def test_the_wrong_chromosome_is_noticed(realdata: Path, tmp_path: Path) -> None:
    fasta = tmp_path / "wrong.fa"
    fasta.write_bytes(b">chr21\n" + b"ACGT" * (LAST // 4 + 100) + b"\n")
    with (
        Genome.open(fasta) as genome,
        open_genotypes(realdata / PERSON, genome=genome) as genotypes,
        pytest.raises(MismatchError, match="REF is not the genome's"),
    ):
        genotypes.region("chr21", FIRST, LAST)


def test_plinks_own_correlations_come_out(realdata: Path) -> None:
    with open_genotypes(realdata / "plink/example") as genotypes:
        assert genotypes.kind == "PLINK 1"
        assert len(genotypes.samples) == 517
        (block,) = genotypes.blocks()
    assert len(block.variants) == 4542
    row = dict(zip(block.variants["variant_id"], range(4542), strict=True))
    table = pd.read_csv(realdata / "plink/example.ld", sep=r"\s+")
    first = block.dosage()[table["SNP_A"].map(row)]
    second = block.dosage()[table["SNP_B"].map(row)]
    r = [np.corrcoef(a, b)[0, 1] for a, b in zip(first, second, strict=True)]
    np.testing.assert_allclose(np.square(r), table["R2"], atol=1e-5)
    assert len(table) == 1431


def test_plink_regions_hold_what_stands_there(realdata: Path) -> None:
    with open_genotypes(realdata / "plink/example.bim") as genotypes:
        block = genotypes.region("1", 1000, 3000)
        whole = next(iter(genotypes.blocks()))
    inside = whole.variants["start"].between(1000, 2999).to_numpy()
    assert block.variants["variant_id"].tolist() == ["SNP1", "SNP2"]
    np.testing.assert_array_equal(block.alleles, whole.alleles[inside])
