"""Genes: exons, introns, coding sequences, and the bases that keep them legible."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.sequence import Codes, encode
from exprimo.simulate.config import TranscriptConfig
from exprimo.simulate.genome.bases import random_bases

Span = tuple[int, int]

START = encode("ATG")
STOPS = np.stack([encode("TAA"), encode("TAG"), encode("TGA")])
_DONOR, _ACCEPTOR = encode("GTAAGT"), encode("TTTCCTTTTCAG")
_CODONS = np.array([(a, b, c) for a in range(4) for b in range(4) for c in range(4)], np.uint8)
_SENSE = _CODONS[[not (codon == STOPS).all(axis=1).any() for codon in _CODONS]]
_MIN_EXON = 30


class Transcript(NamedTuple):
    """One transcript; positions count from the gene's first stored base, in gene orientation.

    ``cds`` runs from the A of ATG to the end of the stop codon, introns included; None for a
    gene that codes for nothing.
    """

    exons: tuple[Span, ...]
    cds: Span | None
    canonical: bool

    @property
    def tss(self) -> int:
        return self.exons[0][0]

    @property
    def end(self) -> int:
        return self.exons[-1][1]


class Gene(NamedTuple):
    """A gene's own stretch of DNA in gene orientation: upstream sequence, then the body."""

    codes: Codes
    transcripts: tuple[Transcript, ...]

    @property
    def canonical(self) -> Transcript:
        return self.transcripts[0]


def clip_spans(spans: tuple[Span, ...], within: Span) -> tuple[Span, ...]:
    """Keep the parts of ``spans`` that lie inside ``within``.

    Examples
    --------
    >>> clip_spans(((0, 10), (20, 30)), (5, 22))
    ((5, 10), (20, 22))
    """
    cut = ((max(start, within[0]), min(end, within[1])) for start, end in spans)
    return tuple((start, end) for start, end in cut if start < end)


def positions(spans: tuple[Span, ...]) -> npt.NDArray[np.intp]:
    """List each position that ``spans`` cover, in order.

    Examples
    --------
    >>> positions(((0, 2), (5, 7))).tolist()
    [0, 1, 5, 6]
    """
    if not spans:
        return np.empty(0, dtype=np.intp)
    return np.concatenate([np.arange(start, end, dtype=np.intp) for start, end in spans])


def introns(exons: tuple[Span, ...]) -> tuple[Span, ...]:
    """Give the gaps between consecutive exons."""
    return tuple((left[1], right[0]) for left, right in pairwise(exons))


def protected_positions(gene: Gene) -> npt.NDArray[np.intp]:
    """List the bases that a paralog must keep: start, stop, splice sites (GT..AG)."""
    transcript = gene.canonical
    kept: list[Span] = []
    for start, end in introns(transcript.exons):
        kept += [(start, start + 2), (end - 2, end)]
    if transcript.cds is not None:
        kept += [(transcript.cds[0], transcript.cds[0] + 3)]
        kept += [(transcript.cds[1] - 3, transcript.cds[1])]
    return positions(tuple(kept))


def _length(rng: np.random.Generator, median: float, spread: float, low: int, high: int) -> int:
    return int(np.clip(rng.lognormal(np.log(median), spread), low, high))


def _coding_sequence(rng: np.random.Generator, codons: int, gc: float) -> Codes:
    base = np.array([1 - gc, gc, gc, 1 - gc]) / 2
    weights = base[_SENSE].prod(axis=1)
    drawn = rng.choice(len(_SENSE), codons - 2, p=weights / weights.sum())
    stop = STOPS[int(rng.integers(3))]
    return np.concatenate([START, _SENSE[drawn].ravel(), stop])


def _intron_cuts(rng: np.random.Generator, count: int, length: int, coding: Span) -> list[int]:
    """Choose where introns interrupt the mRNA: never within a start or stop codon."""
    cuts: list[int] = []
    for cut in np.sort(rng.integers(_MIN_EXON, max(_MIN_EXON + 1, length - _MIN_EXON), count)):
        in_codon = 0 < cut - coding[0] < 3 or 0 < coding[1] - cut < 3
        if not in_codon and cut - (cuts[-1] if cuts else 0) >= _MIN_EXON:
            cuts.append(int(cut))
    return cuts


