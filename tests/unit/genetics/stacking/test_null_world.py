"""Heritability 0: on people apart, every predictor's mean r has 0 within its 99.9% interval."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprimo.genetics.scores.polygenic.thresholding import fit_polygenic

GENES, SEEDS = 200, 20
LINEAR = {"members": ("ridge", "polynomial"), "metas": ("stack_linear",)}


@pytest.fixture(scope="module")
def worlds():
    """The benchmark's worlds: ``python -m benchmarks null_world`` judges all predictors there."""
    place = Path(__file__).parents[4] / "benchmarks" / "null_world.py"
    spec = importlib.util.spec_from_file_location("null_world", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Annotations of named tuples are looked up there.
    sys.modules["null_world"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["null_world"]


def _verdict(worlds, r):
    """Judge dictionaries of r, each of some genes."""
    names = r[0]
    rows = {name: np.concatenate([one[name] for one in r]) for name in names}
    return worlds.verdict(pd.DataFrame(rows).melt(var_name="predictor", value_name="r"))


@pytest.mark.slow
def test_cis_scores_and_linear_stacks_of_one_gene_after_the_other(worlds):
    config = worlds.STACK.model_copy(update=LINEAR)
    found = []
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        for _ in range(GENES):
            gene = worlds.draw_gene(rng)
            told, _ = worlds.cis_predictions(gene, seed, n_inner=0)
            told = {name: values[None] for name, values in told.items()}
            told |= worlds.stack_predictions(gene.features, [gene], config, seed)
            found.append(worlds.test_r([gene], told))
    judged = _verdict(worlds, found)
    assert (judged["n"] == GENES * SEEDS).all()
    assert list(judged.index) == [
        "cis_baseline", "cis_p+t", "cis_elastic_net",
        "ridge", "polynomial", "stack_linear",
    ]  # fmt: skip
    # What selects nothing counts as 0, and some of each kind do not.
    assert 0 < judged.loc["cis_p+t", "share_nothing"] < 1
    assert judged["holds_0"].all(), judged
    assert (judged["half"] < 0.02).all()


@pytest.mark.slow
def test_all_members_and_both_stacks_of_all_genes_at_once(worlds):
    found = []
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        genes = [worlds.draw_gene(rng) for _ in range(GENES)]
        features = np.concatenate([gene.features for gene in genes])
        told = worlds.stack_predictions(features, genes, worlds.STACK, seed)
        found.append(worlds.test_r(genes, told))
    judged = _verdict(worlds, found)
    assert len(judged) == 8
    assert (judged["n"] == GENES * SEEDS).all()
    assert judged["holds_0"].all(), judged
    assert (judged["half"] < 0.02).all()


@pytest.mark.slow
def test_weights_from_test_people_are_what_such_a_world_shows(worlds):
    """The mistake that this guards against: marginal effects of everybody, judged on some."""
    rng = np.random.default_rng(0)
    leaked = []
    for _ in range(GENES):
        gene = worlds.draw_gene(rng)
        n, people = gene.dosage.shape
        everybody = np.ones((1, people), bool)
        (both,) = fit_polygenic(
            gene.dosage, np.arange(n), gene.expression, np.empty((people, 0)), everybody
        )
        told = both["baseline"].away_from_mean(gene.dosage[:, worlds.TEST])
        leaked.append(worlds.test_r([gene], {"baseline": told[None]}))
    judged = _verdict(worlds, leaked).loc["baseline"]
    assert not judged["holds_0"]
    assert judged["mean_r"] > 0.1
