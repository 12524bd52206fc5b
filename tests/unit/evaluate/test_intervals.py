"""The bootstrap: the same as copying rows, right coverage, groups and seeds, speed."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest

from exprimo.core.errors import ConfigError, InputError
from exprimo.evaluate import intervals
from exprimo.evaluate.inputs import observed_rows
from exprimo.evaluate.intervals import METRICS, bootstrap, find_metric, prepare_entry, resample
from exprimo.evaluate.metric import calls
from exprimo.evaluate.results import FloatArray

# Of two classes or of numbers; those of several classes have a file of their own.
ONE_COLUMN = [name for name, metric in METRICS.items() if metric.takes != "classes"]
CLASSES = [name for name in ONE_COLUMN if METRICS[name].is_classification]
NUMBERS = [name for name in ONE_COLUMN if not METRICS[name].is_classification]


def clustered(
    rng: np.random.Generator, n_groups: int, per_group: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Draw errors that rows of one group share, with mean absolute error 1 in expectation."""
    group = np.repeat(np.arange(n_groups), per_group)
    y = rng.normal(size=group.size)
    return y, y + rng.exponential(size=n_groups)[group], group.astype(float)


@pytest.mark.parametrize("name", ONE_COLUMN)
def test_a_resample_equals_copying_the_rows_of_the_drawn_groups(name: str) -> None:
    rng = np.random.default_rng(3)
    group = rng.integers(0, 12, 60)
    y = (rng.random(60) < 0.4).astype(float)
    s = np.round(np.clip(y * 0.3 + rng.random(60) * 0.7, 0, 1), 1)  # rounded, hence ties
    metric = find_metric(name)
    rows = observed_rows(y, s, group)
    ready = calls(s, 0.5) if metric.needs_threshold else s
    prepared = metric.prepare(y, ready, rows.group, rows.n_groups)
    times = np.stack([np.bincount(rng.integers(0, 12, 12), minlength=12) for _ in range(5)])
    got = prepared(times.astype(float))
    for value, counts in zip(got, times, strict=True):
        copies = np.concatenate(
            [np.flatnonzero(rows.group == g) for g in range(12) for _ in range(counts[g])]
        )
        if name == "calibration_error":  # its bins stay those of the full data
            assert 0 <= value <= 1
            continue
        extra = (0.5,) if metric.needs_threshold else ()
        assert value == pytest.approx(metric.function(y[copies], s[copies], *extra), abs=1e-12)


def test_plain_value_is_the_estimate() -> None:
    rng = np.random.default_rng(1)
    y = (rng.random(80) < 0.5).astype(float)
    s = np.clip(0.3 * y + 0.7 * rng.random(80), 0, 1)
    got = bootstrap(y, s, None, CLASSES, threshold=0.4, n_boot=50)
    for name in CLASSES:
        extra = (0.4,) if METRICS[name].needs_threshold else ()
        assert got[name].value == pytest.approx(METRICS[name].function(y, s, *extra))
        assert got[name].low <= got[name].value <= got[name].high


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    """300 worlds of 150 rows with correlation 0.6; binomial sd of the count is 1.3%."""
    rng = np.random.default_rng(7)
    covered = 0
    for world in range(300):
        y = rng.normal(size=150)
        p = 0.6 * y + 0.8 * rng.normal(size=150)
        r = bootstrap(y, p, None, ["pearson_r"], n_boot=300, seed=world)["pearson_r"]
        covered += r.low <= 0.6 <= r.high
    assert 0.90 <= covered / 300 <= 0.98


def test_groups_widen_the_interval_to_what_it_must_be() -> None:
    """Errors shared by 20 rows of a gene: by rows the interval is far too narrow."""
    rng = np.random.default_rng(11)
    by_group, by_row = 0, 0
    for world in range(200):
        y, p, group = clustered(rng, n_groups=40, per_group=20)
        grouped = bootstrap(y, p, group, ["mae"], n_boot=200, seed=world)["mae"]
        naive = bootstrap(y, p, None, ["mae"], n_boot=200, seed=world)["mae"]
        by_group += grouped.low <= 1.0 <= grouped.high
        by_row += naive.low <= 1.0 <= naive.high
    assert by_group / 200 > 0.86
    assert by_row / 200 < 0.5


def test_seed_to_seed_variation_is_part_of_the_interval() -> None:
    rng = np.random.default_rng(2)
    y = rng.normal(size=400)
    noise = rng.normal(size=400)
    seeds = np.stack([y + size * noise for size in (0.5, 1.0, 1.5)])
    got = bootstrap(y, seeds, None, ["rmse"])["rmse"]
    each = [bootstrap(y, one, None, ["rmse"])["rmse"] for one in seeds]
    assert got.value == pytest.approx(np.mean([one.value for one in each]))
    assert got.low < each[0].high
    assert got.high > each[2].low


