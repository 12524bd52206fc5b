"""Chromosomes: where each gene lies, on which strand, and what lies between."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from exprimo.core.coordinates import Interval
from exprimo.core.sequence import Codes, reverse_complement
from exprimo.simulate.config import GenomeConfig
from exprimo.simulate.genome.bases import repeat_library, spacer, telomere
from exprimo.simulate.genome.transcripts import Gene, Span


class Chromosome(NamedTuple):
    """One assembled chromosome, forward strand."""

    name: str
    codes: Codes
    genes: tuple[Interval, ...]
    """The stretch of each gene, upstream sequence included, in order."""
    repeats: tuple[tuple[str, Interval], ...]
    """Kind and place of each repeat copy."""


def chromosome_shares(genes: int, config: GenomeConfig) -> list[int]:
    """Share genes out to chromosomes, each with fewer than the one before.

    Examples
    --------
    >>> chromosome_shares(100, GenomeConfig(chromosomes=3))
    [42, 34, 24]
    """
    weights = np.linspace(1.4, 0.8, config.chromosomes)
    ends = np.round(genes * np.cumsum(weights) / weights.sum()).astype(int)
    shares: list[int] = np.diff([0, *ends]).tolist()
    return shares


def assemble(
    rng: np.random.Generator, genes: list[Gene], gc: list[float], config: GenomeConfig
) -> Iterator[Chromosome]:
    """Assemble one chromosome after the other, genes in their given order.

    Parameters
    ----------
    genes
        In genome order; each gets a strand.
    gc
        GC fraction around each gene.
    """
    library = repeat_library(rng, config)
    first = 0
    for number, share in enumerate(chromosome_shares(len(genes), config), start=1):
        name = str(number)
        pieces = [telomere(config)]
        placed: list[Interval] = []
        repeats: list[tuple[str, Interval]] = []
        at = config.telomere
        for index in range(first, first + share):
            between = spacer(rng, gc[index], library, config)
            for kind, start, end, strand in between.repeats:
                repeats.append((kind, Interval(name, at + start, at + end, strand)))
            at += between.codes.size
            codes = genes[index].codes
            strand = "+" if rng.random() < 0.5 else "-"
            pieces += [between.codes, codes if strand == "+" else reverse_complement(codes)]
            placed.append(Interval(name, at, at + codes.size, strand))
            at += codes.size
        last = spacer(rng, config.gc_mean, {}, config)
        pieces += [last.codes, telomere(config)]
        yield Chromosome(name, np.concatenate(pieces), tuple(placed), tuple(repeats))
        first += share


def on_chromosome(place: Interval, span: Span) -> Interval:
    """Turn a span in gene orientation into an interval of the chromosome.

    Examples
    --------
    >>> on_chromosome(Interval("1", 100, 200, "-"), (0, 10))
    Interval(chrom='1', start=190, end=200, strand='-')
    """
    if place.strand == "-":
        return Interval(place.chrom, place.end - span[1], place.end - span[0], "-")
    return Interval(place.chrom, place.start + span[0], place.start + span[1], "+")
