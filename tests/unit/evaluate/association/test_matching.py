"""Matched controls: balance, caliper, no control twice, the same for the same seed."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

from exprimo.core.errors import ConfigError, InputError
from exprimo.evaluate.association import matched_controls


def world(n: int = 3000, share: float = 0.15, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Draw genes of which the cases are richer in GC and expressed more."""
    rng = np.random.default_rng(seed)
    case = rng.random(n) < share
    gc = rng.normal(0.5, 0.05, n) + 0.04 * case
    expression = rng.normal(2, 1, n) + 0.5 * case
    return pd.DataFrame({"gc": gc, "expression": expression, "length": rng.random(n)}), case


def test_what_differed_is_balanced_and_the_rest_counted() -> None:
    table, case = world()
    found = matched_controls(table, case, ["gc", "expression"])
    balance = found.balance.set_index("covariate")
    assert balance.index.tolist() == ["gc", "expression"]
    assert (balance["smd_before"] > [0.6, 0.4]).all()
    assert (balance["smd_after"].abs() < 0.03).all()
    assert len(found.case) + found.n_unmatched == case.sum()
    assert len(found.case) > 0.9 * case.sum()
    assert found.control.shape == (len(found.case), 1)
    # The table is that of the rows it is about.
    sd = np.sqrt((table["gc"][case].var() + table["gc"][~case].var()) / 2)
    means = [table["gc"].to_numpy()[rows].mean() for rows in (found.case, found.control[:, 0])]
    assert balance.loc["gc", "mean_case"] == pytest.approx(means[0])
    assert balance.loc["gc", "mean_control"] == pytest.approx(means[1])
    assert balance.loc["gc", "smd_after"] == pytest.approx((means[0] - means[1]) / sd)


@pytest.mark.parametrize("ratio", [1, 3])
def test_controls_are_candidates_within_the_caliper_and_none_twice(ratio: int) -> None:
    table, case = world()
    on = ["gc", "expression"]
    found = matched_controls(table, case, on, ratio=ratio, caliper=0.1)
    assert found.control.shape == (len(found.case), ratio)
    assert case[found.case].all()
    assert not case[found.control].any()
    assert np.unique(found.control).size == found.control.size
    values = table[on].to_numpy()
    sd = np.sqrt((values[case].var(axis=0, ddof=1) + values[~case].var(axis=0, ddof=1)) / 2)
    apart = np.abs(values[found.case][:, None] - values[found.control]) / sd
    assert apart.max() <= 0.1 + 1e-12
    assert found.n_unmatched > 0


def test_the_nearest_free_candidate_is_taken() -> None:
    table = pd.DataFrame({"x": [1.0, 5.0, 1.4, 1.1, 5.2, 9.0]})
    case = np.array([True, True, False, False, False, False])
    found = matched_controls(table, case, ["x"], caliper=1)
    assert found.control[:, 0].tolist() == [3, 4]
    both = matched_controls(table, case, ["x"], caliper=2, ratio=2)
    assert both.control[0].tolist() == [3, 2]
    assert both.control[1, 0] == 4


def test_the_seed_decides_and_nothing_else() -> None:
    table, case = world(600, share=0.4)
    first, again, other = (matched_controls(table, case, ["gc"], seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.control, again.control)
    assert not np.array_equal(first.control, other.control)


def test_missing_covariates_are_never_matched() -> None:
    table, case = world(600)
    table.loc[::5, "gc"] = np.nan
    found = matched_controls(table, case, ["gc"])
    used = np.concatenate([found.case, found.control[:, 0]])
    assert table["gc"].iloc[used].notna().all()
    assert found.n_unmatched >= (case & table["gc"].isna().to_numpy()).sum()


def test_a_constant_covariate_and_no_match_at_all() -> None:
    table, case = world(200)
    table["same"] = 1.0
    found = matched_controls(table, case, ["same", "gc"])
    assert found.balance["smd_after"].tolist()[0] == 0
    far = pd.DataFrame({"x": np.r_[np.arange(3.0), np.arange(3.0) + 100]})
    nothing = matched_controls(far, np.arange(6) < 3, ["x"])
    assert (len(nothing.case), nothing.control.shape, nothing.n_unmatched) == (0, (0, 1), 3)
    assert nothing.balance["smd_after"].isna().all()
    assert nothing.balance["smd_before"].notna().all()


def test_more_cases_than_candidates_uses_each_candidate_once() -> None:
    table = pd.DataFrame({"x": np.linspace(0, 1, 100)})
    found = matched_controls(table, np.arange(100) % 4 > 0, ["x"], caliper=50)
    assert len(found.case) == 25
    assert found.n_unmatched == 50


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"on": ["GC"]}, ConfigError, r"no such covariate\. Found: GC.*gc, expression"),
        ({"on": []}, ConfigError, "nothing to match on"),
        ({"ratio": 0}, ConfigError, "ratio 0"),
        ({"caliper": 0.0}, ConfigError, "caliper 0"),
        ({"case": [True] * 3}, InputError, "row by row"),
        ({"case": np.zeros(600)}, InputError, "row by row.*float64"),
        ({"case": np.zeros(600, dtype=bool)}, InputError, "0 cases and 600 candidates"),
    ],
)
def test_what_cannot_be_matched(
    change: dict[str, object], error: type[Exception], message: str
) -> None:
    table, case = world(600)
    given = {"covariates": table, "case": case, "on": ["gc"], **change}
    with pytest.raises(error, match=message):
        matched_controls(**given)  # type: ignore[arg-type]  # wrong on purpose
    table.loc[0, "gc"] = -np.inf
    with pytest.raises(InputError, match=r"column gc: a covariate is infinite.*logarithm"):
        matched_controls(table, case, ["expression", "gc"])


@pytest.mark.slow
def test_four_thousand_cases_take_seconds() -> None:
    """0.1 to 0.3 s on one core; a tight pool, where neighbours are taken, is the slow case."""
    table, case = world(10_000, share=0.45)
    start = time.process_time()
    matched_controls(table, case, ["gc", "expression"])
    assert time.process_time() - start < 10
