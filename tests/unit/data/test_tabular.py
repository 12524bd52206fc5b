"""Tables as users keep them, whole and broken."""

from __future__ import annotations

import gzip
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exprimo.core.errors import FormatError, InputError
from exprimo.data.tabular import (
    detect_separator,
    is_missing,
    is_number,
    open_table,
    parse_number,
    refuse_duplicate,
    refuse_missing_header,
    split_line,
    unknown_name,
)


@pytest.fixture
def file(tmp_path) -> Path:
    return tmp_path / "table.tsv"


def read(path):
    with open_table(path) as table:
        return table.header, list(table.rows)


@pytest.mark.parametrize(
    ("text", "header", "rows"),
    [
        ("a\tb\n1\t2\n", ["a", "b"], [(2, ["1", "2"])]),
        ("a,b\r\n1,2\r\n", ["a", "b"], [(2, ["1", "2"])]),
        ("a;b\n1,5;2\n", ["a", "b"], [(2, ["1,5", "2"])]),
        ("a b\n1 2\n", ["a", "b"], [(2, ["1", "2"])]),
        ('"","s1"\n"g1",4\n', ["", "s1"], [(2, ["g1", "4"])]),
        ("s1\ts2\ng1\t1\t2\n", ["", "s1", "s2"], [(2, ["g1", "1", "2"])]),
        ("s1\ng1\t1\n", ["", "s1"], [(2, ["g1", "1"])]),
        ("\ufeffa\tb\n\n1\t2", ["a", "b"], [(3, ["1", "2"])]),
        ("# made today\n#a\tb\n1\t2\n", ["a", "b"], [(3, ["1", "2"])]),
        ("a\tb\n", ["a", "b"], []),
        ('a,b\n"x, ""y""",2\n', ["a", "b"], [(2, ['x, "y"', "2"])]),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_layouts(file, text, header, rows, packed):
    raw = text.encode()
    file.write_bytes(gzip.compress(raw) if packed else raw)
    assert read(file) == (header, rows)


def test_comments_are_kept(file):
    file.write_text("## v1\n# Program:featureCounts\ta\nGeneid\tx.bam\ng\t1\n")
    with open_table(file) as table:
        assert table.comments == ["## v1", "# Program:featureCounts\ta"]
        assert table.header == ["Geneid", "x.bam"]


@pytest.mark.parametrize("line", ["g2\t3", "g2\t3\t4\t5", "g2"])
def test_a_ragged_row_is_named_by_line(file, line):
    file.write_text(f"gene\ta\tb\ng1\t1\t2\n\n{line}\n")
    with pytest.raises(FormatError, match=r"line 4 \('g2'\).*Expected: 3 fields"):
        read(file)


def test_a_column_name_that_occurs_twice(file):
    file.write_text("gene\ta\ta\ng1\t1\t2\n")
    with pytest.raises(FormatError, match="'a' 2 times"):
        read(file)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"# only a comment\n"])
def test_an_empty_file(file, content):
    file.write_bytes(content)
    with pytest.raises(FormatError, match="the file is empty"):
        read(file)


def test_gzip_cut_short(file):
    file.write_bytes(gzip.compress(b"a\tb\n" + b"1\t2\n" * 5000)[:-20])
    with pytest.raises(FormatError, match="cut short"):
        read(file)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"PK\x03\x04rest", "Excel"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        ("a\tb".encode("utf-16"), "UTF-16"),
        (b"BZh91AY", "bunzip2"),
        (b"a\0b", "binary data"),
    ],
)
def test_other_kinds_of_file_are_named(file, content, named):
    file.write_bytes(content)
    with pytest.raises(FormatError, match=named):
        read(file)


def test_text_in_another_encoding(file):
    file.write_bytes("gene\ta\nhäm\t1\n".encode("latin-1"))
    with pytest.raises(FormatError, match="UTF-8"):
        read(file)


def test_no_file(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "gone.tsv")
    with pytest.raises(InputError, match="folder"):
        read(tmp_path)


def test_an_unknown_column_gets_the_nearest_name(file):
    file.write_text("gene_id\tlog2FoldChange\ng1\t1\n")
    with open_table(file) as table, pytest.raises(InputError) as caught:
        table.column("log2foldchange")
    assert "The nearest name is 'log2FoldChange'" in str(caught.value)
    assert str(file) in str(caught.value)


def test_a_long_list_of_columns_is_shortened():
    error = unknown_name("column", "zzz", [f"s{i}" for i in range(100)])
    assert "and 88 more" in str(error)
    assert error.remedy is None


def test_what_has_an_id_too_gets_both_nearest():
    error = unknown_name("gene", "ABC1", ["abc2", "XYZ"], ids=["ABC10", "Q"])
    assert error.remedy == "The nearest name is 'abc2' and the nearest id is 'ABC10'"
    assert unknown_name("gene", "g12", ["w"], ids=["g1"]).remedy == "The nearest id is 'g1'"
    # Where ids stand for names, once is enough.
    assert unknown_name("gene", "g12", ["g1"], ids=["g1"]).remedy == "The nearest name is 'g1'"


def test_long_sequences_have_no_limit():
    sequence = "ACGT" * 100_000
    assert split_line(f"id,{sequence}", ",") == ["id", sequence]


@pytest.mark.parametrize(
    ("lines", "separator"),
    [(["a,b\tc"], "\t"), (["a;b;c,d"], ";"), (["a"], "\t"), (["one", "x,y"], ","), (["a b"], " ")],
)
def test_separators(lines, separator):
    assert detect_separator(*lines) == separator


@given(st.floats(allow_nan=False, allow_infinity=False))
@settings(max_examples=40, derandomize=True, deadline=None)
def test_numbers_survive(value):
    assert parse_number(repr(value), file="t", record="r") == value


@pytest.mark.parametrize("cell", ["", "NA", " nan ", "N/A", "NULL", "None", "."])
def test_missing_is_nan(cell):
    assert is_missing(cell)
    assert math.isnan(parse_number(cell, file="t", record="r"))


@pytest.mark.parametrize("cell", ["x", "1,5", "inf", "-Inf", "1_000", "high"])
def test_no_number(cell):
    with pytest.raises(FormatError, match="t, gene g: not a number"):
        parse_number(cell, file="t", record="gene g")


def test_a_second_time_names_both_lines():
    seen: dict[str, int] = {}
    refuse_duplicate(seen, "g1", 2, what="gene", file="t")
    refuse_duplicate(seen, "g2", 3, what="gene", file="t")
    with pytest.raises(FormatError, match=r"gene 'g1': the same gene.*lines 2 and 9"):
        refuse_duplicate(seen, "g1", 9, what="gene", file="t")


def test_numbers_over_columns_of_numbers_are_a_row(file):
    file.write_text("YAL1\t3\t15\nYAL2\t4\t1\n")
    with open_table(file) as table, pytest.raises(FormatError, match="Add a header line"):
        refuse_missing_header(table, table.header[1:])


@pytest.mark.parametrize("header", ["gene\t1\t2", "\t1\t2", "YAL1\ta\t2"])
def test_numbers_may_be_names_under_a_heading(file, header):
    file.write_text(f"{header}\nYAL2\t4\t1\n")
    with open_table(file) as table:
        refuse_missing_header(table, table.header[1:])
        assert len(list(table.rows)) == 1


@pytest.mark.parametrize(
    ("cell", "answer"), [("1e5", True), ("-0", True), ("NA", False), ("inf", False), ("1_0", False)]
)
def test_what_is_a_number(cell, answer):
    assert is_number(cell) is answer
