"""Heritability 0: on people apart, every predictor's mean r has 0 within its 99.9% interval."""

from __future__ import annotations

import numpy as np
import pytest

from exprimo.evaluate.grouped import score_genes
from exprimo.genetics.scores.elastic_net import fit_elastic_nets
from exprimo.genetics.scores.polygenic.thresholding import fit_polygenic
from exprimo.genetics.stacking.config import StackConfig
from exprimo.genetics.stacking.nested import Rows, stack_rows
from exprimo.genetics.stacking.parts import Part, inner_parts

TRAIN, PEOPLE, VARIANTS = 40, 70, 15
TEST = np.arange(PEOPLE) >= TRAIN
PART = Part(~TEST, TEST, ~TEST)
LINEAR = StackConfig(members=("ridge", "polynomial"), inner_folds=3, meta_rounds=3)


def _gene(rng):
    """Linked variants of one gene, and expression that knows nothing of them."""
    ancestor = rng.binomial(2, 0.4, (VARIANTS // 5, PEOPLE))
    dosage = np.repeat(ancestor, 5, axis=0)
    other = rng.random(dosage.shape) < 0.2
    dosage[other] = rng.binomial(2, 0.4, other.sum())
    return dosage.astype(float), rng.normal(size=PEOPLE)


def _stacked(dosage, y, config, seed):
    people, gene = np.arange(PEOPLE), np.zeros(PEOPLE, dtype=np.int64)

    def inner(part):
        return inner_parts(part, people, gene, config.inner_folds, genes_too=False, seed=seed)

    return stack_rows(Rows(dosage[::3].T, y, gene), [PART], inner, config, seed=seed)


def _cis_scores(dosage, y):
    training = ~TEST[None]
    (both,) = fit_polygenic(dosage, np.arange(VARIANTS), y, np.empty((PEOPLE, 0)), training)
    (net,) = fit_elastic_nets(dosage, y, training, n_inner=3)
    scores = {**both, "elastic_net": net}
    return {f"cis_{name}": score.predict(dosage[:, TEST]) for name, score in scores.items()}


def _r(y, told):
    mean = y[~TEST].mean()
    table = np.stack(list(told.values()))
    observed = np.tile(y[TEST], (len(table), 1))
    return score_genes(observed, table, mean, "pearson_r")


def _has_0_within(r):
    r = np.array(r)
    half = 3.29 * r.std(axis=0, ddof=1) / np.sqrt(len(r))
    assert (np.abs(r.mean(axis=0)) < half).all(), r.mean(axis=0) / half


@pytest.mark.slow
def test_cis_scores_and_linear_stacks_over_200_genes_and_20_seeds():
    found = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        for _ in range(200):
            dosage, y = _gene(rng)
            done = _stacked(dosage, y, LINEAR, seed)
            told = {**dict(zip(done.names, done.predicted[:, TEST], strict=True))}
            found.append(_r(y, told | _cis_scores(dosage, y)))
    assert np.shape(found) == (4000, 7)
    _has_0_within(found)


@pytest.mark.slow
def test_weights_from_test_people_are_what_such_a_world_shows():
    """The mistake that this guards against: marginal effects of everybody, judged on some."""
    rng = np.random.default_rng(0)
    leaked = []
    for _ in range(200):
        dosage, y = _gene(rng)
        (both,) = fit_polygenic(
            dosage, np.arange(VARIANTS), y, np.empty((PEOPLE, 0)), np.ones((1, PEOPLE), bool)
        )
        leaked.append(_r(y, {"baseline": both["baseline"].predict(dosage[:, TEST])})[0])
    with pytest.raises(AssertionError):
        _has_0_within(np.array(leaked)[:, None])
