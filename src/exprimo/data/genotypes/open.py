"""Opening genotypes: what a file is, is told by its content."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path

from exprimo.core.errors import FormatError, InputError
from exprimo.data.fasta.genome import Genome
from exprimo.data.genotypes.alleles import OnMismatch, Preparation
from exprimo.data.genotypes.in_memory import GenotypesInMemory
from exprimo.data.genotypes.plink import Plink1Bed, Plink2Pgen, PlinkGenotypes
from exprimo.data.genotypes.plink.trio import Trio, find_trio
from exprimo.data.genotypes.vcf import VcfGenotypes, ends_as_bgzip
from exprimo.data.genotypes.view import Genotypes
from exprimo.data.textfile import damage_errors, is_gzip, require_file

WHAT = "genotypes: VCF, BCF, PLINK 1 (bed, bim, fam) or PLINK 2 (pgen, pvar, psam)"

# A plain VCF up to this size is held in memory where regions are asked for, bytes.
SMALL_FILE = 50_000_000


def open_genotypes(
    path: str | Path,
    *,
    samples: Sequence[str] | Path | None = None,
    genome: Genome | None = None,
    on_ref_mismatch: OnMismatch = "error",
    chrom_table: Mapping[str, str] | None = None,
    normalise: bool = False,
) -> Genotypes:
    """Open genotypes of any kind; use it as a context manager.

    Parameters
    ----------
    path
        A VCF or BCF; the prefix of a PLINK trio, or any of its files. Regions of a VCF or BCF
        are read through the index beside it. A plain VCF of up to 50 MB needs none: it is held
        in memory from the first region on.
    samples
        Names in the order wanted, or a file with one a line; None: all.
    genome
        What REF is checked against and chromosome names are taken from. PLINK 1 does not say
        which allele is the reference's: A2 is where it equals the genome, else A1 (so A2 too
        where both do, as may be of indels). Without a genome A2 counts as REF.
    on_ref_mismatch
        What to do where REF is not the genome's: ``"error"``; ``"skip"`` leaves the record out
        and counts it; ``"swap"`` exchanges REF and the first ALT that is the genome's, with
        genotypes and dosages, and leaves out the record where none is.
    chrom_table
        Names of chromosomes in the file -> in the genome, in place of the guess.
    normalise
        Trim alleles and move them left; needs ``genome``. A variant that moves by more than
        1,000 bases may be missing from a region.

    Notes
    -----
    Each ALT is a row. Alleles that are symbolic, ``*``, breakends or not of letters A, C, G, T, N
    are left out and counted in ``skipped``; who carries one reads as "any other allele" (0) at
    the other ALTs of its record. PLINK writes men's X as homozygous: sex is taken from the .fam
    or .psam, and a heterozygous genotype where there is one copy is missing.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "g.vcf"
    >>> _ = file.write_text(
    ...     "##fileformat=VCFv4.2\\n##contig=<ID=1>\\n"
    ...     '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\\n'
    ...     "#CHROM\\tPOS\\tID\\tREF\\tALT\\tQUAL\\tFILTER\\tINFO\\tFORMAT\\tann\\tbob\\n"
    ...     "1\\t5\\trs1\\tA\\tC,G\\t.\\t.\\t.\\tGT\\t0|2\\t1|1\\n")
    >>> with open_genotypes(file, samples=["bob", "ann"]) as genotypes:
    ...     block = genotypes.region("1", 4, 5)
    >>> block.variants["alt"].tolist(), block.dosage().tolist()
    (['C', 'G'], [[2.0, 0.0], [0.0, 1.0]])
    """
    if normalise and genome is None:
        raise InputError("alleles are normalised against a genome", remedy="Give it: --fasta")
    trio = find_trio(Path(path))
    source = trio.prefix if trio else require_file(path, WHAT)
    preparation = Preparation(source, genome, on_ref_mismatch, chrom_table, normalise)
    if trio is not None:
        return _open_trio(trio, samples, genome, preparation)
    kind = _kind(source)
    if kind == "VCF" and is_gzip(source) and _is_bgzip(source) and not ends_as_bgzip(source):
        raise _cut_short(source)
    if kind == "BCF" and is_gzip(source) and not ends_as_bgzip(source):
        raise _cut_short(source)
    file = VcfGenotypes(source, kind, samples, preparation)
    if kind == "VCF" and not is_gzip(source) and source.stat().st_size <= SMALL_FILE:
        return GenotypesInMemory(file)
    return file


def _open_trio(
    trio: Trio,
    samples: Sequence[str] | Path | None,
    genome: Genome | None,
    preparation: Preparation,
) -> Genotypes:
    reader = Plink1Bed(trio, samples) if trio.kind == "PLINK 1" else Plink2Pgen(trio, samples)
    return PlinkGenotypes(reader, genome, preparation)


def _kind(source: Path) -> str:
    with damage_errors(source), (gzip.open if is_gzip(source) else open)(source, "rb") as handle:
        head = handle.read(16)
    if head[:3] == b"BCF":
        return "BCF"
    if head.startswith(b"##fileformat=VCF"):
        return "VCF"
    raise FormatError(
        "these are no genotypes",
        file=source,
        found=f"first bytes {head[:8].hex(' ')}" if head else "nothing inside",
        expected=WHAT,
    )


def _is_bgzip(source: Path) -> bool:
    with open(source, "rb") as handle:
        head = handle.read(16)
    return bool(head[3] & 4) and head[12:14] == b"BC"


def _cut_short(source: Path) -> FormatError:
    return FormatError(
        "the file is cut short",
        file=source,
        expected="the empty block that ends bgzip files",
        remedy="Fetch or copy the file again",
    )
