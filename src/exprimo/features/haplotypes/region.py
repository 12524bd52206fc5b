"""The variants and the reference that the haplotypes of a window are made of."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.coordinates import Interval
from exprimo.core.errors import InputError, MismatchError
from exprimo.core.sequence import Codes, decode, reverse_complement
from exprimo.data.fasta import Genome
from exprimo.data.genotypes.view import Block, Genotypes
from exprimo.features.haplotypes.edits import (
    Variants,
    prepare_variants,
    ref_matches,
    towards_gene,
)
from exprimo.features.haplotypes.kernels import Edits
from exprimo.features.haplotypes.one_variant import padded_stretch

# Read beyond the window at first: enough for the deletions of most windows, and few variants.
_MARGIN = 512


class Region(NamedTuple):
    """A window with what lies around it, in the direction of the gene.

    Attributes
    ----------
    window
        On the reference, forward strand.
    block, variants
        Genotypes and alleles, forward strand, in order of position.
    reference, edits
        Bases in gene orientation, N beyond the chromosome, and what the variants change in them.
    origin
        Index of the TSS base in ``reference``.
    relevant
        Bool, (variants,): whether the variant can come to lie in someone's window.
    inside
        Bool, (variants,): whether REF overlaps the window on the reference.
    clipped
        Whether the window leaves the chromosome.
    """

    window: Interval
    block: Block
    variants: Variants
    reference: Codes
    edits: Edits
    origin: int
    relevant: npt.NDArray[np.bool_]
    inside: npt.NDArray[np.bool_]
    clipped: bool


def read_region(genome: Genome, genotypes: Genotypes, window: Interval, tss: int) -> Region:
    """Read as much around a window as is needed to fill up what deletions take from it."""
    if window.chrom not in genotypes.chromosomes:
        raise MismatchError(
            "no genotypes of this chromosome",
            file=genotypes.path,
            record=f"chromosome {window.chrom}",
            found=", ".join(genotypes.chromosomes[:5]),
            expected="genotypes whose chromosomes are named as in the genome",
            remedy="Open them with the genome, or leave the gene out",
        )
    size = genome.lengths[window.chrom]
    margin, whole = _MARGIN, False
    while True:
        block, variants = _closed_block(genome, genotypes, window, margin)
        lost = _most_lost(block, variants)
        if lost <= margin or whole:
            break
        margin = max(4 * margin, lost)
        whole = window.start - margin <= 0 and window.end + margin >= size
    margin = max(margin, lost)
    low, high = window.start - margin, window.end + margin
    forward = padded_stretch(genome, window.chrom, low, high)
    _check_ref(genome, genotypes, block, variants, window.chrom)
    minus = window.strand == "-"
    relevant = (variants.start < window.end + lost) & (variants.end > window.start - lost)
    inside = (variants.start < window.end) & (variants.end > window.start)
    return Region(
        window,
        block,
        variants,
        reverse_complement(forward) if minus else forward,
        towards_gene(variants.edits, low, high, minus),
        high - 1 - tss if minus else tss - low,
        relevant,
        inside,
        window.start < 0 or window.end > size,
    )


def _closed_block(
    genome: Genome, genotypes: Genotypes, window: Interval, margin: int
) -> tuple[Block, Variants]:
    """Read variants, and those before that overlap them: whether one applies hangs on them."""
    end = min(window.end + margin, genome.lengths[window.chrom])
    begin = max(window.start - margin, 0)
    while True:
        block = genotypes.region(window.chrom, begin, end)
        first = int(block.variants["start"].min()) if len(block.variants) else begin
        if first >= begin:
            break
        begin = first
    table = block.variants
    if (table["start"] < 0).any():
        raise InputError("a variant before the beginning of its chromosome", file=genotypes.path)
    return block, prepare_variants(
        table["start"].to_numpy(np.int64), table["ref"].tolist(), table["alt"].tolist()
    )


def _most_lost(block: Block, variants: Variants) -> int:
    """Give the most bases that the deletions of one person take away, over both copies."""
    edits = variants.edits
    lost = (edits.last - edits.first) - np.diff(edits.alt_at)
    rows = np.flatnonzero(lost > 0)
    if not len(rows):
        return 0
    copies = (block.alleles[rows] == 1).sum(axis=2)
    return int((lost[rows] @ copies).max(initial=0))


def _check_ref(
    genome: Genome, genotypes: Genotypes, block: Block, variants: Variants, chrom: str
) -> None:
    if not len(variants.start):
        return
    low = int(variants.start[0])
    high = min(int(variants.end.max()), genome.lengths[chrom])
    matches = ref_matches(variants, genome.fetch(chrom, low, high), low)
    if matches.all():
        return
    row = block.variants.iloc[int(np.argmin(matches))]
    start = int(row["start"])
    end = min(start + len(row["ref"]), high)
    raise MismatchError(
        "REF is not what the genome has there",
        file=genotypes.path,
        record=f"variant {row['variant_id']} at {chrom}:{start + 1}",
        found=row["ref"],
        expected=f"{decode(genome.fetch(chrom, start, end))} of {genome.path}",
        remedy="Take genotypes and genome of the same build, or choose --on-ref-mismatch",
    )
