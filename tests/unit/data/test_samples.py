"""Sample sheets, and their match with counts."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from exprimo.core.errors import FormatError, MismatchError
from exprimo.data.counts import read_counts
from exprimo.data.samples import match_samples, read_samples


@pytest.fixture
def sheet(tmp_path):
    def write(text: str):
        path = tmp_path / "samples.csv"
        path.write_text(text)
        return path

    return write


@pytest.fixture
def counts(tmp_path):
    path = tmp_path / "counts.tsv"
    path.write_text("gene\tS1\tS2\tS3\ng1\t1\t2\t3\ng2\t4\t5\t6\n")
    return read_counts(path)


def test_types_of_columns(sheet):
    samples = read_samples(sheet("sample,status,age,plate\nS1,IS,61,01\nS2,,NA,02\n"))
    assert samples.index.name == "sample"
    assert samples["status"].tolist() == ["IS", None]
    assert samples["age"].dtype == np.float64
    np.testing.assert_array_equal(samples["age"], [61, np.nan])
    assert samples["plate"].tolist() == ["01", "02"]


def test_none_is_a_group_and_no_number(sheet):
    samples = read_samples(sheet("sample,treatment,strain,age\nS1,none,null,None\nS2,drug,WT,61\n"))
    assert samples["treatment"].tolist() == ["none", "drug"]
    assert samples["strain"].tolist() == ["null", "WT"]
    np.testing.assert_array_equal(samples["age"], [np.nan, 61])


@pytest.mark.parametrize(
    "text",
    [
        "status,Sample_ID\nIS,S1\nC,S2\n",
        "Sample,status\nS1,IS\nS2,C\n",
        "whatever,status\nS1,IS\nS2,C\n",
        '"","status"\n"S1","IS"\n"S2","C"\n',
        "status\nS1,IS\nS2,C\n",
    ],
)
def test_where_samples_stand(sheet, text):
    assert read_samples(sheet(text))["status"].to_dict() == {"S1": "IS", "S2": "C"}


def test_a_numeric_sample_name_stays_text(sheet):
    assert read_samples(sheet("sample,x\n1,5\n2,6\n")).index.tolist() == ["1", "2"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("sample,x\nS1,1\nS1,2\n", r"sample 'S1'.*lines 2 and 3"),
        ("sample,x\n,1\n", r"line 2: a row without a sample name"),
        ("sample,x\nS1\n", r"line 2"),
        ("sample,x\n", "no samples"),
    ],
)
def test_a_wrong_sheet(sheet, text, problem):
    with pytest.raises(FormatError, match=problem):
        read_samples(sheet(text))


def test_both_come_in_the_order_of_the_sheet(sheet, counts):
    samples = read_samples(sheet("sample,x\nS3,c\nS1,a\nS2,b\n"))
    matched, same = match_samples(counts, samples)
    assert matched.samples == ["S3", "S1", "S2"]
    assert matched.matrix.loc["g2"].tolist() == [6, 4, 5]
    pd.testing.assert_frame_equal(same, samples)
    assert counts.samples == ["S1", "S2", "S3"]


def test_samples_of_one_side_only_are_named(sheet, counts):
    samples = read_samples(sheet("sample,x\nS1,a\nS2,b\nS9,c\n"))
    with pytest.raises(MismatchError) as caught:
        match_samples(counts, samples)
    assert "in the sample sheet without counts: S9" in str(caught.value)
    assert "in the counts without a row in the sheet: S3" in str(caught.value)


@pytest.mark.parametrize("names", [["S1", "S2"], ["S1", "S2", "S3", "S4"]])
def test_one_side_lacking_is_enough(sheet, counts, names):
    samples = read_samples(sheet("sample,x\n" + "".join(f"{name},1\n" for name in names)))
    with pytest.raises(MismatchError, match="S3" if len(names) == 2 else "S4"):
        match_samples(counts, samples)


def test_a_long_list_is_shortened(sheet, counts):
    rows = "".join(f"X{i:02d},1\n" for i in range(30))
    with pytest.raises(MismatchError, match="X19 and 10 more"):
        match_samples(counts, read_samples(sheet("sample,x\n" + rows)))


def test_lengths_come_along(sheet, counts):
    lengths = pd.DataFrame(
        [[10.0, 20.0, 30.0], [1.5, 2.5, 3.5]], index=counts.matrix.index, columns=counts.samples
    )
    measured = dataclasses.replace(counts, lengths=lengths)
    matched, _ = match_samples(measured, read_samples(sheet("sample,x\nS3,c\nS1,a\nS2,b\n")))
    assert matched.lengths is not None
    assert matched.lengths.columns.tolist() == ["S3", "S1", "S2"]
    assert matched.lengths.loc["g2"].tolist() == [3.5, 1.5, 2.5]
