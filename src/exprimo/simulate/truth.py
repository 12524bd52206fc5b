"""The tables that say what is true of a world."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.simulate.conditions.experiment import Experiment
from exprimo.simulate.config import RegulationConfig
from exprimo.simulate.genome.annotation import NamedGene
from exprimo.simulate.genome.layout import on_chromosome
from exprimo.simulate.population import Population
from exprimo.simulate.regulation.motifs import Motif


def factor_table(motifs: dict[str, Motif], config: RegulationConfig) -> pd.DataFrame:
    """List the factors and their rules: one row each."""
    rows = []
    for factor in config.factors:
        motif = motifs[factor.name]
        rows.append(
            {
                "tf": factor.name,
                "consensus": motif.consensus_letters,
                "width": motif.width,
                "information_bits": motif.information,
                "threshold_bits": config.threshold * motif.best_score,
                "effect": factor.effect,
                "reach_start": factor.reach[0],
                "reach_end": factor.reach[1],
                "decay": np.nan if factor.decay is None else factor.decay,
                "forward": factor.forward,
                "reverse": factor.reverse,
                "partner": factor.partner or "",
                "spacing_start": factor.spacing[0] if factor.partner else "",
                "spacing_end": factor.spacing[1] if factor.partner else "",
            }
        )
    return pd.DataFrame(rows)


def site_table(
    sites: pd.DataFrame, genes: list[NamedGene], motifs: dict[str, Motif]
) -> pd.DataFrame:
    """Place every site on its chromosome (0-based, half-open), in genome order of the genes.

    ``strand`` is the chromosome's; ``orientation`` is +, along the gene, or -, against it;
    ``tss_offset`` is that of the site's first base in gene orientation.
    """
    intervals = []
    for row, factor, offset in zip(sites["gene"], sites["factor"], sites["offset"], strict=True):
        one = genes[row]
        start = one.gene.canonical.tss + offset
        intervals.append(on_chromosome(one.place, (start, start + motifs[factor].width)))
    forward = np.array([at.strand == "+" for at in intervals])
    along = sites["orientation"].to_numpy() > 0
    return pd.DataFrame(
        {
            "gene_id": [genes[row].gene_id for row in sites["gene"]],
            "tf": sites["factor"],
            "chrom": [at.chrom for at in intervals],
            "start": [at.start for at in intervals],
            "end": [at.end for at in intervals],
            "strand": np.where(forward == along, "+", "-"),
            "tss_offset": sites["offset"],
            "orientation": np.where(along, "+", "-"),
            "score": sites["score"],
            "origin": sites["origin"],
            "effect": sites["effect"],
        }
    )


def component_table(
    genes: list[NamedGene],
    components: pd.DataFrame,
    features: pd.DataFrame,
    log2_halflife: npt.NDArray[np.float64],
) -> pd.DataFrame:
    """Join each gene's place, parts of expression and true half-life with its features."""
    table = pd.DataFrame({"gene_id": [one.gene_id for one in genes]})
    table["biotype"] = [one.biotype for one in genes]
    table = table.join(components)
    table["log2_halflife"] = log2_halflife
    return table.join(features)


def family_table(genes: list[NamedGene], population: Population) -> pd.DataFrame:
    """List the members of families of two and more: family, gene_id, founder, divergence."""
    rows = [
        (
            f"FAM{place.family + 1:05d}",
            genes[at].gene_id,
            genes[place.founder].gene_id,
            float(population.divergence[at]),
        )
        for at, place in enumerate(population.places)
        if place.family is not None
    ]
    table = pd.DataFrame(rows, columns=["family", "gene_id", "founder", "divergence"])
    return table.sort_values(["family", "gene_id"], kind="stable", ignore_index=True)


def differential_table(genes: list[NamedGene], experiment: Experiment) -> pd.DataFrame:
    """Say by how much each gene truly changes, treated over control, and what tells it."""
    table = pd.DataFrame({"gene_id": [one.gene_id for one in genes]})
    return table.join(experiment.truth)
