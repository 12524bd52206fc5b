"""Small files of genotypes, made for the tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pysam
import pysam.bcftools
import pytest

FORMATS = (
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
    '##FORMAT=<ID=DS,Number=A,Type=Float,Description="Dosage">\n'
    '##FORMAT=<ID=PS,Number=1,Type=Integer,Description="Phase set">\n'
)


@pytest.fixture
def write_vcf(tmp_path: Path) -> Callable[..., Path]:
    """A function that writes a plain VCF: rows are (chrom, POS, ID, REF, ALT, FORMAT, *people)."""

    def write(
        rows: Sequence[Sequence[object]],
        samples: Sequence[str],
        *,
        name: str = "cohort.vcf",
        contigs: Sequence[str] | None = None,
    ) -> Path:
        chroms = contigs if contigs is not None else dict.fromkeys(str(row[0]) for row in rows)
        lines = ["##fileformat=VCFv4.2"]
        lines += [f"##contig=<ID={chrom},length=100000>" for chrom in chroms]
        lines += [FORMATS.rstrip()]
        columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO"]
        columns += ["FORMAT"] if samples else []
        lines += ["\t".join([*columns, *samples])]
        for chrom, pos, ident, ref, alt, *rest in rows:
            cells = [chrom, pos, ident, ref, alt, ".", ".", ".", *rest]
            lines += ["\t".join(map(str, cells))]
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


@pytest.fixture
def packed() -> Callable[[Path], Path]:
    """A function that packs a plain VCF with bgzip and indexes it."""

    def pack(plain: Path) -> Path:
        target = Path(f"{plain}.gz")
        pysam.tabix_compress(str(plain), str(target), force=True)
        pysam.tabix_index(str(target), preset="vcf", force=True)
        return target

    return pack


@pytest.fixture
def as_bcf() -> Callable[[Path], Path]:
    """A function that writes a VCF as an indexed BCF."""

    def convert(plain: Path) -> Path:
        target = plain.with_suffix(".bcf")
        pysam.bcftools.view("-Ob", "-o", str(target), str(plain), catch_stdout=False)
        pysam.bcftools.index("-f", str(target), catch_stdout=False)
        return target

    return convert
