"""An input that has the rows of another dataset behind its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset import Dataset, write_dataset
from exprimo.core.errors import InputError, MismatchError


def written(path: Path, codes: np.ndarray) -> Path:
    with write_dataset(path, {}) as out:
        out.examples(pd.DataFrame({"example_id": [f"e{i}" for i in range(len(codes))]}))
        out.input("sequence", [codes])
    return path


def test_both_files_are_read_in_the_order_that_is_asked_for(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    mine, theirs = (rng.integers(0, 4, (n, 12)).astype(np.uint8) for n in (7, 5))
    # Equal rows are stored once, in either file.
    mine[3], theirs[4] = mine[0], theirs[1]
    one, other = written(tmp_path / "a.h5", mine), written(tmp_path / "b.h5", theirs)
    wanted = np.array([11, 0, 7, 3, 10, 6, 8, 7])
    with Dataset.open(one) as data:
        rows = data.extend("sequence", Dataset.open(other))
        assert rows.tolist() == [7, 8, 9, 10, 11]
        both = np.concatenate([mine, theirs])
        np.testing.assert_array_equal(data.rows("sequence", wanted), both[wanted])
        np.testing.assert_array_equal(data.batch(("sequence",), rows)["sequence"], theirs)
        assert len(data) == 7
        assert data.inputs["sequence"].n_distinct == 6
        assert len(data.distinct("sequence", 0, 100)) == 6


def test_the_file_behind_is_closed_too(tmp_path: Path) -> None:
    codes = np.zeros((2, 4), np.uint8)
    one, other = written(tmp_path / "a.h5", codes), written(tmp_path / "b.h5", codes)
    behind = Dataset.open(other)
    with Dataset.open(one) as data:
        data.extend("sequence", behind)
        with pytest.raises(InputError, match="cannot be extended again"):
            data.extend("sequence", behind)
    with pytest.raises((KeyError, ValueError)):
        behind.rows("sequence", np.array([0]))


def test_rows_of_another_shape_are_refused(tmp_path: Path) -> None:
    one = written(tmp_path / "a.h5", np.zeros((2, 4), np.uint8))
    other = written(tmp_path / "b.h5", np.zeros((2, 5), np.uint8))
    with (
        Dataset.open(one) as data,
        Dataset.open(other) as behind,
        pytest.raises(MismatchError, match="another shape"),
    ):
        data.extend("sequence", behind)
