"""PLINK 1: the .bed, read by bed-reader."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from exprimo.core.errors import FormatError
from exprimo.data.genotypes.calls import Rows
from exprimo.data.genotypes.plink.genotypes import Diploid
from exprimo.data.genotypes.plink.tables import read_bim, read_fam
from exprimo.data.genotypes.plink.trio import Trio
from exprimo.data.genotypes.samples import choose_samples

_MAGIC = b"\x6c\x1b"
_MISSING = -127


class Plink1Bed:
    """Genotypes of a .bed: no phase; A2 counts as REF until a genome says otherwise."""

    def __init__(self, trio: Trio, asked: Sequence[str] | Path | None) -> None:
        from bed_reader import open_bed

        people = read_fam(trio.people)
        self.trio = trio
        self.sites = read_bim(trio.variants)
        _check(trio, len(people.names), len(self.sites.starts))
        self.samples, self._places = choose_samples(asked, people.names, trio.people)
        self.sex = people.sex[self._places]
        # count_A1 says which allele the numbers count: stated, since other readers differ.
        self._file = open_bed(
            trio.genotypes,
            iid_count=len(people.names),
            sid_count=len(self.sites.starts),
            count_A1=True,
            num_threads=1,
        )

    def read(self, rows: Rows) -> Diploid:
        """Read the variants of these numbers; A1 is code 1."""
        counts = self._file.read(np.s_[self._places, rows], dtype="int8", order="F").T
        codes = np.stack([counts == 2, counts >= 1], axis=-1).astype(np.int16)
        codes[counts == _MISSING] = -1
        return Diploid(codes, np.zeros(counts.shape, bool), None)

    def close(self) -> None:
        """Let go of the file."""


def _check(trio: Trio, people: int, variants: int) -> None:
    with open(trio.genotypes, "rb") as handle:
        head = handle.read(3)
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
    expected = 3 + (people + 3) // 4 * variants
    if size != expected:
        raise FormatError(
            "the three files do not fit together, or the .bed is cut short",
            file=trio.genotypes,
            found=f"{size:,} bytes",
            expected=f"{expected:,} for {people:,} people x {variants:,} variants",
            remedy="Copy all three files again",
        )
