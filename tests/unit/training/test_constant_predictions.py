"""A dead network gives every example the same number, which the Run says."""

from __future__ import annotations

import numpy as np
import pytest

from exprimo.core.predictor import Prediction
from exprimo.core.split import Part, Split
from exprimo.training.judging import Judged, judge_parts

N = 40


@pytest.mark.parametrize(
    ("predicted", "constant"),
    [
        (np.full(N, 0.5), True),
        (np.full(N, 0.5) + np.arange(N) * 1e-9, True),
        (np.zeros(N), True),
        (np.linspace(0.50, 0.51, N), False),
        (np.linspace(1e-9, 2e-9, N), False),
    ],
)
def test_equal_predictions_are_told_from_small_ones(predicted: np.ndarray, constant: bool) -> None:
    rows = np.arange(N)
    observed = np.random.default_rng(0).normal(size=N).astype(np.float32)
    mean = predicted.astype(np.float32)[:, None]
    one = Judged(rows, observed, Prediction(mean, np.full_like(mean, np.nan)))
    parts: dict[Part, Judged] = {"train": one, "val": one, "test": one}
    ids = rows.astype(str)
    split = Split(ids, np.full(N, "test"), "random", 0, "ab", ())
    assert judge_parts(parts, split, "regression", level=0.9)["constant"] is constant
