"""What a chromatin study finds in worlds whose answer is known, and where there is none."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import exprimo
from exprimo.core.dataset import Dataset
from exprimo.core.run import Run
from exprimo.evaluate import bootstrap
from exprimo.studies.chromatin import run_chromatin_study
from exprimo.studies.chromatin.config import (
    RIDGE_WITHIN,
    WITHIN,
    Binary,
    ChromatinComparison,
    Explained,
)
from exprimo.studies.demo import chromatin_demo_study, chromatin_world
from exprimo.training import FitConfig
from exprimo.training.config import MachineConfig

pytestmark = pytest.mark.slow

CELLS = ("cell01", "cell02")
BOX = {"device": "cpu", "threads": 1, "precision": "fp32"}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's study with three rows alone; drawing is left out.

    With 800 genes the repressive mark is as steep between its place and the TSS as at its place.
    """
    home = tmp_path_factory.mktemp("truth")
    exprimo.simulate(home / "world", seed=0, config=chromatin_world("small"))
    study = chromatin_demo_study().model_copy(
        update={
            "benchmark": ChromatinComparison(
                models=("gene_mean", "bins_ridge", WITHIN),
                splits=("cell",),
                test_cells=CELLS,
                val_cells=("cell03",),
                fit=FitConfig(epochs=6),
                machine=MachineConfig.checked(BOX),
            ),
            "binary": Binary(models=()),
            "interpretation": Explained(row=WITHIN, examples=300, raised=0),
        }
    )
    with pytest.MonkeyPatch.context() as patch:
        # By import_module: exprimo.report, as an attribute, is the command.
        patch.setattr(import_module("exprimo.report.page"), "draw_all", lambda _: {})
        run_chromatin_study(study, home, out=home)
    return home


def test_the_network_beats_the_gene_mean_and_the_ridge_in_unseen_cell_types(found: Path) -> None:
    facts = json.loads((found / "study.json").read_text())
    rivals = {step["less"]: step for step in facts["verdict"]["rivals"]}
    assert rivals.keys() == {"gene_mean", "bins_ridge"}
    for name, step in rivals.items():
        assert step["more"] == WITHIN, name
        assert step["low"] > 0, step
    # Three members, each stopped by its own fold of the training part.
    run = Run.open(found / "benchmark" / "runs" / "marks-within-cells-cell-s0")
    assert pd.read_csv(run.path / "history.csv")["member"].nunique() == 3
    table = pd.read_csv(found / "benchmark" / "table.tsv", sep="\t")
    r = table[table["metric"] == "pearson_r"].set_index("model")["value"]
    assert r[WITHIN] < facts["truth"]["cell"]["pearson_r"]["value"]
    # Cell types differ, and it tells how: what a value per gene cannot.
    genes = pd.read_csv(found / "genes.tsv", sep="\t").set_index("model")
    assert genes.loc[WITHIN, "low"] > 0.2
    assert genes.loc["gene_mean", "pooled_r"] == 0


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("mark", "sign"), [("H3K4me3", 1.0), ("H3K27me3", -1.0)])
def test_gradients_lie_where_marks_were_planted(
    found: Path, cell: str, mark: str, sign: float
) -> None:
    facts = json.loads((found / "interpretation" / "interpretation.json").read_text())
    (one,) = [f for f in facts["planted"] if (f["mark"], f["label"]) == (mark, cell)]
    assert one["sign"] == sign
    assert one["right"], one
    assert one["near"], one
    assert one["mean"] * sign > 0
    assert abs(one["z"]) > 3


GENES, N_CELLS, BINS = 400, 6, 20
NULL_ROWS: dict[str, tuple[str, dict[str, Any]]] = {
    "gene_mean": ("gene_mean", {}),
    "mark_sum": ("mark_sum", {}),
    "bins_ridge": ("bins_ridge", {}),
    RIDGE_WITHIN: ("bins_ridge", {"within_cell": True}),
    "bins_boosting": ("bins_boosting", {"rounds": 20}),
    "marks": ("histone_fcn", {"width": 8, "most": 8, "layers": 3, "halving": [1]}),
    WITHIN: (
        "histone_fcn",
        {"width": 8, "most": 8, "layers": 3, "halving": [1], "within_cell": True},
    ),
}


@pytest.fixture(scope="module")
def null_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Marks of genes that resemble themselves in all cell types; expression is dealt anew.

    Each cell type has its own level of expression and of marks, and its own order of genes.
    """
    rng = np.random.default_rng(12)
    folder = tmp_path_factory.mktemp("null")
    own = rng.gamma(2.0, size=(GENES, 5))
    arrays = {}
    for number in range(N_CELLS):
        height = own * rng.gamma(4.0, size=(GENES, 5)) * rng.gamma(4.0)
        signal = rng.gamma(1.0, size=(GENES, BINS, 5)) * height[:, None]
        expression = rng.permutation(np.log1p(own[:, 0]) + number / 4)
        array = np.empty((GENES, BINS, 7), dtype=np.float32)
        array[:, :, 0] = np.arange(1, GENES + 1)[:, None]
        array[:, :, 1:6] = np.log1p(signal)
        array[:, :, 6] = expression[:, None]
        arrays[f"C{number}"] = array
    np.savez(folder / "cells.npz", **arrays)
    exprimo.dataset_chromatin(out=folder / "D.h5", binned=[folder / "cells.npz"])
    return folder / "D.h5"


@pytest.mark.parametrize("row", NULL_ROWS)
def test_no_row_tells_expression_that_was_dealt_anew(
    null_data: Path, tmp_path: Path, row: str
) -> None:
    model, options = NULL_ROWS[row]
    run = exprimo.train(
        null_data,
        tmp_path / "run",
        model=model,
        options=options,
        fit={} if model in ("gene_mean",) else {"epochs": 2, "batch_size": 64},
        split={
            "strategy": "gene*cell",
            "fractions": (0.5, 0.1, 0.4),
            "test_cells": ("C0", "C1"),
            "val_cells": ("C2",),
        },
        machine=BOX,
    )
    done = Run.open(run.path)
    with Dataset.open(null_data) as data:
        rows = done.split.rows("test")
        ids, cells = data.column("example_id")[rows], data.column("cell_type")[rows]
        genes = data.column("gene_id")[rows]
    table = done.predictions().set_index("example_id").loc[ids.tolist()]
    assert len(table) > 200
    # Levels of cell types were not dealt anew: within them nothing is to be told.
    for cell in ("C0", "C1"):
        here = cells == cell
        level = 1 - 0.05 / (2 * len(NULL_ROWS))
        estimate = bootstrap(
            table["target"].to_numpy()[here], table["prediction"].to_numpy()[here], genes[here],
            ["pearson_r"], level=level, unit="gene",
        )["pearson_r"]  # fmt: skip
        assert estimate.low <= 0 <= estimate.high, (cell, estimate)
        assert estimate.high - estimate.low < 0.6
