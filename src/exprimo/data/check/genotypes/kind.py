"""Tell files of genotypes: VCF and BCF by their first bytes, PLINK by magic or by its trio."""

from __future__ import annotations

import contextlib
import gzip
import zlib
from pathlib import Path

from exprimo.core.errors import ExprimoError
from exprimo.data.genotypes.sites.rows import content_kind, has_alleles
from exprimo.data.textfile import is_gzip

_BED_MAGIC = b"\x6c\x1b\x01"
_PLINK = b"\x6c\x1b"
_PLINK1 = (".bed", ".bim", ".fam")
_PLINK2 = (".pgen", ".pvar", ".psam", ".pvar.zst")
_KINDS = {"PLINK 1 (bed, bim, fam)": _PLINK1, "PLINK 2 (pgen, pvar, psam)": _PLINK2}


def trio_kind(path: Path) -> str:
    """Give the kind of a prefix of a PLINK trio, where no file of that very name is; or nothing."""
    for kind, endings in _KINDS.items():
        if any(path.with_name(path.name + ending).is_file() for ending in endings):
            return kind
    return ""


def binary_genotype_kind(path: Path) -> str:
    """Give the kind of a file of genotypes by its first bytes, or by its trio; or nothing."""
    head = _head(path)
    if head.startswith(b"BCF"):
        return "BCF"
    if head.startswith((b"##fileformat=VCF", b"\xef\xbb\xbf##fileformat=VCF")):
        return "VCF"
    one, two = _KINDS
    if head.startswith(_PLINK):
        return one if head.startswith(_BED_MAGIC) or path.suffix.lower() == ".bed" else two
    name = path.name.lower()
    if name.endswith((".pgen", ".psam", ".pvar.zst")):
        return two
    if name.endswith((".bim", ".fam")):
        return one
    beside = (path.with_suffix(ending).is_file() for ending in (".bim", ".fam"))
    # A .bed of PLINK with wrong first bytes; intervals are text.
    if name.endswith(".bed") and not head.isascii() and all(beside):
        return one
    if name.endswith(".pvar"):
        return two if path.with_suffix(".pgen").is_file() else "list of variants"
    return ""


def _head(path: Path) -> bytes:
    if not is_gzip(path):
        with open(path, "rb") as handle:
            return handle.read(32)
    # What is wrong with a damaged file is its reader's to say.
    with contextlib.suppress(OSError, EOFError, zlib.error), gzip.open(path, "rb") as packed:
        return packed.read(32)
    return b""


def lists_variants(path: Path) -> bool:
    """Tell a table of chrom, pos, ref, alt, or lines chrom:pos:ref:alt, from other tables."""
    try:
        kind = content_kind(path)
        return kind in ("VCF", "ids") or (kind == "table" and has_alleles(path))
    except ExprimoError:
        return False
