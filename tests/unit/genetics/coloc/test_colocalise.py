"""Genes and a trait from tables: shared, distinct and absent causal variants."""

from __future__ import annotations

import errno
import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from exprimo.core.errors import ConfigError, InputError, MismatchError, StorageError
from exprimo.core.files.origin import column_sources
from exprimo.genetics.coloc import Trait, colocalise
from exprimo.genetics.eqtl import map_eqtl


def _associations(world, trait):
    fits = [stats.linregress(x, trait) for x in world.dosage]
    return pd.DataFrame(
        {
            "chromosome": 19, "base_pair_location": world.pos, "effect_allele": world.ref,
            "other_allele": world.alt, "beta": [-fit.slope for fit in fits],
            "standard_error": [fit.stderr for fit in fits], "p_value": [f.pvalue for f in fits],
            "effect_allele_frequency": 1 - world.dosage.mean(1) / 2, "n": len(trait),
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def eqtl(region_world, tmp_path_factory):
    folder = tmp_path_factory.mktemp("eqtl") / "EQTL"
    map_eqtl(
        region_world.genotypes, region_world.expression, folder,
        covariates=region_world.covariates, permutations=0, threads=1,
    )  # fmt: skip
    return folder


def _trait(world, at, seed=3):
    return 0.9 * world.dosage[at] + np.random.default_rng(seed).normal(size=240)


def test_a_shared_variant(region_world, eqtl, tmp_path):
    _associations(region_world, _trait(region_world, 20)).to_csv(
        tmp_path / "g.tsv", sep="\t", index=False
    )
    done = colocalise(eqtl, tmp_path / "g.tsv", tmp_path / "C")
    assert (done.n_genes, done.n_shared) == (2, 1)
    assert done.best[0][0] == "near"
    table = pd.read_parquet(tmp_path / "C" / "genes.parquet").set_index("phenotype_id")
    assert table.loc["near", "pp_h4"] > 0.9
    assert table.loc["near", "top_variant"] == "v20"
    assert table.loc["near", "top_direction"] == 1  # turned alleles are turned back
    assert table.loc["noise", "pp_h4"] < 0.2
    np.testing.assert_allclose(table.filter(like="pp_h").sum(axis=1), 1)
    shared = pd.read_parquet(tmp_path / "C" / "variants.parquet")
    assert shared.loc[shared["phenotype_id"] == "near", "shared"].sum() > 0.95
    facts = json.loads((tmp_path / "C" / "summary.json").read_text())
    assert facts["counts"]["swapped alleles"] == 100


def test_two_variants(region_world, eqtl, tmp_path):
    _associations(region_world, _trait(region_world, 40)).to_csv(
        tmp_path / "g.tsv", sep="\t", index=False
    )
    done = colocalise(eqtl, tmp_path / "g.tsv", tmp_path / "C", gene=["near"])
    assert (done.n_genes, done.n_shared, done.n_distinct) == (1, 0, 1)


def test_p_values_alone_tell_nearly_the_same(region_world, eqtl, tmp_path):
    table = _associations(region_world, _trait(region_world, 20))
    table.drop(columns=["beta", "standard_error"]).to_csv(tmp_path / "p.tsv", sep="\t")
    done = colocalise(eqtl, tmp_path / "p.tsv", tmp_path / "C", gene=["near"])
    assert done.best[0][1] > 0.9


def test_cases_need_their_share_without_effects(region_world, eqtl, tmp_path):
    table = _associations(region_world, _trait(region_world, 20))
    table.drop(columns=["beta", "standard_error"]).to_csv(tmp_path / "p.tsv", sep="\t")
    with pytest.raises(ConfigError, match="share of cases"):
        colocalise(eqtl, tmp_path / "p.tsv", tmp_path / "C", gwas_trait=Trait("case-control"))


def test_an_unknown_standard_deviation_is_refused(region_world, eqtl, tmp_path):
    table = _associations(region_world, _trait(region_world, 20)).drop(columns="n")
    table.to_csv(tmp_path / "g.tsv", sep="\t", index=False)
    with pytest.raises(ConfigError, match="standard deviation is not told"):
        colocalise(eqtl, tmp_path / "g.tsv", tmp_path / "C")
    done = colocalise(eqtl, tmp_path / "g.tsv", tmp_path / "C", gwas_trait=Trait(sd=1.0))
    assert done.n_genes == 2


def test_other_places_are_refused(region_world, eqtl, tmp_path):
    table = _associations(region_world, _trait(region_world, 20))
    table["base_pair_location"] += 1
    table.iloc[[0]].to_csv(tmp_path / "g.tsv", sep="\t", index=False)
    with pytest.raises((InputError, MismatchError)):
        colocalise(eqtl, tmp_path / "g.tsv", tmp_path / "C")
    with pytest.raises(InputError, match=r"no such gene.*APOE.*near"):
        colocalise(eqtl, tmp_path / "g.tsv", tmp_path / "C", gene=["APOE"])


def test_a_chromosome_that_the_trait_lacks(region_world, eqtl, tmp_path):
    folder = tmp_path / "EQTL" / "nominal"
    folder.mkdir(parents=True)
    pairs = pd.read_parquet(eqtl / "nominal" / "19.parquet")
    pairs.to_parquet(folder / "19.parquet")
    pairs.assign(chrom="7", phenotype_id="far").to_parquet(folder / "7.parquet")
    _associations(region_world, _trait(region_world, 20)).to_csv(
        tmp_path / "g.tsv", sep="\t", index=False
    )
    done = colocalise(
        tmp_path / "EQTL", tmp_path / "g.tsv", tmp_path / "C", eqtl_trait=Trait(n=240)
    )
    assert done.n_genes == 2
    assert done.counts["genes without a variant in both tables"] == 1


def test_a_trait_that_cannot_be(eqtl, tmp_path):
    for trait in (Trait("case-control", case_share=5), Trait(n=-1), Trait(sd=0)):
        with pytest.raises(ConfigError, match="trait: a trait that cannot be"):
            colocalise(eqtl, tmp_path / "g.tsv", tmp_path / "C", gwas_trait=trait)


def test_a_trait_of_several_genes_is_refused_unless_one_is_chosen(eqtl, tmp_path):
    with pytest.raises(InputError, match=r"several genes.*near, noise.*--gene"):
        colocalise(eqtl, eqtl, tmp_path / "C", gwas_trait=Trait(sd=1))
    done = colocalise(eqtl, eqtl, tmp_path / "C", gene=["near"], gwas_trait=Trait(sd=1))
    assert done.best[0][1] > 0.9


def test_a_repeated_row_is_one_row(region_world, eqtl, tmp_path):
    table = _associations(region_world, _trait(region_world, 20))
    pd.concat([table, table.iloc[[20, 21]]]).to_csv(tmp_path / "g.tsv", sep="\t", index=False)
    table.to_csv(tmp_path / "once.tsv", sep="\t", index=False)
    twice = colocalise(eqtl, tmp_path / "g.tsv", tmp_path / "C", gene=["near"])
    once = colocalise(eqtl, tmp_path / "once.tsv", tmp_path / "O", gene=["near"])
    assert twice.best == once.best
    assert twice.counts["rows that repeat another word for word"] == 2


def test_a_p_of_0_is_left_out_and_counted(region_world, eqtl, tmp_path):
    table = _associations(region_world, _trait(region_world, 20)).drop(columns="standard_error")
    table.loc[[20, 21], "p_value"] = 0
    table.to_csv(tmp_path / "g.tsv", sep="\t", index=False)
    done = colocalise(eqtl, tmp_path / "g.tsv", tmp_path / "C", gene=["near"])
    assert done.counts["associations whose strength is not told"] == 2
    table["neg_log_10_p_value"] = -np.log10(table["p_value"].clip(1e-300))
    table.loc[[20, 21], "neg_log_10_p_value"] = [400.0, 390.0]
    table.to_csv(tmp_path / "l.tsv", sep="\t", index=False)
    told = colocalise(eqtl, tmp_path / "l.tsv", tmp_path / "L", gene=["near"])
    assert "associations whose strength is not told" not in told.counts


def test_an_unknown_gene_among_others_is_counted(region_world, eqtl, tmp_path):
    table = _associations(region_world, _trait(region_world, 20))
    table.to_csv(tmp_path / "g.tsv", sep="\t", index=False)
    done = colocalise(eqtl, tmp_path / "g.tsv", tmp_path / "C", gene=["near", "zz"])
    assert done.counts["genes asked for without associations"] == 1


def test_columns_made_from_p_say_so(region_world, eqtl, tmp_path):
    table = _associations(region_world, _trait(region_world, 20))
    table.to_csv(tmp_path / "g.tsv", sep="\t", index=False)
    colocalise(eqtl, tmp_path / "g.tsv", tmp_path / "C")
    for name in ("shared", "log_bf_expression", "log_bf_trait"):
        assert column_sources(tmp_path / "C" / "variants.parquet")[name] == ["p_value"]


def test_a_full_disk_is_told_of_the_folder_asked_for(region_world, eqtl, tmp_path, monkeypatch):
    def full(*given, **more):
        raise OSError(errno.ENOSPC, "No space left on device")

    table = _associations(region_world, _trait(region_world, 20))
    table.to_csv(tmp_path / "g.tsv", sep="\t", index=False)
    monkeypatch.setattr("exprimo.core.files.origin.pq.write_table", full)
    with pytest.raises(StorageError, match=r"/C/genes.parquet: the disk is full"):
        colocalise(eqtl, tmp_path / "g.tsv", tmp_path / "C")
