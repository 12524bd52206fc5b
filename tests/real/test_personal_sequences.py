"""Both haplotypes of NA20787 over chr21 equal what bcftools consensus makes of its variants."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pysam
import pysam.bcftools
import pytest

from exprimo.core.dataset import Dataset
from exprimo.core.sequence import decode, encode, reverse_complement
from exprimo.data.annotation import read_annotation, tss_table
from exprimo.data.fasta import Genome
from exprimo.data.genotypes.open import open_genotypes
from exprimo.features.haplotypes import haplotypes, window_haplotypes

pytestmark = pytest.mark.real

GENES = ["JAM2", "GABPA", "ATP5J", "MRPL39"]
HALF = 98_304


class Person(NamedTuple):
    """The chromosome with N before its first known base, the files, and the two haplotypes."""

    fasta: Path
    vcf: Path
    gtf: Path
    consensus: list[str]


@pytest.fixture(scope="module")
def person(realdata: Path, tmp_path_factory: pytest.TempPathFactory) -> Person:
    folder = tmp_path_factory.mktemp("chr21")
    home = realdata / "human_chr21"
    fasta = folder / "chr21.fa"
    with gzip.open(home / "GRCh38_chr21_assembled.fa.gz", "rt") as handle:
        header = next(handle)
        start = int(header.split(":")[1].split("-")[0])
        known = []
        for line in handle:
            if line.startswith(">"):
                break
            known.append(line.strip())
    letters = "N" * (start - 1) + "".join(known)
    lines = [letters[at : at + 60] for at in range(0, len(letters), 60)]
    fasta.write_text(">chr21\n" + "\n".join(lines) + "\n")
    (named,) = home.glob("NA20787*.vcf")
    vcf = folder / "NA20787.vcf"
    vcf.write_text(named.read_text())
    packed = pysam.tabix_index(str(vcf), preset="vcf", keep_original=True)
    both = []
    for copy in "12":
        text = pysam.bcftools.consensus(
            "-H", copy, "-s", "NA20787", "-e", 'ALT~"<.*>"', "-f", str(fasta), packed
        )
        both.append("".join(text.splitlines()[1:]))
    return Person(fasta, Path(packed), home / "GRCh38_chr21_genes.gtf", both)


def shift_before(person: Person, tss: int, copy: int) -> int:
    """Count the bases that the indels of one copy add before a position."""
    gained, frozen = 0, -1
    with pysam.VariantFile(str(person.vcf)) as file:
        for record in file:
            number = record.samples[0].allele_indices[copy]
            if record.pos - 1 >= tss or not number or record.alts[0].startswith("<"):
                continue
            alt = record.alleles[number]
            start, snp = record.pos - 1, len(alt) == len(record.ref)
            if start < frozen or (start == frozen and snp):  # the insertion at 25,005,812 applies
                continue
            frozen = start + len(record.ref) - 1
            gained += len(alt) - len(record.ref)
    return gained


def sites(person: Person) -> pd.DataFrame:
    annotation = read_annotation(person.gtf)
    names = annotation.genes.set_index("gene_name")["gene_id"]
    return tss_table(annotation).set_index("gene_id").loc[names[GENES]]


def test_haplotypes_of_four_genes_equal_bcftools_consensus(person: Person) -> None:
    indels = 0
    with Genome.open(person.fasta) as genome, open_genotypes(person.vcf, genome=genome) as people:
        for gene in sites(person).itertuples():
            made = window_haplotypes(
                genome, people, "chr21", gene.tss, gene.strand, upstream=HALF, downstream=HALF
            )
            assert made.index.shape == (1, 2, 1)
            assert len(made.codes) == 2
            indels += int((made.applied["ref"].str.len() != made.applied["alt"].str.len()).sum())
            for copy in (0, 1):
                at = gene.tss + shift_before(person, gene.tss, copy)
                low = at - HALF if gene.strand == "+" else at - HALF + 1
                expected = encode(person.consensus[copy][low : low + 2 * HALF])
                if gene.strand == "-":
                    expected = reverse_complement(expected)
                assert decode(made.codes[made.index[0, copy, 0]]) == decode(expected), gene
    assert indels > 100


def test_the_dataset_holds_both_haplotypes_of_each_gene(person: Person, tmp_path: Path) -> None:
    made = haplotypes(person.vcf, person.fasta, person.gtf, tmp_path / "H.h5", gene=GENES)
    assert (made.n_examples, made.n_distinct) == (8, 8)
    assert made.path.stat().st_size < 8 * 2 * HALF + 100_000
    table = sites(person)
    with Dataset.open(made.path) as data:
        examples = data.examples()
        for row, example in examples.iterrows():
            tss = int(table["tss"][example["gene_id"]])
            assert example["tss"] == tss
            copy = int(example["haplotype"]) - 1
            low = tss + shift_before(person, tss, copy) - HALF + (example["strand"] == "-")
            expected = encode(person.consensus[copy][low : low + 2 * HALF])
            if example["strand"] == "-":
                expected = reverse_complement(expected)
            np.testing.assert_array_equal(data.rows("sequence", np.array([row]))[0], expected)
    assert sorted(examples["strand"].unique()) == ["+", "-"]
