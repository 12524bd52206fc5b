"""Inputs whose values stand outside the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset import Dataset, InputInfo, write_dataset
from exprimo.core.errors import InputError


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    path = tmp_path / "D.h5"
    with write_dataset(path, {}) as out:
        out.examples(pd.DataFrame({"example_id": ["a", "b", "c"]}))
        out.input("sequence", [np.zeros((3, 8), np.uint8)])
        out.target("expression", [1.0, 2.0, 3.0], kind="regression")
    return path


def _info(name: str) -> InputInfo:
    return InputInfo(name, (2,), np.dtype("float16"), 2, ("row", "channel"), "", ())


def test_an_attached_input_is_read_like_one_of_the_file(dataset: Path) -> None:
    stored = np.array([[1, 2], [3, 4]], np.float16)
    with Dataset.open(dataset) as data:
        data.attach(_info("embedding"), np.array([1, 0, 1]), lambda rows: stored[rows])
        assert data.inputs["embedding"].shape == (2,)
        batch = data.batch(("sequence", "embedding"), np.array([2, 1]))
        assert batch["embedding"].tolist() == [[3, 4], [1, 2]]
        assert data.distinct("embedding", 1, 9).tolist() == [[3, 4]]


def test_inputs_are_told_anew_after_one_was_attached(dataset: Path) -> None:
    with Dataset.open(dataset) as data:
        before = data.inputs
        assert tuple(before) == ("sequence",)
        data.attach(_info("embedding"), np.array([1, 0, 1]), lambda rows: rows)
        assert tuple(data.inputs) == ("sequence", "embedding")
        assert tuple(before) == ("sequence",)
        assert data.inputs["sequence"] == before["sequence"]


def test_what_a_caller_does_to_inputs_does_not_reach_the_dataset(dataset: Path) -> None:
    with Dataset.open(dataset) as data:
        told = dict(data.inputs)
        data.inputs.clear()  # type: ignore[attr-defined]  # a Mapping promises no such thing
        assert dict(data.inputs) == told


def test_an_input_of_the_file_is_not_hidden(dataset: Path) -> None:
    with (
        Dataset.open(dataset) as data,
        pytest.raises(InputError, match="an input sequence already"),
    ):
        data.attach(_info("sequence"), np.zeros(3, np.int64), lambda rows: rows)
