"""The files of a test, read back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprimo.data.counts import Counts
from exprimo.labels import DgeConfig, find_differential, write_tables
from exprimo.labels.differential import Differential


@pytest.fixture(scope="module")
def found() -> Differential:
    rng = np.random.default_rng(6)
    sheet = pd.DataFrame(
        {"status": ["C"] * 4 + ["T"] * 4, "note": ["a, b"] * 8},
        index=pd.Index([f"s{i}" for i in range(8)], name="sample"),
    )
    values = rng.negative_binomial(5, 5 / (5 + rng.gamma(1, 100, (300, 1))), (300, 8))
    values[:5] = 0
    index = pd.Index([f"ENSG{i:05}.1" for i in range(300)], name="gene_id")
    counts = Counts(pd.DataFrame(values, index, sheet.index), None, {}, Path("counts.tsv"))
    config = {"design": "~ status", "contrast": ("status", "T", "C"), "threads": 1}
    return find_differential(counts, sheet, DgeConfig.checked(config))


@pytest.fixture(scope="module")
def folder(found: Differential, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("dge")
    write_tables(found, path)
    return path


def _read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, sep="\t", index_col=0)


def test_which_files(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == [
        "dispersions.tsv", "labels.tsv", "normalized.tsv", "pca.tsv", "results.tsv",
        "sample_distances.tsv", "samples.tsv", "summary.json", "vst.tsv",
    ]  # fmt: skip


def test_tables_hold_what_was_found(folder: Path, found: Differential) -> None:
    results = _read(folder / "results.tsv")
    assert results.index.name == "gene_id"
    pd.testing.assert_frame_equal(results, found.results, rtol=1e-14)
    np.testing.assert_allclose(_read(folder / "normalized.tsv"), found.normalized(), atol=1e-4)
    np.testing.assert_allclose(_read(folder / "vst.tsv"), found.stabilised(), atol=1e-4)
    assert _read(folder / "samples.tsv").columns[0] == "size_factor"


def test_labels_are_whole_numbers_or_nothing(folder: Path) -> None:
    lines = (folder / "labels.tsv").read_text().splitlines()
    assert lines[0].split("\t") == ["gene_id", "label", "direction", "baseMean", "log2FoldChange"]
    assert {line.split("\t")[1] for line in lines[1:]} <= {"", "0", "1"}
    assert lines[1].split("\t")[:3] == ["ENSG00000.1", "", ""]


def test_the_summary_counts_genes_once(folder: Path) -> None:
    summary = json.loads((folder / "summary.json").read_text())
    parts = ("n_tested", "n_all_zero", "n_outliers", "n_filtered")
    assert sum(summary[part] for part in parts) == summary["n_genes"] == 300
    assert summary["n_all_zero"] == 5
    assert len(summary["pca"]["explained"]) == 7
    distances = _read(folder / "sample_distances.tsv")
    np.testing.assert_allclose(distances, distances.T)
    assert (np.diag(distances) == 0).all()
