"""Two causal variants of a gene, of which a trait shares one."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest
import typer
from scipy import stats
from scipy.special import logsumexp
from typer.testing import CliRunner

from exprimo.cli.genetics import coloc
from exprimo.core.errors import ConfigError, InputError
from exprimo.core.files.origin import column_sources
from exprimo.genetics.coloc import Trait, colocalise, colocalise_factors
from exprimo.genetics.eqtl import map_eqtl
from exprimo.genetics.finemap import finemap_eqtl, finemap_summary

STRONG, SHARED, OTHER = 10, 40, 25


def _associations(world, trait, path):
    fits = [stats.linregress(x, trait) for x in world.dosage]
    pd.DataFrame(
        {
            "chromosome": 19, "base_pair_location": world.pos, "effect_allele": world.ref,
            "other_allele": world.alt, "beta": [-fit.slope for fit in fits],
            "standard_error": [fit.stderr for fit in fits], "p_value": [f.pvalue for f in fits],
            "n": len(trait), "eaf": 1 - world.dosage.mean(1) / 2,
        }
    ).to_csv(path, sep="\t", index=False)  # fmt: skip
    return path


@pytest.fixture(scope="module")
def files(region_world, tmp_path_factory):
    """Give the mapping, the fine-mapping, and a trait that shares the weaker variant."""
    world, folder = region_world, tmp_path_factory.mktemp("signals")
    rng = np.random.default_rng(8)
    values = 1.5 * world.dosage[STRONG] - 0.7 * world.dosage[SHARED] + rng.normal(size=240)
    alone = 0.9 * world.dosage[OTHER] + rng.normal(size=240)
    lines = ["#chr\tstart\tend\tgene_id\t" + "\t".join(world.people)]
    for gene, start, row in (("two", 12_000, values), ("alone", 12_400, alone)):
        lines.append(f"19\t{start}\t{start + 1}\t{gene}\t" + "\t".join(map(repr, row.tolist())))
    (folder / "e.bed").write_text("\n".join(lines) + "\n")
    map_eqtl(
        world.genotypes, folder / "e.bed", folder / "EQTL", permutations=0, conditional=False,
        threads=1,
    )  # fmt: skip
    finemap_eqtl(world.genotypes, folder / "e.bed", folder / "F", threads=1)
    trait = 0.8 * world.dosage[SHARED] + rng.normal(size=240)
    _associations(world, trait, folder / "g.tsv")
    return folder


def test_bayes_factors_of_all_variants_are_kept(files):
    rows = pd.read_parquet(files / "F" / "signals.parquet")
    sets = pd.read_parquet(files / "F" / "credible_sets.parquet")
    assert rows.groupby(["phenotype_id", "cs_id"]).size().to_dict() == {
        ("two", 1): 50, ("two", 2): 50, ("alone", 1): 50,
    }  # fmt: skip
    assert column_sources(files / "F" / "signals.parquet")["log_bf"] == ["p_value"]
    for one in sets.itertuples():
        here = rows[(rows["phenotype_id"] == one.phenotype_id) & (rows["cs_id"] == one.cs_id)]
        # The single-effect model weighs all variants alike (Wang et al. 2020, eq. 7).
        assert logsumexp(here["log_bf"]) - np.log(50) == pytest.approx(one.log_bf)
        assert here.loc[here["log_bf"].idxmax(), "variant_id"] == one.top
    shared = rows[(rows["phenotype_id"] == "two") & (rows["variant_id"] == f"v{SHARED}")]
    assert shared.loc[shared["log_bf"].idxmax(), "direction"] == -1


def test_one_causal_variant_a_gene_misses_what_signals_find(files, tmp_path):
    plain = colocalise(files / "EQTL", files / "g.tsv", tmp_path / "P")
    found = colocalise(files / "F", files / "g.tsv", tmp_path / "C", gwas_trait=Trait(sd=1.1))
    assert (plain.n_genes, plain.n_shared, plain.n_distinct, plain.n_pairs) == (2, 0, 2, 2)
    assert (found.n_genes, found.n_shared, found.n_distinct, found.n_pairs) == (2, 1, 1, 3)
    assert pd.read_parquet(tmp_path / "P" / "genes.parquet")["pp_h4"].max() < 0.01
    pairs = pd.read_parquet(tmp_path / "C" / "pairs.parquet")
    best = pairs.iloc[0]
    assert (best["phenotype_id"], best["top_variant"]) == ("two", f"v{SHARED}")
    assert best["pp_h4"] > 0.9
    # The allele that raises the trait lowers expression; the trait's table counts REF.
    assert best["top_direction"] == -1
    others = pairs.iloc[1:]
    assert (others["pp_h3"] > 0.9).all()
    genes = pd.read_parquet(tmp_path / "C" / "genes.parquet")
    assert genes["phenotype_id"].tolist() == ["two", "alone"]
    assert genes["signal"].iloc[0] == best["signal"]
    assert (genes["trait_signal"] == 0).all()


def test_signals_on_both_sides(region_world, files, tmp_path):
    trait = region_world.dosage[SHARED] + 0.9 * region_world.dosage[OTHER]
    trait = trait + np.random.default_rng(2).normal(size=240)
    gwas = _associations(region_world, trait, tmp_path / "g.tsv")
    finemap_summary(
        gwas, region_world.genotypes, tmp_path / "G", region="19:1-100000", in_sample=True,
        ambiguous="keep",
    )  # fmt: skip
    done = colocalise(files / "F", tmp_path / "G", tmp_path / "C")
    assert (done.n_genes, done.n_pairs, done.n_shared) == (2, 6, 2)
    pairs = pd.read_parquet(tmp_path / "C" / "pairs.parquet")
    shared = pairs[pairs["pp_h4"] > 0.8]
    assert dict(zip(shared["phenotype_id"], shared["top_variant"], strict=True)) == {
        "two": f"v{SHARED}", "alone": f"v{OTHER}",
    }  # fmt: skip
    # By hand, from the two tables of Bayes factors.
    ours, theirs = (
        pd.read_parquet(folder / "signals.parquet") for folder in (files / "F", tmp_path / "G")
    )
    one = ours[ours["phenotype_id"] == "alone"].set_index("pos")["log_bf"]
    two = theirs[theirs["cs_id"] == 1].set_index("pos")["log_bf"]
    hand = colocalise_factors(one.loc[two.index], two)
    row = pairs[(pairs["phenotype_id"] == "alone") & (pairs["trait_signal"] == 1)].iloc[0]
    assert row["pp_h4"] == pytest.approx(hand.h4, rel=1e-9)
    assert row["pp_h3"] == pytest.approx(hand.h3, rel=1e-9)
    # Another tissue: signals of the same gene alone are compared.
    same = colocalise(files / "F", files / "F", tmp_path / "S")
    assert (same.n_genes, same.n_pairs, same.n_shared) == (2, 5, 2)


def test_a_signal_whose_variants_the_trait_lacks_is_left_out(region_world, files, tmp_path):
    table = pd.read_csv(files / "g.tsv", sep="\t")
    near = np.abs(table["base_pair_location"] - region_world.pos[STRONG]) < 500
    table[~near].to_csv(tmp_path / "g.tsv", sep="\t", index=False)
    done = colocalise(files / "F", tmp_path / "g.tsv", tmp_path / "C")
    assert done.n_pairs == 2
    assert done.counts["pairs of signals, one mostly of variants that the other lacks"] == 1


def test_what_is_no_folder_of_signals(files, tmp_path):
    old = tmp_path / "OLD"
    shutil.copytree(files / "F", old)
    (old / "signals.parquet").unlink()
    with pytest.raises(InputError, match=r"without the Bayes factors.*again"):
        colocalise(old, files / "g.tsv", tmp_path / "C")
    with pytest.raises(InputError, match="no signal is left"):
        colocalise(files / "F", files / "g.tsv", tmp_path / "C", gene=["APOE"])


def test_the_command_takes_signals_in_place_of_tables(files, tmp_path):
    group = typer.Typer()
    coloc.register(group)

    def run(*words):
        line = ["coloc", *map(str, words), "-o", str(tmp_path / "C")]
        return CliRunner().invoke(group, line, catch_exceptions=False)

    done = run("--signals", files / "F", "--gwas", files / "g.tsv")
    assert "of 2 genes 1 share a causal variant with the trait" in done.output
    assert "3 pairs of signals" in done.output
    with pytest.raises(ConfigError, match=r"neither.*--gwas or --gwas-signals"):
        run("--signals", files / "F")
    with pytest.raises(ConfigError, match=r"both.*--eqtl or --signals"):
        run("--signals", files / "F", "--eqtl", files / "EQTL", "--gwas", files / "g.tsv")
    with pytest.raises(InputError, match="not a folder of fine-mapping"):
        run("--signals", files / "EQTL", "--gwas", files / "g.tsv")
