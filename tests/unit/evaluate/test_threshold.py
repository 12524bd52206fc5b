"""Thresholds against a search over every cut, and what ties do."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from exprimo.core.errors import ConfigError, InputError
from exprimo.evaluate.threshold import Criterion, choose_threshold


def youden(y: np.ndarray, called: np.ndarray) -> float:
    return float(called[y == 1].mean() - called[y == 0].mean())


CRITERIA: dict[Criterion, Callable[..., float]] = {
    "mcc": sk.matthews_corrcoef,
    "f1": lambda y, called: sk.f1_score(y, called, zero_division=0),
    "youden": youden,
}
scored = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 6)), min_size=2, max_size=25)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(scored, st.sampled_from(list(CRITERIA)))
def test_no_cut_is_better(rows: list[tuple[int, int]], criterion: Criterion) -> None:
    y, s = np.array(rows, dtype=float).T
    s = s / 7 + 0.01
    if np.ptp(y) == 0:
        with pytest.raises(InputError, match="one class"):
            choose_threshold(y, s, criterion)
        return
    chosen = choose_threshold(y, s, criterion)
    assert chosen.reached == pytest.approx(CRITERIA[criterion](y, s >= chosen.value), abs=1e-9)
    best = max(CRITERIA[criterion](y, s >= cut) for cut in [*np.unique(s), 2.0])
    assert chosen.reached == pytest.approx(best, abs=1e-9)


def test_it_lies_half_way_and_does_not_depend_on_order() -> None:
    y, s = np.array([0, 0, 1, 1]), np.array([0.1, 0.3, 0.7, 0.8])
    assert choose_threshold(y, s).value == 0.5
    assert choose_threshold(y[::-1], s[::-1]).value == 0.5


@pytest.mark.parametrize("positives", [3, 17])
def test_the_majority_baseline_calls_the_majority(positives: int) -> None:
    y = np.r_[np.ones(positives), np.zeros(20 - positives)]
    constant = np.full(20, positives / 20)
    called = constant >= choose_threshold(y, constant, "mcc").value
    assert called.all() == (positives > 10)
    assert called.any() == (positives > 10)
    assert (constant >= choose_threshold(y, constant, "f1").value).all()


def test_neighbouring_floats_are_still_separated() -> None:
    low = 0.5
    high = float(np.nextafter(low, 1))
    chosen = choose_threshold([0, 1], [low, high])
    assert low < chosen.value <= high


def test_calling_none_survives_storage_as_float32() -> None:
    scores = np.full(20, np.float32(0.3))
    chosen = choose_threshold([1] * 3 + [0] * 17, scores)
    assert not (scores >= chosen.value).any()


def test_missing_labels_are_left_out_and_mistakes_refused() -> None:
    assert choose_threshold([0, 1, math.nan], [0.2, 0.6, 0.99]).n == 2
    with pytest.raises(ConfigError, match="unknown criterion"):
        choose_threshold([0, 1], [0.1, 0.9], "accuracy")  # type: ignore[arg-type]  # on purpose
    with pytest.raises(InputError, match="neither 0 nor 1"):
        choose_threshold([0, 2], [0.1, 0.9])
