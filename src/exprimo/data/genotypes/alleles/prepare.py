"""From records of a file to the rows of a `Block`: one usable ALT allele each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.coordinates import reconcile_chromosomes
from exprimo.data.fasta.genome import Genome
from exprimo.data.genotypes.alleles.kinds import PLAIN, REF_MISMATCH, allele_kinds
from exprimo.data.genotypes.alleles.normalise import needs_normalising, normalise_allele
from exprimo.data.genotypes.alleles.reference import OnMismatch, resolve_reference
from exprimo.data.genotypes.calls import Calls, Rows, known_phase
from exprimo.data.genotypes.view import Block

Value = TypeVar("Value", np.int32, np.float32)

# A normalised variant may begin this many bases before the place that the file gives it.
FARTHEST_SHIFT = 1000


class Preparation:
    """What is done to the records of one file, and what it left out.

    Parameters
    ----------
    path
        The file, for messages.
    genome, on_ref_mismatch, chrom_table, normalise
        As for `exprimo.data.genotypes.open_genotypes`.

    Attributes
    ----------
    skipped
        Reason -> distinct alleles left out so far: one read twice counts once.
    """

    def __init__(
        self,
        path: Path,
        genome: Genome | None = None,
        on_ref_mismatch: OnMismatch = "error",
        chrom_table: Mapping[str, str] | None = None,
        normalise: bool = False,
    ) -> None:
        self._path = path
        self._genome = genome
        self._on_mismatch: OnMismatch = on_ref_mismatch
        self._table = chrom_table
        self._normalise = normalise and genome is not None
        self._left_out: set[tuple[str, str, int, str, str]] = set()
        self.skipped: Counter[str] = Counter()

    @property
    def reach(self) -> int:
        """Bases beyond a region in which variants may stand that move into it."""
        return FARTHEST_SHIFT if self._normalise else 0

    def chromosomes(self, theirs: list[str]) -> dict[str, str]:
        """Map names of the file to those of the view; without counterpart they are left out."""
        if self._genome is None:
            if self._table is None:
                return {name: name for name in theirs}
            return {name: self._table.get(name, name) for name in theirs}
        return reconcile_chromosomes(
            self._genome.names,
            theirs,
            table=self._table,
            our_file=str(self._genome.path),
            their_file=str(self._path),
        )

    def block(self, calls: Calls) -> Block:
        """Check, resolve, split and normalise records; rows come in order of position."""
        calls = calls._replace(
            refs=_upper(calls.refs), alts=[tuple(a.upper() for a in alts) for alts in calls.alts]
        )
        if self._genome is not None and len(calls.starts):
            calls, wrong = resolve_reference(calls, self._genome, self._on_mismatch, self._path)
            for bad in np.flatnonzero(wrong).tolist():
                for alt in calls.alts[bad]:
                    self._leave_out(REF_MISMATCH, calls, bad, alt)
            calls = calls.take(~wrong) if wrong.any() else calls
        rows, numbers = self._usable(calls)
        variants, shifted = self._table_of(calls, rows, numbers)
        block = _split(calls, rows, numbers, variants)
        return in_order(block) if shifted else block

    def _usable(self, calls: Calls) -> tuple[Rows, Rows]:
        """Give the record and the number (from 1) of each ALT that is plain letters."""
        rows, numbers = [], []
        for row, (ref, alts) in enumerate(zip(calls.refs, calls.alts, strict=True)):
            for at, kind in enumerate(allele_kinds(ref, alts)):
                if kind == PLAIN:
                    rows.append(row)
                    numbers.append(at + 1)
                else:
                    self._leave_out(kind, calls, row, alts[at])
        return np.array(rows, np.int64), np.array(numbers, np.int64)

    def _leave_out(self, reason: str, calls: Calls, row: int, alt: str) -> None:
        self.leave_out(reason, calls.chrom[row], int(calls.starts[row]), calls.refs[row], alt)

    def leave_out(self, reason: str, chrom: str, start: int, ref: str, alt: str) -> None:
        """Count an allele that is not used, once however often it is read."""
        key = (reason, chrom, start, ref, alt)
        if key not in self._left_out:
            self._left_out.add(key)
            self.skipped[reason] += 1

    def _table_of(self, calls: Calls, rows: Rows, numbers: Rows) -> tuple[pd.DataFrame, bool]:
        chrom, starts, refs = calls.chrom[rows], calls.starts[rows].copy(), calls.refs[rows]
        alts = np.empty(len(rows), dtype=object)
        alts[:] = [calls.alts[row][number - 1] for row, number in zip(rows, numbers, strict=True)]
        shifted = False
        if self._normalise and self._genome is not None:
            for i, (ref, alt) in enumerate(zip(refs, alts, strict=True)):
                if needs_normalising(ref, alt):
                    found = normalise_allele(self._genome, chrom[i], int(starts[i]), ref, alt)
                    shifted = shifted or found[0] != starts[i]
                    starts[i], refs[i], alts[i] = found
        ids = calls.ids[rows]
        for i in np.flatnonzero(ids == "").tolist():
            ids[i] = f"{chrom[i]}:{starts[i] + 1}:{refs[i]}:{alts[i]}"
        variants = pd.DataFrame(
            {
                "chrom": chrom,
                "start": starts,
                "ref": refs,
                "alt": alts,
                "variant_id": ids,
                "record": calls.record[rows],
            }
        )
        return variants, shifted


def _upper(letters: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    upper = np.empty(len(letters), dtype=object)
    upper[:] = [text.upper() for text in letters]
    return upper


def _split(calls: Calls, rows: Rows, numbers: Rows, variants: pd.DataFrame) -> Block:
    whole = np.array_equal(rows, np.arange(len(calls.starts)))
    codes = calls.codes if whole else calls.codes[rows]
    if all(len(calls.alts[row]) == 1 for row in rows):
        alleles = codes.astype(np.int8)
    else:
        alleles = np.where(codes < 0, codes, codes == numbers[:, None, None]).astype(np.int8)
    flags = calls.flags if whole else calls.flags[rows]
    sets = calls.phase_set
    return Block(
        variants,
        alleles,
        known_phase(codes, flags),
        sets if sets is None or whole else sets[rows],
        None if calls.dosages is None else calls.dosages[rows, :, numbers - 1],
    )


def in_order(block: Block) -> Block:
    """Sort rows by position within each chromosome, chromosomes as they first come."""
    rank = {name: i for i, name in enumerate(dict.fromkeys(block.variants["chrom"]))}
    order = np.lexsort((block.variants["start"], block.variants["chrom"].map(rank)))
    return rows_of(block, order)


def rows_of(block: Block, rows: Rows | npt.NDArray[np.bool_]) -> Block:
    """Give some rows of a block, by number or mask."""
    return Block(
        block.variants[rows].reset_index(drop=True)
        if rows.dtype == bool
        else block.variants.take(rows).reset_index(drop=True),
        block.alleles[rows],
        block.phased[rows],
        None if block.phase_set is None else block.phase_set[rows],
        None if block.dosages is None else block.dosages[rows],
    )


def joined(blocks: list[Block]) -> Block:
    """Put blocks of the same samples behind one another."""
    sets = [block.phase_set for block in blocks]
    dosages = [block.dosages for block in blocks]
    shapes = [block.phased.shape for block in blocks]
    return Block(
        pd.concat([block.variants for block in blocks], ignore_index=True),
        np.concatenate([block.alleles for block in blocks]),
        np.concatenate([block.phased for block in blocks]),
        _filled(sets, shapes, np.int32(0)),
        _filled(dosages, shapes, np.float32("nan")),
    )


def settled(blocks: Iterable[Block], reach: int) -> Iterator[Block]:
    """Keep blocks in order although variants moved by up to ``reach``: late rows are held back."""
    if reach == 0:
        yield from blocks
        return
    held: list[Block] = []
    for block in blocks:
        whole = in_order(joined([*held, block]))
        if whole.variants.empty:
            held = [whole]
            continue
        chrom, start = whole.variants["chrom"].to_numpy(), whole.variants["start"].to_numpy()
        # Twice: trimming moves a variant to the right before the next ones move left.
        late = (chrom == chrom[-1]) & (start > start[-1] - 2 * reach)
        yield rows_of(whole, ~late)
        held = [rows_of(whole, late)]
    yield from held


def _filled(
    parts: Sequence[npt.NDArray[Value] | None], shapes: list[tuple[int, ...]], value: Value
) -> npt.NDArray[Value] | None:
    if all(part is None for part in parts):
        return None
    return np.concatenate(
        [
            np.full(shape, value) if part is None else part
            for part, shape in zip(parts, shapes, strict=True)
        ]
    )
