"""Networks and baselines of chromatin trained on real histone signal, as its files come."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import exprimo
from exprimo.core.dataset import Dataset
from exprimo.core.run import Run

pytestmark = [pytest.mark.real, pytest.mark.slow]

BOX = {"device": "cpu", "threads": 1, "precision": "fp32"}
PARTS = ("train", "valid", "test")
E003_MARKS = ("H3K4me1", "H3K4me3", "H3K9me3", "H3K27me3", "H3K36me3", "H3K27ac", "H3K9ac")


@pytest.fixture(scope="module")
def toy(realdata: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """DeepChrome's own example files, each under a name of its own, as one dataset."""
    out = tmp_path_factory.mktemp("toy") / "toy.h5"
    files = [f"{part}:{realdata}/histone/deepchrome_toy_{part}.csv" for part in PARTS]
    exprimo.dataset_chromatin(out=out, binned=files)
    return out


def test_deepchromes_files_become_a_dataset(toy: Path) -> None:
    with Dataset.open(toy) as data:
        assert data.inputs["signal"].shape == (5, 100)
        assert len(data) == 29
        assert data.the_target(None).kind == "classification"
        cells, counts = np.unique(data.column("cell_type"), return_counts=True)
        assert dict(zip(cells.tolist(), counts.tolist(), strict=True)) == {
            "test": 9, "train": 10, "valid": 10,
        }  # fmt: skip


@pytest.mark.parametrize(
    ("model", "options"),
    [("deepchrome", {}), ("attentive_chrome", {"units": 8, "mark_units": 4})],
)
def test_published_networks_train_on_published_files(
    toy: Path, tmp_path: Path, model: str, options: dict[str, Any]
) -> None:
    run = exprimo.train(
        toy,
        tmp_path / "run",
        model=model,
        options=options,
        split={"strategy": "cell", "test_cells": ("test",), "val_cells": ("valid",)},
        fit={"epochs": 2, "batch_size": 5},
        machine=BOX,
    )
    done = Run.open(run.path)
    assert done.metrics["task"] == "classification"
    counts = done.split.counts()
    assert (counts["train"], counts["val"], counts["test"]) == (10, 10, 9)
    told = done.predictions()["prediction"].to_numpy()
    assert np.isfinite(told).all()
    assert 0 < told.min() < told.max() < 1


@pytest.fixture(scope="module")
def embryonic(realdata: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hundred genes of the embryonic stem cell line H9 with seven marks."""
    out = tmp_path_factory.mktemp("E003") / "E003.h5"
    file = realdata / "histone" / "chromoformer_demo_E003_7marks_400x100bp.npz"
    exprimo.dataset_chromatin(out=out, binned=[f"E003:{file}"], marks=E003_MARKS, scale="log1p")
    return out


@pytest.mark.parametrize("model", ["bins_ridge", "mark_sum"])
def test_marks_tell_high_from_low_in_real_genes(
    embryonic: Path, tmp_path: Path, model: str
) -> None:
    run = exprimo.train(
        embryonic,
        tmp_path / "run",
        model=model,
        target="expression",
        above="median",
        split={"strategy": "gene", "fractions": (0.5, 0.1, 0.4)},
        machine=BOX,
    )
    done = Run.open(run.path)
    assert len(done.split.rows("test")) == 40
    auroc = exprimo.evaluate(run.path, threads=1).metrics["auroc"]["value"]
    # One mark over the central bins reaches 0.87 to 0.89 over all hundred genes.
    assert 0.7 < auroc < 0.98, auroc
    if model == "mark_sum":
        assert done.metrics["chosen"]["mark"] in ("H3K4me3", "H3K27ac", "H3K9ac", "H3K36me3")
