"""One view of genotypes, whatever file they come from: blocks of variants x samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Protocol, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

MISSING = np.int8(-1)
NO_COPY = np.int8(-2)

VARIANT_COLUMNS = ("chrom", "start", "ref", "alt", "variant_id", "record")


class Block(NamedTuple):
    """Variants of a stretch, in order of position; one row per ALT allele.

    Attributes
    ----------
    variants
        ``chrom`` (the file's own name, or the genome's where one was given), ``start`` (int64,
        0-based first base of ``ref``), ``ref``, ``alt`` (upper-case letters), ``variant_id``
        (the file's ID, else ``chrom:POS:ref:alt`` with 1-based POS), ``record`` (int64: the rows
        of one multiallelic record share it).
    alleles
        Int8, (variants, samples, 2): 1 this ALT, 0 any other allele, -1 missing, -2 no such copy
        (the second of a haploid; both where there is no chromosome at all).
    phased
        Bool, (variants, samples): which copy carries what is known. Homozygous, haploid and
        missing genotypes count as phased.
    phase_set
        Int32, (variants, samples): copies are comparable within one number only; 0: phased along
        the whole chromosome. None: 0 everywhere.
    dosages
        Float32, (variants, samples): imputed dosage of ALT, where the file has it.

    Examples
    --------
    >>> variants = pd.DataFrame({"chrom": ["1"], "start": [4], "ref": ["A"], "alt": ["G"],
    ...                          "variant_id": ["rs1"], "record": [0]})
    >>> block = Block(variants, np.array([[[0, 1], [1, -2], [-1, -1]]], np.int8),
    ...               np.array([[True, True, True]]), None, None)
    >>> block.dosage()
    array([[ 1.,  1., nan]], dtype=float32)
    """

    variants: pd.DataFrame
    alleles: npt.NDArray[np.int8]
    phased: npt.NDArray[np.bool_]
    phase_set: npt.NDArray[np.int32] | None
    dosages: npt.NDArray[np.float32] | None

    def dosage(self) -> npt.NDArray[np.float32]:
        """Give the dosage of ALT, (variants, samples): imputed where known, else counted.

        NaN where any copy is missing, or where there is no copy; a haploid counts 0 to 1.
        """
        first, second = self.alleles[..., 0], self.alleles[..., 1]
        counted: npt.NDArray[np.float32] = (first == 1).astype(np.float32) + (second == 1)
        counted[(first == MISSING) | (second == MISSING) | (first == NO_COPY)] = np.nan
        if self.dosages is None:
            return counted
        known: npt.NDArray[np.float32] = np.where(np.isnan(self.dosages), counted, self.dosages)
        return known


class Genotypes(Protocol):
    """Genotypes of a file, read by region through an index, or block by block.

    Attributes
    ----------
    path, kind
        The file, or the prefix of a PLINK trio; ``"VCF"``, ``"BCF"``, ``"PLINK 1"``, ``"PLINK 2"``.
    samples
        Names of those chosen, in the order asked for.
    chromosomes
        Names as :meth:`region` takes them.
    skipped
        Reason -> number of ALT alleles left out so far (symbolic, ``*``, breakend, REF mismatch).
    """

    @property
    def path(self) -> Path: ...
    @property
    def kind(self) -> str: ...
    @property
    def samples(self) -> tuple[str, ...]: ...
    @property
    def chromosomes(self) -> tuple[str, ...]: ...
    @property
    def skipped(self) -> Mapping[str, int]: ...

    def region(self, chrom: str, start: int, end: int) -> Block:
        """Give all variants whose REF allele overlaps ``[start, end)``, through the index.

        A pure insertion belongs where its anchor base lies.
        """
        ...

    def blocks(self, variants: int = 10_000) -> Iterator[Block]:
        """Give the whole file in its order, about ``variants`` records at a time.

        Blocks are smaller where people are so many that one would hold over 50 million genotypes.
        """
        ...

    def close(self) -> None:
        """Let go of the files."""
        ...

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
