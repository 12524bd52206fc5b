"""PLINK 1: the .bed, two bits a genotype."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import FormatError
from exprimo.data.genotypes.calls import Rows
from exprimo.data.genotypes.plink.genotypes import Diploid
from exprimo.data.genotypes.plink.tables import read_bim, read_fam
from exprimo.data.genotypes.plink.trio import Trio
from exprimo.data.genotypes.samples import choose_samples

_MAGIC = b"\x6c\x1b"
_HEADER = 3


def _genotypes_of_bytes() -> npt.NDArray[np.uint64]:
    """Give the four genotypes of two copies in each byte, (256,): eight int8, seen as one number.

    From the lowest two bits up: 00 is A1 twice, 01 missing, 10 both alleles, 11 A2 twice.
    """
    copies = np.array([[1, 1], [-1, -1], [0, 1], [0, 0]], dtype=np.int8)
    places = np.arange(256)[:, None] >> np.array([0, 2, 4, 6]) & 3
    return np.ascontiguousarray(copies[places].reshape(256, 8)).view(np.uint64)[:, 0]


_GENOTYPES = _genotypes_of_bytes()


class Plink1Bed:
    """Genotypes of a .bed: no phase; A2 counts as REF until a genome says otherwise."""

    def __init__(self, trio: Trio, asked: Sequence[str] | Path | None) -> None:
        people = read_fam(trio.people)
        self.trio = trio
        self.sites = read_bim(trio.variants)
        _check(trio, len(people.names), len(self.sites.starts))
        self.samples, self._places = choose_samples(asked, people.names, trio.people)
        self.sex = people.sex[self._places]
        # Everybody in the file's order need not be picked.
        self._everybody = np.array_equal(self._places, np.arange(len(people.names)))
        self._width = (len(people.names) + 3) // 4
        self._file = open(trio.genotypes, "rb")  # noqa: SIM115 -- close() ends it

    def read(self, rows: Rows) -> Diploid:
        """Read the variants of these numbers; A1 is code 1."""
        packed = np.empty((len(rows), self._width), dtype=np.uint8)
        # Neighbours in the file come in one piece.
        breaks = np.flatnonzero(np.diff(rows) != 1) + 1
        for first, end in pairwise([0, *breaks.tolist(), len(rows)]):
            self._file.seek(_HEADER + int(rows[first]) * self._width)
            found = self._file.readinto(packed[first:end].reshape(-1).data)
            if found < (end - first) * self._width:
                raise _shorter(self.trio, int(rows[first]))
        every = _GENOTYPES[packed].view(np.int8).reshape(len(rows), -1, 2)
        chosen = every[:, : len(self.samples)] if self._everybody else every[:, self._places]
        codes = chosen.astype(np.int16)
        return Diploid(codes, np.zeros(codes.shape[:2], bool), None)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def _shorter(trio: Trio, row: int) -> FormatError:
    return FormatError(
        "the .bed became shorter while it was read",
        file=trio.genotypes,
        record=f"variant {row + 1} or behind it",
        remedy="Copy all three files again",
    )


def _check(trio: Trio, people: int, variants: int) -> None:
    with open(trio.genotypes, "rb") as handle:
        head = handle.read(_HEADER)
        size = handle.seek(0, 2)
    if head[:2] != _MAGIC:
        raise FormatError(
            "not a PLINK 1 .bed",
            file=trio.genotypes,
            found=f"first bytes {head.hex(' ')}",
            expected="6c 1b 01",
            remedy="A BED of intervals has the same ending: give the PLINK file",
        )
    if head[2:] != b"\x01":
        raise FormatError(
            "a .bed that is ordered by person",
            file=trio.genotypes,
            found=f"third byte {head[2:].hex()}",
            expected="01, ordered by variant",
            remedy="Write it anew with plink --make-bed",
        )
    expected = _HEADER + (people + 3) // 4 * variants
    if size != expected:
        raise FormatError(
            "the three files do not fit together, or the .bed is cut short",
            file=trio.genotypes,
            found=f"{size:,} bytes",
            expected=f"{expected:,} for {people:,} people x {variants:,} variants",
            remedy="Copy all three files again",
        )
