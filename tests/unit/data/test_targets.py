"""Numbers and labels per gene."""

from __future__ import annotations

import numpy as np
import pytest

from exprimo.core.errors import FormatError, InputError
from exprimo.data.targets import read_labels, read_targets


@pytest.fixture
def table(tmp_path):
    def write(text: str):
        path = tmp_path / "targets.tsv"
        path.write_text(text)
        return path

    return write


def test_missing_is_nan_never_zero(table):
    targets = read_targets(table("gene_id\ta\tb\ng1\t1.5\tNA\ng2\t\t-2e3\ng3\t0\tnan\n"))
    assert targets.index.tolist() == ["g1", "g2", "g3"]
    assert targets.index.name == "gene_id"
    np.testing.assert_array_equal(targets["a"], [1.5, np.nan, 0])
    np.testing.assert_array_equal(targets["b"], [np.nan, -2000, np.nan])


@pytest.mark.parametrize("text", ["x\tgene_id\n7\tg1\n", "name\tx\ng1\t7\n", "x\ng1\t7\n"])
def test_where_genes_stand(table, text):
    assert read_targets(table(text), ["x"])["x"].to_dict() == {"g1": 7.0}


def test_chosen_columns_only_are_checked(table):
    path = table("gene_id\tsymbol\tpadj\ng1\tABC1\t0.5\n")
    assert read_targets(path, ["padj"]).columns.tolist() == ["padj"]
    with pytest.raises(FormatError, match=r"line 2, gene g1, column symbol: not a number.*'ABC1'"):
        read_targets(path)


def test_an_unknown_column_gets_the_nearest(table):
    with pytest.raises(InputError, match="nearest name is 'log2FoldChange'"):
        read_targets(table("gene_id\tlog2FoldChange\ng1\t1\n"), ["log2FoldChang"])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("gene_id\ta\ng1\t1\ng1\t2\n", r"gene 'g1'.*lines 2 and 3"),
        ("gene_id\ta\n\t1\n", r"line 2: a row without a gene id"),
        ("g1\t0.5\ng2\t0.7\n", r"the first line holds numbers.*0\.5"),
        ("gene_id\ta\n", "no genes"),
        ("gene_id\ng1\n", "no column of targets"),
        ("gene_id\ta\ng1\tinf\n", "finite"),
    ],
)
def test_a_wrong_table(table, text, problem):
    with pytest.raises(FormatError, match=problem):
        read_targets(table(text))


def test_labels(table):
    labels = read_labels(table("gene_id\tup\ng1\t1\ng2\t0\ng3\t\ng4\tNA\n"))
    np.testing.assert_array_equal(labels["up"], [1, 0, np.nan, np.nan])


@pytest.mark.parametrize("value", ["2", "0.5", "-1"])
def test_other_values_are_no_labels(table, value):
    with pytest.raises(FormatError, match=f"gene g2, column up: not a label. Found: {value}"):
        read_labels(table(f"gene_id\tup\ng1\t1\ng2\t{value}\n"))


def test_a_number_beyond_float32_is_named(table):
    with pytest.raises(FormatError, match=r"line 3, gene g2, column a: .*Found: '-1e300'"):
        read_targets(table("gene_id\ta\ng1\t3e38\ng2\t-1e300\n"))
