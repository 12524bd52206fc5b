"""Small files of people: genotypes, expression, covariates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

HEAD = (
    "##fileformat=VCFv4.2\n##contig=<ID=1>\n##contig=<ID=2>\n"
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t"
)

WriteVcf = Callable[..., Path]
WriteLines = Callable[..., Path]


@pytest.fixture
def write_vcf(tmp_path: Path) -> WriteVcf:
    """Write a VCF: people, then (chrom, POS, REF, ALT, genotypes) each."""

    def write(
        people: Sequence[str], rows: Sequence[tuple[str, int, str, str, str]], name: str = "g.vcf"
    ) -> Path:
        path = tmp_path / name
        lines = [
            f"{chrom}\t{pos}\t{chrom}_{pos}\t{ref}\t{alt}\t.\t.\t.\tGT\t" + "\t".join(calls.split())
            for chrom, pos, ref, alt, calls in rows
        ]
        path.write_text(HEAD + "\t".join(people) + "\n" + "".join(f"{line}\n" for line in lines))
        return path

    return write


@pytest.fixture
def write_lines(tmp_path: Path) -> WriteLines:
    """Write a table of tabs from lines of words."""

    def write(name: str, *lines: str) -> Path:
        path = tmp_path / name
        path.write_text("".join("\t".join(line.split()) + "\n" for line in lines))
        return path

    return write
