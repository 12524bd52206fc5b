"""Parts that were given are taken at their word."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset import Dataset, write_dataset
from exprimo.splits import make_split


def test_a_column_of_parts_is_taken_at_its_word(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    given = np.array(["train"] * 30 + ["val"] * 20 + ["test"] * 10 + [""] * 5)
    codes = rng.integers(0, 4, (65, 200)).astype(np.uint8)
    codes[0] = codes[55]  # a training copy of a test sequence
    with write_dataset(tmp_path / "D.h5", {}) as out:
        ids = [f"g{i}" for i in range(65)]
        out.examples(pd.DataFrame({"example_id": ids, "gene_id": ids, "part": given}))
        out.input("sequence", [codes])
        out.target("y", rng.normal(size=65), kind="regression")
    with Dataset.open(tmp_path / "D.h5") as data:
        for seed in range(5):
            split = make_split(data, "column:part", seed=seed)
            expected = np.where(given == "", "train", given)
            expected[0] = "none"
            assert split.part.tolist() == expected.tolist()
            assert split.notes["parts_as_given"] == "part"
            assert split.notes["train_only_without_part"] == 5
            assert split.notes["purged_from_train"] == 1


@pytest.mark.parametrize("name", ["val", "valid", "validation"])
def test_validation_goes_by_several_names(tmp_path: Path, name: str) -> None:
    given = [name] * 2 + ["test"] * 5 + ["train"] * 3
    with write_dataset(tmp_path / "D.h5", {}) as out:
        ids = [f"g{i}" for i in range(10)]
        out.examples(pd.DataFrame({"example_id": ids, "gene_id": ids, "file": given}))
        out.input("halflife", [np.zeros((10, 8), dtype=np.float32)])
        out.target("y", np.arange(10.0), kind="regression")
    with Dataset.open(tmp_path / "D.h5") as data:
        split = make_split(data, "column:file")
    assert split.part.tolist() == ["val"] * 2 + ["test"] * 5 + ["train"] * 3
    assert split.notes["parts_as_given"] == "file"
