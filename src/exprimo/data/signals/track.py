"""What every opened track of signal can do, whatever its format."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, Self

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import ConfigError, FormatError, MismatchError

Kind = Literal["bigwig", "bedgraph", "bed", "bam"]
Bins = npt.NDArray[np.float32]
Positions = npt.NDArray[np.int64]

_SHOWN = 5


class SignalFile(ABC):
    """An opened track: numbers along chromosomes, or reads that are counted.

    Get one with `exprimo.data.signals.open_signal`, as a context manager.

    Attributes
    ----------
    path
        The file.
    kind
        ``bigwig``, ``bedgraph`` (signal per base), ``bed`` or ``bam`` (reads).
    """

    kind: Kind

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Close the file; closing twice does no harm."""

    @property
    @abstractmethod
    def chromosomes(self) -> dict[str, int | None]:
        """Chromosomes in the order of the file, with their lengths in bases where it has them."""

    @abstractmethod
    def total(self) -> float:
        """Give the library size: reads (bed, bam), or the signal summed over all bases."""

    def bins(self, chrom: str, starts: Positions, n_bins: int, bin_size: int) -> Bins:
        """Read equally long windows of one chromosome in bins.

        Parameters
        ----------
        chrom
            A name out of `chromosomes`; another raises `MismatchError`.
        starts
            First base of each window, 0-based, shape (windows,), in any order. A window may begin
            before the chromosome or run off its end: such bases have signal 0.
        n_bins, bin_size
            Bins a window, and bases a bin.

        Returns
        -------
        float32, shape (windows, bins), on the forward strand. For bigwig and bedgraph the mean
        per base, uncovered bases counting as 0; for bed and bam the reads that overlap the bin by
        a base or more.
        """
        if n_bins < 1 or bin_size < 1:
            raise ConfigError(
                "windows need bins, and bins need bases",
                found=f"{n_bins} bins of {bin_size} bases",
                expected="1 or more of both",
            )
        self.require_chromosomes([chrom])
        return self._bins(chrom, np.asarray(starts, dtype=np.int64), n_bins, bin_size)

    @abstractmethod
    def _bins(self, chrom: str, starts: Positions, n_bins: int, bin_size: int) -> Bins: ...

    def require_chromosomes(self, names: Iterable[str]) -> None:
        """Refuse names that the file does not have, with the heads of both lists."""
        asked = list(dict.fromkeys(names))
        known = self.chromosomes
        absent = [name for name in asked if name not in known]
        if absent:
            raise MismatchError(
                "chromosomes that are not in this file",
                file=self.path,
                record=f"chromosome {absent[0]}" if len(absent) == 1 else None,
                found=f"asked for {head(absent)}",
                expected=f"names of the file: {head(known)}",
                remedy="Use the names of the genome that the signal was made with, or a table "
                "of chromosome names",
            )

    def not_finite(self, value: float, chrom: str, start: int) -> FormatError:
        """Make the error for signal that is NaN or infinite; ``start`` is 0-based."""
        return FormatError(
            "signal that is no finite number",
            file=self.path,
            record=f"{chrom}:{start + 1}",
            found=f"{value:g}",
            expected="a finite number for every covered base",
            remedy="Make the track anew; leave out stretches without a value",
        )


def head(names: Iterable[str]) -> str:
    """Show the first names of a list.

    Examples
    --------
    >>> head(["chr1", "chr2", "chr3", "chr4", "chr5", "chr6"])
    'chr1, chr2, chr3, chr4, chr5, ... (6 names)'
    """
    every = list(names)
    if len(every) <= _SHOWN:
        return ", ".join(every) or "none"
    return f"{', '.join(every[:_SHOWN])}, ... ({len(every):,} names)"
