"""A window with no variant, and with each of some variants alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.coordinates import promoter_interval
from exprimo.core.errors import InputError
from exprimo.core.sequence import N_CODE, Codes, reverse_complement
from exprimo.data.fasta import Genome
from exprimo.features.haplotypes.edits import (
    Variants,
    prepare_variants,
    ref_matches,
    towards_gene,
)
from exprimo.features.haplotypes.kernels import fill_windows, origins, touching


class OneVariantWindows(NamedTuple):
    """The reference window and what each variant alone makes of it, all in one orientation.

    Attributes
    ----------
    reference
        Codes, (length,).
    alternates
        Codes, (variants, length); the anchor is at the same index as in the reference.
    changed
        Bool, (variants,): whether the variant changes anything within the window.
    ref_match
        Bool, (variants,): whether REF is what the genome has. Where not, the bases that REF
        covers were replaced all the same.
    contains_unknown
        Bool, (variants,): whether N stands in the reference or the alternate window.
    """

    reference: Codes
    alternates: Codes
    changed: npt.NDArray[np.bool_]
    ref_match: npt.NDArray[np.bool_]
    contains_unknown: npt.NDArray[np.bool_]


def one_variant_windows(
    genome: Genome,
    chrom: str,
    anchor: int,
    strand: str,
    starts: npt.ArrayLike,
    refs: Sequence[str],
    alts: Sequence[str],
    *,
    upstream: int,
    downstream: int,
) -> OneVariantWindows:
    """Build the reference window around an anchor, and one window per variant alone.

    The anchor (a TSS, or the first base of a variant) is at index ``upstream`` in all of them,
    in the direction of ``strand``; an indel shifts what lies beyond it away from the anchor, or
    towards it, and the window keeps its length. Where a deletion takes the anchor away, the next
    base downstream that is left stands there. Beyond the ends of the chromosome is N.

    Parameters
    ----------
    genome
        An opened FASTA file.
    chrom, anchor, strand
        Chromosome as the genome names it, 0-based position, ``+`` or ``-``.
    starts, refs, alts
        0-based first base of each REF, and the alleles on the forward strand, in any order.
    upstream, downstream
        Bases before the anchor, and from the anchor on.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from exprimo.core.sequence import decode
    >>> fasta = pathlib.Path(tempfile.mkdtemp()) / "tiny.fa"
    >>> _ = fasta.write_text(">I\\nAACCGGGTTT\\n")
    >>> with Genome.open(fasta) as genome:
    ...     made = one_variant_windows(genome, "I", 5, "+", [3, 4], ["CG", "G"], ["C", "T"],
    ...                                upstream=3, downstream=3)
    >>> decode(made.reference), [decode(row) for row in made.alternates]
    ('CCGGGT', ['ACCGGT', 'CCTGGT'])
    """
    check_window(genome, chrom, upstream, downstream)
    order = np.argsort(np.asarray(starts, dtype=np.int64).reshape(-1), kind="stable")
    sorted_starts = np.asarray(starts, dtype=np.int64).reshape(-1)[order]
    variants = prepare_variants(sorted_starts, [refs[i] for i in order], [alts[i] for i in order])
    _check_on_chromosome(genome, chrom, variants)
    window = promoter_interval(chrom, anchor, strand, upstream=upstream, downstream=downstream)
    lost = (variants.edits.last - variants.edits.first) - np.abs(np.diff(variants.edits.alt_at))
    margin = max(0, int(lost.max(initial=0)))
    low, high = window.start - margin, window.end + margin
    forward = padded_stretch(genome, chrom, low, high)
    minus = strand == "-"
    bases = reverse_complement(forward) if minus else forward
    edits = towards_gene(variants.edits, low, high, minus)
    origin = high - 1 - anchor if minus else anchor - low
    every, at = np.arange(len(order)), np.arange(len(order) + 1)
    shift = upstream - origins(every, at, edits, origin)
    alternates = np.empty((len(order), upstream + downstream), dtype=np.uint8)
    fill_windows(bases, edits, every, at, every, shift, alternates)
    changed = touching(every, at, edits, origin, shift, upstream + downstream)
    back = np.argsort(order, kind="stable")
    reference = bases[margin : len(bases) - margin].copy()
    unknown = (alternates == N_CODE).any(axis=1) | bool((reference == N_CODE).any())
    matches = _all_ref_matches(genome, chrom, variants)
    return OneVariantWindows(
        reference, alternates[back], changed[back], matches[back], unknown[back]
    )


def _all_ref_matches(genome: Genome, chrom: str, variants: Variants) -> npt.NDArray[np.bool_]:
    """Compare REF with the genome, wherever on the chromosome the variants lie."""
    if not len(variants.start):
        return np.zeros(0, dtype=np.bool_)
    low, high = int(variants.start[0]), int(variants.end.max())
    return ref_matches(variants, genome.fetch(chrom, low, high), low)


def _check_on_chromosome(genome: Genome, chrom: str, variants: Variants) -> None:
    beyond = (variants.start < 0) | (variants.end > genome.lengths[chrom])
    if beyond.any():
        raise InputError(
            "a variant beyond the end of its chromosome",
            file=genome.path,
            record=f"{chrom}:{variants.start[int(np.argmax(beyond))] + 1}",
            expected=f"positions from 1 to {genome.lengths[chrom]}",
            remedy="Take variants and genome of the same build",
        )


def padded_stretch(genome: Genome, chrom: str, low: int, high: int) -> Codes:
    """Read ``[low, high)``, which may leave the chromosome: N stands there, (high - low,)."""
    codes = np.full(high - low, N_CODE, dtype=np.uint8)
    begin, end = max(low, 0), min(high, genome.lengths[chrom])
    if begin < end:
        codes[begin - low : end - low] = genome.fetch(chrom, begin, end)
    return codes


def check_window(genome: Genome, chrom: str, upstream: int, downstream: int) -> None:
    """Refuse a chromosome that is not there, and a window longer than it."""
    if chrom not in genome.lengths:
        raise InputError(
            "no such chromosome",
            file=genome.path,
            found=chrom,
            expected=", ".join(genome.names[:5]),
        )
    if upstream + downstream > genome.lengths[chrom]:
        raise InputError(
            "a window longer than its chromosome",
            file=genome.path,
            record=f"chromosome {chrom} of {genome.lengths[chrom]:,} bases",
            found=f"upstream {upstream:,} and downstream {downstream:,}",
            expected="a window that fits; the ends alone may be padded with N",
            remedy="Choose a shorter window, or leave this chromosome out",
        )
