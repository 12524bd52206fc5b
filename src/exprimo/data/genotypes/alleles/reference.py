"""REF against the genome: which allele is the reference's, and what to do where none is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import MismatchError
from exprimo.core.sequence import N_CODE, Codes, decode, encode
from exprimo.data.fasta.genome import Genome
from exprimo.data.genotypes.alleles.kinds import PLAIN, allele_kinds
from exprimo.data.genotypes.calls import Calls, copies

OnMismatch = Literal["error", "skip", "swap"]
Mask = npt.NDArray[np.bool_]


def resolve_reference(
    calls: Calls, genome: Genome, on_mismatch: OnMismatch, path: Path
) -> tuple[Calls, Mask]:
    """Make the genome's allele the REF of each record; give the records, and which do not fit.

    REF fits where it equals the genome; N on either side equals anything. REF is asked first: a
    record whose REF fits stays as it is, also where an ALT would fit too (as it may of indels).
    Otherwise, where the file does not say which allele is the reference's (PLINK 1), and under
    ``"swap"``, the first ALT that fits and REF are exchanged, with genotypes and dosages. What
    then does not fit is an error under ``"error"``, else marked in the mask.

    Examples
    --------
    >>> import tempfile
    >>> from exprimo.data.genotypes.calls import strings
    >>> fasta = Path(tempfile.mkdtemp()) / "g.fa"
    >>> _ = fasta.write_text(">1\\nACGT\\n")
    >>> calls = Calls(strings(["1"]), np.array([1]), strings(["rs1"]), strings(["T"]), [("C",)],
    ...               np.array([0]), np.array([[[0, 1]]], np.int16), np.array([[True]]))
    >>> with Genome.open(fasta) as genome:
    ...     fixed, wrong = resolve_reference(calls, genome, "swap", Path("g.vcf"))
    >>> fixed.refs.tolist(), fixed.alts, fixed.codes.tolist(), wrong.tolist()
    (['C'], [('T',)], [[[1, 0]]], [False])
    """
    wrong = np.zeros(len(calls.starts), dtype=bool)
    refs, alts, codes, dosages = calls.refs, calls.alts, calls.codes, calls.dosages
    changed = False
    for row, bases, length in _unlike(calls, genome):
        swapping = on_mismatch == "swap" or (
            calls.unordered is not None and bool(calls.unordered[row])
        )
        other = _fitting(calls.alts[row], bases) if swapping else None
        if other is not None:
            if not changed:
                refs, alts, codes = refs.copy(), list(alts), codes.copy()
                dosages = None if dosages is None else dosages.copy()
                changed = True
            refs[row], alts[row] = _exchanged(refs[row], alts[row], other)
            _exchange_genotypes(codes, dosages, row, other + 1)
        elif on_mismatch == "error":
            raise _mismatch(calls, row, decode(bases[: len(calls.refs[row])]), length, path)
        else:
            wrong[row] = True
    return calls._replace(refs=refs, alts=alts, codes=codes, dosages=dosages), wrong


def _unlike(calls: Calls, genome: Genome) -> Iterator[tuple[int, Codes, int]]:
    """Yield records whose REF is not the genome's: row, the bases from there on, chromosome."""
    for chrom in dict.fromkeys(calls.chrom):
        rows = np.flatnonzero(calls.chrom == chrom)
        length = genome.lengths[chrom]
        widest = [max(map(len, (calls.refs[i], *calls.alts[i]))) for i in rows]
        first = max(min(int(calls.starts[rows].min()), length), 0)  # POS 0 stands before the end
        last = min(max(int((calls.starts[rows] + widest).max()), first), length)
        bases = genome.fetch(chrom, first, last)
        singles = np.array([len(calls.refs[i]) == 1 for i in rows], dtype=bool)
        letters = "".join(
            calls.refs[i] if one else "N" for i, one in zip(rows, singles, strict=True)
        )
        known = np.frombuffer(letters.encode("latin-1", "replace"), np.uint8)
        at = calls.starts[rows] - first
        inside = (at >= 0) & (at < len(bases))
        here = np.full(len(rows), N_CODE, np.uint8)
        here[inside] = bases[at[inside]]
        plain = _CODES[known]
        same = singles & inside & ((plain == here) | (plain == N_CODE) | (here == N_CODE))
        for row, width in zip(rows[~same], np.array(widest)[~same], strict=True):
            ref, start = calls.refs[row], int(calls.starts[row]) - first
            stretch = bases[start : start + width] if start >= 0 else bases[:0]
            usable = PLAIN in allele_kinds(ref, calls.alts[row])
            if usable and not _fits(ref, stretch):
                yield int(row), stretch, length


_CODES = np.full(256, 9, np.uint8)
_CODES[np.frombuffer(b"ACGTN", np.uint8)] = np.arange(5)


def _fits(allele: str, bases: Codes) -> bool:
    if len(bases) < len(allele):
        return False
    here, known = bases[: len(allele)], encode(allele)
    return bool(((here == known) | (here == N_CODE) | (known == N_CODE)).all())


def _fitting(alts: tuple[str, ...], bases: Codes) -> int | None:
    fit = [i for i, alt in enumerate(alts) if PLAIN in allele_kinds(alt, ["A"])]
    return next((i for i in fit if _fits(alts[i], bases)), None)


def _exchanged(ref: str, alts: tuple[str, ...], other: int) -> tuple[str, tuple[str, ...]]:
    return alts[other], (*alts[:other], ref, *alts[other + 1 :])


def _exchange_genotypes(
    codes: npt.NDArray[np.int16], dosages: npt.NDArray[np.float32] | None, row: int, other: int
) -> None:
    was_ref, was_alt = codes[row] == 0, codes[row] == other
    if dosages is not None:
        # What no ALT has is REF's.
        alts = np.nansum(dosages[row], axis=-1)
        kept = np.isnan(dosages[row, :, other - 1])
        dosages[row, :, other - 1] = np.where(kept, np.nan, copies(codes[row]) - alts)
    codes[row][was_ref] = other
    codes[row][was_alt] = 0


def _mismatch(calls: Calls, row: int, here: str, length: int, path: Path) -> MismatchError:
    start, ref = int(calls.starts[row]), calls.refs[row]
    name = f"{calls.chrom[row]}:{start + 1}"
    if calls.ids[row]:
        name += f" ({calls.ids[row]})"
    unordered = calls.unordered is not None and bool(calls.unordered[row])
    shown = ref if len(ref) <= 20 else f"{ref[:20]}... ({len(ref)} bases)"
    return MismatchError(
        "neither allele is the genome's" if unordered else "REF is not the genome's",
        file=path,
        record=f"variant {name}",
        found=f"{shown} and {', '.join(calls.alts[row])[:40]}" if unordered else shown,
        expected=here[:20] if here else f"a place on the chromosome, which has {length:,} bases",
        remedy="Check that both are of one genome build, or leave such variants out or exchange "
        "their alleles with --on-ref-mismatch skip|swap",
    )
