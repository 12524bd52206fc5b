"""Effects in many sets of people, and scores chosen inside the training people."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from exprimo.genetics.scores.fitting import ScoresConfig, fit_gene, judge
from exprimo.genetics.scores.polygenic import PolygenicConfig, effects_of_sets, fit_polygenic

CONFIG = PolygenicConfig(p=(1e-3, 0.05, 1.0), r2=(0.1, 0.5))


def _people(seed: int, n: int = 160, n_variants: int = 40, missing: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    base = np.repeat(rng.random((n_variants // 4, 2 * n)) < 0.35, 4, axis=0)
    base ^= rng.random(base.shape) < 0.06
    dosage = base[:, :n].astype(float) + base[:, n:]
    dosage[rng.random(dosage.shape) < missing] = np.nan
    return dosage


@pytest.mark.parametrize("n_covariates", [0, 3])
def test_effects_are_least_squares_in_each_set(n_covariates: int) -> None:
    rng, dosage = np.random.default_rng(5), _people(5, n=60, missing=0.08)
    covariates = rng.normal(size=(60, n_covariates))
    y = rng.normal(size=60) + np.nan_to_num(dosage[3])
    sets = rng.random((4, 60)) < 0.8
    dosage[7] = 1.0
    found = effects_of_sets(dosage, y, covariates, sets)
    for at, inside in enumerate(sets):
        for v in range(len(dosage)):
            x = dosage[v, inside]
            mean = np.nanmean(x)
            x = np.where(np.isnan(x), mean, x)
            assert found.mean[at, v] == pytest.approx(mean)
            if v == 7:
                assert found.slope[at, v] == 0
                assert np.isnan(found.r2[at, v])
                continue
            design = np.column_stack([x, np.ones(len(x)), covariates[inside]])
            weights, rss, *_ = np.linalg.lstsq(design, y[inside], rcond=None)
            df = len(x) - design.shape[1]
            error = np.sqrt(rss[0] / df * np.linalg.inv(design.T @ design)[0, 0])
            assert found.slope[at, v] == pytest.approx(weights[0], rel=1e-9)
            p = 2 * stats.t.sf(abs(weights[0] / error), df)
            assert found.p_values()[at, v] == pytest.approx(p, rel=1e-8)
            assert (found.r2[at, v] >= found.least_r2(0.05)[at]) == (p <= 0.05)


def test_the_causal_variant_is_found_and_its_effect_is_right() -> None:
    dosage, rng = _people(0, n=400), np.random.default_rng(1)
    y = 0.8 * dosage[13] + 0.6 * rng.normal(size=400)
    (found,) = fit_polygenic(
        dosage, np.arange(40) * 1000, y, np.empty((400, 0)), np.ones((1, 400), bool), CONFIG
    )
    score = found["p+t"]
    assert np.abs(score.weights).argmax() == 13
    assert score.weights[13] == pytest.approx(0.8, abs=0.1)
    assert np.count_nonzero(score.weights) < np.count_nonzero(found["baseline"].weights) == 40
    assert set(score.chosen) == {"p", "r2", "inner_r", "scale"}


def test_left_out_people_change_nothing() -> None:
    dosage, rng = _people(2, missing=0.05), np.random.default_rng(3)
    covariates = rng.normal(size=(160, 2))
    y = np.nan_to_num(dosage[4]) + rng.normal(size=160)
    training = np.arange(160) % 4 != 0
    other, mixed, strange = y.copy(), dosage.copy(), covariates.copy()
    other[~training] = 1e3 * rng.normal(size=40)
    mixed[:, ~training] = rng.permuted(dosage[:, ~training], axis=1)
    strange[~training] = 50.0
    at = np.arange(40) * 1000
    (one,) = fit_polygenic(dosage, at, y, covariates, training[None], CONFIG)
    (two,) = fit_polygenic(mixed, at, other, strange, training[None], CONFIG)
    for model in ("baseline", "p+t"):
        assert np.allclose(one[model].weights, two[model].weights, rtol=1e-9, atol=1e-12)
        assert one[model].intercept == pytest.approx(two[model].intercept)
        assert one[model].weights.any()


def test_nothing_selected_predicts_the_training_mean_and_scores_zero() -> None:
    rng = np.random.default_rng(4)
    y, folds = rng.normal(size=60) + 7, np.arange(60) % 3
    config = ScoresConfig(models=("baseline", "p+t", "elastic_net"))
    found = fit_gene(np.empty((0, 60)), np.empty(0, int), y, np.empty((60, 0)), folds, config)
    for model in config.models:
        judged = judge(found, model, folds)
        assert (judged.r2, judged.pearson_r) == (0, 0)
        assert np.allclose(found.predicted[model][folds == 1], y[folds != 1].mean())


def test_folds_are_predicted_by_weights_that_did_not_see_them() -> None:
    dosage, rng = _people(6, n=200), np.random.default_rng(7)
    y = dosage[9] + 0.5 * rng.normal(size=200)
    folds = rng.permutation(np.arange(200) % 4)
    config = ScoresConfig(models=("baseline", "p+t"), polygenic=CONFIG)
    at = np.arange(40) * 1000
    found = fit_gene(dosage, at, y, np.empty((200, 0)), folds, config)
    changed = y.copy()
    changed[folds == 2] = rng.normal(size=50)
    again = fit_gene(dosage, at, changed, np.empty((200, 0)), folds, config)
    held = folds == 2
    assert np.allclose(found.predicted["p+t"][held], again.predicted["p+t"][held])
    assert not np.allclose(found.predicted["p+t"][~held], again.predicted["p+t"][~held])
    assert judge(found, "p+t", folds).r2 > 0.4
    assert [fold for fold, _ in found.fits] == [0, 1, 2, 3, -1]


def test_without_heritability_nothing_is_predicted() -> None:
    found: dict[str, list[float]] = {"baseline": [], "p+t": []}
    config = PolygenicConfig(p=(1e-3, 0.05, 1.0), r2=(0.1, 0.5), inner_folds=3)
    for seed in range(1000):
        dosage, rng = _people(seed, n=120), np.random.default_rng(10_000 + seed)
        y, training = rng.normal(size=120), np.arange(120) < 80
        (fit,) = fit_polygenic(
            dosage, np.arange(40) * 1000, y, np.empty((120, 0)), training[None], config
        )
        for model, values in found.items():
            told = fit[model].predict(dosage[:, ~training])
            values.append(float(np.corrcoef(told, y[~training])[0, 1]) if np.ptp(told) else 0.0)
    for values in found.values():
        half = 3.29 * np.std(values) / np.sqrt(len(values))
        assert abs(np.mean(values)) < half
        assert 0 in values


@pytest.mark.parametrize("kind", ["constant", "follows from others"])
def test_a_covariate_that_says_nothing_in_a_set_is_left_out_of_it(kind: str) -> None:
    rng, dosage = np.random.default_rng(8), _people(8, n=60)
    age, y = rng.normal(size=60), rng.normal(size=60)
    batch = (np.arange(60) == 7).astype(float)
    if kind != "constant":
        batch = np.where(np.arange(60) < 40, 2 * age, rng.normal(size=60))
    sets = np.ones((2, 60), dtype=bool)
    sets[0] = np.arange(60) != 7 if kind == "constant" else np.arange(60) < 40
    found = effects_of_sets(dosage, y, np.column_stack([age, batch]), sets)
    without = effects_of_sets(dosage, y, age[:, None], sets[:1])
    np.testing.assert_allclose(found.slope[0], without.slope[0], atol=1e-12)
    np.testing.assert_allclose(found.residual[0], without.residual[0], atol=1e-12)
    assert found.df.tolist() == [int(sets[0].sum()) - 3, 60 - 4]
