"""Who may teach, tune and judge, kept as it was made."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from exprimo.core.errors import FormatError, InputError, MismatchError
from exprimo.core.split import Split

SPLIT = Split(
    np.array(["a", "b", "c", "d", "e"]),
    np.array(["train", "val", "test", "train", "none"]),
    "gene*cell",
    7,
    "ab" * 32,
    ("gene", "cell_type"),
    {"purged": 3, "test chromosomes": "4", "columns": "-", "below": -2, "β": "é"},
)


def test_rows_and_counts_of_each_part() -> None:
    assert SPLIT.rows("train").tolist() == [0, 3]
    assert SPLIT.rows("test").tolist() == [2]
    assert SPLIT.counts() == {"train": 2, "val": 1, "test": 1, "none": 1}
    pd.testing.assert_frame_equal(
        SPLIT.frame().query("part == 'val'").reset_index(drop=True),
        pd.DataFrame({"example_id": ["b"], "part": ["val"]}),
    )


@pytest.mark.parametrize("group", [None, np.array(["x", "x", "y", "z", ""])])
def test_it_survives_the_disk(group: np.ndarray | None, tmp_path: Path) -> None:
    split = replace(SPLIT, group=group, unit="gene" if group is not None else "example")
    split.save(tmp_path / "split.parquet")
    again = Split.load(tmp_path / "split.parquet")
    for name in ("strategy", "seed", "dataset_sha256", "held_out", "notes", "unit"):
        assert getattr(again, name) == getattr(split, name), name
    np.testing.assert_array_equal(again.example_id, split.example_id)
    np.testing.assert_array_equal(again.part, split.part)
    if group is None:
        assert again.group is None
    else:
        np.testing.assert_array_equal(again.group, group)


def test_nothing_held_out_survives_too(tmp_path: Path) -> None:
    replace(SPLIT, held_out=()).save(tmp_path / "split.parquet")
    assert Split.load(tmp_path / "split.parquet").held_out == ()


def test_another_dataset_is_refused() -> None:
    SPLIT.check_dataset("ab" * 32, file="D.h5")
    with pytest.raises(MismatchError, match=r"D\.h5: this split belongs to another dataset"):
        SPLIT.check_dataset("cd" * 32, file="D.h5")


def test_a_missing_split_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such split"):
        Split.load(tmp_path / "split.parquet")


def test_files_that_are_no_split_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "split.parquet"
    SPLIT.save(path)
    whole = path.read_bytes()
    for content in (b"", b"text", whole[:-20], whole[:40] + whole[60:]):
        path.write_bytes(content)
        with pytest.raises(FormatError, match=r"split\.parquet: not a split"):
            Split.load(path)
    pq.write_table(pa.table({"example_id": ["a"], "part": ["train"]}), path)
    with pytest.raises(FormatError, match="not a split"):
        Split.load(path)


def test_an_unknown_part_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "split.parquet"
    replace(SPLIT, part=np.array(["train", "val", "test", "holdout", "none"])).save(path)
    with pytest.raises(FormatError, match=r"an unknown part\. Found: {'holdout'}"):
        Split.load(path)


def test_a_folder_called_tilde_is_not_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    split = Split(np.array(["a", "b"]), np.array(["train", "test"]), "random", 0, "ab", ())
    split.save("~/x.parquet")
    assert (tmp_path / "~" / "x.parquet").is_file()
    assert Split.load("~/x.parquet").counts() == split.counts()
