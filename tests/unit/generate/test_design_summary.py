"""Figures of designs against what can be counted by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from exprimo.generate.design.aim import Aim
from exprimo.generate.design.judging import NO_JUDGE
from exprimo.generate.design.summary import accuracy, interval, summarise


def _table(judged_by: str = "other") -> pd.DataFrame:
    """Six sequences of two methods, the guide of the first always 2 too high."""
    n = 6
    return pd.DataFrame(
        {
            "method": ["greedy"] * 4 + ["start"] * 2,
            "role": ["design"] * 4 + ["baseline"] * 2,
            "target": 10.0,
            "guide": [10.0, 10.0, 9.0, 11.0, 3.0, 5.0],
            "judged": [8.0, 8.0, 7.0, 9.0, np.nan, 5.0],
            "judged_by": judged_by,
            "judge_sd": np.nan,
            "edits": [1.0, 2.0, 4.0, 5.0, np.nan, np.nan],
            "nearest_edits": [1, 2, 3, 9, 0, 0],
            "copy": [False] * 4 + [True] * 2,
            "gc": 0.5,
            "longest_run": 3,
            "measured": [np.nan] * 4 + [2.0, 6.0],
            "sequence": ["ACGT"] * n,
        }
    )


def test_a_row_per_method_in_its_order() -> None:
    found = summarise(_table(), 0).set_index("method")
    assert list(found.index) == ["greedy", "start"]
    greedy, start = found.loc["greedy"], found.loc["start"]
    assert (greedy["guide"], greedy["judged"], greedy["n"]) == (10.0, 8.0, 4)
    assert greedy["error"] == pytest.approx(2.0)  # of 2, 2, 3 and 1
    assert greedy["guide_error"] == pytest.approx(0.5)
    assert (greedy["gap"], greedy["gap_low"], greedy["gap_high"]) == (2.0, 2.0, 2.0)
    assert 1.0 <= greedy["error_low"] < 2.0 < greedy["error_high"] <= 3.0
    assert (greedy["edits"], greedy["nearest_edits"], greedy["copies"]) == (3.0, 2.5, 0)
    assert np.isnan(greedy["measured"])
    # What is not judged does not count, and of so few there is no interval.
    assert (start["judged"], start["gap"], start["copies"]) == (5.0, 0.0, 2)
    assert np.isnan(start["error_low"])
    assert (start["measured"], start["measured_error"]) == (4.0, 6.0)


def test_a_guide_that_judges_itself_has_no_gap() -> None:
    found = summarise(_table(NO_JUDGE), 0)
    assert found[["gap", "gap_low", "gap_high"]].isna().all().all()
    assert (found["judged_by"] == NO_JUDGE).all()


def test_the_interval_of_a_mean_is_that_of_theory() -> None:
    values = np.random.default_rng(0).normal(3.0, 2.0, 400)
    mean, low, high = interval(values, 0)
    width = 1.96 * values.std(ddof=1) / 20
    assert mean == pytest.approx(values.mean())
    assert (low, high) == pytest.approx((mean - width, mean + width), abs=0.03)
    assert interval(values, 0) == (mean, low, high)


def test_accuracy_needs_something_measured() -> None:
    y = np.arange(20.0)
    found = accuracy(y, 2 * y + 1, None, "regression", 0)
    assert found is not None
    assert (found["metric"], round(found["value"], 6), found["n"]) == ("pearson_r", 1.0, 20)
    assert accuracy(np.full(20, np.nan), y, None, "regression", 0) is None
    assert accuracy(np.ones(20), y, None, "classification", 0) is None
    two = accuracy((y > 9).astype(float), y / 20, None, "classification", 0)
    assert two is not None
    assert (two["metric"], two["value"]) == ("auroc", 1.0)


def test_a_target_beyond_training_is_known() -> None:
    aim = Aim("7", 7.0, 0, "y", "regression", 0.1, (0.0, 5.0))
    assert aim.outside
    assert not aim._replace(value=5.0).outside
    assert not aim._replace(learned=None).outside
    share = Aim("1", 1.0, 0, "y", "classification", 0.01, None)
    assert np.isfinite(share.on_raw_scale(0.0, 1.0))
    assert share._replace(value=0.5).on_raw_scale(0.0, 1.0) == 0.0
