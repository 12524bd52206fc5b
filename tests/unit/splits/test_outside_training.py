"""Inputs that are unlike those of training are counted, and only they."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset import Dataset, write_dataset
from exprimo.core.split import Split
from exprimo.splits.novelty import outside_training

N = 1200


def judged(path: Path, strange: bool) -> tuple[Dataset, Split]:
    """A fifth of the genes may be of another kind: rich in G and C, with other marks."""
    rng = np.random.default_rng(0)
    other = np.arange(N) % 5 == 0
    codes = rng.integers(0, 4, (N, 200)).astype(np.uint8)
    signal = rng.gamma(2.0, 1.0, (N, 3, 20)).astype(np.float32)
    signal[7] = np.nan
    features = rng.normal(size=(N, 4)).astype(np.float32)
    if strange:
        codes[other] = rng.choice([0, 1, 2, 3], (other.sum(), 200), p=[0.1, 0.4, 0.4, 0.1])
        signal[other] *= 3
    with write_dataset(path, {}) as out:
        names = [f"e{i}" for i in range(N)]
        out.examples(pd.DataFrame({"example_id": names, "gene_id": names}))
        out.input("sequence", [codes])
        out.input("signal", [signal])
        out.input("halflife", [features])
        out.target("y", rng.normal(size=N), kind="regression")
    data = Dataset.open(path)
    part = np.where(other, "test", "train")
    return data, Split(np.array(names), part, "random", 0, data.sha256, ())


@pytest.mark.parametrize("strange", [False, True])
def test_examples_of_another_kind_are_outside(tmp_path: Path, strange: bool) -> None:
    data, split = judged(tmp_path / "D.h5", strange)
    with data:
        found = {one.input: one for one in outside_training(data, split)}
    assert set(found) == {"sequence", "signal", "halflife"}
    assert found["sequence"].n == N // 5
    # Of examples like those of training one in a hundred is expected.
    assert found["halflife"].share < 0.05
    for name in ("sequence", "signal"):
        assert (found[name].share > 0.9) if strange else (found[name].share < 0.05)


def test_few_examples_say_nothing(tmp_path: Path) -> None:
    data, split = judged(tmp_path / "D.h5", False)
    few = np.where(np.arange(N) < 150, split.part, "none")
    with data:
        assert outside_training(data, replace(split, part=few)) == []
