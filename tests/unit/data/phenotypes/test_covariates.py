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
