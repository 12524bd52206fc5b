"""Histone marks along the genome: how many reads each step expects, and which it gets.

The reads of a step of mark m in cell c are Poisson with the mean::

    depth_c (background + efficiency_cm * sum over genes of height_gcm * shape_gm(step))

shape is 1 at the middle of the mark's place. Marks of neighbouring genes add up where they
overlap. depth_c and efficiency_cm are log-normal with mean 1. A mark of domains has these in
place of the sum over genes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.simulate.chromatin.config import CellsConfig, Mark
from exprimo.simulate.chromatin.states import CellStates, Values, standardise
from exprimo.simulate.config import random_stream
from exprimo.simulate.genome.annotation import NamedGene

Integers = npt.NDArray[np.int64]
# A bell is cut where it has fallen to a hundredth.
_BELL_ENDS = 3.0
_DOMAIN_SHARE = 0.2


class Footprint(NamedTuple):
    """Which steps of the genome a mark of each gene covers: one entry per gene and step."""

    gene: Integers
    """Row of the gene."""
    step: Integers
    """Number of the step in the genome."""
    weight: Values
    """Height at the step's middle relative to that of the mark, 0 to 1."""


class Steps(NamedTuple):
    """The genome cut into steps, chromosome after chromosome."""

    width: int
    """Bases in a step; the last one of a chromosome may be shorter."""
    lengths: Mapping[str, int]
    """Length of each chromosome in bases."""

    @property
    def counts(self) -> dict[str, int]:
        """Number of steps of each chromosome."""
        return {name: -(-length // self.width) for name, length in self.lengths.items()}

    @property
    def firsts(self) -> dict[str, int]:
        """Number of each chromosome's first step."""
        ends = np.cumsum([0, *self.counts.values()]).tolist()
        return dict(zip(self.lengths, ends[:-1], strict=True))

    @property
    def total(self) -> int:
        """Number of all steps."""
        return sum(self.counts.values())


def mark_heights(seed: int, states: CellStates, config: CellsConfig) -> dict[str, Values]:
    """Draw the height of each mark at each gene in each cell, shape (genes, cells).

    In reads per step, in a library of mean depth and efficiency. Marks of domains are left out:
    they have no height at a gene.
    """
    marked = states.openness * (1.0 - config.silencing * states.silencing)
    followed = {
        "activation": states.activation,
        "repression": states.repression,
        "transcription": standardise(marked),
        "nothing": np.zeros_like(marked),
    }
    heights = {}
    for mark in config.marks:
        if mark.shape == "domains":
            continue
        stream = random_stream(seed, f"cells.heights.{mark.name}")
        scatter = stream.normal(0.0, mark.scatter, marked.shape)
        heights[mark.name] = mark.level * np.exp(mark.response * followed[mark.follows] + scatter)
    return heights


def draw_scales(seed: int, names: Sequence[str], config: CellsConfig) -> pd.DataFrame:
    """Draw each cell's depth and the efficiency of each mark in it; cells are rows.

    Returns
    -------
    pandas.DataFrame
        depth, then one column per mark; log-normal with mean 1.
    """
    stream = random_stream(seed, "cells.scales")
    columns = ["depth", *(mark.name for mark in config.marks)]
    spread = np.array([config.depth_sd] + [config.efficiency_sd] * len(config.marks))
    drawn = stream.normal(0.0, 1.0, (len(names), len(columns))) * spread
    # The mean of a log-normal is above its median by this much.
    scales = np.exp(drawn - spread**2 / 2.0)
    return pd.DataFrame(scales, columns=columns, index=list(names))


def footprint(mark: Mark, genes: Sequence[NamedGene], steps: Steps) -> Footprint:
    """List the steps that a mark covers at each gene; steps off the chromosome are left out."""
    firsts, counts = steps.firsts, steps.counts
    rows, numbers, weights = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty(0)]
    for row, one in enumerate(genes):
        chrom, transcript = one.place.chrom, one.gene.canonical
        sign = 1 if one.place.strand == "+" else -1
        tss = one.place.start + transcript.tss if sign > 0 else one.place.end - 1 - transcript.tss
        for low, high, middle in _extents(mark, transcript.end - transcript.tss):
            ends = sorted((tss + sign * low, tss + sign * high))
            first = max(0, ends[0] // steps.width)
            last = min(counts[chrom] - 1, ends[1] // steps.width)
            at = np.arange(first, last + 1, dtype=np.int64)
            weight = np.ones(at.size)
            if middle is not None:
                away = (at + 0.5) * steps.width - (tss + sign * middle)
                weight = np.exp(-0.5 * (away / mark.width) ** 2)
            rows.append(np.full(at.size, row, dtype=np.int64))
            numbers.append(at + firsts[chrom])
            weights.append(weight)
    return Footprint(np.concatenate(rows), np.concatenate(numbers), np.concatenate(weights))


def _extents(mark: Mark, span: int) -> Iterator[tuple[int, int, int | None]]:
    """Give first and last base of each part of a mark from the TSS, and the middle of a bell."""
    reach = int(_BELL_ENDS * mark.width)
    if mark.shape == "peak":
        yield mark.offset - reach, mark.offset + reach, mark.offset
    elif mark.shape == "flanks":
        for middle in (-mark.offset, mark.offset):
            yield middle - reach, middle + reach, middle
    elif mark.shape == "body" and span > mark.offset:
        yield mark.offset, span - 1, None


def lay_over(covered: Footprint, heights: Values, steps: Steps) -> Values:
    """Add up what the genes' marks give each step, shape (steps,).

    Parameters
    ----------
    heights
        One cell's, shape (genes,).

    Examples
    --------
    >>> covered = Footprint(np.array([0, 0, 1]), np.array([0, 1, 1]), np.array([1.0, 0.5, 1.0]))
    >>> lay_over(covered, np.array([4.0, 3.0]), Steps(50, {"1": 120})).tolist()
    [4.0, 5.0, 0.0]
    """
    weights = covered.weight * heights[covered.gene]
    summed = np.bincount(covered.step, weights=weights, minlength=steps.total)
    return np.asarray(summed, dtype=np.float64)


def draw_domains(stream: np.random.Generator, mark: Mark, steps: Steps) -> Values:
    """Lay domains of exponential lengths over up to a fifth of the genome, shape (steps,)."""
    marked = np.zeros(steps.total)
    mean = max(1.0, mark.width / steps.width)
    number = int(stream.poisson(_DOMAIN_SHARE * steps.total / mean))
    starts = stream.integers(0, steps.total, number)
    lengths = 1 + stream.exponential(mean, number).astype(np.int64)
    heights = mark.level * np.exp(stream.normal(0.0, mark.scatter, number))
    for start, length, height in zip(starts.tolist(), lengths.tolist(), heights, strict=True):
        marked[start : start + length] = height
    return marked


def draw_reads(
    stream: np.random.Generator,
    marked: Values,
    depth: float,
    efficiency: float,
    config: CellsConfig,
) -> Integers:
    """Draw the reads of each step of one track, shape (steps,)."""
    return stream.poisson(depth * (config.background + efficiency * marked))
