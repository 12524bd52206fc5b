"""What a reader takes from a file, before alleles are resolved: one row per record."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.data.genotypes.view import MISSING, NO_COPY

Rows = npt.NDArray[np.int64]


class Calls(NamedTuple):
    """Records as the file has them, with chromosome names already those of the view.

    Attributes
    ----------
    chrom, ids, refs, alts
        Per record; ``ids`` is empty where the file has none, ``alts`` holds all ALT alleles.
    starts, record
        Int64, (records,): 0-based first base of REF, and a number of the record.
    codes
        Int16, (records, samples, 2): 0 REF, k the k-th ALT, -1 missing, -2 no such copy.
    flags
        Bool, (records, samples): the file says that the two copies are in order.
    phase_set
        Int32, (records, samples), or None.
    dosages
        Float32, (records, samples, most ALTs), NaN where the file has none, or None.
    unordered
        Bool, (records,): the file does not say which allele is the reference's (PLINK 1).
    """

    chrom: npt.NDArray[np.object_]
    starts: Rows
    ids: npt.NDArray[np.object_]
    refs: npt.NDArray[np.object_]
    alts: list[tuple[str, ...]]
    record: Rows
    codes: npt.NDArray[np.int16]
    flags: npt.NDArray[np.bool_]
    phase_set: npt.NDArray[np.int32] | None = None
    dosages: npt.NDArray[np.float32] | None = None
    unordered: npt.NDArray[np.bool_] | None = None

    def take(self, rows: Rows | npt.NDArray[np.bool_]) -> Calls:
        """Give some of the records, by number or mask."""
        index = np.flatnonzero(rows) if rows.dtype == bool else rows
        return Calls(
            self.chrom[index],
            self.starts[index],
            self.ids[index],
            self.refs[index],
            [self.alts[i] for i in index],
            self.record[index],
            self.codes[index],
            self.flags[index],
            None if self.phase_set is None else self.phase_set[index],
            None if self.dosages is None else self.dosages[index],
            None if self.unordered is None else self.unordered[index],
        )


def strings(values: list[str]) -> npt.NDArray[np.object_]:
    """Give an array of Python strings, shape (n,), whatever their lengths.

    Examples
    --------
    >>> strings(["A", "AT"]).tolist()
    ['A', 'AT']
    """
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def known_phase(
    codes: npt.NDArray[np.int16], flags: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Tell where it is known which copy carries what, (records, samples).

    Where the file says so; where both copies are alike, missing ones too; where there is one.

    Examples
    --------
    >>> codes = np.array([[[0, 1], [1, 1], [1, -2], [-1, -1], [-1, 1]]], np.int16)
    >>> known_phase(codes, np.zeros((1, 5), bool)).tolist()
    [[False, True, True, True, False]]
    """
    first, second = codes[..., 0], codes[..., 1]
    known: npt.NDArray[np.bool_] = flags | (first == second) | (second == NO_COPY)
    return known


def copies(codes: npt.NDArray[np.int16]) -> npt.NDArray[np.int64]:
    """Count the copies that a person has, known or missing, (records, samples)."""
    counted: npt.NDArray[np.int64] = (codes != NO_COPY).sum(axis=-1)
    return counted


__all__ = ["MISSING", "NO_COPY", "Calls", "Rows", "copies", "known_phase", "strings"]
