"""Covariates of people."""

from __future__ import annotations

from pathlib import Path

import pytest

from exprimo.core.errors import FormatError, MismatchError
from exprimo.data.phenotypes import read_covariates


def _write(folder: Path, text: str) -> Path:
    path = folder / "c.tsv"
    path.write_text(text)
    return path


def test_both_ways_round_give_the_same(tmp_path: Path) -> None:
    by_row = _write(tmp_path, "sample\tage\tbatch\nann\t30\tx\nbob\t50\ty\neve\t40\tz\n")
    one = read_covariates(by_row, ["eve", "ann"])
    by_column = _write(tmp_path, "id\tann\tbob\teve\nage\t30\t50\t40\nbatch\tx\ty\tz\n")
    other = read_covariates(by_column, ["eve", "ann"])
    assert one.names == other.names == ("age", "batch=z")
    assert one.values.tolist() == other.values.tolist() == [[40, 1], [30, 0]]


def test_people_without_covariates_are_named(tmp_path: Path) -> None:
    path = _write(tmp_path, "sample\tage\nann\t30\n")
    with pytest.raises(MismatchError, match=r"people without covariates.*1 of 2: bob"):
        read_covariates(path, ["ann", "bob"])


def test_a_missing_covariate_is_named(tmp_path: Path) -> None:
    path = _write(tmp_path, "sample\tage\nann\t30\nbob\tNA\n")
    with pytest.raises(FormatError, match="age, person bob"):
        read_covariates(path, ["ann", "bob"])


@pytest.mark.parametrize("cell", ["", "NA", "nan", ".", "n/a", "null", "none"])
def test_a_gap_among_numbers_is_not_a_word(tmp_path: Path, cell: str) -> None:
    path = _write(tmp_path, f"sample\tage\nann\t30\nbob\t{cell}\neve\t40\n")
    with pytest.raises(FormatError, match=r"age, person bob: a covariate is missing"):
        read_covariates(path, ["ann", "bob", "eve"])


@pytest.mark.parametrize("cell", ["inf", "1_0", "old", "1e999"])
def test_numbers_do_not_turn_into_words(tmp_path: Path, cell: str) -> None:
    path = _write(tmp_path, f"sample\tage\nann\t30\nbob\t{cell}\neve\t40\n")
    with pytest.raises(FormatError, match=r"age, person bob: a covariate of numbers and words"):
        read_covariates(path, ["ann", "bob", "eve"])


def test_none_is_a_word_among_words(tmp_path: Path) -> None:
    path = _write(tmp_path, "sample\tdrug\nann\tnone\nbob\tstatin\n")
    assert read_covariates(path, ["ann", "bob"]).names == ("drug=statin",)


def test_two_covariates_of_one_name(tmp_path: Path) -> None:
    path = _write(tmp_path, "id\tann\tbob\nPC1\t1\t2\nPC1\t3\t5\n")
    with pytest.raises(FormatError, match=r"two covariates of one name.*PC1"):
        read_covariates(path, ["ann", "bob"])
