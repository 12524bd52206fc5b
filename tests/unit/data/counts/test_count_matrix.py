"""Counts of all samples in one table."""

from __future__ import annotations

import gzip

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exprimo.core.errors import FormatError, InputError
from exprimo.data.counts import read_counts
from exprimo.data.counts.table import clean_sample_name, parse_count_row

PLAIN = "gene\ts1\ts2\nYAL1\t3\t0\nYAL2\t15\t7\n"


@pytest.fixture
def table(tmp_path):
    """Write a table of counts and give its path."""

    def write(text: str, name: str = "counts.tsv", packed: bool = False):
        path = tmp_path / name
        path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
        return path

    return write


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    "text",
    [PLAIN, PLAIN.replace("\t", ","), PLAIN.replace("gene\t", ""), PLAIN.replace("3", "3.0")],
)
def test_a_plain_matrix(table, text, packed):
    counts = read_counts(table(text, packed=packed))
    expected = pd.DataFrame(
        [[3, 0], [15, 7]], index=pd.Index(["YAL1", "YAL2"], name="gene_id"), columns=["s1", "s2"]
    )
    pd.testing.assert_frame_equal(counts.matrix, expected)
    assert counts.matrix.dtypes.eq(np.int64).all()
    assert counts.classes is None
    assert counts.notes == {"format": "matrix", "trailer_rows": 0, "genes": 2, "samples": 2}


def test_a_class_row_is_no_gene(table):
    counts = read_counts(table("NAME\ta\tb\nCLASS:DOSE\tIS\tC\ng1\t1\t2\n"))
    assert counts.classes == {"a": "IS", "b": "C"}
    assert counts.matrix.index.tolist() == ["g1"]
    assert counts.notes["format"] == "matrix with a class row"


def test_a_class_row_may_hold_numbers(table):
    counts = read_counts(table("id\ta\tb\nclass\t0\t1\ng1\t1\t2\n"))
    assert counts.classes == {"a": "0", "b": "1"}


def test_a_class_row_stands_under_the_header_only(table):
    with pytest.raises(FormatError, match="line 3, gene CLASS, sample a: not a count"):
        read_counts(table("id\ta\tb\ng1\t1\t2\nCLASS\tIS\tC\n"))


def test_a_gap_in_the_class_row(table):
    with pytest.raises(FormatError, match="class row CLASS, sample b"):
        read_counts(table("id\ta\tb\nCLASS\tIS\t\ng1\t1\t2\n"))


def test_feature_counts(table):
    counts = read_counts(
        table(
            '# Program:featureCounts v2.0.3; Command:"featureCounts" "-a" "x.gtf"\n'
            "Geneid\tChr\tStart\tEnd\tStrand\tLength\tbam/WT_1.sorted.bam\t/d/KO_1.bam\n"
            "g1\tI;I\t1;50\t20;90\t+;+\t61\t12\t0\n"
            "g2\tII\t5\t9\t-\t5\t3\t4\n"
        )
    )
    assert counts.samples == ["WT_1", "KO_1"]
    assert counts.matrix.loc["g1"].tolist() == [12, 0]
    assert counts.notes["format"] == "featureCounts"


def test_two_bam_files_of_one_name(table):
    head = "Geneid\tChr\tStart\tEnd\tStrand\tLength\ta/x.bam\tb/x.bam\n"
    with pytest.raises(FormatError, match=r"sample x.*a/x\.bam and b/x\.bam"):
        read_counts(table(head + "g1\tI\t1\t2\t+\t2\t1\t1\n"))


