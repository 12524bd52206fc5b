"""Folds of people."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from exprimo.core.errors import ConfigError, FormatError, MismatchError
from exprimo.genetics.cohort import folds_of

Write = Callable[..., Path]


def test_folds_are_even_and_follow_names() -> None:
    people = [f"P{i}" for i in range(23)]
    folds = folds_of(people, 5, seed=4)
    assert sorted(np.bincount(folds)) == [4, 4, 5, 5, 5]
    turned = folds_of(people[::-1], 5, seed=4)
    assert (turned[::-1] == folds).all()
    assert (folds_of(people, 5, seed=5) != folds).any()


def test_a_file_gives_folds(write_lines: Write) -> None:
    file = write_lines("f.tsv", "sample fold", "a 10", "b 2", "c 10", "d 3")
    assert folds_of(["c", "b", "d"], file=file).tolist() == [2, 0, 1]


def test_a_fold_keeps_its_number(write_lines: Write) -> None:
    file = write_lines("f.tsv", "sample fold", "a 10", "b 2", "c 10", "d 3")
    assert folds_of(["c", "b", "a"], file=file, gaps=True).tolist() == [2, 0, 2]
    with pytest.raises(FormatError, match=r"a fold without people.*nobody is in fold 3"):
        folds_of(["c", "b", "a"], file=file)


def test_files_that_do_not_fit(write_lines: Write) -> None:
    file = write_lines("f.tsv", "sample fold", "a 1", "b 2")
    with pytest.raises(MismatchError, match=r"1 of 2: z"):
        folds_of(["a", "z"], file=file)
    with pytest.raises(FormatError, match="one fold"):
        folds_of(["a"], file=file)
    assert folds_of(["b"], file=file, gaps=True).tolist() == [1]
    with pytest.raises(FormatError, match="twice"):
        folds_of(["a"], file=write_lines("t.tsv", "sample fold", "a 1", "a 2"))
    with pytest.raises(ConfigError, match="number of folds"):
        folds_of(["a", "b"], 3)
