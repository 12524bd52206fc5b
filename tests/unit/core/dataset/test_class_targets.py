"""Targets of several classes: codes with names, stored, read, and refused where they do not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset import Dataset, write_dataset
from exprimo.core.errors import FormatError, VersionError
from exprimo.core.files.versions import DATASET_FORMAT

NAMES = ("down", "none", "up")
CODES = [0, 1, 2, np.nan]


def _write(path: Path, values: Any = CODES, kind: Any = "multiclass", classes: Any = NAMES) -> Path:
    with write_dataset(path, {}) as out:
        out.examples(pd.DataFrame({"example_id": list("abcd")}))
        out.input("sequence", [np.zeros((4, 8), np.uint8)])
        out.target("change", values, kind=kind, classes=classes)
    return path


def test_names_and_codes_come_back(tmp_path: Path) -> None:
    with Dataset.open(_write(tmp_path / "D.h5")) as data:
        target = data.the_target()
        assert (target.kind, target.classes) == ("multiclass", NAMES)
        np.testing.assert_array_equal(data.target("change"), np.array(CODES, np.float32))


def test_the_order_of_the_names_is_part_of_the_content(tmp_path: Path) -> None:
    digests = []
    for number, names in enumerate((NAMES, NAMES, NAMES[::-1])):
        with Dataset.open(_write(tmp_path / f"{number}.h5", classes=names)) as data:
            digests.append(data.sha256)
    assert digests[0] == digests[1] != digests[2]


def test_other_kinds_have_no_classes(tmp_path: Path) -> None:
    path = _write(tmp_path / "D.h5", values=[0, 1, 1, 0], kind="classification", classes=())
    with Dataset.open(path) as data:
        assert data.the_target().classes == ()
    with h5py.File(path) as file:
        assert "classes" not in file["targets/change"].attrs


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"values": [0, 1, 3, 0]}, r"without a name\. Found: \[3\.0\]\. Expected: 0 to 2 \(down"),
        ({"values": [0, 0.5, 1, 0]}, r"without a name\. Found: \[0\.5\]"),
        ({"classes": ("a", "b")}, "3 or more different names"),
        ({"classes": ("a", "b", "a")}, "3 or more different names"),
        ({"classes": ("a", "b", " ")}, "not the names of classes"),
        ({"classes": ()}, "not the names of classes"),
        ({"kind": "regression"}, "with kind multiclass"),
    ],
)
def test_what_does_not_fit_is_refused(changes: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=message):
        _write(tmp_path / "D.h5", **changes)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("names", [None, ["a", "b"], ["a", "b", "b"], [1, 2, 3]])
def test_lost_names_are_noticed_when_it_is_opened(names: Any, tmp_path: Path) -> None:
    path = _write(tmp_path / "D.h5")
    with h5py.File(path, "r+") as file:
        del file["targets/change"].attrs["classes"]
        if names is not None:
            file["targets/change"].attrs["classes"] = names
    with pytest.raises(FormatError, match="targets/change, attribute classes"):
        Dataset.open(path)


def test_an_exprimo_that_knows_no_classes_says_so(tmp_path: Path) -> None:
    path = _write(tmp_path / "D.h5")
    with h5py.File(path, "r+") as file:
        assert file.attrs["format_version"] == DATASET_FORMAT >= 2
        file.attrs["format_version"] = DATASET_FORMAT + 1
    with pytest.raises(VersionError, match="newer Exprimo"):
        Dataset.open(path)