def _intron(rng: np.random.Generator, gc: float, config: TranscriptConfig) -> Codes:
    length = _length(rng, config.intron_median, 0.7, 60, 8000)
    inner = random_bases(rng, length - _DONOR.size - _ACCEPTOR.size, gc)
    return np.concatenate([_DONOR, inner, _ACCEPTOR])


def _splice_in(mature: Codes, cuts: list[int], inserts: list[Codes]) -> tuple[Codes, list[Span]]:
    """Put introns into an mRNA; give the unspliced sequence and its exons."""
    pieces: list[Codes] = []
    exons: list[Span] = []
    at = 0
    for index, (left, right) in enumerate(zip([0, *cuts], [*cuts, mature.size], strict=True)):
        pieces.append(mature[left:right])
        exons.append((at, at + right - left))
        at += right - left
        if index < len(inserts):
            pieces.append(inserts[index])
            at += inserts[index].size
    return np.concatenate(pieces), exons


def make_gene(
    rng: np.random.Generator, gc: float, promoter_gc: float, config: TranscriptConfig
) -> Gene:
    """Draw a gene with its upstream sequence; GC fractions of the body and around the TSS."""
    coding = rng.random() >= config.noncoding_share
    if coding:
        five = _length(rng, config.utr5_median, 0.5, 30, 800)
        codons = _length(rng, config.codons_median, 0.6, 50, 2500)
        three = _length(rng, config.utr3_median, 0.7, 50, 4000)
        mature = np.concatenate(
            [
                random_bases(rng, five, promoter_gc),
                _coding_sequence(rng, codons, min(gc + 0.06, 0.65)),
                random_bases(rng, three, gc - 0.03),
            ]
        )
        span = (five, five + 3 * codons)
        # A broad distribution makes junction density vary apart from length.
        count = int(rng.poisson(config.introns_mean * rng.gamma(2.0, 0.5)))
    else:
        mature = random_bases(rng, _length(rng, 800, 0.5, 300, 4000), gc)
        span = (mature.size, mature.size)
        count = int(rng.poisson(1.0))
    cuts = _intron_cuts(rng, count, mature.size, span)
    body, local = _splice_in(mature, cuts, [_intron(rng, gc, config) for _ in cuts])
    codes = np.concatenate([random_bases(rng, config.upstream, promoter_gc), body])
    exons = tuple((start + config.upstream, end + config.upstream) for start, end in local)
    cds: Span | None = None
    if coding:
        of_mature = positions(exons)
        cds = (int(of_mature[span[0]]), int(of_mature[span[1] - 1]) + 1)
    canonical = Transcript(exons, cds, canonical=True)
    second = _second_transcript(rng, canonical, config) if coding else ()
    return Gene(codes, (canonical, *second))


def _second_transcript(
    rng: np.random.Generator, first: Transcript, config: TranscriptConfig
) -> tuple[Transcript, ...]:
    """Draw a transcript with another TSS and an earlier end, for a share of the genes."""
    if rng.random() >= config.second_transcript_share or first.cds is None:
        return ()
    exons = list(first.exons)
    room_in_exon = min(exons[0][1], first.cds[0]) - exons[0][0]
    if rng.random() < 0.5 or room_in_exon < 30:
        exons[0] = (exons[0][0] - int(rng.integers(30, 250)), exons[0][1])
    else:
        exons[0] = (exons[0][0] + int(rng.integers(10, room_in_exon - 10)), exons[0][1])
    last_start = max(exons[-1][0], first.cds[1])
    exons[-1] = (exons[-1][0], exons[-1][1] - (exons[-1][1] - last_start) // 3)
    return (Transcript(tuple(exons), first.cds, canonical=False),)
