"""Which motif a variant changes: the best site with each allele, over the windows that hold it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.sequence import N_CODE, Codes, encode
from exprimo.data.fasta import Genome
from exprimo.data.motifs import MotifMatrix
from exprimo.features.motifs.scan import scan

# Scores are kept in single precision.
_SAME = 1e-3

Variant = tuple[str, int, str, str]
"""Chromosome, position from 1, REF, ALT."""


class MotifChange(NamedTuple):
    """The motif whose best site an allele changes most.

    Attributes
    ----------
    motif
        Its name; "" where no motif has a site with either allele that differs between them.
    ref, alt
        Best score in bits with each allele, on either strand; NaN without a motif.
    """

    motif: str
    ref: float
    alt: float


_NOTHING = MotifChange("", np.nan, np.nan)


def motif_changes(
    variants: pd.DataFrame,
    genome: Genome,
    motifs: Sequence[MotifMatrix],
    background: npt.ArrayLike,
    *,
    pvalue: float = 1e-4,
) -> list[MotifChange]:
    """Find the motif that each variant changes most.

    All windows of a motif's width that overlap the variant are scored on both strands, with the
    reference and with the alternate allele. A motif counts where the better of the two scores is
    that of a site, and the one whose two scores differ most is given.

    Parameters
    ----------
    variants
        ``chrom`` as the genome names it, ``pos`` from 1, ``ref``, ``alt``.
    background
        Frequencies of A, C, G, T.
    pvalue
        Chance of a site at a random place: a word as good as that is one.
    """
    if not len(variants):
        return []
    columns = (variants[name].tolist() for name in ("chrom", "pos", "ref", "alt"))
    listed: list[Variant] = list(zip(*columns, strict=True))
    ref, alt, limit = [], [], []
    widths = sorted({motif.width for motif in motifs})
    ordered = []
    for width in widths:
        chosen = [motif for motif in motifs if motif.width == width]
        both = [_around(one, genome, width - 1) for one in listed]
        codes = _padded([pair[0] for pair in both] + [pair[1] for pair in both])
        found = scan(codes, chosen, background=background, pvalue=pvalue)
        ref.append(found.score[: len(variants)])
        alt.append(found.score[len(variants) :])
        limit.append(found.threshold)
        ordered += [_named(motif) for motif in chosen]
    scores = np.hstack(ref).astype(np.float64), np.hstack(alt).astype(np.float64)
    return _greatest(scores[0], scores[1], np.concatenate(limit), ordered)


def _greatest(
    ref: npt.NDArray[np.float64],
    alt: npt.NDArray[np.float64],
    limit: npt.NDArray[np.float64],
    names: Sequence[str],
) -> list[MotifChange]:
    change = np.abs(alt - ref)
    is_site = np.fmax(ref, alt) >= limit - _SAME
    change = np.where(is_site & np.isfinite(change) & (change > _SAME), change, -1.0)
    found = []
    for row, at in enumerate(change.argmax(axis=1)):
        changed = change[row, at] > 0
        found.append(
            MotifChange(names[at], float(ref[row, at]), float(alt[row, at]))
            if changed
            else _NOTHING
        )
    return found


def _named(motif: MotifMatrix) -> str:
    """Give the factor's name beside the id, where it has one of its own."""
    return motif.name if motif.alt_name in ("", motif.name) else f"{motif.alt_name} ({motif.name})"


def _around(variant: Variant, genome: Genome, flank: int) -> tuple[Codes, Codes]:
    """Give the stretch around a variant with each allele; shorter at the ends of a chromosome."""
    chrom, pos, ref, alt = variant
    start, end = pos - 1, pos - 1 + len(ref)
    before = genome.fetch(chrom, max(start - flank, 0), start)
    behind = genome.fetch(chrom, end, min(end + flank, genome.lengths[chrom]))
    first, second = (np.concatenate([before, encode(allele), behind]) for allele in (ref, alt))
    return first, second


def _padded(sequences: Sequence[Codes]) -> Codes:
    """Put stretches into one array; what is missing at the end is unknown, and holds no site."""
    found = np.full((len(sequences), max(map(len, sequences))), N_CODE, dtype=np.uint8)
    for row, codes in zip(found, sequences, strict=True):
        row[: len(codes)] = codes
    return found
