"""Classification metrics against scikit-learn and hand-computed cases."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from exprimo.core.errors import InputError
from exprimo.evaluate.classification import (
    CLASSIFICATION_METRICS,
    accuracy,
    auprc,
    auroc,
    brier,
    calibration_error,
    f1,
    log_loss,
    mcc,
    precision,
    recall,
)

# Few distinct scores, so that ties are common; 9 rows at most, so that 0 and 1 may be scores.
scored = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.7, 1.0])),
    min_size=1,
    max_size=9,
)


@settings(derandomize=True, max_examples=80, deadline=None)
@given(scored)
def test_areas_equal_sklearn(rows: list[tuple[int, float]]) -> None:
    y, s = np.array(rows).T
    if np.ptp(y) == 0:
        assert math.isnan(auroc(y, s))
        assert math.isnan(auprc(y, s))
    else:
        assert auroc(y, s) == pytest.approx(sk.roc_auc_score(y, s), abs=1e-12)
        assert auprc(y, s) == pytest.approx(sk.average_precision_score(y, s), abs=1e-12)


@settings(derandomize=True, max_examples=80, deadline=None)
@given(scored, st.sampled_from([0.0, 0.25, 0.5, 0.6, 1.1]))
def test_calls_equal_sklearn(rows: list[tuple[int, float]], threshold: float) -> None:
    y, s = np.array(rows).T
    called = s >= threshold
    assert accuracy(y, s, threshold) == pytest.approx(sk.accuracy_score(y, called))
    assert precision(y, s, threshold) == pytest.approx(
        sk.precision_score(y, called, zero_division=0)
    )
    if y.any():
        assert recall(y, s, threshold) == pytest.approx(sk.recall_score(y, called))
        assert f1(y, s, threshold) == pytest.approx(sk.f1_score(y, called, zero_division=0))
    else:
        assert math.isnan(recall(y, s, threshold))
        assert math.isnan(f1(y, s, threshold))
    if np.ptp(y) > 0:
        assert mcc(y, s, threshold) == pytest.approx(sk.matthews_corrcoef(y, called), abs=1e-12)
    else:
        assert math.isnan(mcc(y, s, threshold))


@settings(derandomize=True, max_examples=40, deadline=None)
@given(scored)
def test_probability_scores_equal_sklearn(rows: list[tuple[int, float]]) -> None:
    y, p = np.array(rows).T
    assert brier(y, p) == pytest.approx(sk.brier_score_loss(y, p, pos_label=1))
    assert log_loss(y, p) == pytest.approx(sk.log_loss(y, p, labels=[0, 1]), rel=1e-9, abs=1e-12)


def test_a_certain_wrong_prediction_costs_a_finite_amount() -> None:
    assert log_loss([1], [0.0]) == pytest.approx(-math.log(np.finfo(float).eps))


def test_calibration_error_by_hand() -> None:
    # Ten distinct probabilities make ten bins of one row each: the error is the mean gap.
    p = np.arange(10) / 10 + 0.05
    y = (p > 0.5).astype(float)
    assert calibration_error(y, p) == pytest.approx(np.abs(p - y).mean())
    # Two distinct probabilities make two bins, right on average: no error.
    assert calibration_error([0, 1, 1, 1], [0.5, 0.5, 1.0, 1.0]) == pytest.approx(0.0)
    # A constant is one bin: the gap of its value from the share of positives.
    assert calibration_error([0, 0, 0, 1], np.full(4, 0.5)) == pytest.approx(0.25)


def test_majority_baseline_has_defined_values() -> None:
    y, constant = np.array([0] * 15 + [1] * 5), np.full(20, 0.25)
    assert auroc(y, constant) == 0.5
    assert auprc(y, constant) == pytest.approx(0.25)
    assert accuracy(y, constant, 0.5) == 0.75
    assert [metric(y, constant, 0.5) for metric in (mcc, f1, precision, recall)] == [0, 0, 0, 0]


def test_areas_of_hard_labels_are_refused() -> None:
    y = np.array([0, 1] * 10)
    for area in (auroc, auprc):
        with pytest.raises(InputError, match="hard labels"):
            area(y, y)
    assert auroc(y, np.zeros(20)) == 0.5
    assert auroc([0, 1], [0.0, 1.0]) == 1.0


@pytest.mark.parametrize("name", CLASSIFICATION_METRICS)
def test_nothing_to_judge_is_nan_and_other_labels_are_refused(name: str) -> None:
    metric = CLASSIFICATION_METRICS[name]
    extra = (0.5,) if metric.needs_threshold else ()
    assert math.isnan(metric.function([], [], *extra))
    assert math.isnan(metric.function([math.nan], [0.5], *extra))
    with pytest.raises(InputError, match="neither 0 nor 1"):
        metric.function([0, 1, 2], [0.1, 0.5, 0.9], *extra)


def test_probabilities_outside_their_range_are_refused() -> None:
    with pytest.raises(InputError, match=r"outside 0\.\.1"):
        brier([0, 1], [0.5, 1.5])
    assert auroc([0, 1], [-3.0, 7.0]) == 1.0


def test_untested_genes_are_missing_not_negative() -> None:
    y, s = np.array([0, 1, np.nan, 0, 1]), np.array([0.1, 0.9, 0.99, 0.5, 0.4])
    assert auroc(y, s) == 0.75
    assert auroc(np.nan_to_num(y), s) < 0.75
