"""Tables within cell types and genes, against pandas and scikit-learn."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from exprimo.core.dataset import Dataset
from exprimo.core.errors import InputError
from exprimo.core.run import write_json
from exprimo.core.split import Split
from exprimo.studies.chromatin.cells import MEAN, read_predicted, write_tables

GENES, CELLS = 24, 5


class Made(NamedTuple):
    """A finished benchmark of one row, and the same as one table of test examples."""

    dataset: Path
    benchmark: Path
    table: pd.DataFrame
    split: Split


@pytest.fixture
def made(write_cells: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    """Half of the genes test, in cell types 0 to 3; the others train. Two seeds predict."""
    rng = np.random.default_rng(7)
    target = rng.normal(size=(CELLS, GENES)) + np.arange(CELLS)[:, None]
    target[1, 20] = np.nan
    path = write_cells(target)
    gene, cell = np.tile(np.arange(GENES), CELLS), np.repeat(np.arange(CELLS), GENES)
    part = np.where((gene >= 12) & (cell < 4), "test", "train")
    with Dataset.open(path) as data:
        ids = data.column("example_id")
        split = Split(ids, part, "gene*cell", 0, data.sha256, ("gene", "cell_type"), {},
                      data.column("gene_id"), "gene")  # fmt: skip
        known = data.target("expression").astype(np.float64)
    benchmark = tmp_path / "benchmark"
    (benchmark / "splits").mkdir(parents=True)
    split.save(benchmark / "splits" / "s.parquet")
    runs = [
        {"model": "marks", "split": "gene*cell", "seed": seed, "fraction": 1.0,
         "folder": f"runs/{seed}"}
        for seed in range(2)
    ]  # fmt: skip
    half = {"model": "marks", "split": "gene*cell", "seed": 0, "fraction": 0.5, "folder": "no"}
    write_json(
        benchmark / "benchmark.json",
        {"runs": [*runs, half], "split_files": {"gene*cell": "splits/s"}},
    )
    table = pd.DataFrame(
        {"example_id": ids, "gene": gene, "cell": cell, "part": part, "target": known}
    )
    for seed in range(2):
        table[f"seed{seed}"] = known + rng.normal(0, 1 + seed, len(known))
    judged = table[(part == "test") & ~np.isnan(known)].reset_index(drop=True)

    class Opened(NamedTuple):
        seed: str

        def predictions(self) -> pd.DataFrame:
            found = judged[["example_id", "target"]].assign(
                prediction=judged[f"seed{self.seed}"].fillna(0)
            )
            # The order of the file is no one's promise.
            return found[::-1]

    monkeypatch.setattr(
        "exprimo.studies.chromatin.cells.Run.open",
        staticmethod(lambda path: Opened(Path(path).name)),
    )
    return Made(path, benchmark, judged, split)


def test_predictions_stand_beside_what_was_observed(made: Made) -> None:
    (found,) = read_predicted(made.benchmark)
    assert (found.model, found.split, found.unit) == ("marks", "gene*cell", "gene")
    np.testing.assert_allclose(found.observed, made.table["target"])
    np.testing.assert_allclose(found.predicted[1], made.table["seed1"])
    # The example without a value was not predicted; that half of the examples is left out.
    assert found.predicted.shape == (2, 4 * 12 - 1)
    assert found.groups.tolist() == [f"g{g}" for g in made.table["gene"]]


@pytest.fixture
def written(made: Made, tmp_path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    with Dataset.open(made.dataset) as data:
        write_tables(made.benchmark, data, "expression", tmp_path)
    cells = pd.read_csv(tmp_path / "cells.tsv", sep="\t").set_index(["cell_type", "metric"])
    return cells, pd.read_csv(tmp_path / "genes.tsv", sep="\t")


def test_each_cell_type_is_judged_over_its_genes(
    made: Made, written: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    cells, _ = written
    r, mse = [], []
    for cell, rows in made.table.groupby("cell"):
        seeds = rows[["seed0", "seed1"]]
        r.append(seeds.corrwith(rows["target"]).mean())
        mse.append(seeds.sub(rows["target"], axis=0).pow(2).to_numpy().mean())
        rho = seeds.corrwith(rows["target"], method="spearman").mean()
        assert cells.loc[(f"C{cell}", "pearson_r"), "value"] == pytest.approx(r[-1])
        assert cells.loc[(f"C{cell}", "mse"), "value"] == pytest.approx(mse[-1])
        assert cells.loc[(f"C{cell}", "spearman"), "value"] == pytest.approx(rho)
        assert cells.loc[(f"C{cell}", "mse"), "n"] == len(rows)
    assert cells.loc[(MEAN, "pearson_r"), "value"] == pytest.approx(np.mean(r))
    assert cells.loc[(MEAN, "mse"), "value"] == pytest.approx(np.mean(mse))
    # Four cell types are too few to speak of further ones.
    assert np.isnan(cells.loc[(MEAN, "mse"), "low"])
    assert (cells.loc[(MEAN, "mse"), "unit"], cells.loc[("C1", "mse"), "n"]) == ("cell type", 11)


def test_high_is_above_the_median_of_the_training_genes_of_the_cell_type(
    made: Made, written: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    cells, _ = written
    with Dataset.open(made.dataset) as data:
        values = data.target("expression").reshape(CELLS, GENES)
    for cell, rows in made.table.groupby("cell"):
        high = rows["target"] > np.nanmedian(values[int(str(cell)), :12])
        expected = np.mean([roc_auc_score(high, rows[name]) for name in ("seed0", "seed1")])
        assert cells.loc[(f"C{cell}", "auroc_high"), "value"] == pytest.approx(expected)


def test_genes_are_judged_over_their_cell_types(
    made: Made, written: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    (found,) = written[1].to_dict("records")
    names = ["target", "seed0", "seed1"]
    centred = made.table[names] - made.table.groupby("gene")[names].transform("mean")
    pooled = centred[["seed0", "seed1"]].corrwith(centred["target"]).mean()
    assert found["pooled_r"] == pytest.approx(pooled)
    assert found["low"] < pooled < found["high"]
    mean = made.table.assign(mean=made.table[["seed0", "seed1"]].mean(axis=1))
    of_genes = [rows["target"].corr(rows["mean"]) for _, rows in mean.groupby("gene")]
    assert found["median_r"] == pytest.approx(np.median(of_genes))
    assert (found["n_genes"], found["n_cell_types"]) == (12, 4)
    assert not found["interval_over_cells"]


def test_one_test_cell_type_has_no_correlation_over_cell_types(made: Made, tmp_path: Path) -> None:
    part = np.where(np.char.startswith(made.split.example_id, "C0_"), made.split.part, "train")
    one = made.split.__class__(
        made.split.example_id, part, "gene*cell", 0, made.split.dataset_sha256,
        ("gene", "cell_type"), {}, made.split.group, "gene",
    )  # fmt: skip
    (made.benchmark / "splits" / "s.parquet").unlink()
    one.save(made.benchmark / "splits" / "s.parquet")
    with Dataset.open(made.dataset) as data:
        write_tables(made.benchmark, data, "expression", tmp_path)
    genes = pd.read_csv(tmp_path / "genes.tsv", sep="\t")
    assert genes["n_cell_types"].tolist() == [1]
    assert genes[["pooled_r", "low", "high", "median_r"]].isna().all(axis=None)
    cells = pd.read_csv(tmp_path / "cells.tsv", sep="\t")
    assert set(cells["cell_type"]) == {"C0", MEAN}


def test_a_dataset_without_names_is_refused(made: Made, write_cells: Any, tmp_path: Path) -> None:
    made.dataset.unlink()
    path = write_cells(np.ones((2, 3)), named=False)
    with (
        Dataset.open(path) as data,
        pytest.raises(InputError, match=r"which gene and which cell type.*gene_id and cell_type"),
    ):
        write_tables(made.benchmark, data, "expression", tmp_path)
