"""The variants of a stretch that moves along a chromosome, each read once."""

from __future__ import annotations

from collections.abc import MutableMapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.data.genotypes import Block, Genotypes
from exprimo.data.genotypes.alleles.prepare import rows_of

# Bases read at once: few reads, and little beside a window of 2 Mb.
_STRETCH = 1_000_000

Variants = tuple[pd.DataFrame, npt.NDArray[np.float32]]


class SlidingVariants:
    """Variants of one chromosome that pass the filters, kept as long as they are needed.

    Parameters
    ----------
    genotypes, chrom
        What is read.
    maf, min_count
        The least frequency of the minor allele, and number of its copies.
    counts
        Counts variants ``read`` and those left out, by reason.
    """

    def __init__(
        self,
        genotypes: Genotypes,
        chrom: str,
        maf: float,
        min_count: float,
        counts: MutableMapping[str, int],
    ) -> None:
        self._genotypes = genotypes
        self._chrom = chrom
        self._maf = maf
        self._min_count = min_count
        self._counts = counts
        self._until = 0
        self._table, self._dosage = self._read(0, 0)
        self._starts = self._table["start"].to_numpy(np.int64)

    def window(self, first: int, last: int, floor: int) -> Variants:
        """Give the variants whose first base is in ``[first, last)``.

        ``floor`` is where the windows still to come begin: what lies before it is let go.
        """
        if last > self._until:
            self._advance(last, floor)
        low, high = np.searchsorted(self._starts, (first, last))
        return self._table.iloc[low:high].reset_index(drop=True), self._dosage[low:high]

    def _advance(self, last: int, floor: int) -> None:
        keep = int(np.searchsorted(self._starts, floor))
        tables, dosages = [self._table.iloc[keep:]], [self._dosage[keep:]]
        at = max(self._until, floor)
        while at < last:
            table, dosage = self._read(at, at + _STRETCH)
            tables.append(table)
            dosages.append(dosage)
            at += _STRETCH
        self._until = at
        filled = [table for table in tables if len(table)] or tables[:1]
        self._table = pd.concat(filled, ignore_index=True)
        self._dosage = np.concatenate(dosages)
        # Windows are views of this: who writes to one would change the next gene's.
        self._dosage.flags.writeable = False
        self._starts = self._table["start"].to_numpy(np.int64)

    def _read(self, first: int, last: int) -> Variants:
        block = self._genotypes.region(self._chrom, first, last)
        starts = block.variants["start"].to_numpy(np.int64)
        inside = np.flatnonzero((starts >= first) & (starts < last))
        return self._filtered(rows_of(block, inside[np.argsort(starts[inside], kind="stable")]))

    def _filtered(self, block: Block) -> Variants:
        table, dosage = with_frequencies(block)
        af = table["af"].to_numpy(np.float64)
        rarer = np.minimum(af, 1 - af)
        unknown = np.isnan(dosage)
        least = np.where(unknown, np.inf, dosage).min(axis=1)
        varies = least < np.where(unknown, -np.inf, dosage).max(axis=1)
        rare = varies & ~(rarer >= self._maf)
        few = varies & ~rare & ~(table["ma_count"].to_numpy() >= self._min_count)
        for reason, n in (
            ("read", len(table)),
            ("without variation", int((~varies).sum())),
            ("of a rarer minor allele", int(rare.sum())),
            ("of fewer minor alleles", int(few.sum())),
        ):
            self._counts[reason] = self._counts.get(reason, 0) + n
        keep = varies & ~rare & ~few
        return table[keep].reset_index(drop=True), dosage[keep]


def with_frequencies(block: Block) -> Variants:
    """Add af, ma_samples and ma_count to the variants of a block, and give its dosages.

    A person has the minor allele where the dosage of it is above one half. Every known dosage
    counts as of two copies.
    """
    dosage = block.dosage()
    known = ~np.isnan(dosage)
    people = known.sum(axis=1)
    copies = np.where(known, dosage, 0).sum(axis=1, dtype=np.float64)
    af = np.divide(copies, 2 * people, out=np.full(len(people), np.nan), where=people > 0)
    major = af > 0.5
    # Comparisons with NaN are false, as is meant.
    samples = np.where(major, (dosage < 1.5).sum(axis=1), (dosage > 0.5).sum(axis=1))
    table = block.variants.assign(
        af=af,
        ma_samples=samples.astype(np.int64),
        ma_count=np.where(major, 2 * people - copies, copies),
    )
    return table, dosage
