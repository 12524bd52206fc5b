"""Studies of made-up file names, and a dataset of a few genes in a few cell types."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset import write_dataset
from exprimo.studies.chromatin import ChromatinStudy

MakeStudy = Callable[..., ChromatinStudy]


@pytest.fixture
def study() -> MakeStudy:
    """Make a study of a dataset; arguments are its keys and tables."""

    def make(**values: Any) -> ChromatinStudy:
        sources = {"tracks", "binned", "dataset"} & set(values)
        return ChromatinStudy.checked(values if sources else {"dataset": "D.h5", **values})

    return make


@pytest.fixture
def write_cells(tmp_path: Path) -> Callable[..., Path]:
    """Write a dataset of genes g0, g1, ... in cell types C0, C1, ...: targets (cells, genes)."""

    def write(
        target: np.ndarray,
        *,
        kind: Any = "regression",
        signal: bool = True,
        sequence: bool = False,
        named: bool = True,
    ) -> Path:
        path = tmp_path / "D.h5"
        n_cells, n_genes = np.shape(target)
        gene, cell = np.tile(np.arange(n_genes), n_cells), np.repeat(np.arange(n_cells), n_genes)
        rng = np.random.default_rng(0)
        table = {"example_id": [f"C{c}_g{g}" for c, g in zip(cell, gene, strict=True)]}
        if named:
            table |= {"gene_id": [f"g{g}" for g in gene], "cell_type": [f"C{c}" for c in cell]}
        with write_dataset(path, {}) as out:
            out.examples(pd.DataFrame(table))
            if signal:
                values = rng.gamma(1.0, size=(len(gene), 2, 4)).astype(np.float32)
                out.input("signal", [values], labels=["H3K4me3", "H3K9me3"])
                context = rng.gamma(1.0, size=(n_cells, 4, 4)).astype(np.float32)
                out.input("cell_context", [context[cell]])
            if sequence or not signal:
                codes = rng.integers(0, 4, (n_genes, 40)).astype(np.uint8)
                out.input("sequence", [codes[gene]])
            out.target("expression", np.ravel(target).astype(np.float32), kind=kind)
        return path

    return write
