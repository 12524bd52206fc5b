"""A made-up chromatin study, in the files that ``exprimo run`` writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from exprimo.core.run import write_json
from exprimo.studies.chromatin.config import ALL

Make = Callable[..., Path]

ROWS = {ALL: 0.9, "marks": 0.8, "attentive_chrome": 0.82}
MARKS = ("H3K4me3", "H3K27me3")
SPLITS = ("gene*cell", "cell", "example")
N_BINS, BIN_SIZE = 40, 100
OFFSETS = [(number - N_BINS // 2) * BIN_SIZE for number in range(N_BINS)]
MEAN = "mean over cell types"
METRICS = ("pearson_r", "spearman", "r2", "mse", "auroc_high")


def step(name: str, more: str, less: str, value: float, half: float | None) -> dict[str, Any]:
    """Make a step; without a half-width it has no interval."""
    low, high = (None, None) if half is None else (value - half, value + half)
    adds = low is not None and low > 0
    return {"input": name, "more": more, "less": less, "difference": value, "low": low,
            "high": high, "adds": adds}  # fmt: skip


def cells_table(models: tuple[str, ...], cells: tuple[str, ...]) -> pd.DataFrame:
    rows = []
    for model in models:
        for split in SPLITS:
            for metric in METRICS:
                value = 0.25 if model == ALL else 0.1 + len(model) / 50
                rows += [
                    (model, split, cell, metric, value + k / 100, value - 0.05, value + 0.08,
                     90, 30, "homology group")
                    for k, cell in enumerate(cells)
                ]  # fmt: skip
                half = 0.02 if len(cells) >= 10 else np.nan
                rows.append((model, split, MEAN, metric, value, value - half, value + half,
                             len(cells), len(cells), "cell type"))  # fmt: skip
    names = ["model", "split", "cell_type", "metric", "value", "low", "high", "n", "n_groups",
             "unit"]  # fmt: skip
    return pd.DataFrame(rows, columns=names)


def genes_table(models: tuple[str, ...], n_cells: int, within: dict[str, float]) -> pd.DataFrame:
    rows = []
    for model in models:
        # A row that gives a gene one value in all cell types scores 0, and surely so.
        value, half = (0.0, 0.0) if model == "gene_mean" else (within.get(model, 0.3), 0.1)
        medians = (value + 0.01, value - 0.02, 80) if n_cells >= 3 else (np.nan, np.nan, 0)
        rows += [
            (model, split, value, value - half, value + half, "homology group", n_cells, *medians,
             n_cells >= 10)
            for split in SPLITS
        ]  # fmt: skip
    names = ["model", "split", "pooled_r", "low", "high", "unit", "n_cell_types", "median_r",
             "median_spearman", "n_genes", "interval_over_cells"]  # fmt: skip
    return pd.DataFrame(rows, columns=names)


def bins_of(labels: tuple[str, ...], rows: tuple[str, ...], seed: int = 0) -> pd.DataFrame:
    """Make a table of gradients: the first row of each label raises at the TSS, the last lowers."""
    rng = np.random.default_rng(seed)
    tables = []
    for label in labels:
        values = rng.normal(0, 0.01, (len(rows), N_BINS))
        values[0, N_BINS // 2 - 2 : N_BINS // 2 + 3] += 0.2
        values[-1, N_BINS // 2 - 5 : N_BINS // 2 + 6] -= 0.12
        tables.append(
            pd.DataFrame(
                {"label": label, "row": np.repeat(rows, N_BINS),
                 "bin": np.tile(np.arange(N_BINS), len(rows)), "offset": OFFSETS * len(rows),
                 "mean": values.ravel(), "se": 0.01, "n": 90}
            )
        )  # fmt: skip
    return pd.concat(tables, ignore_index=True)


def attention_of(cells: tuple[str, ...]) -> pd.DataFrame:
    bins = bins_of(cells, MARKS).assign(level="bins")
    bins["mean"] = np.abs(bins["mean"])
    bins["mean"] /= bins.groupby(["label", "row"])["mean"].transform("sum")
    marks = bins[bins["bin"] == 0].assign(level="marks", offset=0)
    marks["mean"] = np.tile([0.7, 0.3], len(cells))
    return pd.concat([bins, marks], ignore_index=True)


def explain(folder: Path, cells: tuple[str, ...], *, truth: bool) -> None:
    folder.mkdir(parents=True)
    tables = {
        "mark_bins": bins_of(cells, MARKS),
        "kmer_bins": bins_of(
            ("all test genes", "G1", "G2"), tuple(f"{a}{b}{c}" for a in "ACGT" for b in "ACGT"
                                                  for c in "AC")),
        "attention": attention_of(cells),
        "raised_outputs": pd.DataFrame({"step": np.arange(11), "output": np.linspace(-1, 2, 11)}),
    }  # fmt: skip
    before = np.concatenate([np.exp(-((np.array(OFFSETS) / 800) ** 2)), np.full(N_BINS, 0.5)])
    tables["raised"] = pd.DataFrame(
        {"row": np.repeat(MARKS, N_BINS), "bin": np.tile(np.arange(N_BINS), 2),
         "offset": OFFSETS * 2, "before": before, "after": before * 1.5, "low": 0.0, "high": 2.0}
    )  # fmt: skip
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.tsv", sep="\t", index=False)
    facts: dict[str, Any] = {
        "format_version": 1, "row": ALL, "scale": "target SD", "units": "log2(TPM + 1)",
        "n_examples": 90 * len(cells), "bin_size": BIN_SIZE, "members": 3, "genes": ["G1", "G2"],
        "raised": {"n": 50, "before": -1.0, "after": 2.0, "share": 0.98},
    }  # fmt: skip
    if truth:
        facts["planted"] = [
            {"mark": mark, "label": cell, "sign": sign, "offset": offset, "mean": 0.1 * sign,
             "z": None if k else 4.0, "right": True, "peak": float(offset + 50), "near": k == 0}
            for k, cell in enumerate(cells)
            for mark, sign, offset in (("H3K4me3", 1.0, 50), ("H3K27me3", -1.0, -250))
        ]  # fmt: skip
    write_json(folder / "interpretation.json", facts)


def known(made_up: ModuleType) -> dict[str, tuple[str, float]]:
    """Give the role and the correlation of each row."""
    rows = {name: ("model", r) for name, r in ROWS.items()}
    return {
        **made_up.MODELS,
        **rows,
        "gene_mean": ("baseline", 0.5),
        "bins_ridge": ("baseline", 0.7),
    }


def compare(made_up: ModuleType, folder: Path, models: tuple[str, ...], *, beaten: bool) -> None:
    """Write the benchmark, with ensembles of two and losses in evaluation mode."""
    world = made_up.World(models=models, ceiling=False, learning=False, splits=SPLITS,
                          seeds=(0,), n=400, overlaps=False, beaten=beaten,
                          target="expression", known=known(made_up))  # fmt: skip
    benchmark = made_up.make_benchmark(folder, world)
    for path in (benchmark / "runs").glob("*/history.csv"):
        table = pd.read_csv(path)
        table["train_loss_evaluated"] = table["train_loss"] - 0.05
        members = [table.assign(member=member) for member in range(2)]
        pd.concat(members).to_csv(path, index=False)


def ceilings() -> dict[str, Any]:
    one = {"value": 0.95, "low": 0.94, "high": 0.96}
    mse = {"value": 0.2, "low": None, "high": None}
    within_gene = {"value": 0.61, "low": 0.58, "high": 0.64}
    found = {"pearson_r": one, "r2": one, "mse": mse, "within_gene": within_gene}
    return dict.fromkeys(SPLITS, found)


def study_facts(parts: dict[str, str]) -> dict[str, Any]:
    return {
        "format_version": 1,
        "kind": "chromatin",
        "question": "How much is a gene expressed in cell types never seen?",
        "split": SPLITS[0],
        "row": ALL,
        "verdict": {
            "text": f"{ALL} reaches Pearson r 0.9.",
            "row": ALL,
            "steps": [
                step("cell statistics", "marks + cell statistics", "marks", 0.04, 0.01),
                step("k-mers", "marks + k-mers", "marks", 0.001, 0.01),
                step("both", ALL, "marks", 0.05, 0.01),
            ],
            "rivals": [
                step("gene_mean", ALL, "gene_mean", 0.4, 0.05),
                step("bins_ridge", ALL, "bins_ridge", -0.2, 0.05),
            ],
        },
        "parts": parts,
        "config": {"kind": "chromatin"},
    }


@pytest.fixture(scope="session")
def make_chromatin(made_up: ModuleType) -> Make:
    """Write a study of the rows ALL, marks, attentive_chrome, gene_mean and bins_ridge."""

    def make(
        folder: Path,
        *,
        cells: tuple[str, ...] = ("liver", "skin", "T cell"),
        truth: bool = True,
        explained: bool = True,
        binary: bool = True,
        beaten: bool = True,
        within: dict[str, float] | None = None,
        **changed: Any,
    ) -> Path:
        models = (*ROWS, "gene_mean", "bins_ridge")
        compare(made_up, folder / "benchmark", models, beaten=beaten)
        cells_table(models, cells).to_csv(folder / "cells.tsv", sep="\t", index=False)
        genes_table(models, len(cells), within or {}).to_csv(
            folder / "genes.tsv", sep="\t", index=False
        )
        parts = {"benchmark": "benchmark", "interpretation": "interpretation"}
        if binary:
            small = made_up.World(task="classification", models=(ALL,), ceiling=False, n=400,
                                  learning=False, overlaps=False, splits=SPLITS[:1], seeds=(0,),
                                  target="expression", known=known(made_up))  # fmt: skip
            made_up.make_benchmark(folder / "binary", small)
            parts["binary"] = "binary"
        if explained:
            explain(folder / "interpretation", cells, truth=truth)
        facts = study_facts(parts) | ({"truth": ceilings()} if truth else {})
        write_json(folder / "study.json", facts | changed)
        return folder

    return make


@pytest.fixture(scope="session")
def chromatin_folder(tmp_path_factory: pytest.TempPathFactory, make_chromatin: Make) -> Path:
    return make_chromatin(tmp_path_factory.mktemp("chromatin") / "study")
