"""PLINK 2: the .pgen, read by pgenlib."""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import FormatError
from exprimo.data.genotypes.calls import Rows
from exprimo.data.genotypes.plink.genotypes import Diploid
from exprimo.data.genotypes.plink.tables import read_psam, read_pvar
from exprimo.data.genotypes.plink.trio import Trio
from exprimo.data.genotypes.samples import choose_samples

_MAGIC = b"\x6c\x1b"
_BED_MODE, _FIXED_HARDCALLS = 1, 2
_MODES = (1, 2, 3, 4, 0x10, 0x11, 0x20, 0x21)
_MISSING = -9


class Plink2Pgen:
    """Genotypes of a .pgen, with phase, dosages and several ALT alleles.

    Dosages of records with several ALT alleles are not read, their genotypes are.
    """

    def __init__(self, trio: Trio, asked: Sequence[str] | Path | None) -> None:
        import pgenlib

        people = read_psam(trio.people)
        self.trio = trio
        self.sites = read_pvar(trio.variants)
        self._has_dosages = _check(trio, len(people.names), len(self.sites.starts))
        self.samples, places = choose_samples(asked, people.names, trio.people)
        self.sex = people.sex[places]
        self._alts = np.array([alt.count(",") + 1 for alt in self.sites.alts], np.int64)
        # pgenlib takes samples in the file's order.
        subset = np.sort(places).astype(np.uint32)
        self._order = np.searchsorted(subset, places)
        offsets = np.concatenate([[0], np.cumsum(1 + self._alts)]).astype(np.uintp)
        try:
            self._file = pgenlib.PgenReader(
                os.fsencode(trio.genotypes),
                raw_sample_ct=len(people.names),
                variant_ct=len(self.sites.starts),
                sample_subset=subset,
                allele_idx_offsets=offsets if (self._alts > 1).any() else None,
            )
        except RuntimeError as error:
            raise self._broken(error) from error

    def read(self, rows: Rows) -> Diploid:
        """Read the variants of these numbers."""
        numbers, n = rows.astype(np.uint32), len(self.samples)
        alleles = np.empty((len(rows), 2 * n), np.int32)
        flags = np.empty((len(rows), n), np.uint8)
        try:
            self._file.read_alleles_and_phasepresent_list(numbers, alleles, flags)
            dosages = self._dosages(rows, alleles.reshape(-1, n, 2)) if self._has_dosages else None
        except RuntimeError as error:
            raise self._broken(error) from error
        codes = alleles.reshape(len(rows), n, 2)[:, self._order].astype(np.int16)
        codes[codes == _MISSING] = -1
        return Diploid(codes, flags[:, self._order].astype(bool), dosages)

    def _dosages(
        self, rows: Rows, alleles: npt.NDArray[np.int32]
    ) -> npt.NDArray[np.float32] | None:
        n, simple = len(self.samples), np.flatnonzero(self._alts[rows] == 1)
        found = np.empty((len(simple), n), np.float32)
        self._file.read_dosages_list(rows[simple].astype(np.uint32), found)
        found[found == _MISSING] = np.nan
        counted = alleles[simple, :, 0] + alleles[simple, :, 1]
        # pgenlib gives the hard call where there is no dosage.
        if (np.isnan(found) | (found == counted)).all():
            return None
        dosages = np.full((len(rows), n, int(self._alts[rows].max())), np.nan, np.float32)
        dosages[simple, :, 0] = found[:, self._order]
        return dosages

    def _broken(self, error: RuntimeError) -> FormatError:
        return FormatError(
            "the .pgen cannot be read",
            file=self.trio.genotypes,
            found=str(error),
            remedy="Check it with plink2 --validate, or copy the files again",
        )

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def _check(trio: Trio, people: int, variants: int) -> bool:
    """Compare the header with the tables, and tell whether there may be dosages."""
    with open(trio.genotypes, "rb") as handle:
        head = handle.read(12)
        size = handle.seek(0, 2)
    if head[:2] != _MAGIC or head[2] not in _MODES:
        raise FormatError(
            "not a PLINK 2 .pgen",
            file=trio.genotypes,
            found=f"first bytes {head[:3].hex(' ')}",
            expected="6c 1b and a known mode, such as 10",
        )
    expected, has = (people, variants), (people, variants)
    if head[2] == _BED_MODE:
        fits = size == 3 + (people + 3) // 4 * variants
    elif len(head) < 12:
        fits = False
    else:
        counts = struct.unpack("<II", head[3:11])
        has = (counts[1], counts[0])
        fits = has == expected
    if not fits:
        raise FormatError(
            "the three files do not fit together, or the .pgen is cut short",
            file=trio.genotypes,
            found=f"{has[0]:,} people x {has[1]:,} variants in {size:,} bytes",
            expected=f"{people:,} people x {variants:,} variants",
            remedy="Copy all three files again",
        )
    if head[2] in (0x10, 0x20):
        return head[11] & 15 >= 4  # records whose type has room for phase and dosage
    return head[2] not in (_BED_MODE, _FIXED_HARDCALLS)
