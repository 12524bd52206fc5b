"""Expression of genes over people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from exprimo.core.errors import FormatError, MismatchError
from exprimo.data.phenotypes import read_expression_bed

_HEAD = "#chr\tstart\tend\tgene_id\tann\tbob\n"


def _write(folder: Path, text: str) -> Path:
    path = folder / "e.bed"
    path.write_text(text)
    return path


def test_people_may_be_chosen_by_name(tmp_path: Path) -> None:
    found = read_expression_bed(_write(tmp_path, _HEAD + "1\t4\t5\tg1\t1\t2\n1\t8\t9\tg2\t3\t4\n"))
    assert found.of(["bob"]).values.tolist() == [[2.0], [4.0]]
    assert found.genes["start"].tolist() == [4, 8]
    assert found.is_sorted
    with pytest.raises(MismatchError, match="people without expression"):
        found.of(["eve"])


def test_columns_of_qtltools_are_not_people(tmp_path: Path) -> None:
    text = "#Chr\tstart\tend\tpid\tgid\tstrand\tann\n1\t4\t5\tp1\tg1\t+\t1.5\n"
    found = read_expression_bed(_write(tmp_path, text))
    assert found.people == ("ann",)
    assert found.values.tolist() == [[1.5]]


@pytest.mark.parametrize(
    ("rows", "is_sorted"),
    [
        ("1\t4\t5\ta\t1\t1\n2\t1\t2\tb\t1\t1\n", True),
        ("1\t4\t5\ta\t1\t1\n1\t1\t2\tb\t1\t1\n", False),
        ("1\t1\t2\ta\t1\t1\n2\t1\t2\tb\t1\t1\n1\t4\t5\tc\t1\t1\n", False),
    ],
)
def test_order_is_known(tmp_path: Path, rows: str, is_sorted: bool) -> None:
    assert read_expression_bed(_write(tmp_path, _HEAD + rows)).is_sorted is is_sorted


def test_missing_values_are_allowed_on_request(tmp_path: Path) -> None:
    path = _write(tmp_path, _HEAD + "1\t4\t5\tg1\tNA\t2\n")
    with pytest.raises(FormatError, match=r"gene g1, person ann.*NA"):
        read_expression_bed(path)
    assert np.isnan(read_expression_bed(path, missing="allow").values[0, 0])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gene\tann\ng1\t1\n", "not an expression BED"),
        (_HEAD + "1\t5\t4\tg1\t1\t2\n", "not a stretch"),
        (_HEAD + "1\t4\t5\tg1\t1\tx\n", "not a number"),
        (_HEAD + "1\t4\t5\tg1\t1\tinf\n", "not a number"),
        (_HEAD + "1\t4\t5\tg1\t1\t2\n1\t6\t7\tg1\t1\t2\n", "same gene id"),
        (_HEAD, "no rows"),
    ],
)
def test_bad_files_are_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(FormatError, match=said):
        read_expression_bed(_write(tmp_path, text))
