"""A made-up benchmark whose genes have sequences, names, features, profiles and explanations."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

from exprimo.core.dataset import Dataset
from exprimo.core.dataset.writer import write_dataset
from exprimo.core.run import write_json
from exprimo.core.split import Split
from exprimo.interpret.attributions.store import Block, Described, write_attributions

LENGTH, TSS, BINS, BIN_SIZE = 200, 150, 20, 100
FEATURES = ("log10_utr3_length", "cds_gc")
MARKS = ("H3K4me3", "H3K27me3")


def make_genes(
    folder: Path,
    made_up: ModuleType,
    *,
    n: int = 120,
    seeds: tuple[int, ...] = (0,),
    gene: str = "G{:03d}",
    hostile: str = "",
    explained: int = 10,
    cells: int = 1,
) -> Path:
    """Write the benchmark, its dataset, and the explanation of some test genes.

    Parameters
    ----------
    hostile
        Stands in every gene's name.
    cells
        Cell types of each gene.
    """
    world = made_up.World(
        n=n, seeds=seeds, splits=("homology",), gene=gene, learning=False, overlaps=False
    )
    made_up.make_benchmark(folder, world)
    split = Split.load(folder / "splits" / "homology.parquet")
    rng = np.random.default_rng(3)
    codes = rng.integers(0, 4, (n, LENGTH)).astype(np.uint8)
    _dataset(folder / "dataset.h5", split.example_id, codes, hostile, cells)
    _recorded(folder, split)
    _explained(folder / "explained", split, codes, explained)
    _models(folder / "explained", split.example_id)
    return folder


def _dataset(path: Path, ids: np.ndarray, codes: np.ndarray, hostile: str, cells: int) -> None:
    n, rng = len(ids), np.random.default_rng(4)
    at = np.arange(n)
    genes = ids[at - at % cells]
    start = at * 1000 + 100
    table: dict[str, Any] = {
        "example_id": ids, "gene_id": genes,
        "gene_name": [f"name{k - k % cells}{hostile}" for k in at], "chrom": "chr1",
        "start": start, "end": start + LENGTH, "strand": np.where(at % 2 == 0, "+", "-"),
        "tss": np.where(at % 2 == 0, start + TSS, start + LENGTH - 1 - TSS),
    }  # fmt: skip
    if cells > 1:
        table["cell_type"] = [f"cell{k % cells}" for k in at]
    signal = rng.gamma(2.0, 1.0, (n, len(MARKS), BINS)).astype(np.float32)
    with write_dataset(path, {"settings": {"bin_size": BIN_SIZE}}) as out:
        out.examples(pd.DataFrame(table))
        out.input("sequence", [codes])
        out.input("halflife", [rng.normal(size=(n, 2)).astype(np.float32)], labels=list(FEATURES))
        out.input("signal", [signal], labels=list(MARKS))
        out.target("expression", rng.normal(size=n), kind="regression")


def _recorded(folder: Path, split: Split) -> None:
    """Let the benchmark say that it is of this very dataset."""
    with Dataset.open(folder / "dataset.h5") as data:
        sha256 = data.sha256
    path = folder / "benchmark.json"
    facts = json.loads(path.read_text())
    facts["dataset"] |= {"path": str(folder / "dataset.h5"), "sha256": sha256}
    write_json(path, facts)


def _explained(folder: Path, split: Split, codes: np.ndarray, most: int) -> None:
    folder.mkdir()
    rows = split.rows("test")[:most]
    rng = np.random.default_rng(5)
    values = rng.normal(0, 0.02, (len(rows), LENGTH)).astype(np.float32)
    values[:, 60:68] += 1.0
    block = Block(
        {
            "prediction": np.ones(len(rows), np.float32),
            "inputs/sequence/codes": codes[rows],
            "inputs/sequence/values": values,
        }
    )
    told = {"method": "gradient_x_input", "scale": "target SD", "tss_index": TSS}
    write_attributions(
        folder / "attributions.h5", [block], Described(split.example_id[rows], told, {})
    )
    write_json(folder / "interpretation.json", {"method": "gradient × input", "row": "cnn"})


def _models(folder: Path, ids: np.ndarray) -> None:
    at = np.arange(len(ids))
    pd.DataFrame(
        {
            "locus": ids, "gene_id": ids, "gene_name": ids, "chrom": "chr1", "strand": "+",
            "start": at * 1000 + 251, "end": at * 1000 + 900,
            "exons": [f"{k * 1000 + 251}-{k * 1000 + 400},{k * 1000 + 600}-{k * 1000 + 900}"
                      for k in at],
        }
    ).to_csv(folder / "gene_models.tsv", sep="\t", index=False)  # fmt: skip
