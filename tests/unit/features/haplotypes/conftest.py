"""People held in memory, and bcftools consensus as the oracle."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
import pysam
import pysam.bcftools
import pytest

from exprimo.data.fasta import Genome
from exprimo.data.genotypes.view import MISSING, NO_COPY, Block


class Site(NamedTuple):
    """A record of a VCF: 0-based start, alleles, and one genotype a person ('0|1')."""

    start: int
    ref: str
    alts: tuple[str, ...]
    genotypes: tuple[str, ...]
    phase_sets: tuple[int, ...] | None = None


class People:
    """The interface of genotypes, over a list of sites of one chromosome."""

    kind = "memory"
    path = Path("memory.vcf")

    def __init__(self, chrom: str, sites: Sequence[Site], samples: Sequence[str]) -> None:
        self.chromosomes = (chrom,)
        self.samples = tuple(samples)
        self.skipped: Mapping[str, int] = {}
        self.sites = list(sites)

    def region(self, chrom: str, start: int, end: int) -> Block:
        assert chrom in self.chromosomes
        rows, alleles, phased, sets = [], [], [], []
        for record, site in enumerate(self.sites):
            if site.start >= end or site.start + len(site.ref) <= start:
                continue
            for number, alt in enumerate(site.alts, 1):
                name = f"{chrom}:{site.start + 1}:{site.ref}:{alt}"
                rows.append((chrom, site.start, site.ref, alt, name, record))
                alleles.append([_copies(text, number) for text in site.genotypes])
                phased.append([_phased(text) for text in site.genotypes])
                sets.append(site.phase_sets or [0] * len(self.samples))
        names = ["chrom", "start", "ref", "alt", "variant_id", "record"]
        shape = (len(rows), len(self.samples))
        return Block(
            pd.DataFrame(rows, columns=names).astype({"start": "int64", "record": "int64"}),
            np.array(alleles, dtype=np.int8).reshape(*shape, 2),
            np.array(phased, dtype=np.bool_).reshape(shape),
            np.array(sets, dtype=np.int32).reshape(shape)
            if any(site.phase_sets for site in self.sites)
            else None,
            None,
        )

    def blocks(self, variants: int = 10_000) -> Iterator[Block]:
        yield self.region(self.chromosomes[0], 0, 1 << 40)

    def close(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def _copies(genotype: str, number: int) -> list[int]:
    parts = genotype.replace("/", "|").split("|")
    values = [int(MISSING) if part == "." else int(int(part) == number) for part in parts]
    return values if len(values) == 2 else [*values, int(NO_COPY)]


def _phased(genotype: str) -> bool:
    parts = genotype.replace("/", "|").split("|")
    return "/" not in genotype or len(set(parts)) == 1 or "." in parts


def write_vcf(path: Path, chrom: str, sites: Sequence[Site], samples: Sequence[str]) -> Path:
    """Write sites as an indexed VCF; gives its path."""
    plain = path.with_suffix(".vcf")
    head = [
        "##fileformat=VCFv4.2",
        f"##contig=<ID={chrom}>",
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
        "\t".join(
            ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *samples]
        ),
    ]
    body = [
        "\t".join(
            [chrom, str(s.start + 1), ".", s.ref, ",".join(s.alts), ".", ".", ".", "GT",
             *s.genotypes]
        )
        for s in sites
    ]  # fmt: skip
    plain.write_text("\n".join([*head, *body]) + "\n")
    return Path(pysam.tabix_index(str(plain), preset="vcf", force=True))


def bcftools_consensus(fasta: Path, vcf: Path, sample: str, copy: int) -> str:
    """Give the letters of one haplotype of the only record of a FASTA file."""
    text = pysam.bcftools.consensus("-H", str(copy + 1), "-s", sample, "-f", str(fasta), str(vcf))
    return "".join(line for line in text.splitlines() if not line.startswith(">"))


def bcftools_both(letters: str, sites: Sequence[Any]) -> list[list[str]]:
    """Give the two haplotypes of each person over a chromosome ``c`` of these letters."""
    records = [Site(*site) for site in sites]
    samples = [f"p{number}" for number in range(len(records[0].genotypes))]
    with tempfile.TemporaryDirectory() as folder:
        fasta = Path(folder) / "c.fa"
        fasta.write_text(f">c\n{letters}\n")
        vcf = write_vcf(Path(folder) / "c", "c", records, samples)
        return [[bcftools_consensus(fasta, vcf, name, copy) for copy in (0, 1)] for name in samples]


@pytest.fixture(scope="session")
def consensus() -> Callable[[str, Sequence[Any]], list[list[str]]]:
    """The oracle: letters and sites -> two haplotypes per person."""
    return bcftools_both


@pytest.fixture(scope="session")
def people() -> Callable[..., People]:
    """Sites (start, ref, alts, genotypes[, phase sets]) -> genotypes on chromosome ``c``."""

    def hold(sites: Sequence[Any], n: int | None = None) -> People:
        records = [Site(*site) for site in sites]
        count = len(records[0].genotypes) if n is None else n
        return People("c", records, [f"p{number}" for number in range(count)])

    return hold


@pytest.fixture
def genome_of(tmp_path: Path) -> Callable[[str], Genome]:
    """Letters -> a genome whose only chromosome is ``c``."""
    numbers = count()

    def write(letters: str) -> Genome:
        path = tmp_path / f"genome{next(numbers)}.fa"
        path.write_text(f">c\n{letters}\n")
        return Genome.open(path)

    return write
