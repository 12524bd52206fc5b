"""The genes of a world: founders with planted sites, and copies of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.progress import Task
from exprimo.core.sequence import Codes
from exprimo.simulate.config import WorldConfig, random_stream
from exprimo.simulate.genome.bases import gc_walk
from exprimo.simulate.genome.families import Place, copy_gene
from exprimo.simulate.genome.layout import chromosome_shares
from exprimo.simulate.genome.transcripts import Gene, make_gene
from exprimo.simulate.regulation.motifs import Motif, PlantedSite, plant


class Population(NamedTuple):
    """All genes in genome order."""

    genes: list[Gene]
    places: list[Place]
    planted: list[tuple[PlantedSite, ...]]
    """Sites that were written into a gene or into its family's founder."""
    divergence: npt.NDArray[np.float64]
    """Share of bases mutated from the founder, shape (genes,); 0 for founders."""
    gc: npt.NDArray[np.float64]
    """GC fraction of the neighbourhood, shape (genes,)."""

    @property
    def copied(self) -> npt.NDArray[np.bool_]:
        """Whether each gene is a copy of a founder, shape (genes,)."""
        return np.array([place.founder != at for at, place in enumerate(self.places)])


def populate(
    seed: int, places: list[Place], motifs: dict[str, Motif], config: WorldConfig, bar: Task
) -> Population:
    """Draw every founder with its planted sites, then every copy."""
    walks = random_stream(seed, "gc")
    shares = chromosome_shares(len(places), config.genome)
    gc = np.concatenate([gc_walk(walks, share, config.genome) for share in shares])
    structure, sites = random_stream(seed, "genes"), random_stream(seed, "sites")
    mutation = random_stream(seed, "mutation")
    made: dict[int, tuple[Gene, tuple[PlantedSite, ...]]] = {}
    for at, place in enumerate(places):
        if place.founder == at:
            near_tss = float(gc[at]) + config.genome.promoter_gc_excess
            gene = make_gene(structure, float(gc[at]), near_tss, config.transcripts)
            tss = gene.canonical.tss
            made[at] = gene, plant(sites, gene.codes, tss, motifs, config.regulation)
            bar.advance()
    divergence = np.zeros(len(places))
    for at, place in enumerate(places):
        if place.founder != at:
            founder, planted = made[place.founder]
            divergence[at] = mutation.uniform(*config.families.divergence)
            made[at] = copy_gene(mutation, founder, float(divergence[at])), planted
            bar.advance()
    ordered = [made[at] for at in range(len(places))]
    genes, planted_sites = [gene for gene, _ in ordered], [planted for _, planted in ordered]
    return Population(genes, places, planted_sites, divergence, gc)


def acting_windows(genes: list[Gene], upstream: int, downstream: int) -> Codes:
    """Cut the window around each canonical TSS, shape (genes, upstream + downstream)."""
    return np.stack(
        [
            gene.codes[gene.canonical.tss - upstream : gene.canonical.tss + downstream]
            for gene in genes
        ]
    )
