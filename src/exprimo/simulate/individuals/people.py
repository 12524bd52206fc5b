"""The people of a world, from the genome on disk to the files about them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.errors import ConfigError
from exprimo.core.progress import task
from exprimo.core.sequence import Codes
from exprimo.data.fasta import read_fasta
from exprimo.simulate.config import WorldConfig, random_stream
from exprimo.simulate.files import write_table
from exprimo.simulate.genome.annotation import NamedGene
from exprimo.simulate.individuals.ancestry import mutations_along, split_time
from exprimo.simulate.individuals.effects import gene_effects
from exprimo.simulate.individuals.expression import (
    PersonalExpression,
    covariate_values,
    draw_people,
    express,
    haplotype_groups,
)
from exprimo.simulate.individuals.files import (
    PlinkWriter,
    VcfWriter,
    write_covariates,
    write_expression_bed,
    write_gene_matrix,
)
from exprimo.simulate.individuals.haplotypes import Anchor, edited_window
from exprimo.simulate.individuals.placing import place_causal, tss_position
from exprimo.simulate.individuals.truth import (
    COLUMNS,
    heritability_table,
    variant_table,
    within_gene_r,
)
from exprimo.simulate.individuals.variants import Variants, make_variants
from exprimo.simulate.regulation.motifs import Motif

GENOTYPES = "genotypes.vcf.gz"
PEOPLE = "people.tsv"
EXPRESSION_BED = "expression.bed.gz"
COVARIATES_FILE = "covariates.tsv"
# PLINK's trio has this name and three endings.
TRIO = "genotypes"

Values = npt.NDArray[np.float64]


class Individuals(NamedTuple):
    """What was written about the people."""

    counts: dict[str, int]
    """How many people, variants, indels, and variants that act."""
    ceilings: dict[str, float]
    """individuals_within_gene_r: mean over genes of r between the cis part and expression."""


class _Chromosome(NamedTuple):
    """One chromosome's genes and what was drawn for it."""

    variants: pd.DataFrame
    """As `variant_table` gives it."""
    cis: Values
    """Promoter component of each gene and person, shape (genes, people)."""
    indels: int


def require_chromosomes(config: WorldConfig) -> None:
    """Refuse to vary a chromosome that the world does not have.

    Examples
    --------
    >>> require_chromosomes(WorldConfig())
    """
    names = [str(number + 1) for number in range(config.genome.chromosomes)]
    unknown = [name for name in config.individuals.chromosomes if name not in names]
    if unknown:
        raise ConfigError(
            "no such chromosome in this world",
            record="individuals.chromosomes",
            found=", ".join(unknown),
            expected=f"some of {', '.join(names)}",
        )


def write_individuals(
    folder: Path,
    seed: int,
    genes: Sequence[NamedGene],
    sites: pd.DataFrame,
    components: pd.DataFrame,
    motifs: dict[str, Motif],
    config: WorldConfig,
) -> Individuals:
    """Write genotypes, expression and the truth of every person of a world.

    Parameters
    ----------
    folder
        Of the world; it has ``genome.fa`` and a folder ``truth``.
    genes
        In genome order.
    sites
        As `exprimo.simulate.regulation.sites.regulate` gives them.
    components
        As `exprimo.simulate.expression.add_up` gives them.
    """
    wanted = config.individuals
    people = draw_people(seed, wanted)
    drawn = _write_genotypes(folder, seed, genes, sites, people, motifs, config)
    cis = np.concatenate([one.cis for one in drawn])
    level = components[["baseline", "halflife", "family", "noise"]].sum(axis=1)
    made = express(seed, level.to_numpy(dtype=np.float64), cis, people, wanted)
    listed = [one.variants for one in drawn if len(one.variants)]
    variants = pd.concat(listed or [drawn[0].variants], ignore_index=True)
    _write_tables(folder, genes, people, variants, cis, made)
    counts = {
        "people": wanted.people,
        "variants": int(variants["variant_id"].nunique()),
        "indels": sum(one.indels for one in drawn),
        "acting_variants": int((variants["effect"] != 0).sum()),
        "genes_with_acting_variants": variants.loc[variants["effect"] != 0, "gene_id"].nunique(),
    }
    return Individuals(counts, {"individuals_within_gene_r": within_gene_r(cis, made.expression)})