def test_trailer_rows_of_a_merged_table_are_counted_not_kept(table):
    counts = read_counts(table(PLAIN + "__no_feature\t10\t20\n__ambiguous\t1\t1\n"))
    assert counts.matrix.index.tolist() == ["YAL1", "YAL2"]
    assert counts.notes["no_feature"] == 30
    assert counts.notes["trailer_rows"] == 2


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ("-3", "a negative count"),
        ("-3.0", "a negative count"),
        ("2.5", "a fractional count"),
        ("1e-3", "a fractional count"),
        ("abc", "not a count"),
        ("1,5", "not a count"),
        ("1_000", "not a count"),
        ("inf", "not a count"),
        ("99999999999999999999", "not a count"),
        ("²", "not a count"),
        ("", "an empty cell"),
        (" ", "an empty cell"),
        ("NA", "a missing count"),
        ("NaN", "a missing count"),
    ],
)
def test_a_wrong_cell_is_named_by_file_gene_and_sample(table, cell, problem):
    path = table(f"gene\ts1\ts2\nok\t1\t2\nbad\t4\t{cell}\n")
    with pytest.raises(FormatError) as caught:
        read_counts(path)
    message = str(caught.value)
    assert message.startswith(f"{path}, line 3, gene bad, sample s2: {problem}")
    assert f"Found: {cell!r}" in message or f"Found: {cell}" in message
    assert "Expected: a whole number >= 0" in message
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("gene\ts1\ng\t1\nh\t2\ng\t3\n", r"gene 'g'.*occurs twice.*lines 2 and 4"),
        ("gene\ts1\ts1\ng\t1\t2\n", r"sample 's1'"),
        ("gene\ts1\ts2\ng\t1\t2\nh\t1\n", r"line 3.*Found: 2 fields.*Expected: 3 fields"),
        ("gene\ts1\ts2\n", r"no genes"),
        ("gene\ts1\ts2\n__no_feature\t1\t2\n", r"no genes"),
        ("gene\ng1\n", r"no samples"),
        ("gene\ts1\t\ng1\t1\t2\n", r"column 3.*an empty cell"),
        ("YAL1\t3\t15\nYAL2\t4\t1\n", r"header: the first line holds numbers.*3, 15"),
        ("gene\ts1\n\t4\n", r"line 2: a row without a gene id"),
    ],
)
def test_a_wrong_table(table, text, problem):
    with pytest.raises(FormatError, match=problem) as caught:
        read_counts(table(text))
    assert "counts.tsv" in str(caught.value)


def test_gzip_cut_short(table):
    path = table(PLAIN + "".join(f"g{i}\t{i}\t{i * 7 % 31}\n" for i in range(9000)), packed=True)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(FormatError, match="cut short"):
        read_counts(path)


def test_no_such_file(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_counts(tmp_path / "gone.tsv")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("WT_rep01_MID39_allLanes_tophat2.0.5.bam.gbgout", "WT_rep01_MID39_allLanes_tophat2.0.5"),
        ("GSM123_ctrl.counts.txt.gz", "GSM123_ctrl"),
        ("/a/b/S1Aligned.sortedByCoord.out.bam", "S1"),
        ("C:\\data\\S1.bam", "S1"),
        ("sample.1", "sample.1"),
        (".bam", ".bam"),
    ],
)
def test_sample_names(path, name):
    assert clean_sample_name(path) == name


@given(st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=6))
@settings(max_examples=50, derandomize=True, deadline=None)
def test_any_count_is_read_exactly(values):
    names = [f"s{i}" for i in range(len(values))]
    cells = list(map(str, values))
    assert parse_count_row(cells, file="f", line=1, gene="g", samples=names) == values


@pytest.mark.parametrize("gene", ["group-1", "Class II", "conditional"])
def test_a_gene_called_like_a_class_row_is_a_gene(tmp_path, gene):
    path = tmp_path / "c.tsv"
    path.write_text(f"gene\tA\tB\n{gene}\t3\t4\ng2\t5\t6\n")
    counts = read_counts(path)
    assert list(counts.matrix.index) == [gene, "g2"]
    assert counts.classes is None


def test_a_count_beyond_what_r_holds_is_refused(tmp_path):
    path = tmp_path / "c.tsv"
    path.write_text("gene\tA\tB\ng1\t3\t2147483648\n")
    with pytest.raises(FormatError, match="at most 2,147,483,647"):
        read_counts(path)


def test_a_gene_id_that_would_need_quotes_is_refused(tmp_path):
    path = tmp_path / "c.csv"
    path.write_text('gene,A,B\n"g1\tx",3,4\n')
    with pytest.raises(FormatError, match="a tab, a line break or a quotation mark"):
        read_counts(path)
