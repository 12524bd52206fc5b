"""Boosted trees: a planted rule, validation decides, bytes come back, weights count."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import xgboost
from sklearn.metrics import log_loss, roc_auc_score

from exprimo.core.errors import FormatError
from exprimo.models.baselines.baseline import ClassWeights
from exprimo.models.baselines.onehot_xgboost import OnehotXgboost, OnehotXgboostConfig
from exprimo.models.trees import BoostedTrees, TreeSettings, grow, quantise, tune

RNG = np.random.default_rng(8)
CODES = RNG.integers(0, 5, (600, 30)).astype(np.uint8)
# A rule that no single base tells: an A at 3 and not a C at 20, or a G at 11.
RULE = ((CODES[:, 3] == 0) & (CODES[:, 20] != 1)) | (CODES[:, 11] == 2)
TARGETS = {
    "regression": 3 + 2 * RULE + 0.1 * RNG.normal(size=600),
    "classification": RULE.astype(float),
    "multiclass": RULE + (CODES[:, 27] == 3).astype(float),
}
NAMES = {"multiclass": ("none", "one", "both")}
TRAIN, VAL, TEST = slice(0, 400), slice(400, 500), slice(500, 600)


def _stream(task: Any, rows: slice, size: int = 64) -> Callable[[], Iterator[Any]]:
    def batches() -> Iterator[Any]:
        codes, target = CODES[rows], TARGETS[task][rows]
        for start in range(0, len(codes), size):
            part = slice(start, start + size)
            yield {"sequence": codes[part]}, target[part]

    return batches


def _fitted(task: Any, size: int = 64, weights: Any = None, **options: Any) -> OnehotXgboost:
    config = OnehotXgboostConfig.checked({"rounds": 60, "patience": 10, "rate": 0.3, **options})
    model = OnehotXgboost(config, task, NAMES.get(task, ()))
    model.fit(_stream(task, TRAIN, size), _stream(task, VAL, size), weights)
    return model


@pytest.mark.parametrize("task", TARGETS)
def test_a_planted_rule_is_found(task: Any) -> None:
    found = _fitted(task).predict({"sequence": CODES[TEST]}).mean
    truth = TARGETS[task][TEST]
    if task == "regression":
        assert np.corrcoef(found[:, 0], truth)[0, 1] > 0.98
    elif task == "classification":
        assert roc_auc_score(truth, found[:, 0]) > 0.99
    else:
        assert found.shape == (100, 3)
        assert (found.argmax(axis=1) == truth).mean() > 0.95


@pytest.mark.parametrize("task", TARGETS)
def test_the_same_as_xgboost_itself_on_one_hot_columns(task: Any) -> None:
    target = TARGETS[task][TRAIN]
    codes = CODES % 4

    def train() -> Iterator[Any]:
        yield {"sequence": codes[TRAIN]}, target

    config = OnehotXgboostConfig(rounds=20, patience=0, rate=0.3)
    ours = OnehotXgboost(config, task, NAMES.get(task, ()))
    ours.fit(train, train)
    columns = np.eye(4, dtype=np.float32)[codes].reshape(600, -1)
    kind = xgboost.XGBRegressor if task == "regression" else xgboost.XGBClassifier
    theirs = kind(n_estimators=20, learning_rate=0.3, max_depth=6, n_jobs=1)
    theirs.fit(columns[TRAIN], target)
    predict = theirs.predict if task == "regression" else theirs.predict_proba
    expected = predict(columns[TEST])
    found = ours.predict({"sequence": codes[TEST]}).mean
    np.testing.assert_allclose(found[:, -1], expected.reshape(100, -1)[:, -1], atol=1e-5)


def test_the_size_of_batches_changes_nothing() -> None:
    few, many = (_fitted("classification", size) for size in (7, 400))
    batch = {"sequence": CODES[TEST]}
    np.testing.assert_array_equal(few.predict(batch).mean, many.predict(batch).mean)


def test_validation_alone_stops() -> None:
    noise = RNG.random(400) < 0.3
    flipped = np.where(
        noise, 1 - TARGETS["classification"][TRAIN], TARGETS["classification"][TRAIN]
    )

    def train() -> Iterator[Any]:
        yield {"sequence": CODES[TRAIN]}, flipped

    def fit(patience: int) -> OnehotXgboost:
        config = OnehotXgboostConfig(rounds=150, patience=patience, rate=0.3)
        model = OnehotXgboost(config, "classification")
        model.fit(train, _stream("classification", VAL))
        return model

    stopped, full = fit(10), fit(0)
    facts = stopped.chosen()["trees"][0]
    assert facts["rounds"] < 100
    assert full.chosen()["trees"][0]["rounds"] == 150
    p = stopped.predict({"sequence": CODES[VAL]}).mean[:, 0]
    assert facts["validation_loss"] == pytest.approx(
        log_loss(TARGETS["classification"][VAL], p), abs=1e-5
    )
    on_all = full.predict({"sequence": CODES[VAL]}).mean[:, 0]
    assert log_loss(TARGETS["classification"][VAL], on_all) > facts["validation_loss"]


def test_weights_act_as_copies_do() -> None:
    weights = ClassWeights(np.array([1.0, 3.0]), np.array([1.0, 3.0]))
    weighed = _fitted("classification", weights=weights, rounds=20, patience=0, least_weight=0.0)
    target = TARGETS["classification"][TRAIN]
    rows = np.repeat(np.arange(400), np.where(target == 1, 3, 1))

    def copies() -> Iterator[Any]:
        yield {"sequence": CODES[TRAIN][rows]}, target[rows]

    config = OnehotXgboostConfig(rounds=20, patience=0, rate=0.3, least_weight=0.0)
    copied = OnehotXgboost(config, "classification")
    copied.fit(copies, copies)
    batch = {"sequence": CODES[TEST]}
    np.testing.assert_allclose(weighed.predict(batch).mean, copied.predict(batch).mean, atol=1e-4)


def test_an_n_that_no_training_example_had_is_not_the_letter_asked_for() -> None:
    codes = CODES % 4
    rule = (codes[:, 11] == 2).astype(float)
    model = OnehotXgboost(OnehotXgboostConfig(rounds=20, patience=0), "classification")

    def train() -> Iterator[Any]:
        yield {"sequence": codes}, rule

    model.fit(train, train)
    changed = codes.copy()
    changed[:, 11] = 4
    np.testing.assert_allclose(
        model.predict({"sequence": changed}).mean,
        model.predict({"sequence": np.where(changed == 4, 0, codes)}).mean,
    )
    assert model.predict({"sequence": changed}).mean.max() < 0.5


def test_tuning_takes_the_smallest_validation_loss() -> None:
    x = np.eye(5, dtype=np.uint8)[CODES].reshape(600, -1)
    y = TARGETS["classification"]
    matrices = quantise(lambda: [(x[TRAIN], y[TRAIN], None)], lambda: [(x[VAL], y[VAL], None)])
    start = TreeSettings(depth=9, rate=0.9, rounds=40, patience=5)
    best = tune(matrices, start, (1, 3), (0.05, 0.3), "classification")
    tried = [
        grow(matrices, start._replace(depth=d, rate=r), "classification")
        for d in (1, 3)
        for r in (0.05, 0.3)
    ]
    assert best.loss == min(one.loss for one in tried)
    assert best.facts()["depth"] == 3  # one base alone does not tell the rule


def test_bytes_come_back_and_damage_is_noticed() -> None:
    trees = BoostedTrees.from_bytes(_fitted("regression").state()["trees"])
    assert trees.n_parameters > trees.rounds
    raw = trees.to_bytes()
    assert raw.dtype == np.uint8
    np.testing.assert_array_equal(BoostedTrees.from_bytes(raw).to_bytes(), raw)
    with pytest.raises(FormatError, match="boosted trees cannot be read"):
        BoostedTrees.from_bytes(raw[: len(raw) // 2])


def test_nothing_is_imported_before_it_is_needed() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from exprimo.models import all_specs; list(all_specs());"
        "sys.exit('xgboost' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
