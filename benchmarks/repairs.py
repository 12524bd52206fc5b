"""What each repair of the published personal sequences is worth, in a world with a known answer.

The project that this one replaces made mistakes on the way from genotypes to predictions. Four can
be made here again, each alone, and what it costs is measured on the demo's network and people:
``python -m benchmarks repairs --demo demo``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.coordinates import promoter_interval
from exprimo.core.sequence import N_CODE, Codes, decode, reverse_complement
from exprimo.data.annotation import read_annotation, tss_table
from exprimo.data.fasta import Genome
from exprimo.data.genotypes import Block, Genotypes, open_genotypes
from exprimo.data.phenotypes import read_covariates, read_expression_bed
from exprimo.evaluate.grouped import across_people
from exprimo.features.haplotypes import apply_variants, window_haplotypes
from exprimo.scoring.sequences import SequenceModel, open_sequence_model
from exprimo.studies.individual.agreement import without
from exprimo.studies.individual.checks import learned_genes

Personal = npt.NDArray[np.float64]


@dataclass
class World:
    """What every way of reading the genotypes shares."""

    genome: Genome
    genotypes: Genotypes
    model: SequenceModel


@dataclass
class Changed:
    """Genotypes with one mistake in every block."""

    inner: Genotypes
    change: Callable[[Block], Block]

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    def region(self, chrom: str, start: int, end: int) -> Block:
        return self.change(self.inner.region(chrom, start, end))


def as_it_should_be(world: World, chrom: str, tss: int, strand: str) -> Personal:
    return _by_window(world, world.genotypes, chrom, tss, strand)


def het_as_alternate(world: World, chrom: str, tss: int, strand: str) -> Personal:
    """One sequence a person: whoever carries an allele at all carries it twice."""

    def change(block: Block) -> Block:
        any_copy = (block.alleles == 1).any(axis=2)
        return block._replace(alleles=np.repeat(any_copy[:, :, None], 2, 2).astype(np.int8))

    return _by_window(world, Changed(world.genotypes, change), chrom, tss, strand)


def one_base_off(world: World, chrom: str, tss: int, strand: str) -> Personal:
    """Positions counted from 1 used as if they were counted from 0."""

    def change(block: Block) -> Block:
        table = block.variants.copy()
        table["start"] += 1
        size = world.genome.lengths[chrom]
        ends = table["start"] + table["ref"].str.len()
        kept = (ends <= size).to_numpy()
        pairs = zip(table["start"][kept], ends[kept], strict=True)
        refs = [decode(world.genome.fetch(chrom, int(a), int(b))) for a, b in pairs]
        table.loc[kept, "ref"] = refs
        return Block(
            table[kept].reset_index(drop=True), block.alleles[kept], block.phased[kept], None, None
        )

    return _by_window(world, Changed(world.genotypes, change), chrom, tss, strand)


def g_and_t_exchanged(world: World, chrom: str, tss: int, strand: str) -> Personal:
    """The right sequences, with the third and fourth rows of their one-hot code exchanged."""
    return _by_window(
        world, world.genotypes, chrom, tss, strand, np.array([0, 1, 3, 2, 4], np.uint8)
    )


def padded_at_the_right(world: World, chrom: str, tss: int, strand: str) -> Personal:
    """Windows begin where the reference's does; what indels take or add is made up at the end."""
    model = world.model
    window = promoter_interval(
        chrom, tss, strand, upstream=model.upstream, downstream=model.downstream
    )
    low, high = max(window.start, 0), min(window.end, world.genome.lengths[chrom])
    reference = world.genome.fetch(chrom, low, high)
    block = world.genotypes.region(chrom, low, high)
    table = block.variants
    ends = table["start"] + table["ref"].str.len()
    inside = ((table["start"] >= low) & (ends <= high)).to_numpy()
    table, alleles = table[inside], block.alleles[inside]
    flat = alleles.reshape(len(table), 2 * alleles.shape[1])
    columns, index = np.unique(flat, axis=1, return_inverse=True)
    rows = []
    for column in columns.T:
        carried = table[column == 1]
        own = apply_variants(
            reference,
            low,
            carried["start"].to_numpy(),
            carried["ref"].tolist(),
            carried["alt"].tolist(),
        )
        rows.append(_cut_or_padded(own, window.length, strand))
    predicted = model.predict(np.stack(rows))[:, 0].mean(axis=1)
    return predicted[index.reshape(alleles.shape[1:])].mean(axis=1).astype(np.float64)


