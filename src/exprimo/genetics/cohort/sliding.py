"""The variants of a stretch that moves along a chromosome, each read once."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.data.genotypes import Block, Genotypes
from exprimo.data.genotypes.alleles.prepare import rows_of
from exprimo.data.genotypes.cohort.frequencies import AlleleCounts, count_alleles

# Bases read at once: few reads, and little beside a window of 2 Mb.
_STRETCH = 1_000_000

Columns = Mapping[str, npt.NDArray[Any]]


class Variants(NamedTuple):
    """Variants that passed the filters.

    Attributes
    ----------
    columns
        Those of `exprimo.data.genotypes.Block.variants`, and ``af, ma_samples, ma_count``; each
        (variants,).
    dosage
        Float32, (variants, people), of ALT; NaN missing.
    place
        Number of the first, counted along the chromosome.
    """

    columns: Columns
    dosage: npt.NDArray[np.float32]
    place: int


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
        self._place = 0
        self._columns, self._dosage = self._read(0, 0)
        self._starts = self._columns["start"]

    def window(self, first: int, last: int, floor: int) -> Variants:
        """Give the variants whose first base is in ``[first, last)``.

        ``floor`` is where the windows still to come begin: what lies before it is let go.
        """
        if last > self._until:
            self._advance(last, floor)
        low, high = (int(at) for at in np.searchsorted(self._starts, (first, last)))
        columns = {name: values[low:high] for name, values in self._columns.items()}
        return Variants(columns, self._dosage[low:high], self._place + low)

    def _advance(self, last: int, floor: int) -> None:
        gone = int(np.searchsorted(self._starts, floor))
        self._place += gone
        tables: list[Columns] = [{name: v[gone:] for name, v in self._columns.items()}]
        dosages = [self._dosage[gone:]]
        at = max(self._until, floor)
        while at < last:
            columns, dosage = self._read(at, at + _STRETCH)
            if len(dosage):
                tables.append(columns)
                dosages.append(dosage)
            at += _STRETCH
        self._until = at
        self._columns = {
            name: np.concatenate([table[name] for table in tables]) for name in self._columns
        }
        self._dosage = np.concatenate(dosages)
        # Windows are views of this: who writes to one would change the next gene's.
        self._dosage.flags.writeable = False
        self._starts = self._columns["start"]

    def _read(self, first: int, last: int) -> tuple[Columns, npt.NDArray[np.float32]]:
        block = self._genotypes.region(self._chrom, first, last)
        starts = block.variants["start"].to_numpy(np.int64)
        inside = (starts >= first) & (starts < last)
        if not inside.all() or (np.diff(starts) < 0).any():
            rows = np.flatnonzero(inside)
            block = rows_of(block, rows[np.argsort(starts[rows], kind="stable")])
        return self._filtered(block)

    def _filtered(self, block: Block) -> tuple[Columns, npt.NDArray[np.float32]]:
        found = count_alleles(block)
        rare = found.varies & ~(np.minimum(found.af, 1 - found.af) >= self._maf)
        few = found.varies & ~rare & ~(found.ma_count >= self._min_count)
        for reason, n in (
            ("read", len(found.af)),
            ("without variation", int((~found.varies).sum())),
            ("of a rarer minor allele", int(rare.sum())),
            ("of fewer minor alleles", int(few.sum())),
        ):
            self._counts[reason] = self._counts.get(reason, 0) + n
        columns = _columns(block, found)
        keep = found.varies & ~rare & ~few
        if keep.all():
            return columns, found.dosage
        return {name: values[keep] for name, values in columns.items()}, found.dosage[keep]


def _columns(block: Block, found: AlleleCounts) -> Columns:
    columns = {name: block.variants[name].to_numpy() for name in block.variants}
    return columns | {
        "af": found.af,
        "ma_samples": found.ma_samples,
        "ma_count": found.ma_count,
    }
