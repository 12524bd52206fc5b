"""One small simulated world on disk, read back without the package's own readers."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from exprimo.simulate import SimulatedWorld, WorldConfig, simulate

OTHER = str.maketrans("ACGTN", "TGCAN")


@dataclass
class GtfTranscript:
    """One transcript's features in forward coordinates, 0-based half-open, in file order."""

    gene_id: str
    chrom: str
    strand: str
    canonical: bool
    spans: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    frames: list[int] = field(default_factory=list)

    @property
    def tss(self) -> int:
        start, end = self.spans["transcript"][0]
        return start if self.strand == "+" else end - 1


@dataclass
class ReadWorld:
    """A world as its files tell it."""

    world: SimulatedWorld
    chromosomes: dict[str, str]
    transcripts: list[GtfTranscript]
    expression: pd.DataFrame
    halflife: pd.DataFrame
    components: pd.DataFrame
    sites: pd.DataFrame
    factors: pd.DataFrame
    families: pd.DataFrame
    counts: pd.DataFrame
    differential: pd.DataFrame
    described: dict[str, Any]

    def letters(self, chrom: str, start: int, end: int, strand: str) -> str:
        cut = self.chromosomes[chrom][start:end]
        return cut if strand == "+" else cut.translate(OTHER)[::-1]

    def canonical(self) -> dict[str, GtfTranscript]:
        return {one.gene_id: one for one in self.transcripts if one.canonical}

    def window(self, gene_id: str, upstream: int, downstream: int) -> str:
        one = self.canonical()[gene_id]
        if one.strand == "+":
            return self.letters(one.chrom, one.tss - upstream, one.tss + downstream, "+")
        return self.letters(one.chrom, one.tss - downstream + 1, one.tss + upstream + 1, "-")


def read_gtf(path: Path) -> list[GtfTranscript]:
    found: dict[str, GtfTranscript] = {}
    for line in path.read_text().splitlines():
        if line.startswith("#"):
            continue
        chrom, _, feature, start, end, _, strand, frame, text = line.split("\t")
        attributes = dict(re.findall(r'(\w+) "([^"]*)"', text))
        if feature == "gene":
            continue
        name = attributes["transcript_id"]
        canonical = attributes.get("tag") == "Ensembl_canonical"
        one = found.setdefault(name, GtfTranscript(attributes["gene_id"], chrom, strand, canonical))
        one.spans.setdefault(feature, []).append((int(start) - 1, int(end)))
        if feature == "CDS":
            one.frames.append(int(frame))
    return list(found.values())


def read_fasta(path: Path) -> dict[str, str]:
    records = path.read_text().split(">")[1:]
    split = (record.split("\n", 1) for record in records)
    return {name: body.replace("\n", "") for name, body in split}


def read_world(world: SimulatedWorld) -> ReadWorld:
    def table(path: Path) -> pd.DataFrame:
        return pd.read_csv(path, sep="\t", dtype={"chrom": str})

    return ReadWorld(
        world=world,
        chromosomes=read_fasta(world.genome),
        transcripts=read_gtf(world.genes),
        expression=table(world.expression),
        halflife=table(world.halflife),
        components=table(world.truth / "components.tsv"),
        sites=table(world.truth / "sites.tsv"),
        factors=table(world.truth / "tfs.tsv"),
        families=table(world.truth / "families.tsv"),
        counts=table(world.counts_table),
        differential=table(world.truth / "differential.tsv"),
        described=json.loads((world.truth / "world.json").read_text()),
    )


@pytest.fixture(scope="session")
def known(tmp_path_factory: pytest.TempPathFactory) -> ReadWorld:
    """A world of 600 genes, seed 3."""
    out = tmp_path_factory.mktemp("simulated") / "world"
    return read_world(simulate(out, seed=3, config=WorldConfig(genes=600)))
