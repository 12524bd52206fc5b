"""Where causal variants are placed: single bases that break a site of a promoter, or make one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.sequence import Codes, reverse_complement
from exprimo.simulate.config import RegulationConfig
from exprimo.simulate.genome.annotation import NamedGene
from exprimo.simulate.individuals.config import IndividualsConfig
from exprimo.simulate.regulation.motifs import Motif
from exprimo.simulate.regulation.sites import site_weight, word_scores


class Change(NamedTuple):
    """A single base to change, in gene orientation."""

    offset: int
    """From the TSS."""
    base: int
    """Code of the new base."""


class ActingSite(NamedTuple):
    """A site of one promoter that acts on expression."""

    factor: str
    offset: int
    """Of the first base from the TSS, in gene orientation."""
    orientation: int


class PlacedChange(NamedTuple):
    """A single base to change, on the forward strand of its chromosome."""

    position: int
    base: int


def tss_position(gene: NamedGene) -> int:
    """Give the canonical TSS on the chromosome, 0-based."""
    offset = gene.gene.canonical.tss
    if gene.place.strand == "+":
        return int(gene.place.start + offset)
    return int(gene.place.end - 1 - offset)


def breaking_changes(
    window: Codes, sites: Sequence[ActingSite], motifs: dict[str, Motif], upstream: int
) -> list[list[Change]]:
    """List, for each acting site of one promoter, the changes of a base that fits the motif.

    Parameters
    ----------
    window
        The acting window, gene orientation.
    """
    found = []
    for site in sites:
        motif = motifs[site.factor]
        word = motif.consensus if site.orientation > 0 else reverse_complement(motif.consensus)
        start = site.offset + upstream
        fitting = np.flatnonzero(window[start : start + motif.width] == word)
        found.append(
            [
                Change(site.offset + at, base)
                for at in fitting.tolist()
                for base in range(4)
                if base != word[at]
            ]
        )
    return found


def making_changes(
    window: Codes, motifs: dict[str, Motif], regulation: RegulationConfig, least: float
) -> list[Change]:
    """List the changes that turn a word that is no site into one, of factors that act alone."""
    found: list[Change] = []
    for factor in regulation.factors:
        if factor.partner is not None or factor.effect == 0:
            continue
        motif = motifs[factor.name]
        threshold = regulation.threshold * motif.best_score
        for orientation in (1, -1):
            matrix = motif.log_odds if orientation > 0 else motif.log_odds[::-1, ::-1]
            best = matrix.argmax(axis=1)
            scores = word_scores(window[np.newaxis], matrix)[0].astype(np.float64)
            offsets = np.arange(scores.size, dtype=np.int64) - regulation.upstream
            ways = np.full(scores.size, orientation, dtype=np.int64)
            part = factor.effect * site_weight(factor, offsets, ways)
            strong = np.abs(part) * regulation.weakest_occupancy >= least
            gain = matrix.max(axis=1).max() - matrix.min()
            near = strong & (scores < threshold) & (scores + gain >= threshold)
            for start in np.flatnonzero(near).tolist():
                word = window[start : start + motif.width]
                for at in np.flatnonzero(word != best).tolist():
                    missing = matrix[at, best[at]] - matrix[at, min(int(word[at]), 3)]
                    if scores[start] + missing >= threshold:
                        found.append(Change(int(offsets[start]) + at, int(best[at])))
    return found


def place_causal(
    rng: np.random.Generator,
    genes: Sequence[NamedGene],
    windows: Codes,
    sites: pd.DataFrame,
    motifs: dict[str, Motif],
    regulation: RegulationConfig,
    config: IndividualsConfig,
) -> list[PlacedChange]:
    """Choose the causal variants of the genes of one chromosome, in order of position.

    Parameters
    ----------
    windows
        Acting windows of ``genes``, shape (genes, upstream + downstream), gene orientation.
    sites
        Their sites; column ``gene`` counts from the first of ``genes``.
    """
    strong = _strong_sites(sites, config.least_effect)
    chosen: dict[int, int] = {}
    for row, gene in enumerate(genes):
        if rng.random() >= config.causal_share:
            continue
        count = int(rng.geometric(1.0 / config.causal_mean))
        window, own = windows[row], strong.get(row, [])
        broken = breaking_changes(window, own, motifs, regulation.upstream)
        made = making_changes(window, motifs, regulation, config.least_effect)
        for change in _choose(rng, broken, made, count, config.makes_share):
            placed = _on_forward_strand(gene, change)
            chosen.setdefault(placed.position, placed.base)
    return [PlacedChange(position, chosen[position]) for position in sorted(chosen)]


def _strong_sites(sites: pd.DataFrame, least: float) -> dict[int, list[ActingSite]]:
    """Collect the sites of each gene whose effect is not smaller than ``least``."""
    found: dict[int, list[ActingSite]] = {}
    acting = sites[(sites["effect"] != 0) & (sites["effect"].abs() >= least)]
    columns = ("gene", "factor", "offset", "orientation")
    for gene, *site in zip(*(acting[name].tolist() for name in columns), strict=True):
        found.setdefault(gene, []).append(ActingSite(*site))
    return found


def _choose(
    rng: np.random.Generator,
    broken: list[list[Change]],
    made: list[Change],
    count: int,
    makes_share: float,
) -> list[Change]:
    """Draw up to ``count`` changes: each breaks another site, or makes one."""
    order: npt.NDArray[np.int64] = rng.permutation(len(broken))
    sites = [broken[at] for at in order.tolist() if broken[at]]
    found = []
    for _ in range(count):
        makes = rng.random() < makes_share
        if made and (makes or not sites):
            found.append(made[int(rng.integers(len(made)))])
        elif sites:
            changes = sites.pop()
            found.append(changes[int(rng.integers(len(changes)))])
    return found


def _on_forward_strand(gene: NamedGene, change: Change) -> PlacedChange:
    tss = tss_position(gene)
    if gene.place.strand == "+":
        return PlacedChange(tss + change.offset, change.base)
    return PlacedChange(tss - change.offset, 3 - change.base)
