"""A small genome on disk, and genes in it that begin with ATG and have GT–AG introns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

SPACING = 300
EXON, INTRON = 60, 40
GENE = 2 * EXON + INTRON
UTR = 9


@pytest.fixture
def write_genome(tmp_path: Path) -> Callable[..., Path]:
    """Write chromosomes (name -> letters) as a FASTA file of 7 bases a line."""

    def write(chromosomes: Mapping[str, str], name: str = "genome.fa") -> Path:
        path = tmp_path / name
        with path.open("w") as handle:
            for chrom, letters in chromosomes.items():
                lines = [letters[at : at + 7] for at in range(0, len(letters), 7)]
                handle.write(f">{chrom}\n" + "\n".join(lines) + "\n")
        return path

    return write


@dataclass
class GeneWorld:
    """A genome of two chromosomes, its GTF, and the genes as (id, chrom, start, strand)."""

    folder: Path
    fasta: Path
    gtf: Path
    chromosomes: dict[str, str]
    genes: list[tuple[str, str, int, str]]

    def tss(self, gene: int) -> int:
        """Position of the first transcribed base."""
        _, _, start, strand = self.genes[gene]
        return start if strand == "+" else start + GENE - 1

    def write(self, name: str, text: str) -> Path:
        """Put a file beside the others."""
        path = self.folder / name
        path.write_text(text)
        return path

    def bed(self, name: str = "orfs.bed") -> Path:
        """Coding spans as BED6, from ATG on."""
        rows = []
        for gene, chrom, start, strand in self.genes:
            first, last = (UTR, 0) if strand == "+" else (0, UTR)
            rows.append(f"{chrom}\t{start + first}\t{start + GENE - last}\t{gene}\t0\t{strand}\n")
        return self.write(name, "".join(rows))


def plant(letters: list[str], at: int, text: str) -> None:
    letters[at : at + len(text)] = text


def gtf_lines(gene: str, chrom: str, start: int, strand: str, biotype: str) -> list[str]:
    """Give gene, transcript, two exons and their CDS, 1-based and closed."""
    tags = f'gene_id "{gene}"; gene_name "name_{gene}"; gene_biotype "{biotype}";'
    end, second = start + GENE, start + EXON + INTRON
    coding_start, coding_end = (start + UTR, end) if strand == "+" else (start, end - UTR)
    parts = [
        ("gene", start, end),
        ("transcript", start, end),
        ("exon", start, start + EXON),
        ("exon", second, end),
        ("CDS", coding_start, start + EXON),
        ("CDS", second, coding_end),
    ]
    lines = []
    for feature, first, last in parts:
        more = "" if feature == "gene" else f' transcript_id "{gene}.t";'
        lines.append(
            f"{chrom}\tmade\t{feature}\t{first + 1}\t{last}\t.\t{strand}\t.\t{tags}{more}\n"
        )
    return lines


@pytest.fixture
def world(tmp_path: Path, write_genome: Callable[..., Path]) -> GeneWorld:
    """Forty genes on two chromosomes, strands alternating; the last one of each is noncoding."""
    rng = np.random.default_rng(11)
    genes: list[tuple[str, str, int, str]] = []
    chromosomes: dict[str, str] = {}
    lines: list[str] = []
    for chrom in ("chr1", "chr2"):
        letters = list("".join(rng.choice(list("ACGT"), 20 * SPACING)))
        for number in range(20):
            start, strand = number * SPACING + 50, "+-"[number % 2]
            gene = f"g{chrom[-1]}_{number:02d}"
            donor, acceptor = start + EXON, start + EXON + INTRON
            if strand == "+":
                plant(letters, start + UTR, "ATG")
                plant(letters, donor, "GT")
                plant(letters, acceptor - 2, "AG")
            else:
                plant(letters, start + GENE - UTR - 3, "CAT")
                plant(letters, donor, "CT")
                plant(letters, acceptor - 2, "AC")
            genes.append((gene, chrom, start, strand))
            lines += gtf_lines(
                gene, chrom, start, strand, "lncRNA" if number == 19 else "protein_coding"
            )
        chromosomes[chrom] = "".join(letters)
    fasta = write_genome(chromosomes)
    gtf = tmp_path / "genes.gtf"
    gtf.write_text("".join(lines))
    return GeneWorld(tmp_path, fasta, gtf, chromosomes, genes)
