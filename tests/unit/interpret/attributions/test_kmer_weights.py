"""A linear model on k-mers is explained by its weights: exactly, to the last mutant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset import Dataset, write_dataset
from exprimo.core.errors import ConfigError
from exprimo.core.sequence import encode
from exprimo.features.kmers import count_kmers, kmer_names
from exprimo.interpret.attributions import Attributions
from exprimo.interpret.attributions.method import Kmers, MethodConfig, Subject, make_method
from exprimo.interpret.explain import explain
from exprimo.models.baselines.linear import LinearBaseline
from exprimo.scoring.resolve import resolve_model
from exprimo.training import TrainConfig, train_run

N, LENGTH, SITE = 80, 40, 12


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half of the windows hold GATTACA, which raises the target by 3."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, (N, LENGTH)).astype(np.uint8)
    codes[::2, SITE : SITE + 7] = encode("GATTACA")
    codes[5, 30] = 4
    y = 3.0 * (np.arange(N) % 2 == 0) + rng.normal(0, 0.1, N)
    path = tmp_path_factory.mktemp("kmers") / "D.h5"
    names = [f"e{i}" for i in range(N)]
    with write_dataset(path, {"settings": {"upstream": 20}}) as out:
        out.examples(pd.DataFrame({"example_id": names, "gene_id": names}))
        out.input("sequence", [codes])
        out.target("y", y, kind="regression", units="log2 of TPM")
        out.target("high", (y > 1.5).astype(float), kind="classification")
    return path


def fitted(dataset: Path, out: Path, target: str, **options: Any) -> Path:
    settings = {
        "dataset": str(dataset), "target": target, "model": "kmer_linear", "options": options,
        "split": {"strategy": "random"}, "machine": {"threads": 1},
    }  # fmt: skip
    return train_run(TrainConfig.checked(settings), out / "RUN").path


def linear(model: LinearBaseline, codes: np.ndarray, k: int, canonical: bool) -> np.ndarray:
    """Compute the raw output by the formula."""
    state = model.state()
    counts = count_kmers(codes, k, canonical=canonical)
    b = state["coefficients"]
    return b[0] + ((counts - state["center"]) / state["scale"]) @ b[1:]


@pytest.mark.parametrize(("target", "canonical"), [("y", False), ("high", True)])
def test_each_mutant_is_foretold(
    dataset: Path, tmp_path: Path, target: str, canonical: bool
) -> None:
    run = fitted(dataset, tmp_path, target, k=3, canonical=canonical)
    done = explain(run, dataset, tmp_path / "E", on="all", most=None, check=False, threads=1)
    assert done.scale == ("logit" if canonical else "log2 of TPM")
    model = resolve_model(run).predictor
    assert isinstance(model, LinearBaseline)
    with Dataset.open(dataset) as data:
        codes = data.rows("sequence", np.arange(N))
    with Attributions.open(done.path) as found:
        values, hypothetical = found.values(), found.hypothetical()
        expected = linear(model, codes, 3, canonical)
        np.testing.assert_allclose(found.prediction, expected, atol=1e-4)
        known = (codes < 4).all(1)
        delta = found.convergence()["delta"]
    at_mean = float(model.state()["coefficients"][0])
    np.testing.assert_allclose(values.sum(1)[known], (expected - at_mean)[known], atol=1e-4)
    assert np.abs(delta[known]).max() < 1e-4 < abs(delta[5])
    np.testing.assert_allclose(
        values[known], np.take_along_axis(hypothetical, codes[:, None] % 4, axis=1)[known, 0]
    )
    for position in (0, 1, 15, LENGTH - 1):
        for base in range(4):
            mutant = codes.copy()
            mutant[:, position] = base
            change = linear(model, mutant, 3, canonical) - expected
            # Each of the three k-mers over a base gives it a third of its weight.
            here = hypothetical[:, base, position] - values[:, position]
            np.testing.assert_allclose(3 * here[known], change[known], atol=1e-4)


def test_the_planted_word_is_seen_in_place_and_in_the_table(dataset: Path, tmp_path: Path) -> None:
    run = fitted(dataset, tmp_path, "y", k=4)
    done = explain(run, dataset, tmp_path / "E", on="all", threads=1)
    assert done.missed is not None
    assert done.missed.share < 1e-4
    assert done.verdict.word == "passes"
    with Attributions.open(done.path) as found:
        planted = found.values()[::2]
    strongest = np.argsort(-planted.mean(0))[:7]
    assert set(strongest) == set(range(SITE, SITE + 7))
    table = pd.read_csv(done.path / "kmers.tsv", sep="\t")
    assert sorted(table["kmer"]) == kmer_names(4)
    word = {"GATT", "ATTA", "TTAC", "TACA"}
    assert word <= set(table["kmer"][:8])
    assert (table.set_index("kmer").loc[sorted(word), "weight"] > 0).all()


def test_several_classes_are_no_line() -> None:
    model = LinearBaseline(lambda batch: batch["x"], "multiclass", ("a", "b", "c"))
    subject = Subject(
        model, None, ("sequence",), 0, "multiclass", lambda batch: batch, {}, Kmers(2, False)
    )
    with pytest.raises(ConfigError, match="--method mutagenesis"):
        make_method(subject, MethodConfig())
