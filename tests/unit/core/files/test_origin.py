"""Provenance that a table carries: written, read, and what its columns were made of."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from exprimo.core.errors import FormatError
from exprimo.core.files.origin import (
    column_sources,
    provenance_path,
    read_origin,
    with_column_sources,
    write_table,
)

TABLE = pd.DataFrame({"x": [1, 2], "name": ["a", None]})


def test_parquet_holds_it(tmp_path: Path) -> None:
    origin = with_column_sources({"kind": "test"}, {"x": ["model"]})
    # The name does not have to tell what the file is.
    write_table(tmp_path / "table", TABLE, origin)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "table"), TABLE)
    assert read_origin(tmp_path / "table") == origin
    assert column_sources(tmp_path / "table") == {"x": ["model"]}


def test_text_has_it_beside(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    TABLE.to_csv(path, sep="\t")
    with pytest.raises(FormatError, match="no provenance"):
        read_origin(path)
    provenance_path(path).write_text(json.dumps({"column_sources": {"x": "model", "y": ["a", 1]}}))
    assert column_sources(path) == {"x": ["model"], "y": ["a", "1"]}


@pytest.mark.parametrize("text", ["{", "[]", "3", '{"column_sources": 3}', "{}"])
def test_broken_declarations_declare_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "t.tsv"
    TABLE.to_csv(path, sep="\t")
    provenance_path(path).write_text(text)
    assert column_sources(path) == {}


def test_no_such_table(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="no provenance"):
        read_origin(tmp_path / "none.parquet")
    assert column_sources(tmp_path / "none.parquet") == {}


def test_sources_are_added_to_those_known() -> None:
    first = with_column_sources({}, {"a": ["model"]})
    assert with_column_sources(first, {"b": ("p_value",)})["column_sources"] == {
        "a": ["model"],
        "b": ["p_value"],
    }
    assert first["column_sources"] == {"a": ["model"]}
