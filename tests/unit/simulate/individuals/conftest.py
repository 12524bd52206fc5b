"""One small world with people, read back without the package's own readers."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pysam
import pytest

from exprimo.core.sequence import encode
from exprimo.simulate import SimulatedWorld, WorldConfig, simulate
from exprimo.simulate.config import random_stream
from exprimo.simulate.individuals.config import IndividualsConfig
from exprimo.simulate.regulation.motifs import draw_motifs
from exprimo.simulate.regulation.sites import promoter_component, scan, site_effects

OTHER = str.maketrans("ACGTN", "TGCAN")
SEED = 5
CONFIG = WorldConfig(genes=200, individuals=IndividualsConfig(people=40, plink=True))


@dataclass
class PeopleWorld:
    """A world with people as its files tell it."""

    world: SimulatedWorld
    chromosomes: dict[str, str]
    genes: pd.DataFrame
    """gene_id (index), chrom, strand, tss (0-based), of the canonical transcript."""
    calls: pd.DataFrame
    """chrom, pos, id, ref, alt of the VCF, in order."""
    carriers: np.ndarray
    """Shape (variants, haplotypes)."""
    people: pd.DataFrame
    variants: pd.DataFrame
    heritability: pd.DataFrame
    cis: pd.DataFrame
    expression: pd.DataFrame
    covariates: pd.DataFrame

    def edited(self, gene_id: str, rows: list[int]) -> str:
        """Cut a gene's window from its chromosome with the variants of ``rows`` written in.

        Each base of the reference becomes what stands in its place, the base itself or nothing,
        and what was inserted before it.
        """
        one = self.genes.loc[gene_id]
        low, high = one.tss - 900, one.tss + 900
        reference = self.chromosomes[one.chrom][low:high]
        bases, inserted = list(reference), [""] * len(reference)
        for row in rows:
            call = self.calls.iloc[row]
            at = call.pos - 1 - low
            assert reference[at : at + len(call.ref)] == call.ref
            if len(call.ref) == len(call.alt):
                bases[at] = call.alt
            else:
                bases[at + 1 : at + len(call.ref)] = [""] * (len(call.ref) - 1)
                inserted[at + 1] = call.alt[1:]
        tss = one.tss - low
        whole = [before + base for before, base in zip(inserted, bases, strict=True)]
        if one.strand == "+":
            upstream = "".join(whole[:tss]) + inserted[tss]
            downstream = bases[tss] + "".join(whole[tss + 1 :])
            return upstream[-500:] + downstream[:100]
        upstream = "".join(whole[tss + 1 :])
        downstream = "".join(whole[: tss + 1])
        return (downstream[-100:] + upstream[:500]).translate(OTHER)[::-1]

    def near(self, gene_id: str) -> np.ndarray:
        """Number the calls around a gene's TSS, farther than its window reaches."""
        one, calls = self.genes.loc[gene_id], self.calls
        close = (calls["chrom"] == one.chrom) & ((calls["pos"] - one.tss).abs() < 700)
        return np.flatnonzero(close.to_numpy())


def scored(windows: list[str]) -> np.ndarray:
    """Give the promoter component of windows, by the simulator's own scan."""
    rules = CONFIG.regulation
    motifs = draw_motifs(random_stream(SEED, "motifs"), rules)
    sites = scan(np.stack([encode(window) for window in windows]), motifs, rules)
    sites["effect"] = site_effects(sites, motifs, rules)
    return promoter_component(sites, len(windows))


def read_genes(gtf: Path) -> pd.DataFrame:
    rows = []
    for line in gtf.read_text().splitlines():
        fields = line.split("\t")
        if line.startswith("#") or fields[2] != "transcript" or "Ensembl_canonical" not in line:
            continue
        tss = int(fields[3]) - 1 if fields[6] == "+" else int(fields[4]) - 1
        rows.append((fields[8].split('"')[1], fields[0], fields[6], tss))
    columns = ["gene_id", "chrom", "strand", "tss"]
    return pd.DataFrame(rows, columns=columns).set_index("gene_id")


def read_vcf(path: Path) -> tuple[pd.DataFrame, np.ndarray]:
    with pysam.BGZFile(str(path), "rb", None) as file:
        lines = [line.decode().split("\t") for line in file]
    rows = [line for line in lines if not line[0].startswith("#")]
    calls = pd.DataFrame([row[:5] for row in rows], columns=["chrom", "pos", "id", "ref", "alt"])
    carriers = [[int(letter) for call in row[9:] for letter in call[::2]] for row in rows]
    return calls.astype({"pos": int}), np.array(carriers)


def table(path: Path) -> pd.DataFrame:
    kinds = {"chrom": str, "#chr": str}
    return pd.read_csv(path, sep="\t", dtype=kinds, quoting=csv.QUOTE_NONE)


@pytest.fixture(scope="session")
def peopled(tmp_path_factory: pytest.TempPathFactory) -> PeopleWorld:
    """A world of 200 genes and 40 people, seed 5."""
    world = simulate(tmp_path_factory.mktemp("people") / "world", seed=SEED, config=CONFIG)
    assert world.genotypes is not None
    assert world.people is not None
    assert world.expression_bed is not None
    assert world.covariates is not None
    records = world.genome.read_text().split(">")[1:]
    split = (record.split("\n", 1) for record in records)
    calls, carriers = read_vcf(world.genotypes)
    return PeopleWorld(
        world=world,
        chromosomes={name: body.replace("\n", "") for name, body in split},
        genes=read_genes(world.genes),
        calls=calls,
        carriers=carriers,
        people=table(world.people),
        variants=table(world.truth / "variants.tsv"),
        heritability=table(world.truth / "heritability.tsv").set_index("gene_id"),
        cis=table(world.truth / "individual_components.tsv.gz").set_index("gene_id"),
        expression=table(world.expression_bed),
        covariates=table(world.covariates).set_index("id"),
    )
