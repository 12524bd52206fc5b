"""Which of two alleles is the reference, by the genome; what to do where none is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from exprimo.core.coordinates import reconcile_chromosomes
from exprimo.core.errors import MismatchError
from exprimo.core.sequence import N_CODE, decode, encode, reverse_complement
from exprimo.data.fasta import Genome
from exprimo.data.genotypes.alleles.kinds import NO_CHROMOSOME, REF_MISMATCH
from exprimo.data.genotypes.alleles.reference import OnMismatch
from exprimo.data.genotypes.ploidy import plink_chromosome

# Below this many variants on a chromosome, single reads beat reading it whole.
_FEW = 500

BEYOND = "beyond the end of the chromosome"


class _Site(NamedTuple):
    """A variant with its label in the table."""

    label: int
    start: int
    ref: str
    alt: str
    where: str


class Settled(NamedTuple):
    """A variant with its reference allele settled; ``note`` says what had to be decided."""

    ref: str
    alt: str
    note: str


def settle(ref: str, alt: str, genome: str, *, either: bool, plink: bool) -> Settled | None:
    """Find which allele the genome has; None where neither fits.

    Parameters
    ----------
    genome
        What the genome has from the variant's first base on, as long as the longer allele.
    either
        Whether ALT may turn out to be the reference.
    plink
        The order is PLINK's: ``alt`` is A1. A single base may also stand on the other strand.

    Examples
    --------
    >>> settle("A", "G", "A", either=False, plink=False)
    Settled(ref='A', alt='G', note='')
    >>> settle("A", "G", "C", either=True, plink=True)
    Settled(ref='C', alt='T', note='alleles of the other strand, A1 is the reference')
    """
    exchanged = "A1 is the reference" if plink else "REF and ALT exchanged"
    if _fits(ref, genome):
        return Settled(ref, alt, "")
    if either and _fits(alt, genome):
        return Settled(alt, ref, exchanged)
    if plink and len(ref) == len(alt) == 1:
        other_ref, other_alt = _other_strand(ref), _other_strand(alt)
        if _fits(other_ref, genome):
            return Settled(other_ref, other_alt, "alleles of the other strand")
        if _fits(other_alt, genome):
            return Settled(other_alt, other_ref, f"alleles of the other strand, {exchanged}")
    return None


def _fits(allele: str, genome: str) -> bool:
    if genome.startswith(allele):
        return True
    # A base that is not known contradicts nothing.
    known = zip(allele, genome, strict=False)
    return len(genome) >= len(allele) and all("N" in pair or len(set(pair)) == 1 for pair in known)


def _other_strand(allele: str) -> str:
    return decode(reverse_complement(encode(allele)))


def fit_to_genome(
    variants: pd.DataFrame,
    genome: Genome,
    path: Path,
    *,
    policy: OnMismatch = "error",
    chrom_table: Mapping[str, str] | None = None,
    plink: bool = False,
) -> tuple[pd.DataFrame, Counter[str], Counter[str]]:
    """Name chromosomes as the genome does, and make ``ref`` what stands there.

    Parameters
    ----------
    variants
        Columns ``chrom, start, ref, alt, where``, with one index label a row.
    plink
        The file does not say which allele is the reference: either may be, without a mismatch.
        A2 (``ref``) is asked first, because of an indel both may fit.

    Returns
    -------
    tuple
        The variants that remain, with a column ``ref_match``: False where REF and ALT were
        exchanged because the file's REF is not what the genome has; reason -> number left out;
        what was decided -> number.
    """
    variants = variants.assign(ref_match=True)
    if plink and chrom_table is None:
        variants = variants.assign(chrom=_without_codes(variants["chrom"], genome))
    names = reconcile_chromosomes(
        genome.names,
        variants["chrom"].drop_duplicates(),
        table=chrom_table,
        our_file=str(genome.path),
        their_file=str(path),
    )
    there = variants["chrom"].map(names)
    skipped, decided = Counter({NO_CHROMOSOME: int(there.isna().sum())}), Counter[str]()
    settled: dict[int, Settled] = {}
    left_out: list[int] = []
    variants = variants.assign(chrom=there)[there.notna()]
    for chrom, rows in variants.groupby("chrom", sort=False):
        for row, found in _seen(_questionable(rows, genome, str(chrom)), genome, str(chrom)):
            fit = settle(row.ref, row.alt, found, either=plink or policy == "swap", plink=plink)
            if fit is not None:
                decided[fit.note] += 1
                settled[row.label] = fit
            elif policy == "error":
                raise _mismatch(row, str(chrom), found, path, genome)
            else:
                skipped[REF_MISMATCH if found else BEYOND] += 1
                left_out.append(row.label)
    changed = [label for label, fit in settled.items() if fit.note]
    variants.loc[changed, "ref"] = [settled[label].ref for label in changed]
    variants.loc[changed, "alt"] = [settled[label].alt for label in changed]
    # Where the file claims no order, none was wrong.
    variants.loc[changed, "ref_match"] = plink
    del decided[""]
    return variants.drop(index=left_out), +skipped, +decided


def _questionable(rows: pd.DataFrame, genome: Genome, chrom: str) -> pd.DataFrame:
    """Leave out, of many variants, those whose REF is the one base that the genome has."""
    if len(rows) < _FEW:
        return rows
    codes = genome.chromosome(chrom)
    if not len(codes):
        return rows
    start, ref = rows["start"].to_numpy(), rows["ref"].to_numpy(object)
    letters = "".join(allele if len(allele) == 1 else "N" for allele in ref)
    here = codes[np.minimum(start, len(codes) - 1)]
    same = (encode(letters) == here) & (here != N_CODE) & (start < len(codes))
    questionable: pd.DataFrame = rows.loc[~same]
    return questionable


def _without_codes(chrom: pd.Series[str], genome: Genome) -> pd.Series[str]:
    """Replace PLINK's numbers of human chromosomes, unless the genome has one so numbered."""
    numbered = "23" not in {name.removeprefix("chr") for name in genome.names}
    return chrom.map(lambda name: plink_chromosome(name, numbered=numbered))


def _seen(rows: pd.DataFrame, genome: Genome, chrom: str) -> Iterator[tuple[_Site, str]]:
    """Give each variant with what the genome has there, as far as the chromosome reaches."""
    length = genome.lengths[chrom]
    columns = (rows[name] for name in ("start", "ref", "alt", "where"))
    for row in map(_Site, rows.index, *columns):
        end = min(row.start + max(len(row.ref), len(row.alt)), length)
        yield row, decode(genome.fetch(chrom, row.start, end)) if row.start < end else ""


def _mismatch(row: _Site, chrom: str, found: str, path: Path, genome: Genome) -> MismatchError:
    place = f"{chrom}:{row.start + 1} (counted from 1)"
    length = genome.lengths[chrom]
    return MismatchError(
        "the reference allele is not what the genome has",
        file=path,
        record=f"{row.where}, {chrom}:{row.start + 1}:{row.ref}:{row.alt}",
        found=f"{found!r} in {genome.path} at {place}"
        if found
        else f"{place}, but {chrom} has {length:,} bases",
        expected=f"the allele {row.ref}",
        remedy="Check that the file and the genome are of one build; --on-ref-mismatch skip "
        "leaves such variants out, swap exchanges the alleles where ALT fits",
    )
