"""Genes of people, from files to tables of probabilities and credible sets."""

from __future__ import annotations

import errno
import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from exprimo.core.errors import ConfigError, FormatError, InputError, StorageError
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
    np.testing.assert_allclose(found.pip, susie(x.T, y, covariates=1).pip, atol=1e-7)
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


def test_covariates_take_degrees_of_freedom(region_world):
    # The same data in an orthonormal basis of what 100 covariates and the mean leave, 139 rows;
    # then turned into 140 people without covariates, whose mean is 0.
    world = region_world
    rng = np.random.default_rng(3)
    covariates = rng.normal(size=(240, 100))
    whole, _ = np.linalg.qr(np.hstack([np.ones((240, 1)), covariates, rng.normal(size=(240, 139))]))
    x, y = whole[:, 101:].T @ world.dosage.T, whole[:, 101:].T @ world.values[0]
    people = np.linalg.qr(np.column_stack([np.ones(140), np.eye(140)[:, :139]]))[0][:, 1:]
    assert abs(people.sum(axis=0)).max() < 1e-12
    free = susie(people @ x, people @ y)
    found = finemap_window(world.dosage.astype(np.float32), world.values[0], projection(covariates))
    np.testing.assert_allclose(found.pip, free.pip, atol=1e-6)
    assert found.residual_variance == pytest.approx(free.residual_variance, rel=1e-6)
    assert found.elbo[-1] == pytest.approx(free.elbo[-1], rel=1e-6)


@pytest.mark.parametrize(("people", "covariates"), [(200, 60), (60, 30)])
def test_noise_beside_many_covariates_has_no_sets(region_world, people, covariates):
    # Counted as if nothing were taken, 101 of 200 genes of 60 people and 30 covariates have sets.
    rng = np.random.default_rng(11)
    dosage = region_world.dosage[:, :people].astype(np.float32)
    dosage = dosage[dosage.std(axis=1) > 0]
    n_found = 0
    for _ in range(40):
        space = projection(rng.normal(size=(people, covariates)))
        n_found += bool(finemap_window(dosage, rng.normal(size=people), space).sets)
    assert n_found <= 3


def test_a_covariate_that_says_nothing_without_a_fold_is_left_out(region_world, tmp_path):
    # One person's batch, and a reference batch that a fold holds wholly.
    world = region_world
    fold = {name: at % 3 for at, name in enumerate(world.people)}
    batch = {
        name: "c" if at == 0 else "a" if fold[name] == 1 and at < 30 else "b"
        for at, name in enumerate(world.people)
    }
    rows = [f"{name}\t{batch[name]}\t{at % 7}" for at, name in enumerate(world.people)]
    (tmp_path / "c.tsv").write_text("\n".join(["sample\tbatch\tday", *rows]) + "\n")
    rows = [f"{name}\t{fold[name]}" for name in world.people]
    (tmp_path / "folds.tsv").write_text("\n".join(["sample\tfold", *rows]) + "\n")
    done = finemap_eqtl(
        world.genotypes, world.expression, tmp_path / "F", covariates=tmp_path / "c.tsv",
        folds_file=tmp_path / "folds.tsv", gene=["near"],
    )  # fmt: skip
    left_out = {reason: n for reason, n in done.dropped.items() if "covariates" in reason}
    assert left_out == {
        "covariates that say nothing of the people outside of fold 0": 1,
        "covariates that say nothing of the people outside of fold 1": 1,
    }


def test_a_fold_with_too_few_people_is_named(region_world, tmp_path):
    world = region_world
    rng = np.random.default_rng(2)
    rows = [f"{name}\t" + "\t".join(map(str, rng.normal(size=6))) for name in world.people[:10]]
    (tmp_path / "c.tsv").write_text("\n".join(["id\t" + "\t".join("abcdef"), *rows]) + "\n")
    with pytest.raises(InputError, match=r"c.tsv, people outside of fold 0.*5 people, 6 cov"):
        finemap_eqtl(
            world.genotypes, world.expression, tmp_path / "F", covariates=tmp_path / "c.tsv",
            folds=2, samples=world.people[:10],
        )  # fmt: skip
    with pytest.raises(InputError, match=r"c.tsv: too few.*10 people, 6 cov.*at least 16 people"):
        finemap_eqtl(
            world.genotypes, world.expression, tmp_path / "F", covariates=tmp_path / "c.tsv",
            samples=world.people[:10],
        )  # fmt: skip


def test_a_full_disk_is_told_once(region_world, tmp_path, monkeypatch):
    opened = []

    class Full(pq.ParquetWriter):
        def __init__(self, *given, **more):
            super().__init__(*given, **more)
            opened.append(self)

        def write_table(self, *given, **more):
            raise OSError(errno.ENOSPC, "No space left on device")

        def close(self):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("exprimo.genetics.finemap.signals.pq.ParquetWriter", Full)
    with pytest.raises(StorageError, match="disk is full"):
        finemap_eqtl(region_world.genotypes, region_world.expression, tmp_path / "F")
    assert not (tmp_path / "F").exists()
    assert [one.is_open for one in opened] == [False]
