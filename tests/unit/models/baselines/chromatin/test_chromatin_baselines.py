"""Baselines over bins against pandas, NumPy, scikit-learn and cases worked out by hand."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from exprimo.core.errors import ConfigError, MismatchError
from exprimo.features.derived.gene_keys import gene_keys
from exprimo.models import get_spec
from exprimo.models.baselines import Baseline
from exprimo.models.baselines.chromatin.mark_sum import correlations
from exprimo.models.baselines.chromatin.summaries import summarise, zone_means

N, MARKS, BINS = 400, 3, 8


def _examples() -> tuple[dict[str, np.ndarray], np.ndarray]:
    rng = np.random.default_rng(4)
    signal = rng.gamma(1.0, size=(N, MARKS, BINS)).astype(np.float32)
    context = rng.normal(size=(N, 2 * MARKS, BINS)).astype(np.float32)
    # Mark 1 silences: its sum has the largest r, and a negative one.
    target = 0.3 * signal[:, 0].sum(1) - signal[:, 1].sum(1) + 2 * context[:, 4, 3]
    target += rng.normal(size=N)
    batch = {"signal": signal, "cell_context": context}
    batch["gene"] = gene_keys([f"G{i}" for i in rng.integers(0, 30, N)])[:, None]
    return batch, target


def _stream(batch: dict[str, np.ndarray], target: np.ndarray, rows: slice, size: int = 37):
    def batches() -> Iterator[tuple[dict[str, np.ndarray], np.ndarray]]:
        for start in range(rows.start, rows.stop, size):
            part = slice(start, min(start + size, rows.stop))
            yield {name: values[part] for name, values in batch.items()}, target[part]

    return batches


TRAIN, VAL = slice(0, 300), slice(300, N)


def _fitted(name: str, task: str = "regression", **options: object) -> Baseline:
    batch, target = _examples()
    spec = get_spec(name)
    if task == "classification":
        target = (target > np.median(target)).astype(float)
    model = spec.build(spec.config.checked(options), task)
    model.fit(_stream(batch, target, TRAIN), _stream(batch, target, VAL))
    return model


def test_the_mean_of_each_gene_is_that_of_pandas() -> None:
    batch, target = _examples()
    found = _fitted("gene_mean").predict(batch).mean[:, 0]
    table = pd.DataFrame({"gene": batch["gene"][TRAIN, 0], "target": target[TRAIN]})
    means = table.groupby("gene")["target"].mean()
    expected = pd.Series(batch["gene"][:, 0]).map(means)
    assert expected.notna().all()
    np.testing.assert_allclose(found, expected.to_numpy(), rtol=1e-6)


def test_a_gene_that_did_not_train_gets_the_mean_of_all_and_so_does_one_without_a_name() -> None:
    batch, target = _examples()
    batch["gene"][5:40] = 0
    model = get_spec("gene_mean").build(get_spec("gene_mean").config(), "regression")
    model.fit(_stream(batch, target, TRAIN), _stream(batch, target, VAL))
    found = model.predict({"gene": gene_keys(["never seen", "", "G1"])[:, None]}).mean[:, 0]
    np.testing.assert_allclose(found[:2], target[TRAIN].mean(), rtol=1e-5)
    assert abs(found[2] - target[TRAIN].mean()) > 0.01


def test_of_classes_it_is_the_share_of_class_1() -> None:
    batch, target = _examples()
    high = target > np.median(target)
    found = _fitted("gene_mean", "classification").predict(batch).mean[:, 0]
    first = batch["gene"][:, 0] == batch["gene"][0, 0]
    assert found[0] == pytest.approx(high[TRAIN][first[TRAIN]].mean())


def test_correlations_in_batches_are_those_of_numpy() -> None:
    batch, target = _examples()
    batch["signal"][:, 2] = 0.25
    found = correlations(_stream(batch, target, TRAIN))
    sums = batch["signal"][TRAIN].sum(2, dtype=float)
    expected = [np.corrcoef(sums[:, mark], target[TRAIN])[0, 1] for mark in (0, 1)]
    np.testing.assert_allclose(found[:2], expected, rtol=1e-6)
    assert found[2] == 0


def test_the_mark_is_the_best_whatever_its_sign_unless_it_is_named() -> None:
    names = ("H3K4me3", "H3K27me3", "H3K9me3")
    assert _fitted("mark_sum", marks=names).chosen() == {"mark": "H3K27me3"}
    assert _fitted("mark_sum").chosen() == {"mark": 1}
    assert _fitted("mark_sum", mark="H3K4me3", marks=names).chosen() == {"mark": "H3K4me3"}
    named = _fitted("mark_sum", mark=0)
    batch, _ = _examples()
    sums = batch["signal"][:, 0].sum(1)
    found = named.predict(batch).mean[:, 0]
    assert np.corrcoef(found, sums)[0, 1] == pytest.approx(1)
    higher = _fitted("mark_sum", "classification").predict(batch).mean[:, 0]
    assert np.corrcoef(higher, batch["signal"][:, 1].sum(1))[0, 1] < -0.9


@pytest.mark.parametrize("mark", ["H3K4me3", 3, -1])
def test_a_mark_that_is_not_there_is_refused(mark: str | int) -> None:
    with pytest.raises(ConfigError, match="a place from 0 to 2"):
        _fitted("mark_sum", mark=mark)
    with pytest.raises(ConfigError, match="no mark X; there are A, B"):
        get_spec("mark_sum").config.checked({"mark": "X", "marks": ["A", "B"]})


@pytest.mark.parametrize(
    ("options", "inputs"),
    [
        ({}, ("signal",)),
        ({"cell_statistics": True}, ("signal", "cell_context")),
    ],
)
def test_the_ridge_is_that_of_scikit_learn(
    options: dict[str, object], inputs: tuple[str, ...]
) -> None:
    batch, target = _examples()
    model = _fitted("bins_ridge", **options)
    assert model.inputs == inputs
    X = np.concatenate([batch[name].reshape(N, -1).astype(float) for name in inputs], axis=1)
    X = (X - X[TRAIN].mean(0)) / X[TRAIN].std(0)
    penalty = float(model.state()["penalty"][0])
    ridge = Ridge(alpha=300 * penalty).fit(X[TRAIN], target[TRAIN])
    np.testing.assert_allclose(model.predict(batch).mean[:, 0], ridge.predict(X), atol=1e-4)


def test_of_classes_it_is_the_logistic_regression_of_scikit_learn() -> None:
    batch, target = _examples()
    high = (target > np.median(target)).astype(int)
    model = _fitted("bins_ridge", "classification")
    X = batch["signal"].reshape(N, -1).astype(float)
    X = (X - X[TRAIN].mean(0)) / X[TRAIN].std(0)
    penalty = 300 * float(model.state()["penalty"][0])
    theirs = LogisticRegression(C=1 / penalty, tol=1e-8, max_iter=1000).fit(X[TRAIN], high[TRAIN])
    found = model.predict(batch).mean[:, 0]
    np.testing.assert_allclose(found, theirs.predict_proba(X)[:, 1], atol=1e-3)


@pytest.mark.parametrize("name", ["bins_ridge", "bins_boosting"])
def test_other_bins_are_refused(name: str) -> None:
    batch, _ = _examples()
    with pytest.raises(MismatchError, match="marks and bins that the model was trained on"):
        _fitted(name).predict({"signal": batch["signal"][:, :, :-1]})


def test_a_row_of_bins_in_numbers_by_hand() -> None:
    row = np.array([[[0, 0, 4, 0, 2, 0]]], np.float32)
    mass = (4 * 2 / 5 + 2 * 4 / 5) / 6
    np.testing.assert_allclose(summarise(row, 3)[0], [1, 4, mass, 0, 2, 1])
    assert zone_means(np.arange(7.0).reshape(1, 1, 7), 10).shape == (1, 1, 7)
    # Seven bins in three zones: 2, 3 and 2.
    np.testing.assert_allclose(zone_means(np.arange(7.0).reshape(1, 1, 7), 3)[0, 0], [0.5, 3, 5.5])
    assert np.isnan(summarise(np.zeros((1, 1, 4), np.float32), 2)[0, 2])


def test_trees_read_the_cell_only_where_asked() -> None:
    batch, target = _examples()
    without = _fitted("bins_boosting", rounds=60)
    both = _fitted("bins_boosting", rounds=60, cell_statistics=True, zones=8)
    r = [np.corrcoef(m.predict(batch).mean[VAL, 0], target[VAL])[0, 1] for m in (without, both)]
    assert without.inputs == ("signal",)
    assert r[0] > 0.5
    assert r[1] > r[0] + 0.1
    assert without.features(batch).shape == (N, MARKS * (3 + 8))
    assert both.chosen()["trees"][0]["rounds"] <= 60
