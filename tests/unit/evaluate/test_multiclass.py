"""Metrics of several classes against scikit-learn, by hand, and in resamples of groups."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn import metrics as oracle

from exprimo.core.errors import InputError, MismatchError
from exprimo.evaluate import JudgedSet, bootstrap, difference_between_test_sets, paired_difference
from exprimo.evaluate.classification import CLASSIFICATION_METRICS
from exprimo.evaluate.inputs import observed_rows
from exprimo.evaluate.multiclass import (
    MULTICLASS_METRICS,
    binary_confusion,
    confusion_matrix,
    most_likely,
)
from exprimo.evaluate.results import FloatArray

ORACLES = {
    "auroc_macro": lambda y, p: oracle.roc_auc_score(y, p, multi_class="ovr", average="macro"),
    "auprc_macro": lambda y, p: oracle.average_precision_score(
        np.eye(p.shape[1])[y.astype(int)], p, average="macro"
    ),
    "mcc_multiclass": lambda y, p: oracle.matthews_corrcoef(y, p.argmax(1)),
    "f1_macro": lambda y, p: oracle.f1_score(y, p.argmax(1), average="macro"),
    "accuracy_multiclass": lambda y, p: oracle.accuracy_score(y, p.argmax(1)),
    "brier_multiclass": lambda y, p: oracle.brier_score_loss(
        y, p, labels=range(p.shape[1]), scale_by_half=False
    ),
    "log_loss_multiclass": lambda y, p: oracle.log_loss(y, p, labels=range(p.shape[1])),
}


def _world(seed: int, n: int = 200, classes: int = 3) -> tuple[FloatArray, FloatArray]:
    """Draw unequal classes and probabilities with ties that know something about them."""
    rng = np.random.default_rng(seed)
    y = rng.choice(classes, n, p=rng.dirichlet(np.full(classes, 4.0))).astype(float)
    raw = np.round(rng.random((n, classes)) + 0.7 * (y[:, None] == np.arange(classes)), 1) + 0.1
    return y, raw / raw.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("name", MULTICLASS_METRICS)
@pytest.mark.parametrize("classes", [3, 4, 7])
def test_scikit_learn_agrees(name: str, classes: int) -> None:
    for seed in range(5):
        y, p = _world(seed, classes=classes)
        assert MULTICLASS_METRICS[name].function(y, p) == pytest.approx(
            ORACLES[name](y, p), abs=1e-12
        )


def test_every_metric_has_an_oracle() -> None:
    assert ORACLES.keys() == MULTICLASS_METRICS.keys()


def test_two_classes_are_what_they_are_for_one_probability() -> None:
    y, p = _world(3, classes=2)
    pairs = {"auroc": "auroc_macro", "log_loss": "log_loss_multiclass", "mcc": "mcc_multiclass"}
    for two, several in pairs.items():
        metric = CLASSIFICATION_METRICS[two]
        extra = (0.5 + 1e-9,) if metric.needs_threshold else ()  # a tie goes to the first class
        assert MULTICLASS_METRICS[several].function(y, p) == pytest.approx(
            metric.function(y, p[:, 1], *extra), abs=1e-12
        )


def test_by_hand() -> None:
    y = [0, 0, 1, 2]
    p = np.array([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]])
    assert confusion_matrix(y, p).tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 1]]
    # c s - sum(p t) = 3*4 - (1*2 + 2*1 + 1*1); 16 - (1+4+1) on the calls, 16 - (4+1+1) observed.
    assert MULTICLASS_METRICS["mcc_multiclass"].function(y, p) == pytest.approx(7 / 10)
    assert MULTICLASS_METRICS["f1_macro"].function(y, p) == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
    brier = (0.26 + 1.14 + 0.06 + 0.54) / 4
    assert MULTICLASS_METRICS["brier_multiclass"].function(y, p) == pytest.approx(brier)


def test_where_it_has_no_meaning() -> None:
    p = np.full((4, 3), 1 / 3)
    values = {n: m.function([0, 0, 1, 1], p) for n, m in MULTICLASS_METRICS.items()}
    assert math.isnan(values["auroc_macro"])  # class 2 was not observed
    assert math.isnan(values["f1_macro"])
    assert values["mcc_multiclass"] == 0.0  # one call for all
    assert values["accuracy_multiclass"] == 0.5  # the first of equally likely ones
    assert math.isnan(MULTICLASS_METRICS["mcc_multiclass"].function([1, 1], p[:2]))
    empty = {m.function([], np.zeros((0, 3))) for m in MULTICLASS_METRICS.values()}
    assert all(math.isnan(value) for value in empty)


def test_rows_without_a_class_are_left_out() -> None:
    y, p = _world(1)
    gaps = np.where(np.arange(200) % 4 == 0, np.nan, y)
    kept = ~np.isnan(gaps)
    for metric in MULTICLASS_METRICS.values():
        assert metric.function(gaps, p) == metric.function(y[kept], p[kept])
    assert confusion_matrix(gaps, p).sum() == 150


@pytest.mark.parametrize("name", MULTICLASS_METRICS)
def test_a_resample_equals_copying_the_rows_of_the_drawn_groups(name: str) -> None:
    rng = np.random.default_rng(3)
    y, p = _world(8, n=120)
    group = rng.integers(0, 12, 120)
    metric = MULTICLASS_METRICS[name]
    rows = observed_rows(y, p[None], group)
    prepared = metric.prepare(y, p, rows.group, rows.n_groups)
    times = np.stack([np.bincount(rng.integers(0, 12, 12), minlength=12) for _ in range(5)])
    for value, counts in zip(prepared(times.astype(float)), times, strict=True):
        copies = np.repeat(np.arange(120), counts[rows.group])
        assert value == pytest.approx(metric.function(y[copies], p[copies]), abs=1e-12)


def test_intervals_hold_the_value_and_widen_with_groups() -> None:
    y, p = _world(2, n=300)
    alone = bootstrap(y, p[None], None, list(MULTICLASS_METRICS), n_boot=200)
    for name, estimate in alone.items():
        assert estimate.value == pytest.approx(MULTICLASS_METRICS[name].function(y, p))
        assert estimate.low < estimate.value < estimate.high
    copies = np.repeat(np.arange(300), 5)
    grouped = bootstrap(y[copies], p[copies][None], copies, ["auroc_macro"], n_boot=200)
    wide, narrow = grouped["auroc_macro"], alone["auroc_macro"]
    assert wide.high - wide.low == pytest.approx(narrow.high - narrow.low, rel=0.01)
    assert (wide.n, wide.n_groups) == (1500, 300)


def test_differences_are_paired_and_of_seeds() -> None:
    y, good = _world(4, n=300)
    flat = np.tile(np.bincount(y.astype(int)) / 300, (300, 1))
    better = paired_difference(y, np.stack([good, good]), flat[None], None, "auroc_macro")
    assert better.value == pytest.approx(
        MULTICLASS_METRICS["auroc_macro"].function(y, good) - 0.5, abs=1e-12
    )
    assert better.low > 0
    groups = np.arange(300).astype(str)
    same = JudgedSet(y, good[None], groups)
    assert difference_between_test_sets(same, same, "log_loss_multiclass").high == 0


@pytest.mark.parametrize(
    ("y", "p", "message"),
    [
        ([0, 3], [[0.2, 0.3, 0.5]] * 2, r"has no probability\. Found: 3\. Expected: codes 0 to 2"),
        ([0, 0.5], [[0.2, 0.3, 0.5]] * 2, "has no probability"),
        ([0, 1], [[0.2, 0.3, 0.3]] * 2, "do not add up to 1"),
        ([0, 1], [[-0.2, 0.7, 0.5]] * 2, "outside 0..1"),
        ([0, 1] * 6, np.eye(3)[[0, 1] * 6], "hard calls"),
    ],
)
def test_what_cannot_be_judged(y: list[float], p: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        MULTICLASS_METRICS["auroc_macro"].function(y, p)


def test_shapes_that_do_not_fit() -> None:
    y, p = _world(1)
    with pytest.raises(MismatchError, match=r"\(seeds, n, classes\)"):
        bootstrap(y, p[None, :50], None, ["auroc_macro"])
    with pytest.raises(InputError, match="one number per row cannot be judged as several classes"):
        bootstrap(y, p[:, 0], None, ["auroc_macro"])


def test_calls_take_the_first_of_equally_likely_classes() -> None:
    assert most_likely(np.array([[0.4, 0.4, 0.2], [0.2, 0.4, 0.4]])).tolist() == [0, 1]


def test_binary_counts_against_scikit_learn() -> None:
    rng = np.random.default_rng(6)
    y, s = (rng.random(100) < 0.3).astype(float), rng.random(100).round(1)
    ours = binary_confusion(y, s, 0.4)
    tn, fp, fn, tp = oracle.confusion_matrix(y, s >= 0.4).ravel()
    assert ours == {"tn": tn, "fp": fp, "fn": fn, "tp": tp}
    several = _world(6)
    np.testing.assert_array_equal(
        confusion_matrix(*several), oracle.confusion_matrix(several[0], several[1].argmax(1))
    )
