"""Names of classes in cells: what is one, what is missing, what may be either."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from exprimo.core.errors import ConfigError, FormatError
from exprimo.data.classes import check_class_names, encode_classes, parse_class
from exprimo.data.sequence_table import read_sequence_table
from exprimo.data.targets import read_class_targets

THREE = ("down", "none", "up")


def _parse(cell: str, known: tuple[str, ...] = ()) -> str | float:
    return parse_class(cell, known, file="t.tsv", record="g1")


def test_none_is_a_class_only_where_it_is_named() -> None:
    assert _parse("none", THREE) == "none"
    with pytest.raises(FormatError, match=r"t\.tsv, g1: this may be a class.*--classes"):
        _parse("None")
    assert isinstance(_parse("NA"), float)
    assert math.isnan(float(_parse("", THREE)))


def test_whole_numbers_are_one_name_however_written() -> None:
    assert [_parse(cell) for cell in ("2", "2.0", " 2 ", "-1.00")] == ["2", "2", "2", "-1"]
    assert _parse("1.5") == "1.5"
    assert _parse("1.0", ("0", "1", "2")) == "1"


def test_what_was_not_named_is_refused() -> None:
    with pytest.raises(FormatError, match=r"not one of the classes\. Found: 'Up'.*down, none, up"):
        _parse("Up", THREE)


def test_numbers_sort_as_numbers_and_names_as_names() -> None:
    assert encode_classes(["10", "9", "-1"], name="y").names == ("-1", "9", "10")
    assert encode_classes(["b", "a", "10"], name="y").names == ("10", "a", "b")
    given = encode_classes(["up", math.nan, "down"], THREE, name="y")
    np.testing.assert_array_equal(given.codes, np.array([2, np.nan, 0], np.float32))
    assert given.names == THREE


@pytest.mark.parametrize("cells", [["a", "b"], [str(i) for i in range(51)], [math.nan]])
def test_too_few_or_too_many_are_no_classes(cells: list[str | float]) -> None:
    with pytest.raises(FormatError, match="y: not a column of classes"):
        encode_classes(cells, name="y")


@pytest.mark.parametrize("names", [["a", "b"], ["a", "b", "a"], ["a", "", "b"], ["1", "1.0", "2"]])
def test_names_that_cannot_be_classes(names: list[str]) -> None:
    with pytest.raises(ConfigError, match="3 or more different names"):
        check_class_names(names)


def test_a_table_of_genes(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text("gene_id\tchange\tother\ng1\tup\t1\ng2\t\t2\ng3\tnone\t3\n")
    read = read_class_targets(path, ["change"], THREE)["change"]
    assert read.index.tolist() == ["g1", "g2", "g3"]
    assert read.tolist()[::2] == ["up", "none"]
    assert math.isnan(read["g2"])
    with pytest.raises(FormatError, match="line 4, gene g3, column change"):
        read_class_targets(path, ["change"])


def test_a_table_of_sequences_drops_what_has_no_class(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text("seq\tchange\nACG\tup\nAAA\tNA\nTTT\tdown\n")
    read = read_sequence_table(path, sequence="seq", target="change", classes=())
    assert read.targets["change"].tolist() == ["up", "down"]
    assert read.notes["dropped_no_target"] == 1