def test_equal_seeds_change_nothing() -> None:
    rng = np.random.default_rng(2)
    y = rng.normal(size=100)
    p = y + rng.normal(size=100)
    three, one = (bootstrap(y, s, None, NUMBERS) for s in (np.stack([p, p, p]), p))
    for name in NUMBERS:
        assert three[name][:3] == pytest.approx(one[name][:3])


def test_few_groups_are_flagged_and_two_give_no_interval() -> None:
    y, p = np.arange(40.0), np.arange(40.0)[::-1]
    two = bootstrap(y, p, ["liver", "brain"] * 20, ["mae"])["mae"]
    assert (two.n, two.n_groups, two.few_groups) == (40, 2, True)
    assert math.isnan(two.low)
    assert math.isnan(two.high)
    assert two.value == 20.0
    three = bootstrap(y, p, np.arange(40) % 3, ["mae"])["mae"]
    assert three.few_groups
    assert three.low <= three.value <= three.high
    assert not bootstrap(y, p, None, ["mae"])["mae"].few_groups


def test_no_rows_and_one_class_are_nan_without_warnings() -> None:
    nothing = bootstrap([math.nan] * 5, np.ones(5), None, ["pearson_r", "mse"])
    assert all(math.isnan(e.value) and math.isnan(e.low) and e.n == 0 for e in nothing.values())
    one_class = bootstrap(np.zeros(30), np.linspace(0, 1, 30), None, ["auroc", "brier"])
    assert math.isnan(one_class["auroc"].value)
    assert math.isnan(one_class["auroc"].low)
    assert one_class["brier"].low < one_class["brier"].high


def test_mostly_undefined_resamples_give_no_interval() -> None:
    """One positive in 30 rows is absent from 36% of resamples."""
    y = np.r_[1.0, np.zeros(29)]
    got = bootstrap(y, np.linspace(1, 0, 30), None, ["auroc"])["auroc"]
    assert got.value == 1.0
    assert math.isnan(got.low)


def test_calibration_error_interval_is_around_its_value() -> None:
    """Resamples of a well calibrated model look worse than it is; the interval must not."""
    rng = np.random.default_rng(5)
    p = rng.random(500)
    y = (rng.random(500) < p).astype(float)
    got = bootstrap(y, p, None, ["calibration_error"])["calibration_error"]
    assert 0 <= got.low <= got.value <= got.high


def test_draws_do_not_depend_on_the_size_of_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    rows = observed_rows(rng.normal(size=101), rng.normal(size=101))
    entry = prepare_entry(find_metric("spearman"), rows)
    whole = resample([entry], rows.n_groups, 50, seed=9)
    monkeypatch.setattr(intervals, "_BLOCK", 7 * 101)
    np.testing.assert_array_equal(whole, resample([entry], rows.n_groups, 50, seed=9))
    assert not np.array_equal(whole, resample([entry], rows.n_groups, 50, seed=10))


def test_thresholds_are_asked_for_and_may_differ_by_seed() -> None:
    y = np.array([0.0, 0, 1, 1] * 5)
    scores = np.stack([np.tile([0.1, 0.2, 0.6, 0.7], 5), np.tile([0.01, 0.02, 0.06, 0.07], 5)])
    assert bootstrap(y, scores, None, ["accuracy"], threshold=0.5)["accuracy"].value == 0.75
    per_seed = bootstrap(y, scores, None, ["accuracy"], threshold=[0.5, 0.05])
    assert per_seed["accuracy"].value == 1.0
    with pytest.raises(InputError, match=r"Accuracy needs a threshold.*choose_threshold"):
        bootstrap(y, scores, None, ["accuracy"])
    with pytest.raises(InputError, match="3 thresholds for 2 seeds"):
        bootstrap(y, scores, None, ["accuracy"], threshold=[0.1, 0.2, 0.3])


def test_settings_are_checked() -> None:
    with pytest.raises(ConfigError, match="Did you mean auroc"):
        bootstrap([0, 1], [0.1, 0.2], None, ["aurocc"])
    with pytest.raises(ConfigError, match="level"):
        bootstrap([0, 1], [0.1, 0.2], None, ["mse"], level=95)
    with pytest.raises(ConfigError, match="resamples"):
        bootstrap([0, 1], [0.1, 0.2], None, ["mse"], n_boot=0)
    with pytest.raises(InputError, match="hard labels"):
        bootstrap([0, 1] * 10, [0, 1] * 10, None, ["auroc"])


def test_a_thousand_resamples_of_ten_thousand_rows_take_seconds() -> None:
    """All 16 metrics in about 2 s on one core; the bound leaves room for a busy machine."""
    rng = np.random.default_rng(0)
    y = (rng.random(10_000) < 0.5).astype(float)
    s = np.clip(0.2 * y + 0.8 * rng.random(10_000), 0, 1)
    start = time.process_time()
    got = bootstrap(y, s, rng.integers(0, 6000, 10_000), ONE_COLUMN, threshold=0.5)
    assert time.process_time() - start < 8
    assert all(e.low < e.value < e.high for e in got.values())
