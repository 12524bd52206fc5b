"""An ensemble whose members each stop by their own fold, and the loss in evaluation mode."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from exprimo.core.dataset import Dataset, write_dataset
from exprimo.core.errors import ConfigError, ExprimoError
from exprimo.models import get_spec
from exprimo.splits import make_split
from exprimo.training import TrainConfig, train_run
from exprimo.training.folds import deal_folds

NET = {"channels": 8, "stem_channels": 8, "hidden": 8, "head_channels": 8}


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty genes in each of nine cell types, one sequence a gene; more G, more expression."""
    rng = np.random.default_rng(4)
    codes = rng.integers(0, 4, (20, 60)).astype(np.uint8)
    pairs = [(gene, cell) for cell in range(9) for gene in range(20)]
    table = pd.DataFrame(
        {
            "example_id": [f"C{cell}_g{gene}" for gene, cell in pairs],
            "gene_id": [f"g{gene}" for gene, _ in pairs],
            "cell_type": [f"C{cell}" for _, cell in pairs],
        }
    )
    level = (codes == 2).mean(1)[[gene for gene, _ in pairs]]
    path = tmp_path_factory.mktemp("cells") / "cells.h5"
    with write_dataset(path, {"made": "for tests"}) as out:
        out.examples(table)
        out.input("sequence", [codes[[gene for gene, _ in pairs]]])
        out.target("y", level + 0.01 * rng.normal(size=len(pairs)), kind="regression")
    return path


def _config(path: Path, **changes: object) -> TrainConfig:
    values = {
        "dataset": str(path),
        "ensemble": 3,
        "members": "folds",
        "split": {"strategy": "cell"},
        "fit": {"epochs": 2, "batch_size": 16, "evaluate_train": True},
        "machine": {"device": "cpu", "threads": 1, "precision": "fp32"},
        "options": NET,
        **changes,
    }
    return TrainConfig.checked(values)


@pytest.mark.parametrize(("strategy", "column"), [("cell", "cell_type"), ("gene", "gene_id")])
def test_folds_are_whole_cell_types_or_whole_genes(cells: Path, strategy: str, column: str) -> None:
    with Dataset.open(cells) as data:
        split = make_split(data, strategy)
        rows = split.rows("train")
        folds = deal_folds(data, split, rows, _config(cells), get_spec("cnn"))
        labels = data.column(column)
    assert sorted(np.concatenate(folds).tolist()) == rows.tolist()
    held = [set(labels[fold]) for fold in folds]
    assert all(held)
    assert sum(map(len, held)) == len(set.union(*held))


def test_members_differ_and_training_is_judged_without_dropout_too(
    cells: Path, tmp_path: Path
) -> None:
    run = train_run(_config(cells), tmp_path / "run")
    history = run.history()
    assert sorted(history["member"].unique()) == [0, 1, 2]
    assert history["train_loss_evaluated"].notna().all()
    # Each member stops by other examples, so no two have the same validation loss.
    assert history.groupby("member")["val_loss"].first().nunique() == 3
    assert (run.predictions()["prediction_sd"] > 0).all()


def test_without_asking_no_loss_in_evaluation_mode(cells: Path, tmp_path: Path) -> None:
    config = _config(cells, ensemble=1, members="seeds", fit={"epochs": 1, "batch_size": 16})
    history = train_run(config, tmp_path / "run").history()
    assert history["train_loss_evaluated"].isna().all()


def test_folds_need_members_and_a_network(cells: Path, tmp_path: Path) -> None:
    with pytest.raises((ExprimoError, ValidationError), match="ensemble of 2 or more"):
        _config(cells, ensemble=1)
    with pytest.raises(ConfigError, match="only the members of a network"):
        train_run(_config(cells, model="kmer_linear", options={}), tmp_path / "run")
    assert not (tmp_path / "run").exists()
