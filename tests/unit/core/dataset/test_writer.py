"""What is stored equals what was given, once, or is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset import Dataset, write_dataset
from exprimo.core.errors import ExprimoError, FormatError, InputError, MismatchError

RNG = np.random.default_rng(3)
CODES = RNG.integers(0, 5, (7, 12)).astype(np.uint8)
IDS = pd.DataFrame({"example_id": list("abcdefg")})


def _write(path: Path, **changes: Any) -> Path:
    given: dict[str, Any] = {
        "table": IDS,
        "chunks": [CODES],
        "targets": {"y": (np.arange(7.0), "regression", "")},
        "origin": {},
        **changes,
    }
    with write_dataset(path, given["origin"]) as out:
        out.examples(given["table"])
        out.input("sequence", given["chunks"])
        for name, (values, kind, units) in given["targets"].items():
            out.target(name, values, kind=kind, units=units)
    return path


def test_rows_come_back_in_any_order(tmp_path: Path) -> None:
    with Dataset.open(_write(tmp_path / "D.h5")) as data:
        order = np.array([6, 0, 3, 3, 1])
        np.testing.assert_array_equal(data.rows("sequence", order), CODES[order])


def test_equal_rows_are_stored_once_across_chunks(tmp_path: Path) -> None:
    many = CODES[[0, 1, 0, 2, 2, 1, 0]]
    path = _write(tmp_path / "D.h5", chunks=(many[i : i + 2] for i in range(0, 7, 2)))
    with h5py.File(path) as file:
        assert file["inputs/sequence/values"].shape == (3, 12)
        assert file["inputs/sequence/index"][:].tolist() == [0, 1, 0, 2, 2, 1, 0]
    with Dataset.open(path) as data:
        assert data.inputs["sequence"].n_distinct == 3
        np.testing.assert_array_equal(data.rows("sequence", np.arange(7)), many)
        np.testing.assert_array_equal(data.distinct("sequence", 0, 9), CODES[:3])


def test_arrays_are_contiguous_uncompressed_and_take_a_byte_a_base(tmp_path: Path) -> None:
    codes = RNG.integers(0, 4, (400, 1000)).astype(np.uint8)
    path = _write(
        tmp_path / "D.h5",
        table=pd.DataFrame({"example_id": [f"gene{i}" for i in range(400)]}),
        chunks=[codes],
        targets={},
    )
    with h5py.File(path) as file:
        for name in ("inputs/sequence/values", "inputs/sequence/index"):
            stored = file[name]
            assert (stored.chunks, stored.compression) == (None, None)
            assert stored.id.get_offset() > 0
    assert path.stat().st_size <= 1.1 * codes.size


def test_content_hash_is_that_of_the_content(tmp_path: Path) -> None:
    def digest(name: str, **changes: Any) -> str:
        with Dataset.open(_write(tmp_path / name, **changes)) as data:
            return data.sha256

    base = digest("base.h5")
    assert digest("again.h5", origin={"made": "later"}) == base
    assert digest("chunked.h5", chunks=[CODES[:3], CODES[3:]]) == base
    other_base = CODES.copy()
    other_base[6, 11] = (other_base[6, 11] + 1) % 5
    regression = np.arange(7.0)
    different = {
        "bases": {"chunks": [other_base]},
        "order": {"chunks": [CODES[::-1]]},
        "ids": {"table": pd.DataFrame({"example_id": list("abcdefh")})},
        "column": {"table": IDS.assign(gene_id="g")},
        "value": {"targets": {"y": (regression + 1, "regression", "")}},
        "name": {"targets": {"z": (regression, "regression", "")}},
        "units": {"targets": {"y": (regression, "regression", "TPM")}},
        "no-target": {"targets": {}},
    }
    digests = {name: digest(f"{name}.h5", **changes) for name, changes in different.items()}
    assert len({base, *digests.values()}) == len(different) + 1, digests
    classes = [0, 1, 0, 1, 0, 1, 1]
    as_class = digest("class.h5", targets={"y": (classes, "classification", "")})
    assert as_class != digest("number.h5", targets={"y": (classes, "regression", "")})


def test_a_class_is_0_or_1_or_missing(tmp_path: Path) -> None:
    good = [0, 1, np.nan, 1, 0, np.nan, 1]
    path = _write(tmp_path / "D.h5", targets={"up": (good, "classification", "")})
    with Dataset.open(path) as data:
        np.testing.assert_array_equal(data.target("up"), np.array(good, np.float32))
    bad = [0, 1, 2, 0.5, 1, 0, np.nan]
    with pytest.raises(FormatError, match=r"up: a class label.*Found: \[0\.5, 2\.0\]"):
        _write(tmp_path / "E.h5", targets={"up": (bad, "classification", "")})
    assert not (tmp_path / "E.h5").exists()


REFUSED: dict[str, tuple[dict[str, Any], type[ExprimoError], str]] = {
    "no ids": ({"table": pd.DataFrame({"gene_id": list("abcdefg")})}, FormatError, "no column"),
    "repeated id": (
        {"table": pd.DataFrame({"example_id": list("abcdefa")})},
        FormatError,
        "a: an example id occurs twice",
    ),
    "missing id": (
        {"table": pd.DataFrame({"example_id": [*"abcdef", None]})},
        FormatError,
        "row 7: an example has no id",
    ),
    "no examples": ({"table": IDS[:0]}, InputError, "no example is left"),
    "too few rows": ({"chunks": [CODES[:6]]}, MismatchError, r"Found: 6\. Expected: 7"),
    "no rows": ({"chunks": []}, MismatchError, r"Found: 0\. Expected: 7"),
    "ragged": ({"chunks": [CODES[:3], CODES[3:, :5]]}, FormatError, "rows differ in shape"),
    "no bases": ({"chunks": [CODES[:, :0]]}, FormatError, "none of them empty"),
    "flat": ({"chunks": [CODES[:, 0]]}, FormatError, r"\(row, position\)"),
    "not codes": ({"chunks": [CODES + np.uint8(9)]}, FormatError, "not a base code"),
    "would wrap": ({"chunks": [CODES.astype(int)]}, FormatError, "Found: int64"),
    "short target": (
        {"targets": {"y": (np.zeros(3), "regression", "")}},
        MismatchError,
        "one value per example",
    ),
    "infinite target": (
        {"targets": {"y": (np.full(7, np.inf), "regression", "")}},
        FormatError,
        "y: a target is infinite",
    ),
    "slash": (
        {"targets": {"TPM/day": (np.zeros(7), "regression", "")}},
        FormatError,
        "'TPM/day': a name that cannot be stored",
    ),
    "fraction of a base": (
        {"table": IDS.assign(start=[1, 2, 3, 4, 5, 6, 0.5])},
        FormatError,
        "column start: not a int. Found: 0.5",
    ),
    "text for truth": (
        {"table": IDS.assign(clipped="False")},
        FormatError,
        "column clipped: not a bool. Found: 'False'",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused_and_leaves_nothing(case: str, tmp_path: Path) -> None:
    changes, kind, message = REFUSED[case]
    with pytest.raises(kind, match=message):
        _write(tmp_path / "D.h5", **changes)
    assert list(tmp_path.iterdir()) == []


def test_missing_values_have_the_registered_form(small: Path) -> None:
    with Dataset.open(small) as data:
        assert data.column("cell_type").tolist() == ["β", "", "β", "K562", "K562", "β"]
        assert data.column("start").tolist() == [1, 2, -1, 4, 5, 6]
        assert data.column("start").dtype == np.int64
        assert data.column("clipped").tolist() == [False, True, False, False, False, False]


def test_an_existing_dataset_is_not_written_over(tmp_path: Path) -> None:
    path = _write(tmp_path / "D.h5")
    before = path.read_bytes()
    with pytest.raises(InputError, match=r"D\.h5: this already exists"):
        _write(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_inputs_need_examples_first_and_a_dataset_needs_inputs(tmp_path: Path) -> None:
    with (
        pytest.raises(InputError, match="before inputs and targets"),
        write_dataset(tmp_path / "D.h5", {}) as out,
    ):
        out.input("sequence", [CODES])
    with (
        pytest.raises(InputError, match="at least one input"),
        write_dataset(tmp_path / "D.h5", {}) as out,
    ):
        out.examples(IDS)
    assert list(tmp_path.iterdir()) == []


def test_many_labels_are_kept_and_must_fit(tmp_path: Path) -> None:
    labels = [f"k{i}" for i in range(8192)]  # beyond the 64 KiB of an old-style attribute
    counts = RNG.integers(0, 3, (7, 8192)).astype(np.float32)
    with write_dataset(tmp_path / "D.h5", {}) as out:
        out.examples(IDS)
        with pytest.raises(MismatchError, match="one label per kmer"):
            out.input("kmers", [counts], labels=labels[:-1])
        out.input("kmers", [counts], labels=labels)
    with Dataset.open(tmp_path / "D.h5") as data:
        assert data.inputs["kmers"].labels == tuple(labels)
        assert data.inputs["kmers"].dtype == np.float32
        np.testing.assert_array_equal(data.rows("kmers", np.array([5, 2])), counts[[5, 2]])
