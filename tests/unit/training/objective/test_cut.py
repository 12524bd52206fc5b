"""High or low: where the cut lies, what it does to ties and gaps, and what cannot be cut."""

from __future__ import annotations

import numpy as np
import pytest

from exprimo.core.dataset import TargetInfo
from exprimo.core.errors import ConfigError
from exprimo.training.objective.cut import Cut, find_cut, task_of


def cut_of(above, values: list[float], cells: list[str] | None = None) -> Cut | None:  # type: ignore[no-untyped-def]  # any setting
    every = np.float32(values)
    named = None if cells is None else np.array(cells)
    return find_cut(above, every, np.arange(len(every)), named, file="D.h5")


def target(kind: str) -> TargetInfo:
    classes = ("a", "b", "c") if kind == "multiclass" else ()
    return TargetInfo("expression", kind, "", classes)  # type: ignore[arg-type]  # kinds by name


def test_the_median_halves_and_ties_with_it_are_low() -> None:
    cut = cut_of("median", [1, 2, 3, 10])
    assert cut == Cut("median of the training part", 2.5)
    assert cut.high(np.float32([2.4, 2.6])).tolist() == [0, 1]
    cut = cut_of("median", [1, 2, 2, 5, 9])
    assert cut is not None
    assert cut.high(np.float32([1, 2, 2, 5, 9])).tolist() == [0, 0, 0, 1, 1]


def test_a_value_is_taken_as_it_is_whatever_the_training_part_holds() -> None:
    assert cut_of(0.0, [5, 6]) == Cut("given", 0.0)
    assert cut_of(None, [5, 6]) is None


def test_what_is_not_known_stays_unknown() -> None:
    found = Cut("given", 1.0).high(np.float32([np.nan, 0, 2]))
    assert np.isnan(found[0])
    assert found[1:].tolist() == [0, 1]
    assert found.dtype == np.float32


def test_only_numbers_can_be_cut() -> None:
    assert task_of(target("regression"), "median") == "classification"
    for kind in ("regression", "classification", "multiclass"):
        assert task_of(target(kind), None) == kind
    for kind in ("classification", "multiclass"):
        with pytest.raises(ConfigError, match="only a continuous target"):
            task_of(target(kind), 0.5)


def test_each_cell_type_is_cut_at_the_median_of_its_own_training_examples() -> None:
    values = np.float32([1, 3, 100, 10, 30, 500, 7, 8, 9])
    cells = np.array(list("AAABBBCCC"))
    training = np.array([0, 1, 3, 4])
    cut = find_cut("cell-median", values, training, cells, file="D.h5")
    assert cut is not None
    assert cut.by_cell == {"A": 2.0, "B": 20.0}
    # Of C nothing was learned from: its own median defines what is high in it.
    assert cut.high(values, cells).tolist() == [0, 1, 1, 0, 1, 1, 0, 0, 1]
    assert Cut(**cut.facts()) == cut


def test_a_cut_by_cell_type_needs_cell_types() -> None:
    with pytest.raises(ConfigError, match="name their cell type"):
        cut_of("cell-median", [1, 2, 3])
    with pytest.raises(ConfigError, match="names none"):
        Cut("by cell", 1.0, {"A": 1.0}).high(np.float32([1, 2]))
