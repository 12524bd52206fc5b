"""Genes as keys: the same everywhere, read from a dataset without being stored."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset import Dataset, write_dataset
from exprimo.core.errors import InputError
from exprimo.features.derived.gene_keys import attach_gene_keys, gene_keys

KEY_OF_APOE = -2_019_946_841_459_298_248


def _dataset(path: Path, **columns: list[str]) -> Path:
    with write_dataset(path, {"made": "for tests"}) as out:
        out.examples(pd.DataFrame({"example_id": ["a", "b", "c", "d"], **columns}))
        out.input("signal", [np.zeros((4, 2, 6), np.float32)])
        out.target("expression", np.arange(4.0), kind="regression")
    return path


def test_a_key_depends_on_the_gene_alone(tmp_path: Path) -> None:
    genes = ["ENSG2", "ENSG1", "", "ENSG2"]
    with Dataset.open(_dataset(tmp_path / "D.h5", gene_id=genes)) as dataset:
        attach_gene_keys(dataset)
        attach_gene_keys(dataset)
        info = dataset.inputs["gene"]
        found = dataset.batch(("gene",), np.arange(4))["gene"]
    assert (info.shape, info.n_distinct, info.dtype) == ((1,), 3, np.dtype("int64"))
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found[:, 0], gene_keys(genes))
    assert found[2, 0] == 0
    # Stored in models: a key must never change from version to version.
    assert int(gene_keys(["ENSG00000130203"])[0]) == KEY_OF_APOE


def test_a_dataset_that_names_no_genes_stays_as_it_is(tmp_path: Path) -> None:
    with Dataset.open(_dataset(tmp_path / "D.h5")) as dataset:
        attach_gene_keys(dataset)
        assert "gene" not in dataset.inputs


def test_two_genes_of_one_key_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # By its path: the package offers the function under the module's own name.
    module = importlib.import_module("exprimo.features.derived.gene_keys")
    monkeypatch.setattr(module, "_key", lambda name: 7)
    genes = ["A", "B", "A", "A"]
    with (
        Dataset.open(_dataset(tmp_path / "D.h5", gene_id=genes)) as dataset,
        pytest.raises(InputError, match="same key"),
    ):
        attach_gene_keys(dataset)
