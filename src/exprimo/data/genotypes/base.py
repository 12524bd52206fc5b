"""What every file of genotypes has: names, samples, and a way to let go of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

import numpy as np
import pandas as pd

from exprimo.core.errors import MismatchError
from exprimo.data.genotypes.alleles import Preparation
from exprimo.data.genotypes.view import VARIANT_COLUMNS, Block

# Genotypes of one block, people x variants: 8 bytes each while they are read.
MOST_GENOTYPES = 50_000_000


class GenotypeFile:
    """The part of `exprimo.data.genotypes.Genotypes` that all readers share.

    Parameters
    ----------
    path, kind
        The file, or prefix of a trio; and what it is.
    samples
        Those chosen.
    theirs
        Names of chromosomes in the file.
    preparation
        What is done to records; it also counts what is left out.
    """

    def __init__(
        self,
        path: Path,
        kind: str,
        samples: tuple[str, ...],
        theirs: list[str],
        preparation: Preparation,
    ) -> None:
        self.path = path
        self.kind = kind
        self.samples = samples
        self._preparation = preparation
        self._ours = preparation.chromosomes(theirs)
        self.chromosomes = tuple(dict.fromkeys(self._ours.values()))

    @property
    def skipped(self) -> Mapping[str, int]:
        """Reason -> number of ALT alleles left out so far."""
        return MappingProxyType(self._preparation.skipped)

    def close(self) -> None:
        """Let go of the files."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def require_chromosome(self, chrom: str, known: tuple[str, ...] | None = None) -> None:
        """Refuse a chromosome that is not among ``known``, or those of the file."""
        names = self.chromosomes if known is None else known
        if chrom not in names:
            more = f" and {len(names) - 5} more" if len(names) > 5 else ""
            raise MismatchError(
                "no such chromosome among these genotypes",
                file=self.path,
                found=chrom,
                expected=", ".join(names[:5]) + more,
                remedy="Check that both files use the same chromosome names",
            )

    def _rows_at_once(self, variants: int) -> int:
        """Give how many records a block may have: fewer than asked for where people are many."""
        return max(1, min(variants, MOST_GENOTYPES // len(self.samples)))

    def _nothing(self) -> Block:
        return empty_block(len(self.samples))


def empty_block(n_samples: int) -> Block:
    """Give a block without variants, for ``n_samples`` people.

    Examples
    --------
    >>> empty_block(3).alleles.shape
    (0, 3, 2)
    """
    kinds = {"start": np.int64, "record": np.int64}
    columns = {name: np.zeros(0, kinds.get(name, object)) for name in VARIANT_COLUMNS}
    return Block(
        pd.DataFrame(columns),
        np.zeros((0, n_samples, 2), np.int8),
        np.zeros((0, n_samples), bool),
        None,
        None,
    )
