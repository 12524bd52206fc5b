"""Examples and inputs that come part by part: the same file as all at once, ids still unique."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset import Dataset, spooled, write_dataset
from exprimo.core.errors import FormatError, InputError, MismatchError

ROWS = np.random.default_rng(0).integers(0, 5, (7, 6)).astype(np.uint8)
NUMBERS = np.random.default_rng(1).integers(0, 7, 90)
TABLE = pd.DataFrame(
    {
        "example_id": [f"e{number}" for number in range(90)],
        "gene_id": [f"gène{number**3}" for number in range(90)],
        "start": np.arange(90) * 7,
        "clipped": np.arange(90) % 3 == 0,
    }
)


def in_parts(
    path: Path,
    table: pd.DataFrame,
    step: int,
    order: list[str] | None = None,
    *,
    rows: int = len(NUMBERS),
) -> Path:
    with write_dataset(path, {}) as out, out.parts(["sequence"]) as parts:
        for start in range(0, len(table), step):
            some = table.iloc[start : start + step]
            parts.examples.append(some if start == 0 or order is None else some[order])
            stored = parts.inputs["sequence"]
            stored.append(stored.numbers(ROWS[NUMBERS[:rows][start : start + step]]))
    return path


@pytest.mark.parametrize("step", [1, 8, 90])
def test_parts_give_the_same_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    with write_dataset(tmp_path / "whole.h5", {}) as out:
        out.examples(TABLE)
        out.input("sequence", [ROWS[NUMBERS]])
    monkeypatch.setattr(spooled, "_CHUNK_BYTES", 64)
    monkeypatch.setattr(spooled, "_EXAMPLES", 5)
    monkeypatch.setattr(spooled, "_IDS", 10)
    made = in_parts(tmp_path / "parts.h5", TABLE, step)
    with Dataset.open(tmp_path / "whole.h5") as whole, Dataset.open(made) as parts:
        assert parts.sha256 == whole.sha256
        pd.testing.assert_frame_equal(parts.examples(), whole.examples())
        np.testing.assert_array_equal(parts.rows("sequence", np.arange(90)), ROWS[NUMBERS])


def test_an_id_of_another_part_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spooled, "_IDS", 10)
    table = TABLE.copy()
    table.loc[[40, 77, 80], "example_id"] = ["e3", "e3", "e1"]
    with pytest.raises(FormatError, match=r"e3: an example id occurs twice"):
        in_parts(tmp_path / "D.h5", table, 8)
    table = TABLE.copy()
    table.loc[41, "example_id"] = ""
    with pytest.raises(FormatError, match="row 42"):
        in_parts(tmp_path / "D.h5", table, 8)
    assert not list(tmp_path.iterdir())


def test_parts_that_do_not_fit_together_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="differ in their columns"):
        in_parts(tmp_path / "D.h5", TABLE, 8, ["example_id", "start"])
    with pytest.raises(InputError, match="no example is left"):
        in_parts(tmp_path / "D.h5", TABLE[:0], 8)
    with pytest.raises(MismatchError, match="one row per example"):
        in_parts(tmp_path / "D.h5", TABLE, 8, rows=80)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["sequence", "sequence_2"])
def test_what_is_no_base_is_refused(tmp_path: Path, name: str) -> None:
    with (
        pytest.raises(FormatError, match="not a base code"),
        write_dataset(tmp_path / "D.h5", {}) as out,
        out.parts([name]) as parts,
    ):
        parts.inputs[name].numbers(np.full((1, 4), 5, np.uint8))
