"""The acting windows that people carry: reference bases with their variants written in.

The window keeps its length and the TSS base its place: bases come from the edited chromosome on
either side, so an indel moves what lies beyond it away from the TSS or towards it. A deletion of
the TSS base puts the next base downstream in its place; bases inserted at the TSS go upstream.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.sequence import N_CODE, Codes, encode, reverse_complement
from exprimo.simulate.individuals.variants import Allele, Variants

Rows = npt.NDArray[np.int64]
_EXACT_BITS = 62


class Anchor(NamedTuple):
    """A TSS and the window around it, in gene orientation."""

    tss: int
    strand: str
    upstream: int
    downstream: int

    @property
    def span(self) -> tuple[int, int]:
        """The window of the reference on the forward strand, 0-based, half-open."""
        if self.strand == "+":
            return self.tss - self.upstream, self.tss + self.downstream
        return self.tss - self.downstream + 1, self.tss + self.upstream + 1


class GeneHaplotypes(NamedTuple):
    """The distinct windows of one gene, and who carries which."""

    windows: list[bytes]
    """Codes of each distinct window; the first is the reference's."""
    carried: Rows
    """Row of ``windows`` of each haplotype, shape (haplotypes,)."""
    variants: Rows
    """Numbers of the variants that touch the window or what deletions draw into it."""
    alone: Rows
    """Row of ``windows`` with only that variant in the reference, one for each of ``variants``."""


def edited_window(codes: Codes, alleles: Sequence[Allele], anchor: Anchor) -> Codes:
    """Write variants into a chromosome and cut the window, in gene orientation.

    Parameters
    ----------
    codes
        The chromosome.
    alleles
        In order of position, none overlapping another.

    Examples
    --------
    >>> from exprimo.core.sequence import decode
    >>> deletion, anchor = Allele(2, "GTA", "G"), Anchor(6, "+", 4, 2)
    >>> decode(edited_window(encode("ACGTACGT"), [deletion], anchor))
    'ACGCGT'
    """
    # The cut lies between the downstream and the upstream part.
    cut = anchor.tss if anchor.strand == "+" else anchor.tss + 1
    low, high = anchor.span
    reach = sum(len(one.ref) for one in alleles)
    low, high = max(0, low - reach), min(codes.size, high + reach)
    parts: tuple[list[Codes], list[Codes]] = ([], [])
    at = low
    for one in alleles:
        begin, end, bases = without_anchor(one)
        _add(parts, codes, at, begin, cut)
        inserted_upstream = begin == end == cut and anchor.strand == "+"
        parts[0 if begin < cut or inserted_upstream else 1].append(bases)
        at = end
    _add(parts, codes, at, high, cut)
    left = np.concatenate(parts[0]) if parts[0] else codes[:0]
    right = np.concatenate(parts[1]) if parts[1] else codes[:0]
    before, after = anchor.upstream, anchor.downstream
    if anchor.strand == "-":
        before, after = after, before
    window = np.concatenate([_last(left, before), _first(right, after)])
    return window if anchor.strand == "+" else reverse_complement(window)


def without_anchor(one: Allele) -> tuple[int, int, Codes]:
    """Give the reference bases that are replaced, as a span, and what replaces them."""
    if len(one.ref) == len(one.alt):
        return one.start, one.start + len(one.ref), encode(one.alt)
    return one.start + 1, one.start + len(one.ref), encode(one.alt[1:])


def _add(
    parts: tuple[list[Codes], list[Codes]], codes: Codes, begin: int, end: int, cut: int
) -> None:
    """Add the unchanged bases from ``begin`` to ``end`` to the sides of the cut."""
    if begin < min(end, cut):
        parts[0].append(codes[begin : min(end, cut)])
    if max(begin, cut) < end:
        parts[1].append(codes[max(begin, cut) : end])


def _last(codes: Codes, count: int) -> Codes:
    kept = codes[max(0, codes.size - count) :]
    return np.concatenate([np.full(count - kept.size, N_CODE, dtype=np.uint8), kept])


def _first(codes: Codes, count: int) -> Codes:
    kept = codes[:count]
    return np.concatenate([kept, np.full(count - kept.size, N_CODE, dtype=np.uint8)])


def gene_haplotypes(codes: Codes, variants: Variants, anchor: Anchor) -> GeneHaplotypes:
    """Find the distinct windows that people carry, and those with one variant each.

    Parameters
    ----------
    codes
        The chromosome.
    """
    near = _touching(variants, anchor)
    alleles = [variants.alleles[row] for row in near.tolist()]
    rows: dict[bytes, int] = {}

    def row_of(chosen: Sequence[Allele]) -> int:
        window = edited_window(codes, chosen, anchor).tobytes()
        return rows.setdefault(window, len(rows))

    row_of([])
    first, which = _distinct(variants.carriers[near])
    carriers = variants.carriers[near].astype(bool)
    of_distinct = [
        row_of([one for one, has in zip(alleles, carriers[:, haplotype], strict=True) if has])
        for haplotype in first.tolist()
    ]
    carried = np.array(of_distinct, dtype=np.int64)[which]
    alone = np.array([row_of([one]) for one in alleles], dtype=np.int64)
    return GeneHaplotypes(list(rows), carried, near, alone)


def _touching(variants: Variants, anchor: Anchor) -> Rows:
    """Number the variants within the window, made wider by what deletions can draw into it."""
    wider = 0
    while True:
        low, high = anchor.span[0] - wider, anchor.span[1] + wider
        # An insertion after the base before the window is at the window's edge.
        first = int(np.searchsorted(variants.ends, low))
        near = np.arange(first, int(np.searchsorted(variants.starts, high)), dtype=np.int64)
        deleted = sum(
            max(0, len(one.ref) - len(one.alt))
            for one in (variants.alleles[row] for row in near.tolist())
        )
        if deleted <= wider:
            return near
        wider = deleted


def _distinct(carriers: npt.NDArray[np.uint8]) -> tuple[Rows, Rows]:
    """Find the distinct columns: a haplotype of each, and which one each haplotype has."""
    if len(carriers) > _EXACT_BITS:
        _, first, which = np.unique(carriers, axis=1, return_index=True, return_inverse=True)
        return first, which.ravel()
    powers = np.int64(1) << np.arange(len(carriers), dtype=np.int64)
    _, first, which = np.unique(powers @ carriers, return_index=True, return_inverse=True)
    return first, which.ravel()
