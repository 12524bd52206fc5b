"""Predicted expression and a trait: from summary statistics as from people."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import numpy as np
import pandas as pd
import pytest

from exprimo.core.errors import InputError, MismatchError
from exprimo.genetics.coloc import predicted_association, twas

USED = [18, 20, 21, 33, 37]  # none is A/T


def test_z_is_that_of_predicted_expression():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 6)) @ rng.normal(size=(6, 6))
    x = (x - x.mean(0)) / x.std(0)
    y = 0.2 * x[:, 0] + rng.normal(size=400)
    y = (y - y.mean()) / y.std()
    w = rng.normal(size=6)
    found = predicted_association(w, x.T @ y / 20, np.corrcoef(x.T))
    assert found.z == pytest.approx(20 * np.corrcoef(x @ w, y)[0, 1])
    assert found.variance == pytest.approx((x @ w).var())


def test_a_null_trait_gives_a_standard_normal():
    rng = np.random.default_rng(1)
    at = np.arange(10)
    ld = 0.8 ** np.abs(at[:, None] - at)
    w, root = rng.normal(size=10), np.linalg.cholesky(ld)
    z = [predicted_association(w, root @ rng.normal(size=10), ld).z for _ in range(2000)]
    assert np.std(z) == pytest.approx(1, abs=0.06)
    assert np.mean(z) == pytest.approx(0, abs=0.08)


def test_weights_that_cancel_are_refused():
    with pytest.raises(InputError, match="does not vary"):
        predicted_association([1.0, -1.0], [2.0, 2.0], np.ones((2, 2)))
    with pytest.raises(MismatchError, match="other variants"):
        predicted_association([1.0], [2.0, 2.0], np.ones((2, 2)))


def _write_gwas(world, path, trait):
    x = world.dosage - world.dosage.mean(1, keepdims=True)
    y = trait - trait.mean()
    z = np.sqrt(len(y)) * (x @ y) / np.sqrt((x**2).sum(1) * (y @ y))
    table = pd.DataFrame(
        {
            "chr": "19", "bp": world.pos, "ea": world.ref, "oa": world.alt,  # all turned
            "z": -z, "p": 0.5,
        }
    )  # fmt: skip
    table.to_csv(path, sep="\t", index=False)


def _write_predictdb(world, path, weights):
    with closing(sqlite3.connect(path)) as file:
        file.execute(
            "CREATE TABLE weights (rsid TEXT, gene TEXT, weight REAL, ref_allele TEXT, "
            "eff_allele TEXT, varID TEXT)"
        )
        file.execute("CREATE TABLE extra (gene TEXT)")
        file.executemany("INSERT INTO extra VALUES (?)", [("near",), ("elsewhere",)])
        rows = [
            (f"rs{at}", "near", w, world.ref[at], world.alt[at],
             f"chr19_{world.pos[at]}_{world.ref[at]}_{world.alt[at]}_b38")
            for at, w in zip(USED, weights, strict=True)
        ]  # fmt: skip
        rows.append(("rs1", "elsewhere", 1.0, "A", "G", "chr19_900000_A_G_b38"))
        file.executemany("INSERT INTO weights VALUES (?, ?, ?, ?, ?, ?)", rows)
        file.commit()


@pytest.fixture
def trait(region_world):
    return region_world.values[0] + np.random.default_rng(5).normal(0, 4, 240)


def test_weights_per_allele(region_world, trait, tmp_path):
    world, weights = region_world, [0.3, 0.7, -0.2, 0.1, 0.4]
    _write_gwas(world, tmp_path / "gwas.tsv", trait)
    _write_predictdb(world, tmp_path / "model.db", weights)
    done = twas(tmp_path / "model.db", tmp_path / "gwas.tsv", world.genotypes, tmp_path / "T")
    assert (done.n_genes, done.counts) == (1, {"genes whose variants do not vary in the panel": 1})
    row = pd.read_parquet(tmp_path / "T" / "genes.parquet").iloc[0]
    predicted = np.array(weights) @ world.dosage[USED]
    expected = np.sqrt(240) * np.corrcoef(predicted, trait)[0, 1]
    assert row["twas_z"] == pytest.approx(expected, rel=1e-6)
    assert (row["gene_id"], row["n_weights"], row["n_used"]) == ("near", 5, 5)
    assert row["variance_used"] == pytest.approx(1)
    assert done.best[0][0] == "near"


def test_a_variant_without_association_is_told(region_world, trait, tmp_path):
    world = region_world
    _write_gwas(world, tmp_path / "gwas.tsv", trait)
    table = pd.read_csv(tmp_path / "gwas.tsv", sep="\t")
    table.drop(index=[20, 33]).to_csv(tmp_path / "gwas.tsv", sep="\t", index=False)
    _write_predictdb(world, tmp_path / "model.db", [0.3, 0.7, -0.2, 0.1, 0.4])
    twas(tmp_path / "model.db", tmp_path / "gwas.tsv", world.genotypes, tmp_path / "T")
    row = pd.read_parquet(tmp_path / "T" / "genes.parquet").iloc[0]
    assert (row["n_weights"], row["n_used"]) == (5, 3)
    assert 0 < row["variance_used"] < 1


def test_ambiguous_weights_are_in_the_whole(region_world, trait, tmp_path):
    world = region_world
    ambiguous = next(
        at for at in range(len(world.ref)) if {world.ref[at], world.alt[at]} == {"A", "T"}
    )
    places = [*USED[:2], ambiguous]
    _write_gwas(world, tmp_path / "gwas.tsv", trait)
    lines = ["gene_id\tCHR\tSNP\tCM\tPOS\tA1\tA2\tenet"]
    for at in places:
        cells = [
            "ENSG00000130203.2",
            "19",
            f"v{at}",
            "0",
            str(world.pos[at]),
            world.alt[at],
            world.ref[at],
        ]
        lines.append("\t".join([*cells, "0.5"]))
    lines.append("ENSG00000130203.2\t19\tlost\t0\t" + f"{world.pos[20] + 1}\tA\tG\t0.5")
    (tmp_path / "near.tsv").write_text("\n".join(lines) + "\n")
    files = (tmp_path / "near.tsv", tmp_path / "gwas.tsv", world.genotypes)
    done = twas(*files, tmp_path / "T", gene=["ENSG00000130203.7"])
    row = pd.read_parquet(tmp_path / "T" / "genes.parquet").iloc[0]
    assert (row["n_weights"], row["n_used"], row["n_missing_panel"]) == (4, 2, 1)
    scaled = world.dosage[places] / world.dosage[places].std(1, keepdims=True)
    share = scaled[:2].sum(0).var() / scaled.sum(0).var()
    assert row["variance_used"] == pytest.approx(share, rel=1e-6)
    assert done.counts["weights of A/T and C/G variants"] == 1
    twas(*files, tmp_path / "K", ambiguous="keep")
    kept = pd.read_parquet(tmp_path / "K" / "genes.parquet").iloc[0]
    assert (kept["n_used"], kept["variance_used"]) == (3, pytest.approx(1))


def test_fusion_weights_are_of_scaled_genotypes(region_world, trait, tmp_path):
    world, weights = region_world, np.array([0.3, 0.7, -0.2, 0.1, 0.4])
    _write_gwas(world, tmp_path / "gwas.tsv", trait)
    lines = ["gene_id\tCHR\tSNP\tCM\tPOS\tA1\tA2\tenet\ttop1"]
    for at, w in zip(USED, weights.tolist(), strict=True):
        cells = ["near", "19", f"v{at}", "0", str(world.pos[at]), world.alt[at], world.ref[at]]
        lines.append("\t".join([*cells, repr(w), repr(w)]))
    (tmp_path / "near.tsv").write_text("\n".join(lines) + "\n")
    twas(tmp_path / "near.tsv", tmp_path / "gwas.tsv", world.genotypes, tmp_path / "T")
    rows = pd.read_parquet(tmp_path / "T" / "genes.parquet").set_index("model")
    row = rows.loc["enet"]
    used = world.dosage[USED]
    predicted = (weights / used.std(1)) @ used
    expected = np.sqrt(240) * np.corrcoef(predicted, trait)[0, 1]
    assert row["twas_z"] == pytest.approx(expected, rel=1e-6)
    top = rows.loc["top1"]  # one variant's weight: its own association
    assert (top["n_used"], top["twas_z"]) == (1, pytest.approx(top["top_gwas_z"]))


def test_genes_that_are_not_there_are_refused(region_world, trait, tmp_path):
    _write_gwas(region_world, tmp_path / "gwas.tsv", trait)
    _write_predictdb(region_world, tmp_path / "model.db", [1.0] * 5)
    with pytest.raises(InputError, match="no weights are left"):
        twas(
            tmp_path / "model.db", tmp_path / "gwas.tsv", region_world.genotypes, tmp_path / "T",
            gene=["APOE"],
        )  # fmt: skip


def test_associations_of_several_genes_are_no_trait(region_world, trait, tmp_path):
    world = region_world
    _write_gwas(world, tmp_path / "gwas.tsv", trait)
    table = pd.read_csv(tmp_path / "gwas.tsv", sep="\t")
    both = [table.assign(gene_id="near"), table.assign(gene_id="noise", z=0)]
    pd.concat(both).to_csv(tmp_path / "two.tsv", sep="\t", index=False)
    _write_predictdb(world, tmp_path / "model.db", [0.3, 0.7, -0.2, 0.1, 0.4])
    with pytest.raises(InputError, match=r"two.tsv: associations of several genes.*--gene"):
        twas(tmp_path / "model.db", tmp_path / "two.tsv", world.genotypes, tmp_path / "T")
    alone = twas(tmp_path / "model.db", tmp_path / "gwas.tsv", world.genotypes, tmp_path / "A")
    chosen = twas(
        tmp_path / "model.db", tmp_path / "two.tsv", world.genotypes, tmp_path / "T", gene=["near"]
    )
    assert chosen.best[0][2] == pytest.approx(alone.best[0][2])


def test_associations_without_a_direction_are_counted(region_world, trait, tmp_path):
    world = region_world
    _write_gwas(world, tmp_path / "gwas.tsv", trait)
    table = pd.read_csv(tmp_path / "gwas.tsv", sep="\t")
    table.loc[[20, 33], ["z", "p"]] = [np.nan, 0.0]
    table.to_csv(tmp_path / "gwas.tsv", sep="\t", index=False)
    _write_predictdb(world, tmp_path / "model.db", [0.3, 0.7, -0.2, 0.1, 0.4])
    done = twas(tmp_path / "model.db", tmp_path / "gwas.tsv", world.genotypes, tmp_path / "T")
    assert done.counts["associations without a z-score"] == 2
