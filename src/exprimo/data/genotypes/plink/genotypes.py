"""Genotypes of a PLINK data set behind the view: an index over its table of variants."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from exprimo.data.fasta.genome import Genome
from exprimo.data.genotypes.alleles import Preparation
from exprimo.data.genotypes.alleles.kinds import NO_CHROMOSOME
from exprimo.data.genotypes.alleles.prepare import rows_of, settled
from exprimo.data.genotypes.base import GenotypeFile
from exprimo.data.genotypes.calls import Calls, Rows
from exprimo.data.genotypes.overlaps import OverlapIndex
from exprimo.data.genotypes.plink.tables import Sites
from exprimo.data.genotypes.plink.trio import Trio
from exprimo.data.genotypes.ploidy import (
    PLINK_NUMBERS,
    one_copy,
    plink_chromosome,
    sex_chromosome,
    with_ploidy,
)
from exprimo.data.genotypes.view import NO_COPY, Block


class Diploid(NamedTuple):
    """Genotypes as PLINK stores them, of two copies everywhere; fields as in `Calls`."""

    codes: npt.NDArray[np.int16]
    flags: npt.NDArray[np.bool_]
    dosages: npt.NDArray[np.float32] | None


class PlinkReader(Protocol):
    """The file of genotypes of a data set, and its tables."""

    trio: Trio
    samples: tuple[str, ...]
    sex: npt.NDArray[np.int8]
    sites: Sites

    def read(self, rows: Rows) -> Diploid:
        """Read the variants of these numbers, for the samples chosen."""

    def close(self) -> None:
        """Let go of the file."""


class PlinkGenotypes(GenotypeFile):
    """Genotypes of a PLINK data set; see `exprimo.data.genotypes.open_genotypes`.

    Chromosomes 23 to 26 are X, Y, the pseudoautosomal part of X, and MT where the data set has
    none beyond 26 and the genome none of those numbers.
    """

    def __init__(
        self, reader: PlinkReader, genome: Genome | None, preparation: Preparation
    ) -> None:
        sites, trio = reader.sites, reader.trio
        theirs = list(dict.fromkeys(sites.chrom))
        numbered = _numbered(theirs, genome)
        plain = {name: plink_chromosome(name, numbered=numbered) for name in theirs}
        # Without a genome the names stay the file's own.
        shown = list(dict.fromkeys(plain.values())) if genome is not None else theirs
        super().__init__(trio.prefix, trio.kind, reader.samples, shown, preparation)
        own = {name: self._ours.get(plain[name] if genome else name) for name in theirs}
        self._reader = reader
        self._chrom = np.empty(len(sites.chrom), dtype=object)
        self._chrom[:] = [own[name] for name in sites.chrom]
        self._kinds = one_copy(sites.chrom, sites.starts, _x_length(genome), numbered=numbered)
        longest = np.array([len(ref) for ref in sites.refs], np.int64)
        if sites.unordered.any():
            # A1 may turn out to be the reference's allele.
            other = np.array([len(alt) for alt in sites.alts], np.int64)
            longest = np.where(sites.unordered, np.maximum(longest, other), longest)
        self._index = OverlapIndex(self._chrom, sites.starts, longest)
        absent = np.flatnonzero([name is None for name in self._chrom])
        for row in absent:
            for alt in sites.alts[row].split(","):
                preparation.leave_out(
                    NO_CHROMOSOME, sites.chrom[row], int(sites.starts[row]), sites.refs[row], alt
                )

    def region(self, chrom: str, start: int, end: int) -> Block:
        """Give all variants whose REF allele overlaps ``[start, end)``."""
        self.require_chromosome(chrom)
        rows = self._index.find(chrom, start, end + self._preparation.reach)
        if end <= start or not len(rows):
            return self._nothing()
        block = self._preparation.block(self._calls(rows))
        starts = block.variants["start"].to_numpy()
        ends = starts + block.variants["ref"].str.len().to_numpy()
        inside = (starts < end) & (ends > start)
        return block if inside.all() else rows_of(block, inside)

    def blocks(self, variants: int = 10_000) -> Iterator[Block]:
        """Give all variants by position, ``variants`` records at a time."""
        rows = self._index.in_order
        step = self._rows_at_once(variants)
        parts = (rows[i : i + step] for i in range(0, len(rows), step))
        every = (self._preparation.block(self._calls(part)) for part in parts)
        return settled(every, self._preparation.reach)

    def _calls(self, rows: Rows) -> Calls:
        sites = self._reader.sites
        found = self._reader.read(rows)
        codes, dosages = found.codes, found.dosages
        codes = with_ploidy(codes, self._kinds[rows], self._reader.sex)
        if dosages is not None:
            # PLINK counts 0 to 2 also where there is one copy.
            dosages[(codes[..., 1] == NO_COPY) & (codes[..., 0] != NO_COPY)] /= 2
            dosages[codes[..., 0] == NO_COPY] = np.nan
        return Calls(
            self._chrom[rows],
            sites.starts[rows],
            sites.ids[rows].copy(),
            sites.refs[rows],
            [tuple(alt.split(",")) for alt in sites.alts[rows]],
            rows,
            codes,
            found.flags,
            None,
            dosages,
            sites.unordered[rows],
        )

    def close(self) -> None:
        """Let go of the files."""
        self._reader.close()


def _numbered(theirs: list[str], genome: Genome | None) -> bool:
    if any(name.isdecimal() and int(name) > 26 for name in theirs):
        return False
    if genome is None:
        return True
    return not {*PLINK_NUMBERS, *(f"chr{name}" for name in PLINK_NUMBERS)} & set(genome.names)


def _x_length(genome: Genome | None) -> int | None:
    if genome is None:
        return None
    named = (name for name in genome.names if sex_chromosome(name) == "X")
    return next((genome.lengths[name] for name in named), None)
