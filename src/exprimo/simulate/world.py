"""A whole world: genome, genes, expression, read counts, and the truth behind them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from exprimo.core.coordinates import Interval
from exprimo.core.errors import ConfigError
from exprimo.core.files.atomic import atomic_directory
from exprimo.core.progress import Task, task
from exprimo.core.sequence import Codes
from exprimo.data.fasta import write_fasta
from exprimo.simulate.chromatin.cells import EXPRESSION, SIGNAL, TRACKS, write_cells
from exprimo.simulate.chromatin.states import require_unmarked_factors
from exprimo.simulate.conditions.changes import responding_factor
from exprimo.simulate.conditions.experiment import Experiment, sequence_conditions
from exprimo.simulate.config import WorldConfig, WorldSize, random_stream, world_config
from exprimo.simulate.expression import add_up, ceilings, family_component
from exprimo.simulate.files import (
    write_counts,
    write_lines,
    write_motifs,
    write_repeats,
    write_table,
)
from exprimo.simulate.genome.annotation import NamedGene, gtf_lines
from exprimo.simulate.genome.families import plan_places
from exprimo.simulate.genome.layout import assemble
from exprimo.simulate.individuals.people import (
    COVARIATES_FILE,
    EXPRESSION_BED,
    GENOTYPES,
    PEOPLE,
    require_chromosomes,
    write_individuals,
)
from exprimo.simulate.population import Population, acting_windows, populate
from exprimo.simulate.regulation.motifs import Motif, draw_motifs
from exprimo.simulate.regulation.sites import promoter_component, regulate
from exprimo.simulate.stability import feature_table, log2_halflife, measure_halflife
from exprimo.simulate.truth import (
    component_table,
    differential_table,
    factor_table,
    family_table,
    site_table,
)

WORLD_FORMAT = 1


class SimulatedWorld(NamedTuple):
    """Where a simulated world lies and what is in it."""

    folder: Path
    genome: Path
    """FASTA of all chromosomes."""
    genes: Path
    """GTF."""
    expression: Path
    """TSV: gene_id, expression (log2; empty where not measured)."""
    halflife: Path
    """TSV: gene_id, halflife (hours; empty where not measured)."""
    counts_table: Path
    """TSV: gene_id, then the read counts of each sample."""
    samples: Path
    """TSV: sample, condition (control, treated)."""
    truth: Path
    """Folder of truth tables."""
    counts: Mapping[str, int]
    """How many genes, chromosomes, families, sites and the like there are."""
    ceilings: Mapping[str, float]
    """Pearson r between parts of the truth and observed expression; of cell types also R²."""
    signal: Path | None = None
    """Folder of BigWigs CELL.MARK.bw; none in a world without cell types."""
    cell_expression: Path | None = None
    """TSV: gene_id, then log2 expression in each cell type."""
    tracks: Path | None = None
    """TSV: cell_type, mark, file (the BigWigs)."""
    genotypes: Path | None = None
    """VCF of phased genotypes, compressed and indexed; none in a world without people."""
    people: Path | None = None
    """TSV: sample, group, sex."""
    expression_bed: Path | None = None
    """Log2 expression of each gene in each person, as FastQTL reads it."""
    covariates: Path | None = None
    """TSV: id, then one column per person."""


def simulate(
    out: str | Path,
    *,
    seed: int = 0,
    size: WorldSize = "small",
    config: WorldConfig | None = None,
    cells: int = 0,
    people: int = 0,
) -> SimulatedWorld:
    """Write a world whose truth is known: genome, genes, expression, counts, and what lies behind.

    Parameters
    ----------
    out
        Folder to make; it must not exist.
    seed
        The same seed gives the same bytes.
    size
        ``small`` (5,000 genes) or ``large`` (20,000).
    config
        Replaces the config of ``size``.
    cells
        Number of cell types with expression and histone marks of their own; other than 0, it
        replaces that of the config.
    people
        Number of people with genotypes and expression of their own; other than 0, it replaces
        that of the config.

    Returns
    -------
    SimulatedWorld
        Paths, counts and ceilings.

    Examples
    --------
    >>> import tempfile
    >>> tiny = WorldConfig(genes=60)
    >>> world = simulate(Path(tempfile.mkdtemp()) / "world", seed=1, config=tiny)
    >>> world.counts["genes"], sorted(path.stem for path in world.folder.iterdir())
    (60, ['counts', 'expression', 'genes', 'genome', 'halflife', 'samples', 'truth'])
    """
    if seed < 0:
        raise ConfigError("a seed cannot be negative", record="seed", found=seed, expected=">= 0")
    settings = world_config(size) if config is None else config
    if cells:
        settings = _with(settings, "cells", cell_types=cells)
    if people:
        settings = _with(settings, "individuals", people=people)
    responding_factor(settings)
    require_unmarked_factors(settings)
    require_chromosomes(settings)
    with atomic_directory(out) as folder, task("Simulating", settings.genes) as bar:
        counts, best = _write_world(folder, seed, settings, bar)
    home = Path(out)
    return SimulatedWorld(
        folder=home,
        genome=home / "genome.fa",
        genes=home / "genes.gtf",
        expression=home / "expression.tsv",
        halflife=home / "halflife.tsv",
        counts_table=home / "counts.tsv",
        samples=home / "samples.tsv",
        truth=home / "truth",
        counts=counts,
        ceilings=best,
        signal=home / SIGNAL if settings.cells.cell_types else None,
        cell_expression=home / EXPRESSION if settings.cells.cell_types else None,
        tracks=home / TRACKS if settings.cells.cell_types else None,
        genotypes=home / GENOTYPES if settings.individuals.people else None,
        people=home / PEOPLE if settings.individuals.people else None,
        expression_bed=home / EXPRESSION_BED if settings.individuals.people else None,
        covariates=home / COVARIATES_FILE if settings.individuals.people else None,
    )


def _with(config: WorldConfig, part: str, **values: int) -> WorldConfig:
    """Change settings of one part of a world, and check the whole again."""
    whole = config.model_dump()
    return WorldConfig.checked({**whole, part: {**whole[part], **values}})


def _write_world(
    folder: Path, seed: int, config: WorldConfig, bar: Task
) -> tuple[dict[str, int], dict[str, float]]:
    (folder / "truth").mkdir()
    places = plan_places(random_stream(seed, "families"), config.genes, config.families)
    motifs = draw_motifs(random_stream(seed, "motifs"), config.regulation)
    population = populate(seed, places, motifs, config, bar)
    genes, lengths = _write_genome(folder, seed, population, config)
    sites = _regulate(population, motifs, config)
    components = _write_measurements(folder, seed, genes, population, sites, config)
    _write_factors_and_sites(folder / "truth", genes, sites, motifs, config)
    write_table(folder / "truth" / "families.tsv", family_table(genes, population))
    experiment = sequence_conditions(seed, components, sites, motifs, config)
    _write_experiment(folder, genes, experiment)
    counts = _count(genes, population, sites, components, experiment, config)
    best = ceilings(components)
    unused = {"cells", "individuals"}
    if config.cells.cell_types:
        cells = write_cells(folder, seed, genes, sites, components, lengths, config)
        counts, best = counts | cells.counts, best | cells.ceilings
        unused.remove("cells")
    if config.individuals.people:
        written = write_individuals(folder, seed, genes, sites, components, motifs, config)
        counts, best = counts | written.counts, best | written.ceilings
        unused.remove("individuals")
    described = {
        "format_version": WORLD_FORMAT,
        "seed": seed,
        "counts": counts,
        "ceilings": best,
        "conditions": experiment.described,
        "config": config.model_dump(mode="json", exclude=unused),
    }
    write_lines(folder / "truth" / "world.json", [json.dumps(described, indent=2)])
    return counts, best


def _write_genome(
    folder: Path, seed: int, population: Population, config: WorldConfig
) -> tuple[list[NamedGene], dict[str, int]]:
    """Write FASTA, GTF and repeats, and give the genes and the length of each chromosome.

    One chromosome is held at a time.
    """
    genes: list[NamedGene] = []
    lengths: dict[str, int] = {}
    repeats: list[tuple[str, Interval]] = []

    def records() -> Iterator[tuple[str, Codes]]:
        stream, gc = random_stream(seed, "layout"), population.gc.tolist()
        for chromosome in assemble(stream, population.genes, gc, config.genome):
            repeats.extend(chromosome.repeats)
            lengths[chromosome.name] = chromosome.codes.size
            for place in chromosome.genes:
                number = len(genes) + 1
                gene = population.genes[number - 1]
                genes.append(NamedGene(f"EXPG{number:011d}", f"KT{number}", gene, place))
            yield chromosome.name, chromosome.codes

    write_fasta(folder / "genome.fa", records())
    write_lines(folder / "genes.gtf", gtf_lines(genes))
    write_repeats(folder / "truth" / "repeats.bed", repeats)
    return genes, lengths


def _regulate(
    population: Population, motifs: dict[str, Motif], config: WorldConfig
) -> pd.DataFrame:
    acting = config.regulation
    windows = acting_windows(population.genes, acting.upstream, acting.downstream)
    return regulate(windows, population.planted, population.copied, motifs, acting)


def _write_measurements(
    folder: Path,
    seed: int,
    genes: list[NamedGene],
    population: Population,
    sites: pd.DataFrame,
    config: WorldConfig,
) -> pd.DataFrame:
    features = feature_table(population.genes)
    halflife = log2_halflife(features, config.stability)
    measured = measure_halflife(random_stream(seed, "halflife"), halflife, config.stability)
    measured[features["cds_length"].isna().to_numpy()] = float("nan")
    components = add_up(
        random_stream(seed, "noise"),
        promoter_component(sites, len(genes)),
        halflife - halflife.mean(),
        family_component(random_stream(seed, "kin"), population.places, config.families),
        config.expression,
    )
    table = component_table(genes, components, features, halflife)
    gene_id = table["gene_id"]
    observed = table["observed"]
    write_table(
        folder / "expression.tsv", pd.DataFrame({"gene_id": gene_id, "expression": observed})
    )
    write_table(folder / "halflife.tsv", pd.DataFrame({"gene_id": gene_id, "halflife": measured}))
    write_table(folder / "truth" / "components.tsv", table)
    return components


def _write_factors_and_sites(
    truth: Path,
    genes: list[NamedGene],
    sites: pd.DataFrame,
    motifs: dict[str, Motif],
    config: WorldConfig,
) -> None:
    write_motifs(truth / "motifs.meme", motifs.values())
    write_table(truth / "tfs.tsv", factor_table(motifs, config.regulation))
    write_table(truth / "sites.tsv", site_table(sites, genes, motifs))


def _write_experiment(folder: Path, genes: list[NamedGene], experiment: Experiment) -> None:
    libraries = experiment.libraries
    gene_ids = [one.gene_id for one in genes]
    write_counts(folder / "counts.tsv", gene_ids, libraries["sample"].tolist(), experiment.counts)
    write_table(folder / "samples.tsv", libraries[["sample", "condition"]])
    write_table(folder / "truth" / "libraries.tsv", libraries)
    write_table(folder / "truth" / "differential.tsv", differential_table(genes, experiment))


def _count(
    genes: list[NamedGene],
    population: Population,
    sites: pd.DataFrame,
    components: pd.DataFrame,
    experiment: Experiment,
    config: WorldConfig,
) -> dict[str, int]:
    changes = experiment.truth["log2_fold_change"]
    families = {place.family for place in population.places} - {None}
    return {
        "chromosomes": config.genome.chromosomes,
        "genes": len(genes),
        "coding_genes": sum(one.biotype == "protein_coding" for one in genes),
        "transcripts": sum(len(one.gene.transcripts) for one in genes),
        "measured_genes": int(components["observed"].notna().sum()),
        "families": len(families),
        "genes_in_families": sum(place.family is not None for place in population.places),
        "sites": len(sites),
        "active_sites": int((sites["effect"] != 0).sum()),
        "samples": experiment.counts.shape[1],
        "twofold_genes": int((changes.abs() > 1).sum()),
    }
