"""A dataset from a table of sequences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exprimo.core.dataset import Dataset
from exprimo.core.errors import ConfigError, FormatError, InputError
from exprimo.core.sequence import decode
from exprimo.features.build_table import dataset_table

TILES = (
    "name\tcore\tyfp\trep2\tchr\tpos\tside\tfamily\n"
    "t1\tACGTA\t1.5\t1\tI\t10\t+\tf1\n"
    "t2\tTTTTT\t\t2\tI\t20\t+\tf1\n"
    "t3\tACGTA\t0\t\tII\t30\t-\tf2\n"
    "t4\tGGGAC\t-2\t4\t\t\t\tf3\n"
)


@pytest.fixture
def tiles(tmp_path: Path) -> Path:
    path = tmp_path / "tiles.tsv"
    path.write_text(TILES)
    return path


def build(tiles: Path, **options: Any) -> Any:
    given = {"out": tiles.with_name("D.h5"), "sequence": "core", "target": "yfp"}
    return dataset_table(tiles, **{**given, **options})


def test_rows_flanks_and_columns_are_kept(tiles: Path) -> None:
    made = build(
        tiles,
        chrom="chr",
        start="pos",
        strand="side",
        example_id="name",
        group="family",
        prefix="GG",
        suffix="T",
    )
    with Dataset.open(made.path) as data:
        examples = data.examples()
        rows = [decode(row) for row in data.rows("sequence", np.arange(3))]
        assert data.inputs["sequence"].n_distinct == 2
        assert data.targets["yfp"].kind == "regression"
        np.testing.assert_array_equal(data.target("yfp"), [1.5, 0, -2])
        assert data.provenance["settings"]["prefix"] == "GG"
    assert rows == ["GGACGTAT", "GGACGTAT", "GGGGGACT"]
    assert examples["example_id"].tolist() == ["t1", "t3", "t4"]
    assert examples["chrom"].tolist() == ["I", "II", ""]
    assert examples["start"].tolist() == [10, 30, -1]
    assert examples["strand"].tolist() == ["+", "-", ""]
    assert examples["group"].tolist() == ["f1", "f2", "f3"]


def test_what_was_left_out_is_counted(tiles: Path) -> None:
    made = build(tiles)
    assert (made.n_examples, made.dropped) == (3, {"no value for yfp": 1})
    assert made.lines[1:] == (
        "1 left out: no value for yfp",
        "Target yfp: regression, 3 values, -2 to 1.5",
        "2 distinct sequences; equal ones are stored once",
    )


def test_a_further_target_may_be_missing(tiles: Path) -> None:
    with Dataset.open(build(tiles, target=["yfp", "rep2"]).path) as data:
        np.testing.assert_array_equal(data.target("rep2"), [1, np.nan, 4])


def test_zeros_and_ones_become_a_class(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("seq,bound\nAC,1\nGT,0\n")
    made = dataset_table(table, out=tmp_path / "D.h5", sequence="seq", target="bound")
    assert "Target bound: classification, 1 of 2 are 1" in made.lines
    as_numbers = dataset_table(
        table, out=tmp_path / "E.h5", sequence="seq", target="bound", kind="regression"
    )
    with Dataset.open(as_numbers.path) as data:
        assert data.targets["bound"].kind == "regression"


def test_shorter_sequences_are_centred_and_counted(tmp_path: Path) -> None:
    table = tmp_path / "t.tsv"
    table.write_text("seq\ty\nACGTA\t1.5\nCCC\t2\n")
    made = dataset_table(table, out=tmp_path / "D.h5", sequence="seq", target="y")
    assert made.lines[-1] == "1 shorter sequences centred between N"
    with Dataset.open(made.path) as data:
        assert decode(data.rows("sequence", np.array([1]))[0]) == "NCCCN"


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"sequence": "cor"}, InputError, "nearest name is 'core'"),
        ({"target": "family"}, FormatError, "not a number"),
        ({"target": []}, ConfigError, "which column is the target"),
        ({"kind": "classification"}, FormatError, "neither 0, 1 nor missing"),
        ({"kind": "rank"}, ConfigError, "no such kind"),
        ({"example_id": "core"}, FormatError, "'ACGTA'"),
        ({"prefix": "AXC"}, FormatError, "prefix"),
    ],
)
def test_what_cannot_be_used_is_refused_and_leaves_nothing(
    tiles: Path, options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        build(tiles, **options)
    assert [path.name for path in tiles.parent.iterdir()] == ["tiles.tsv"]


def test_a_target_name_with_a_slash_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "t.tsv"
    table.write_text("seq\tIS/C\nAC\t1\n")
    with pytest.raises(FormatError, match=r"'IS/C'.*Rename the column"):
        dataset_table(table, out=tmp_path / "D.h5", sequence="seq", target="IS/C")


def test_an_existing_file_is_left_alone(tiles: Path) -> None:
    out = tiles.with_name("D.h5")
    out.write_text("mine")
    with pytest.raises(InputError, match="already exists"):
        build(tiles)
    assert out.read_text() == "mine"