def _cut_or_padded(codes: Codes, length: int, strand: str) -> Codes:
    out = np.full(length, N_CODE, dtype=np.uint8)
    kept = codes[:length]
    out[: len(kept)] = kept
    return reverse_complement(out) if strand == "-" else out


def _by_window(
    world: World,
    genotypes: object,
    chrom: str,
    tss: int,
    strand: str,
    recoded: npt.NDArray[np.uint8] | None = None,
) -> Personal:
    model = world.model
    found = window_haplotypes(
        world.genome, genotypes, chrom, tss, strand,  # type: ignore[arg-type]  # a view of genotypes
        upstream=model.upstream, downstream=model.downstream,
    )  # fmt: skip
    codes = found.codes if recoded is None else recoded[found.codes]
    predicted = model.predict(codes)[:, 0].mean(axis=1)
    return predicted[found.index[:, :, 0]].mean(axis=1).astype(np.float64)


WAYS: dict[str, Callable[[World, str, int, str], Personal]] = {
    "as it should be": as_it_should_be,
    "heterozygotes as the alternate allele": het_as_alternate,
    "positions one base off": one_base_off,
    "G and T exchanged": g_and_t_exchanged,
    "window kept at its left end, padded at the right": padded_at_the_right,
}


def main(arguments: list[str]) -> None:
    """Print the mean r over people under each mistake, on the same genes and people."""
    parser = argparse.ArgumentParser(prog="benchmarks repairs")
    parser.add_argument("--demo", type=Path, required=True, help="folder of exprimo demo")
    parser.add_argument("--run", type=Path, default=None, help="another trained run")
    parser.add_argument("--world", type=Path, default=None, help="another simulated world")
    parser.add_argument("--genes", type=int, default=300)
    parser.add_argument("--threads", type=int, default=None)
    given = parser.parse_args(arguments)
    world_folder = given.world or given.demo / "world"
    run = given.run or given.demo / "expression" / "benchmark" / "runs" / "cnn-homology-s0"
    expression = read_expression_bed(world_folder / "expression.bed.gz")
    covariates = read_covariates(world_folder / "covariates.tsv", expression.people)
    observed = pd.DataFrame(
        without(expression.values, covariates.values), index=expression.genes["gene_id"]
    )
    learned = learned_genes(str(run))
    sites = tss_table(read_annotation(world_folder / "genes.gtf"))
    sites = sites[~sites["gene_id"].isin(learned) & sites["gene_id"].isin(observed.index)]
    sites = sites.head(given.genes)
    model = open_sequence_model(run, threads=given.threads)
    with (
        Genome.open(world_folder / "genome.fa") as genome,
        open_genotypes(
            world_folder / "genotypes.vcf.gz", samples=list(expression.people), genome=genome
        ) as genotypes,
    ):
        world = World(genome, genotypes, model)
        truth = observed.loc[sites["gene_id"]].to_numpy()
        print(f"{len(sites)} genes that the network did not learn from, {truth.shape[1]} people")
        base = None
        for name, way in WAYS.items():
            told = np.stack(
                [way(world, row.chrom, int(row.tss), row.strand) for row in sites.itertuples()]
            )
            found = across_people(truth, told, seed=0)
            mean = found.mean_r
            line = f"{name:50} r {mean.value:6.3f} [{mean.low:.3f}, {mean.high:.3f}]"
            if base is None:
                base = found.per_gene
            else:
                lost = found.per_gene - base
                drawn = np.random.default_rng(0).integers(0, len(lost), (2000, len(lost)))
                low, high = np.quantile(lost[drawn].mean(axis=1), (0.025, 0.975))
                line += f"   change {lost.mean():+.3f} [{low:+.3f}, {high:+.3f}]"
            print(line, flush=True)
