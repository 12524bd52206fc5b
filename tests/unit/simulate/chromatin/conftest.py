"""One small world with cell types, read back without the package's own readers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pybigtools
import pytest

from exprimo.simulate import SimulatedWorld, WorldConfig, simulate


@dataclass
class CellWorld:
    """A world with cell types as its files tell it."""

    world: SimulatedWorld
    genes: pd.DataFrame
    """gene_id (index), chrom, strand, tss (0-based), of the canonical transcript."""
    expression: pd.DataFrame
    cells: pd.DataFrame
    chromatin: pd.DataFrame
    described: dict[str, Any]

    def table(self, column: str) -> np.ndarray:
        """Give a column of the chromatin table, shape (genes, cells)."""
        return self.chromatin[column].to_numpy().reshape(len(self.genes), len(self.cells))

    def track(self, cell: str, mark: str) -> dict[str, np.ndarray]:
        """Give the value of each base of each chromosome."""
        assert self.world.signal is not None
        file = pybigtools.open(str(self.world.signal / f"{cell}.{mark}.bw"))
        bases = {name: np.zeros(length) for name, length in file.chroms().items()}
        for name, values in bases.items():
            for start, end, value in file.records(name):
                values[start:end] = value
        return bases

    def at(self, cell: str, mark: str, low: int, high: int) -> np.ndarray:
        """Give the mean per base from ``low`` to ``high`` off each gene's TSS, along the gene."""
        bases = self.track(cell, mark)
        found = []
        for gene in self.genes.itertuples():
            ends = (gene.tss + low, gene.tss + high)
            if gene.strand == "-":
                ends = (gene.tss - high + 1, gene.tss - low + 1)
            found.append(bases[gene.chrom][max(0, ends[0]) : ends[1]].mean())
        return np.array(found)


def _genes(gtf: Path) -> pd.DataFrame:
    rows = []
    for line in gtf.read_text().splitlines():
        fields = line.split("\t")
        if line.startswith("#") or fields[2] != "transcript" or "Ensembl_canonical" not in line:
            continue
        tss = int(fields[3]) - 1 if fields[6] == "+" else int(fields[4]) - 1
        rows.append((fields[8].split('"')[1], fields[0], fields[6], tss))
    columns = ["gene_id", "chrom", "strand", "tss"]
    return pd.DataFrame(rows, columns=columns).set_index("gene_id")


@pytest.fixture(scope="session")
def cell_world(tmp_path_factory: pytest.TempPathFactory) -> CellWorld:
    """A world of 400 genes in four cell types, seed 5."""
    out = tmp_path_factory.mktemp("cells") / "world"
    world = simulate(out, seed=5, config=WorldConfig(genes=400), cells=4)
    assert world.cell_expression is not None
    return CellWorld(
        world=world,
        genes=_genes(world.genes),
        expression=pd.read_csv(world.cell_expression, sep="\t", index_col="gene_id"),
        cells=pd.read_csv(world.truth / "cells.tsv", sep="\t", index_col="cell_type"),
        chromatin=pd.read_csv(world.truth / "chromatin.tsv", sep="\t"),
        described=json.loads((world.truth / "world.json").read_text()),
    )