def _write_genotypes(
    folder: Path,
    seed: int,
    genes: Sequence[NamedGene],
    sites: pd.DataFrame,
    people: pd.DataFrame,
    motifs: dict[str, Motif],
    config: WorldConfig,
) -> list[_Chromosome]:
    """Draw and write chromosome by chromosome; the genotypes of one are held at a time."""
    wanted, drawn = config.individuals, list[_Chromosome]()
    genome = dict(read_fasta(folder / "genome.fa"))
    lengths = {name: codes.size for name, codes in genome.items()}
    first = 0
    with ExitStack() as stack:
        bar = stack.enter_context(task("Simulating people", len(genome)))
        samples = people["sample"].tolist()
        vcf = stack.enter_context(VcfWriter(folder / GENOTYPES, lengths, samples))
        writers: list[VcfWriter | PlinkWriter] = [vcf]
        if wanted.plink:
            writers.append(stack.enter_context(PlinkWriter(folder / TRIO, people)))
        for name, codes in genome.items():
            here = [one for one in genes[first:] if one.place.chrom == name]
            own = sites[sites["gene"].between(first, first + len(here) - 1)]
            own = own.assign(gene=own["gene"] - first)
            first += len(here)
            variants = _draw_variants(seed, name, codes, here, own, people, motifs, config)
            for writer in writers:
                writer.write(variants)
            drawn.append(_with_truth(codes, variants, here, own, motifs, config))
            bar.advance(note=f"chromosome {name}")
    return drawn


def _anchors(genes: Sequence[NamedGene], config: WorldConfig) -> list[Anchor]:
    acting = config.regulation
    return [
        Anchor(tss_position(one), one.place.strand, acting.upstream, acting.downstream)
        for one in genes
    ]


def _draw_variants(
    seed: int,
    chrom: str,
    codes: Codes,
    genes: Sequence[NamedGene],
    sites: pd.DataFrame,
    people: pd.DataFrame,
    motifs: dict[str, Motif],
    config: WorldConfig,
) -> Variants:
    wanted = config.individuals
    groups = haplotype_groups(people["group"].tolist())
    if not genes or (wanted.chromosomes and chrom not in wanted.chromosomes):
        return Variants.none(chrom, groups.size)
    windows = np.stack([edited_window(codes, [], anchor) for anchor in _anchors(genes, config)])
    placed = place_causal(
        random_stream(seed, f"individuals.causal.{chrom}"),
        genes,
        windows,
        sites,
        motifs,
        config.regulation,
        wanted,
    )
    mutations = mutations_along(
        random_stream(seed, f"individuals.ancestry.{chrom}"),
        codes.size,
        groups,
        np.array([one.position for one in placed], dtype=np.int64),
        crossing=2.0 * wanted.population_size * wanted.recombination_rate,
        mutation=2.0 * wanted.population_size * wanted.mutation_rate,
        split=split_time(wanted.groups_fst),
        frequency=wanted.causal_frequency,
    )
    stream = random_stream(seed, f"individuals.variants.{chrom}")
    return make_variants(stream, chrom, codes, mutations, placed, wanted)


def _with_truth(
    codes: Codes,
    variants: Variants,
    genes: Sequence[NamedGene],
    sites: pd.DataFrame,
    motifs: dict[str, Motif],
    config: WorldConfig,
) -> _Chromosome:
    """Work out what the variants of one chromosome do; in a null world they do nothing."""
    if not genes:
        none = np.empty((0, variants.carriers.shape[1] // 2))
        return _Chromosome(pd.DataFrame({name: [] for name in COLUMNS}), none, 0)
    anchors = _anchors(genes, config)
    effects = gene_effects(codes, variants, anchors, motifs, config.regulation)
    # The two haplotypes of a person lie side by side.
    cis = effects.cis.reshape(len(genes), -1, 2).mean(axis=2)
    acts = config.individuals.heritability > 0
    if not acts:
        cis = np.repeat(effects.reference[:, np.newaxis], cis.shape[1], axis=1)
    table = variant_table(
        variants,
        [one.gene_id for one in genes],
        np.array([anchor.tss for anchor in anchors], dtype=np.int64),
        effects if acts else None,
    )
    indels = sum(len(one.ref) != len(one.alt) for one in variants.alleles)
    return _Chromosome(table, cis, indels)


def _write_tables(
    folder: Path,
    genes: Sequence[NamedGene],
    people: pd.DataFrame,
    variants: pd.DataFrame,
    cis: Values,
    made: PersonalExpression,
) -> None:
    samples, gene_ids = people["sample"].tolist(), [one.gene_id for one in genes]
    write_table(folder / PEOPLE, people[["sample", "group", "sex"]])
    write_covariates(folder / COVARIATES_FILE, samples, covariate_values(people))
    places = pd.DataFrame(
        {
            "chrom": [one.place.chrom for one in genes],
            "tss": [tss_position(one) for one in genes],
            "gene_id": gene_ids,
        }
    )
    write_expression_bed(folder / EXPRESSION_BED, places, samples, made.expression)
    truth = folder / "truth"
    write_table(truth / "variants.tsv", variants)
    write_gene_matrix(truth / "individual_components.tsv.gz", gene_ids, samples, cis)
    told = heritability_table(gene_ids, variants, made.heritability)
    write_table(truth / "heritability.tsv", told)
