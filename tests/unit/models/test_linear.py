"""The linear baselines against scikit-learn, which we did not write."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from exprimo.core.predictor import Batch
from exprimo.models.baselines import linear
from exprimo.models.baselines.baseline import ClassWeights
from exprimo.models.baselines.linear import PENALTIES, LinearBaseline

RNG = np.random.default_rng(3)
X = RNG.normal(size=(400, 6)) * [1, 10, 0.1, 1, 1, 1] + 3
X[:, 5] = 7.0  # a constant feature must not break the scaling
WEIGHTS = np.array([1.0, 0.1, 5.0, -1.0, 0.0, 0.0])
LINEAR = X @ WEIGHTS
Y = LINEAR + RNG.normal(size=400)
LABELS = (LINEAR - LINEAR.mean() + RNG.logistic(size=400) > 0).astype(float)


def _stream(target: np.ndarray, rows: slice, size: int = 64):
    def batches() -> Iterator[tuple[Batch, np.ndarray]]:
        for start in range(0, len(X[rows]), size):
            stop = start + size
            yield {"sequence": X[rows][start:stop]}, target[rows][start:stop]

    return batches


def _fit(target: np.ndarray, task, weights=None, classes=()) -> tuple[LinearBaseline, float]:
    model = LinearBaseline(lambda batch: np.asarray(batch["sequence"]), task, classes)
    model.fit(_stream(target, slice(0, 300)), _stream(target, slice(300, 400)), weights)
    return model, float(model.state()["penalty"][0])


def _standard() -> np.ndarray:
    center, scale = X[:300].mean(0), X[:300].std(0)
    return (X - center) / np.where(scale > 1e-6, scale, 1)


def test_ridge_equals_scikit_learn() -> None:
    model, penalty = _fit(Y, "regression")
    oracle = Ridge(alpha=300 * penalty).fit(_standard()[:300], Y[:300])
    ours = model.predict({"sequence": X[300:]}).mean[:, 0]
    np.testing.assert_allclose(ours, oracle.predict(_standard()[300:]), rtol=1e-5)


def test_logistic_equals_scikit_learn() -> None:
    model, penalty = _fit(LABELS, "classification")
    oracle = LogisticRegression(C=1 / (300 * penalty), tol=1e-10, max_iter=1000)
    oracle.fit(_standard()[:300], LABELS[:300])
    ours = model.predict({"sequence": X[300:]}).mean[:, 0]
    np.testing.assert_allclose(ours, oracle.predict_proba(_standard()[300:])[:, 1], atol=1e-5)


THREE = np.digitize(LINEAR + RNG.logistic(size=400), [LINEAR.mean() - 2, LINEAR.mean() + 1])


def test_several_classes_equal_scikit_learn_one_against_the_rest() -> None:
    target = THREE.astype(float)
    model, _ = _fit(target, "multiclass", classes=("low", "middle", "high"))
    penalties = model.state()["penalty"]
    assert len(penalties) == 3
    each = []
    for code, penalty in enumerate(penalties):
        oracle = LogisticRegression(C=1 / (300 * penalty), tol=1e-10, max_iter=1000)
        oracle.fit(_standard()[:300], THREE[:300] == code)
        each.append(oracle.predict_proba(_standard()[300:])[:, 1])
    expected = np.stack(each, axis=1)
    found = model.predict({"sequence": X[300:]}).mean
    np.testing.assert_allclose(found, expected / expected.sum(axis=1, keepdims=True), atol=1e-5)
    again = LinearBaseline(lambda batch: np.asarray(batch["sequence"]), "multiclass", model.outputs)
    again.restore(model.state())
    np.testing.assert_array_equal(again.predict({"sequence": X[300:]}).mean, found)


def test_weights_of_classes_equal_scikit_learn() -> None:
    rare = np.where(RNG.random(400) < 0.7, 0.0, LABELS)
    each = np.array([0.6, 3.0])
    model, penalty = _fit(rare, "classification", ClassWeights(each, each))
    oracle = LogisticRegression(
        C=1 / (300 * penalty), tol=1e-10, max_iter=1000, class_weight=dict(enumerate(each))
    )
    oracle.fit(_standard()[:300], rare[:300])
    ours = model.predict({"sequence": X[300:]}).mean[:, 0]
    np.testing.assert_allclose(ours, oracle.predict_proba(_standard()[300:])[:, 1], atol=1e-5)


def test_penalty_is_the_best_on_validation() -> None:
    _, penalty = _fit(Y, "regression")
    standard = _standard()
    errors = [
        np.mean(
            (Ridge(alpha=300 * lam).fit(standard[:300], Y[:300]).predict(standard[300:]) - Y[300:])
            ** 2
        )
        for lam in PENALTIES
    ]
    assert penalty == PENALTIES[int(np.argmin(errors))]


def test_batches_do_not_change_the_fit() -> None:
    coefficients = []
    for size in (7, 300):
        model = LinearBaseline(lambda batch: np.asarray(batch["sequence"]), "regression")
        model.fit(_stream(Y, slice(0, 300), size), _stream(Y, slice(300, 400), size))
        coefficients.append(model.state()["coefficients"])
    np.testing.assert_allclose(*coefficients, rtol=1e-8)


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_predictions_survive_saving(task) -> None:
    model, _ = _fit(LABELS if task == "classification" else Y, task)
    again = LinearBaseline(lambda batch: np.asarray(batch["sequence"]), task)
    again.restore(model.state())
    batch = {"sequence": X[:5]}
    np.testing.assert_array_equal(model.predict(batch).mean, again.predict(batch).mean)


WIDE = RNG.poisson(3.0, (120, 300)).astype(float)
WIDE_Y = WIDE[:, :5] @ [1.0, -1.0, 0.5, 0.5, -0.5] + RNG.normal(size=120)


def _wide(task: str, target: np.ndarray, held: int, monkeypatch) -> tuple[np.ndarray, float]:
    monkeypatch.setattr(linear, "_HELD_BYTES", held)
    passes = []

    def stream(first: int, last: int):
        def batches() -> Iterator[tuple[Batch, np.ndarray]]:
            passes.append(first)
            for start in range(first, last, 4):
                rows = slice(start, min(start + 4, last))
                yield {"sequence": WIDE[rows]}, target[rows]

        return batches

    model = LinearBaseline(lambda batch: np.asarray(batch["sequence"]), task)
    model.fit(stream(0, 90), stream(90, 120))
    if held:
        # Once for the features, and one batch for the window.
        assert (passes.count(0), passes.count(90)) == (2, 1)
    ours = model.predict({"sequence": WIDE[90:]}).mean[:, 0]
    return ours, float(model.state()["penalty"][0])


@pytest.mark.parametrize("held", [2**28, 0])
def test_fewer_examples_than_features_equal_scikit_learn(held, monkeypatch) -> None:
    standard = (WIDE - WIDE[:90].mean(0)) / WIDE[:90].std(0)
    ours, penalty = _wide("regression", WIDE_Y, held, monkeypatch)
    oracle = Ridge(alpha=90 * penalty).fit(standard[:90], WIDE_Y[:90])
    np.testing.assert_allclose(ours, oracle.predict(standard[90:]), rtol=1e-4, atol=1e-5)
    labels = (np.median(WIDE_Y) < WIDE_Y).astype(float)
    ours, penalty = _wide("classification", labels, held, monkeypatch)
    logistic = LogisticRegression(C=1 / (90 * penalty), tol=1e-10, max_iter=1000)
    logistic.fit(standard[:90], labels[:90])
    expected = logistic.predict_proba(standard[90:])[:, 1]
    np.testing.assert_allclose(ours, expected, atol=1e-5)
