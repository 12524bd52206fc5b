"""A real cross: 112 yeast segregants, 500 markers, 231 expression traits (Brem 2005)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from exprimo.evaluate.grouped import r2_against_training
from exprimo.genetics.scores.elastic_net import nested_elastic_net
from exprimo.genetics.stacking import Features, StackConfig, stack_genes
from exprimo.genetics.stacking.judging import correlation_by_fold
from exprimo.genetics.stacking.learners.ridge import fit_ridge

pytestmark = pytest.mark.real

FOLDS = 10


@pytest.fixture(scope="module")
def cross(realdata):
    """Markers (segregants, markers) and expression (traits, segregants)."""
    home = realdata / "yeast_cross"
    markers = pd.read_csv(home / "netReg_Brem2005_X.tsv", sep="\t", header=None)
    traits = pd.read_csv(home / "netReg_Brem2005_Y.tsv", sep="\t")
    return markers.to_numpy(float), traits.to_numpy(float).T


def _folds(n):
    fold = np.empty(n, dtype=np.int64)
    fold[np.random.default_rng(0).permutation(n)] = np.arange(n) % FOLDS
    return fold


def test_ridge_reaches_the_known_figures(cross):
    markers, traits = cross
    fold = _folds(len(markers))
    predicted, mean = np.empty_like(traits), np.empty_like(traits)
    for number in range(FOLDS):
        held = fold == number
        for row, trait in enumerate(traits):
            ridge = fit_ridge(markers[~held], trait[~held], 30.0)
            predicted[row, held] = ridge.predict(markers[held])
        mean[:, held] = traits[:, ~held].mean(axis=1, keepdims=True)
    by_fold = correlation_by_fold(traits, predicted, mean, fold)
    pooled = np.array([np.corrcoef(a, b)[0, 1] for a, b in zip(traits, predicted, strict=True)])
    assert np.median(by_fold) == pytest.approx(0.20, abs=0.03)
    assert (by_fold > 0.3).sum() == pytest.approx(75, abs=8)
    assert np.median(pooled) == pytest.approx(0.16, abs=0.03)
    assert (pooled > 0.3).sum() == pytest.approx(63, abs=8)


@pytest.mark.slow
def test_elastic_net_and_stack_beside_it(cross):
    """On eight traits: none of the honest rivals is far from the others."""
    markers, traits = cross
    traits = traits[::30]
    fold = _folds(len(markers)) % 5
    config = StackConfig(
        members=("ridge", "elastic_net"), metas=("stack_linear",), inner_folds=3, normalise="none"
    )
    x = np.repeat(markers[None, None], len(traits), axis=1)
    names = tuple(f"m{at}" for at in range(markers.shape[1]))
    done = stack_genes(Features(names, x), traits, fold, config)
    r2 = {
        name: r2_against_training(traits, predicted, done.training_mean)
        for name, predicted in zip(done.names, done.predicted, strict=True)
    }
    alone = [nested_elastic_net(markers.T, trait, fold, seed=0).r2 for trait in traits]
    np.testing.assert_allclose(r2["elastic_net"], alone, atol=0.1)
    assert r2["stack_linear"].mean() > max(r2["ridge"].mean(), r2["elastic_net"].mean()) - 0.03
    assert r2["stack_linear"].max() > 0.3
