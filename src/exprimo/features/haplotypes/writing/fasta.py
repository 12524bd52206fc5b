"""Haplotypes as FASTA: one record per distinct sequence, or per person and haplotype."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np
import pysam

from exprimo.core.files.atomic import atomic_file
from exprimo.core.sequence import Codes, decode
from exprimo.features.haplotypes.window import PlannedWindow
from exprimo.features.haplotypes.writing.dataset import CHUNK_BYTES, existing

if TYPE_CHECKING:
    from exprimo.features.haplotypes.writing.build import PlannedGene

_LINE = 60


def write_haplotype_fasta(
    out: Path, windows: Iterable[PlannedGene], samples: Sequence[str], *, each: bool
) -> int:
    """Write records as the windows come, in gene orientation; give their number.

    A record of a distinct sequence is named ``GENE_h1``, ``GENE_h2``, ... and its header ends
    with who carries it, as ``carriers=PERSON:HAPLOTYPE,...`` (``PERSON:HAPLOTYPE:PHASING`` where
    phase was drawn). With ``each`` records are named ``GENE_PERSON_HAPLOTYPE[_PHASING]``.
    Compressed files are bgzip, so that they can be indexed.
    """
    count = 0
    with atomic_file(out) as partial, _opened(partial) as handle:
        for gene, plan in windows:
            for header, codes in _records(gene, plan, samples, each):
                handle.write(f">{header}\n".encode())
                handle.write(_lines(codes))
                count += 1
    return count


def _records(
    gene: Any, plan: PlannedWindow, samples: Sequence[str], each: bool
) -> Iterator[tuple[str, Codes]]:
    copies = existing(plan)
    rows = plan.index[tuple(copies.T)]
    drawn = plan.index.shape[2] > 1
    names = [
        (samples[person], str(copy + 1), *([str(phasing + 1)] if drawn else []))
        for person, copy, phasing in copies.tolist()
    ]
    window = plan.region.window
    place = f"{window.chrom}:{window.start + 1}-{window.end}({window.strand}) tss={gene.tss + 1}"
    step = max(1, CHUNK_BYTES // plan.length)
    if each:
        for begin in range(0, len(rows), step):
            wanted, which = np.unique(rows[begin : begin + step], return_inverse=True)
            built = plan.build(wanted.astype(np.int64))
            for name, number in zip(names[begin : begin + step], which.tolist(), strict=True):
                yield f"{gene.gene_id}_{'_'.join(name)} {place}", built[number]
        return
    carriers: list[list[str]] = [[] for _ in range(plan.n_distinct)]
    for name, row in zip(names, rows.tolist(), strict=True):
        carriers[row].append(":".join(name))
    for begin in range(0, plan.n_distinct, step):
        numbers = np.arange(begin, min(begin + step, plan.n_distinct))
        for number, codes in zip(numbers.tolist(), plan.build(numbers), strict=True):
            who = carriers[number]
            header = f"{gene.gene_id}_h{number + 1} {place} copies={len(who)}"
            yield f"{header} carriers={','.join(who)}", codes


def _lines(codes: Codes) -> bytes:
    letters = decode(codes)
    lines = [letters[at : at + _LINE] for at in range(0, len(letters), _LINE)]
    return ("\n".join(lines) + "\n").encode()


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    # bgzip blocks carry no time, so the same haplotypes give the same bytes.
    packed = path.suffix in (".gz", ".bgz")
    handle = pysam.BGZFile(str(path), "wb", index=None) if packed else open(path, "wb")  # noqa: SIM115 -- closed below
    try:
        yield cast(BinaryIO, handle)
    finally:
        handle.close()
