"""Cis-heritability beside the scores: the module's own numbers, and genes that have none."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from exprimo.genetics.scores.fitting import fit_scores
from exprimo.genetics.scores.fitting.heritable import HeritableGenes, mean_heritability
from exprimo.genetics.scores.heritability import cis_heritability

SETTINGS = {
    "models": ["baseline"],
    "folds": 3,
    "upstream": 5000,
    "downstream": 5000,
    "maf": 0.0,
    "polygenic": {"p": [1.0], "r2": [0.2], "inner_folds": 3},
}


def test_the_table_beside_the_scores_has_the_numbers_of_all_people(region_world, tmp_path):
    files = (region_world.genotypes, region_world.expression)
    done = fit_scores(*files, tmp_path / "S", covariates=region_world.covariates, **SETTINGS)
    path = tmp_path / "S" / "heritability.parquet"
    table = pd.read_parquet(path).set_index("gene_id")
    names = ["h2", "h2_se", "h2_low", "h2_high", "pval", "n_variants"]
    assert table.columns.tolist() == names
    for gene, y in zip(("near", "noise"), region_world.values, strict=True):
        own = cis_heritability(region_world.dosage, y, region_world.covariate[:, None])
        expected = [own.h2, own.se, own.low, own.high, own.p, own.n_variants]
        assert table.loc[gene].tolist() == pytest.approx(expected, abs=1e-7)
    assert table.loc["near", "h2_low"] > 0
    assert table.loc["noise", "h2_low"] == 0
    assert table.loc["noise", "pval"] > 0.01
    assert done.heritability is not None
    assert done.heritability["h2"] == pytest.approx(table["h2"].mean())
    assert done.heritability["n_people"] == 240
    assert "description" in json.loads(pq.read_schema(path).metadata[b"exprimo"])["people"]
    summary = json.loads((tmp_path / "S" / "summary.json").read_text())
    assert summary["heritability"]["n_genes"] == 2


def test_left_out_when_not_asked_for(region_world, tmp_path):
    files = (region_world.genotypes, region_world.expression)
    done = fit_scores(*files, tmp_path / "S", heritability=False, **SETTINGS)
    assert done.heritability is None
    assert not (tmp_path / "S" / "heritability.parquet").exists()


def test_genes_without_variants_count_as_0_and_explained_ones_not_at_all():
    rng = np.random.default_rng(0)
    age = rng.normal(size=(60, 1))
    genes = HeritableGenes(age)
    genes.add("far", np.empty((0, 60)), rng.normal(size=60))
    genes.add("age", rng.binomial(2, 0.4, (9, 60)) * 1.0, 3 * age[:, 0] + 2)
    table = genes.table()
    assert table["h2"].iloc[0] == 0
    assert np.isnan(table["h2"].iloc[1])
    found = mean_heritability(table, 60)
    assert (found["h2"], found["n_genes"]) == (0.0, 1)
    nothing = mean_heritability(table.iloc[1:], 60)
    assert np.isnan(nothing["h2"])
    assert nothing["n_genes"] == 0
