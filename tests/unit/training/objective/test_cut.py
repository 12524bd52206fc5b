"""High or low: where the cut lies, what it does to ties and gaps, and what cannot be cut."""

from __future__ import annotations

import numpy as np
import pytest

from exprimo.core.dataset import TargetInfo
from exprimo.core.errors import ConfigError
from exprimo.training.objective.cut import Cut, find_cut, task_of


def target(kind: str) -> TargetInfo:
    classes = ("a", "b", "c") if kind == "multiclass" else ()
    return TargetInfo("expression", kind, "", classes)  # type: ignore[arg-type]  # kinds by name


def test_the_median_halves_and_ties_with_it_are_low() -> None:
    cut = find_cut("median", np.float32([1, 2, 3, 10]))
    assert cut == Cut("median of the training part", 2.5)
    assert cut.high(np.float32([2.4, 2.6])).tolist() == [0, 1]
    cut = find_cut("median", np.float32([1, 2, 2, 5, 9]))
    assert cut is not None
    assert cut.high(np.float32([1, 2, 2, 5, 9])).tolist() == [0, 0, 0, 1, 1]


def test_a_value_is_taken_as_it_is_whatever_the_training_part_holds() -> None:
    assert find_cut(0.0, np.float32([5, 6])) == Cut("given", 0.0)
    assert find_cut(None, np.float32([5, 6])) is None


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
