"""Estimated counts, rounded when asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from exprimo.core.errors import FormatError
from exprimo.data.counts import read_counts, refuse_empty_samples
from exprimo.data.counts.rounding import Rounding


@pytest.fixture
def table(tmp_path: Path):
    def write(text: str) -> Path:
        path = tmp_path / "counts.tsv"
        path.write_text(text)
        return path

    return write


def test_halves_go_to_even_as_in_r(table) -> None:
    # R: round(c(0.5, 1.5, 2.5, 3.49, 0.51, 12, 1e3))
    cells = ["0.5", "1.5", "2.5", "3.49", "0.51", "12.0", "1e3"]
    rows = "".join(f"g{at}\t{cell}\t1\n" for at, cell in enumerate(cells))
    counts = read_counts(table("gene\ts1\ts2\n" + rows), round_fractions=True)
    assert counts.matrix["s1"].tolist() == [0, 2, 2, 3, 1, 12, 1000]
    assert counts.matrix["s1"].dtype == np.int64
    assert counts.notes["fractions_rounded"] == 5
    assert counts.lengths is None


def test_without_being_asked_a_fraction_is_an_error_that_says_how(table) -> None:
    path = table("gene\ts1\ng1\t2.5\n")
    with pytest.raises(FormatError, match=r"a fractional count.*Found: 2.5.*add --round"):
        read_counts(path)
    assert "fractions_rounded" not in read_counts(table("gene\ts1\ng1\t2\n")).notes


@pytest.mark.parametrize("cell", ["-0.5", "NA", "", "inf", "nan", "x", "1_0", "²", "1e30"])
def test_what_is_no_number_stays_an_error(table, cell: str) -> None:
    with pytest.raises(FormatError, match="line 3, gene g2, sample s2"):
        read_counts(table(f"gene\ts1\ts2\ng1\t0.5\t1\ng2\t3\t{cell}\n"), round_fractions=True)


def test_cells_that_need_a_closer_look_are_rounded_too() -> None:
    rounding = Rounding()
    assert rounding.row(["0.5", "2_0"]) is None
    assert rounding.row(["0.5", "one"]) is None
    assert rounding.row(["1e17"]) is None
    assert rounding.one(2.5) == 2
    assert rounding.rounded == 1


def test_htseq_files(tmp_path: Path) -> None:
    for name, counts in {"a": "g1\t0.5\ng2\t1.75\n", "b": "g1\t3\ng2\t2.0\n"}.items():
        (tmp_path / f"{name}.txt").write_text(counts + "__no_feature\t7\n")
    counts = read_counts(tmp_path, round_fractions=True)
    assert counts.matrix.to_numpy().tolist() == [[0, 3], [2, 2]]
    assert counts.notes["fractions_rounded"] == 2
    with pytest.raises(FormatError, match="a fractional count"):
        read_counts(tmp_path)


@pytest.mark.parametrize("heading", ["gene_name", "transcript_id(s)"])
def test_merged_tables_of_quantifiers(table, heading: str) -> None:
    text = f"gene_id\t{heading}\ts1\ts2\ng1\tABC1\t0\t1.25\ng2\tABC2\t3\t4\n"
    counts = read_counts(table(text), round_fractions=True)
    assert counts.samples == ["s1", "s2"]
    assert counts.matrix.loc["g1"].tolist() == [0, 1]
    assert counts.notes["column_passed_over"] == heading


def of_columns(*columns: np.ndarray) -> str:
    head = "gene_id\t" + "\t".join(f"s{at}" for at in range(len(columns)))
    rows = zip(*(column.round(3) for column in columns), strict=True)
    return "\n".join([head, *(f"g{at}\t" + "\t".join(map(str, r)) for at, r in enumerate(rows))])


def test_tpm_is_no_count(table) -> None:
    random = np.random.default_rng(0)
    reads = random.lognormal(1, 3, (3000, 2))
    tpm = reads / reads.sum(axis=0) * 1e6
    with pytest.raises(FormatError, match=r"these look like TPM or CPM.*RSEM's expected_count"):
        read_counts(table(of_columns(*tpm.T)), round_fractions=True)
    assert len(read_counts(table(of_columns(*reads.T)), round_fractions=True).matrix) == 3000


def test_logarithms_are_no_counts(table) -> None:
    logs = np.random.default_rng(0).uniform(0, 15, (1500, 2))
    with pytest.raises(FormatError, match=r"look like logarithms.*no value above 15"):
        read_counts(table(of_columns(*logs.T)), round_fractions=True)
    few = read_counts(table(of_columns(*logs[:900].T)), round_fractions=True)
    assert few.matrix.to_numpy().max() == 15


def test_a_million_whole_reads_are_counts(table) -> None:
    counts = read_counts(table("gene\ts1\ng1\t400000\ng2\t600000\n"), round_fractions=True)
    assert counts.notes["fractions_rounded"] == 0


def test_empty_samples_are_all_named(table) -> None:
    counts = read_counts(table("gene\ta\tb\tc\ng1\t0\t1\t0\ng2\t0\t0\t0\n"))
    with pytest.raises(FormatError, match=r"samples without any read. Found: a, c"):
        refuse_empty_samples(counts)
