"""A list of variants from any file that holds one: one row per ALT allele, checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from sys import intern
from typing import NamedTuple

import pandas as pd

from exprimo.core.errors import ConfigError, InputError
from exprimo.core.progress import track
from exprimo.data.fasta import Genome
from exprimo.data.genotypes.alleles.kinds import ONE_ALLELE, PLAIN, allele_kinds
from exprimo.data.genotypes.alleles.reference import OnMismatch
from exprimo.data.genotypes.sites.bcf import bcf_rows
from exprimo.data.genotypes.sites.reference import fit_to_genome
from exprimo.data.genotypes.sites.rows import Row, content_kind, text_rows, variant_file

_POLICIES = ("error", "skip", "swap")
_KEYS = ["chrom", "start", "ref", "alt"]


class Sites(NamedTuple):
    """Variants to be scored.

    Attributes
    ----------
    variants
        ``chrom`` (the genome's name where one was given), ``start`` (int64, 0-based first base of
        ``ref``), ``ref``, ``alt`` (upper-case letters), ``variant_id`` (the file's, else
        ``chrom:POS:ref:alt`` with POS from 1), ``ref_match`` (False where REF and ALT were
        exchanged to fit the genome), in file order, one row per ALT allele.
    skipped
        Reason -> number of ALT alleles left out.
    decided
        What was decided on the way -> number of variants: split multiallelics, exchanged alleles,
        the other strand, ids that several variants share.
    """

    variants: pd.DataFrame
    skipped: dict[str, int]
    decided: dict[str, int]


def read_sites(
    path: str | Path,
    *,
    genome: Genome | None = None,
    on_ref_mismatch: OnMismatch = "error",
    chrom_table: Mapping[str, str] | None = None,
) -> Sites:
    """Read a list of variants from VCF, BCF, .pvar, .bim, a table, or ids one a line.

    Parameters
    ----------
    path
        VCF or BCF, with or without samples; .pvar, .bim, or any part or the prefix of their trio;
        TSV or CSV with ``chrom, pos`` (from 1), ``ref, alt`` and maybe ``variant_id``; lines
        ``chrom:pos:ref:alt`` (``_`` will do, and a build behind it). Plain or gzip; the content
        tells.
    genome
        Where given, chromosomes get its names, and REF must be what it has. The alleles of a .bim
        are then put in order by it, A2 first, also from the other strand; without it A2 is REF.
    on_ref_mismatch
        ``error``; ``skip`` leaves such variants out; ``swap`` exchanges REF and ALT where ALT is
        what the genome has, and leaves the rest out.
    chrom_table
        Chromosome name in the file -> in the genome, instead of the guess.

    Returns
    -------
    Sites
        A variant that is listed twice is kept once.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "variants.txt"
    >>> _ = file.write_text("chr1:100:A:G\\nchr1:105:C:<DEL>\\n")
    >>> sites = read_sites(file)
    >>> sites.variants[["chrom", "start", "ref", "alt"]].values.tolist(), sites.skipped
    ([['chr1', 99, 'A', 'G']], {'symbolic allele': 1})
    """
    if on_ref_mismatch not in _POLICIES:
        raise ConfigError(
            "no such way to treat a REF mismatch",
            found=repr(on_ref_mismatch),
            expected=", ".join(_POLICIES),
        )
    source = variant_file(path)
    kind = content_kind(source)
    rows = bcf_rows(source) if kind == "BCF" else text_rows(source, kind)
    # A .pvar without a header line has the columns of a .bim, but says which allele is REF.
    unordered = kind == "bim" and source.suffix.lower() != ".pvar"
    variants, skipped, decided = _split(track(rows, f"Reading {source.name}"))
    if variants.empty and not skipped:
        raise InputError("no variant is listed", file=source)
    if genome is not None and len(variants):
        variants, unfit, settled = fit_to_genome(
            variants,
            genome,
            source,
            policy=on_ref_mismatch,
            chrom_table=chrom_table,
            plink=unordered,
        )
        skipped, decided = skipped + unfit, decided + settled
    else:
        variants = variants.assign(ref_match=True)
        if unordered:
            decided["A2 taken for the reference"] = len(variants)
    return _finished(variants, skipped, decided)


def _split(rows: Iterable[Row]) -> tuple[pd.DataFrame, Counter[str], Counter[str]]:
    """Give one row per ALT allele that is a sequence of bases."""
    skipped, decided = Counter[str](), Counter[str]()
    columns = ("chrom", "start", "ref", "alt", "variant_id", "where")
    kept: dict[str, list[object]] = {name: [] for name in columns}
    for row in rows:
        ref = row.ref.upper()
        if len(row.alts) > 1:
            decided["multiallelic records split"] += 1
        if not row.alts:
            skipped[ONE_ALLELE] += 1
        for given in row.alts:
            alt = given.upper()
            if reason := unusable(row.pos, ref, alt):
                skipped[reason] += 1
            else:
                # Millions of variants share few names and letters: one object each.
                values = (intern(row.chrom), row.pos - 1, intern(ref), intern(alt))
                for name, value in zip(columns, (*values, row.variant_id, row.where), strict=True):
                    kept[name].append(value)
    table = pd.DataFrame(kept).astype({"start": "int64"})
    return table, skipped, decided


def unusable(pos: int, ref: str, alt: str) -> str:
    """Say why an allele cannot be put into a sequence; nothing where it can.

    Examples
    --------
    >>> unusable(7, "A", "<DEL>"), unusable(7, "A", "AC"), unusable(0, "A", "G")
    ('symbolic allele', '', 'no position')
    """
    if pos < 1:
        return "no position"
    kind = allele_kinds(ref, [alt])[0]
    if kind != PLAIN:
        return kind
    return "ALT equals REF" if ref == alt else ""


def _finished(variants: pd.DataFrame, skipped: Counter[str], decided: Counter[str]) -> Sites:
    """Drop what is listed twice, and name what has no id."""
    again = variants.duplicated(_KEYS)
    skipped["listed twice"] += int(again.sum())
    table = variants.loc[~again].reset_index(drop=True)
    place = (table["start"] + 1).astype(str)
    named = table["chrom"] + ":" + place + ":" + table["ref"] + ":" + table["alt"]
    table["variant_id"] = table["variant_id"].where(table["variant_id"] != "", named)
    decided["variants that share an id"] += int(table["variant_id"].duplicated(keep=False).sum())
    return Sites(table[[*_KEYS, "variant_id", "ref_match"]], dict(+skipped), dict(+decided))
