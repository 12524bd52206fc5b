"""Nothing that is fitted changes when the test part does: weights, scalers, k-mers, folds, cuts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

from exprimo.core.dataset import Dataset, write_dataset
from exprimo.core.split import Split
from exprimo.features.chromatin import cell_context
from exprimo.splits import make_split
from exprimo.training import TrainConfig, train_run

pytestmark = pytest.mark.slow

GENES, CELLS, BINS = 24, 7, 20


def _dataset(path: Path, test: Split | None = None) -> Path:
    """Write genes x cell types; the examples that ``test`` judges are changed in all they hold."""
    rng = np.random.default_rng(8)
    gene = np.tile(np.arange(GENES), CELLS)
    cell = np.repeat(np.arange(CELLS), GENES)
    signal = rng.gamma(1, size=(len(gene), 3, BINS)).astype(np.float32)
    codes = rng.integers(0, 4, (GENES, BINS * 10)).astype(np.uint8)
    target = signal[:, 0].sum(1) + rng.normal(size=len(gene))
    if test is not None:
        rows = test.rows("test")
        signal[rows] *= 50
        target[rows] -= 1000
        if "gene" in test.held_out:
            codes[np.unique(gene[rows])] = 4
    context = np.concatenate([np.repeat(cell_context(signal[cell == c])[None], GENES, 0)
                              for c in range(CELLS)])  # fmt: skip
    with write_dataset(path, {"made": "for tests"}) as out:
        out.examples(
            pd.DataFrame(
                {
                    "example_id": [f"C{c}_g{g}" for g, c in zip(gene, cell, strict=True)],
                    "gene_id": [f"g{g}" for g in gene],
                    "cell_type": [f"C{c}" for c in cell],
                }
            )
        )
        out.input("signal", [signal], labels=["a", "b", "c"])
        out.input("cell_context", [context.astype(np.float32)])
        out.input("sequence", [codes[gene]])
        out.target("y", target, kind="regression")
    return path


@pytest.mark.parametrize("strategy", ["cell", "gene", "gene*cell"])
@pytest.mark.parametrize(
    ("model", "settings"),
    [
        (
            "histone_fcn",
            {
                "ensemble": 2,
                "members": "folds",
                "options": {"kmers": True, "kmer_least": 40, "width": 4, "most": 8},
            },
        ),
        ("deepchrome", {"above": "cell-median", "options": {"filters": 4, "hidden": [8]}}),
        ("mark_sum", {}),
        ("bins_ridge", {"above": "cell-median"}),
        ("gene_mean", {}),
    ],
)
def test_fitted_values_do_not_know_the_test_part(
    tmp_path: Path, strategy: str, model: str, settings: dict[str, object]
) -> None:
    plain = _dataset(tmp_path / "plain.h5")
    with Dataset.open(plain) as data:
        split = make_split(data, strategy, fractions=(0.5, 0.25, 0.25))
    changed = _dataset(tmp_path / "changed.h5", split)
    fitted = []
    for path in (plain, changed):
        with Dataset.open(path) as data:
            of_this = Split(
                split.example_id, split.part, strategy, 0, data.sha256, split.held_out,
                {}, split.group, split.unit,
            )  # fmt: skip
        config = TrainConfig.checked(
            {
                "dataset": str(path),
                "model": model,
                "split": {"strategy": strategy},
                "fit": {"epochs": 2, "batch_size": 8},
                "machine": {"device": "cpu", "threads": 1, "precision": "fp32"},
                **settings,
            }
        )
        run = train_run(config, tmp_path / path.stem, split=of_this)
        options = TrainConfig.load(run.config_path).options
        fitted.append((load_file(run.weights_path), options, run.metrics["above"]))
    (one, options, cut), (other, other_options, other_cut) = fitted
    assert options == other_options
    assert cut == other_cut
    assert set(one) == set(other)
    for name, values in one.items():
        np.testing.assert_array_equal(values, other[name], err_msg=name)
