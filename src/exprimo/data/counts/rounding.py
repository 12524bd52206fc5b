"""Estimated counts: fractions rounded when asked for, counted, and told from normalised values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import FormatError

# The largest whole number that R has, and so DESeq2; sums of many samples then fit 64 bits.
LARGEST_COUNT = 2**31 - 1

# TPM and CPM sum to a million; what rounding takes from the sum is less than this share of it.
_PER_MILLION, _TOLERANCE = 1e6, 0.02
# No sequenced library of this many genes has its largest count so low; logarithms do.
_MANY_GENES, _LARGEST_LOG = 1000, 32


class Rounding:
    """Round half to even, as R does, and remember how many cells had a fraction.

    Examples
    --------
    >>> rounding = Rounding()
    >>> rounding.row(["0.5", "1.5", "2"]), rounding.rounded
    ([0, 2, 2], 2)
    """

    def __init__(self) -> None:
        self.rounded = 0

    def row(self, cells: Sequence[str]) -> list[int] | None:
        """Round a row of plain numbers >= 0; None where a cell needs a closer look."""
        joined = "".join(cells)
        if "_" in joined or not joined.isascii():
            return None
        try:
            values = np.array(cells, dtype=np.float64)
        except ValueError:
            return None
        if not (np.isfinite(values).all() and 0 <= values.min() <= values.max() <= LARGEST_COUNT):
            return None
        whole = np.rint(values)
        self.rounded += int((whole != values).sum())
        return [int(count) for count in whole]

    def one(self, value: float) -> int:
        """Round one number with a fraction."""
        self.rounded += 1
        return round(value)

    def refuse_normalised(self, counts: npt.NDArray[np.int64], source: Path) -> None:
        """Refuse a table that was rounded but holds no counts; shape (genes, samples)."""
        if not self.rounded or not counts.size:
            return
        sums = counts.sum(axis=0)
        if (np.abs(sums / _PER_MILLION - 1) < _TOLERANCE).all():
            kind, found = "TPM or CPM", f"samples that sum to {', '.join(map(str, sums[:3]))}"
        elif len(counts) >= _MANY_GENES and counts.max() < _LARGEST_LOG:
            kind, found = "logarithms", f"{len(counts):,} genes and no value above {counts.max()}"
        else:
            return
        raise FormatError(
            f"these look like {kind}, not like estimated counts",
            file=source,
            found=found,
            expected="counts, such as RSEM's expected_count or salmon's NumReads",
            remedy="Give the table of counts that was made beside this one",
        )
