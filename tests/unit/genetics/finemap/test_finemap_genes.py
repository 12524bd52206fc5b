"""Genes of people, from files to tables of probabilities and credible sets."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from exprimo.core.errors import ConfigError, FormatError, InputError
from exprimo.core.ledger import Ledger
from exprimo.genetics.eqtl.projection import projection
from exprimo.genetics.finemap import finemap_eqtl, finemap_window, susie


def test_the_causal_variant_is_found(region_world, tmp_path):
    world = region_world
    done = finemap_eqtl(
        world.genotypes, world.expression, tmp_path / "F", covariates=world.covariates,
        min_pip=0.0,
    )  # fmt: skip
    assert (done.n_people, done.n_genes, done.n_mapped, done.n_sets) == (240, 2, 1, 1)
    table = pd.read_parquet(tmp_path / "F" / "variants.parquet")
    near = table[table["phenotype_id"] == "near"]
    assert len(near) == 50
    top = near.loc[near["pip"].idxmax()]
    assert (top["variant_id"], top["pos"], top["cs_id"]) == ("v20", 12_000, 1)
    assert (top["ref"], top["alt"], top["chrom"]) == (world.ref[20], world.alt[20], "19")
    assert top["effect"] == pytest.approx(0.8, abs=0.3)
    assert top["af"] == pytest.approx(world.dosage[20].mean() / 2, abs=1e-6)
    sets = pd.read_parquet(tmp_path / "F" / "credible_sets.parquet")
    assert sets["phenotype_id"].tolist() == ["near"]
    assert sets["size"].iloc[0] == (near["cs_id"] == 1).sum()
    genes = pd.read_parquet(tmp_path / "F" / "genes.parquet").set_index("phenotype_id")
    assert genes["num_sets"].to_dict() == {"near": 1, "noise": 0}
    assert genes["converged"].all()
    facts = json.loads((tmp_path / "F" / "summary.json").read_text())
    assert facts["n_sets"] == 1
    assert facts["origin"]["kind"] == "finemap"
    ledger = Ledger.load(tmp_path / "F" / "ledger.parquet")
    assert ledger.learned["fine-mapping"]["individual"] == frozenset(world.people)


def test_covariates_leave_both_sides(region_world):
    world = region_world
    space = projection(world.covariate[:, None])
    found = finemap_window(world.dosage.astype(np.float32), world.values[0], space)
    x, y = space.residuals(world.dosage), space.residuals(world.values[:1])[0]
    np.testing.assert_allclose(found.pip, susie(x.T, y).pip, atol=1e-7)
    without = projection(np.empty((240, 0)))
    blurred = finemap_window(world.dosage.astype(np.float32), world.values[0], without)
    assert blurred.residual_variance > 3 * found.residual_variance


def test_a_missing_dosage_is_the_mean(region_world):
    space = projection(np.empty((240, 0)))
    hole = region_world.dosage.astype(np.float32)
    hole[3, :5] = np.nan
    filled = hole.copy()
    filled[3, :5] = np.nanmean(hole[3].astype(np.float64))
    one = finemap_window(hole, region_world.values[0], space)
    two = finemap_window(filled, region_world.values[0], space)
    np.testing.assert_allclose(one.pip, two.pip, atol=1e-7)


def test_folds_leave_people_out(region_world, tmp_path):
    world = region_world
    finemap_eqtl(
        world.genotypes, world.expression, tmp_path / "F", covariates=world.covariates,
        gene=["near"], folds=3,
    )  # fmt: skip
    genes = pd.read_parquet(tmp_path / "F" / "genes.parquet")
    assert genes["fold"].tolist() == [0, 1, 2]
    ledger = Ledger.load(tmp_path / "F" / "ledger.parquet")
    learned = [ledger.learned[f"fine-mapping, fold {fold} left out"] for fold in range(3)]
    assert [len(one["individual"]) for one in learned] == [160, 160, 160]
    everybody = frozenset(world.people)
    left_out = [everybody - one["individual"] for one in learned]
    assert frozenset().union(*left_out) == everybody


def test_only_genes_with_an_eqtl(region_world, tmp_path):
    world = region_world
    table = pd.DataFrame({"phenotype_id": ["near", "noise"], "qval": [1e-9, 0.6]})
    table.to_parquet(tmp_path / "genes.parquet")
    done = finemap_eqtl(
        world.genotypes, world.expression, tmp_path / "F", covariates=world.covariates,
        egenes=tmp_path,
    )  # fmt: skip
    assert done.n_genes == 1
    with pytest.raises(InputError, match="no gene has an eQTL"):
        finemap_eqtl(world.genotypes, world.expression, tmp_path / "G", egenes=tmp_path, fdr=1e-12)
    table.drop(columns="qval").to_parquet(tmp_path / "genes.parquet")
    with pytest.raises(FormatError, match="q-values"):
        finemap_eqtl(world.genotypes, world.expression, tmp_path / "G", egenes=tmp_path)


def test_nothing_is_written_over(region_world, tmp_path):
    (tmp_path / "F").mkdir()
    with pytest.raises(InputError, match="already exists"):
        finemap_eqtl(region_world.genotypes, region_world.expression, tmp_path / "F")


def test_unknown_settings_are_refused(region_world, tmp_path):
    with pytest.raises(ConfigError, match="unknown key"):
        finemap_eqtl(region_world.genotypes, region_world.expression, tmp_path / "F", efects=3)
    with pytest.raises(ConfigError, match="given twice"):
        finemap_eqtl(
            region_world.genotypes, region_world.expression, tmp_path / "F", folds=3,
            folds_file=tmp_path / "f.tsv",
        )  # fmt: skip
