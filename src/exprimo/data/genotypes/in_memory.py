"""Genotypes of a small file without an index, held whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from exprimo.core.progress import task
from exprimo.data.genotypes.alleles.prepare import in_order, joined, rows_of
from exprimo.data.genotypes.base import empty_block
from exprimo.data.genotypes.overlaps import OverlapIndex
from exprimo.data.genotypes.vcf import VcfGenotypes
from exprimo.data.genotypes.view import Block


class GenotypesInMemory:
    """A plain VCF read once, wholly, when the first region is asked for.

    Parameters
    ----------
    file
        What is read; closed with this.
    """

    def __init__(self, file: VcfGenotypes) -> None:
        self._file = file
        self._whole: tuple[Block, OverlapIndex] | None = None

    @property
    def path(self) -> Path:
        """The file."""
        return self._file.path

    @property
    def kind(self) -> str:
        """``"VCF"``."""
        return self._file.kind

    @property
    def samples(self) -> tuple[str, ...]:
        """Names of those chosen."""
        return self._file.samples

    @property
    def skipped(self) -> Mapping[str, int]:
        """Reason -> number of ALT alleles left out so far."""
        return self._file.skipped

    @property
    def chromosomes(self) -> tuple[str, ...]:
        """Names of the chromosomes that have records."""
        return self._read()[1].chromosomes

    def region(self, chrom: str, start: int, end: int) -> Block:
        """Give all variants whose REF allele overlaps ``[start, end)``."""
        block, index = self._read()
        if chrom not in index.chromosomes:
            self._file.require_chromosome(chrom, index.chromosomes)
        return rows_of(block, index.find(chrom, start, end))

    def blocks(self, variants: int = 10_000) -> Iterator[Block]:
        """Give the whole file in its order."""
        return self._file.blocks(variants)

    def _read(self) -> tuple[Block, OverlapIndex]:
        if self._whole is None:
            with task(f"Reading {self.path.name} into memory: it has no index"):
                parts = list(self._file.blocks()) or [empty_block(len(self.samples))]
            block = in_order(joined(parts))
            table = block.variants
            starts = table["start"].to_numpy(np.int64)
            lengths = np.array([len(ref) for ref in table["ref"]], np.int64)
            index = OverlapIndex(table["chrom"].to_numpy(object), starts, lengths)
            self._whole = block, index
        return self._whole

    def close(self) -> None:
        """Let go of the file and of what was read."""
        self._file.close()
        self._whole = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
