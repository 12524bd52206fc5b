"""Personal predictions: who gets which number, and that each haplotype is computed once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from exprimo.core.errors import ConfigError, MismatchError
from exprimo.core.sequence import decode, encode, reverse_complement


def test_a_row_for_each_gene_person_haplotype_and_track(
    world: Any, tmp_path: Path, model: Any
) -> None:
    done = world.run(tmp_path / "P.parquet")
    table = pd.read_parquet(tmp_path / "P.parquet")
    assert list(table.columns) == [
        "gene_id", "individual", "haplotype", "track", "prediction", "haplotype_id"
    ]  # fmt: skip
    # Men have one X here: 3 autosomal genes x 4 people x 2, and 2 + 1 + 1 + 2 copies of gx.
    assert len(table) == done.n_rows == 2 * (3 * 4 * 2 + 6)
    assert table["track"].iloc[:2].tolist() == ["liver", "blood"]
    assert (done.n_genes, done.n_people, done.tracks) == (4, 4, ("liver", "blood"))
    assert done.dropped == {"on a chromosome without genotypes": 1}
    of_x = table[table["gene_id"].eq("gx") & table["track"].eq("blood")]
    assert of_x.groupby("individual")["haplotype"].agg(list).to_dict() == {
        "ann": [1, 2], "bob": [1], "cy": [1], "dee": [1, 2]
    }  # fmt: skip
    # Each distinct haplotype is predicted once; g3 has no variant, so one for all.
    n_distinct = table.groupby("gene_id")["haplotype_id"].nunique()
    assert n_distinct.to_dict() == {"g1": 4, "g2": 2, "g3": 1, "gx": 2}
    assert model.rows == done.n_haplotypes == 9


def test_predictions_are_those_of_each_persons_sequences(
    world: Any, tmp_path: Path, model: Any
) -> None:
    world.run(tmp_path / "P.parquet")
    table = pd.read_parquet(tmp_path / "P.parquet").set_index(
        ["gene_id", "individual", "haplotype"]
    )
    for gene in ("g1", "g2", "g3", "gx"):
        expected = model.truth(world.reference(gene))
        np.testing.assert_allclose(table.loc[(gene, "cy", 1), "prediction"], expected, rtol=1e-5)
    # ann's first copy of g1 is the reference; the second has the SNP at 95 and the insertion
    # behind 103, which moves what follows downstream.
    window = world.reference("g1")
    snp = {"A": "C", "C": "G", "G": "T", "T": "A"}[window[7]]
    with_snp = window[:7] + snp + window[8:]
    with_both = (with_snp[:16] + "TT" + with_snp[16:])[: len(window)]
    np.testing.assert_allclose(
        table.loc[("g1", "ann", 1), "prediction"], model.truth(window), rtol=1e-5
    )
    np.testing.assert_allclose(
        table.loc[("g1", "ann", 2), "prediction"], model.truth(with_both), rtol=1e-5
    )
    np.testing.assert_allclose(
        table.loc[("g1", "bob", 1), "prediction"], model.truth(with_snp), rtol=1e-5
    )
    # On the minus strand a deletion of 206-207 lies upstream: bases come in from further up.
    text = (world / "g.fa").read_text().split("\n")[1]
    edited = text[:206] + text[208:]
    tss, minus = world.tss("g2"), slice(world.tss("g2") - model.downstream + 1, None)
    deleted = decode(reverse_complement(encode(edited[minus][: len(window)])))
    assert tss < 205
    np.testing.assert_allclose(
        table.loc[("g2", "ann", 1), "prediction"], model.truth(deleted), rtol=1e-5
    )
    np.testing.assert_allclose(
        table.loc[("g2", "ann", 2), "prediction"], model.truth(world.reference("g2")), rtol=1e-5
    )


def test_the_mean_gives_one_row_a_person(world: Any, tmp_path: Path, model: Any) -> None:
    world.run(tmp_path / "E.parquet")
    world.run(tmp_path / "M.parquet", haplotypes="mean")
    each = pd.read_parquet(tmp_path / "E.parquet")
    mean = pd.read_parquet(tmp_path / "M.parquet")
    assert list(mean.columns) == ["gene_id", "individual", "track", "prediction"]
    keys = ["gene_id", "individual", "track"]
    expected = each.groupby(keys)["prediction"].mean()
    found = mean.set_index(keys)["prediction"]
    assert len(found) == len(expected) == 4 * 4 * 2
    np.testing.assert_allclose(found.loc[expected.index], expected, rtol=1e-6)


def test_both_published_designs_are_parts_of_the_same_table(
    world: Any, tmp_path: Path, model: Any
) -> None:
    world.run(tmp_path / "P.parquet")
    whole = pd.read_parquet(tmp_path / "P.parquet")
    world.run(tmp_path / "G.parquet", gene=["g2"])
    one_gene = pd.read_parquet(tmp_path / "G.parquet")
    pd.testing.assert_frame_equal(one_gene, whole[whole["gene_id"] == "g2"].reset_index(drop=True))
    world.run(tmp_path / "I.parquet", samples=["bob"])
    one_person = pd.read_parquet(tmp_path / "I.parquet")
    pd.testing.assert_frame_equal(
        one_person, whole[whole["individual"] == "bob"].reset_index(drop=True)
    )
    (tmp_path / "names.txt").write_text("dee\nbob\n")
    world.run(tmp_path / "N.parquet", gene=["g1"], samples=tmp_path / "names.txt")
    assert pd.read_parquet(tmp_path / "N.parquet")["individual"].unique().tolist() == ["dee", "bob"]


def test_where_phase_is_not_known(world: Any, tmp_path: Path, model: Any) -> None:
    open_phase = {"genotypes": world / "unphased.vcf", "gene": ["g1"]}
    with pytest.raises(MismatchError, match="phase is needed"):
        world.run(tmp_path / "P.parquet", **open_phase)
    with pytest.raises(ConfigError, match="predicts people, not haplotypes"):
        world.run(tmp_path / "P.parquet", **open_phase, unphased="mixture")
    with pytest.raises(ConfigError, match="not a way to treat unphased"):
        world.run(tmp_path / "P.parquet", **open_phase, unphased=0)

    world.run(tmp_path / "R.parquet", **open_phase, unphased=8)
    table = pd.read_parquet(tmp_path / "R.parquet")
    assert list(table.columns)[4:] == ["prediction", "prediction_sd", "haplotype_id"]
    spread = table[table["track"] == "liver"].set_index(["individual", "haplotype"])
    # cy has no variant and bob one heterozygous: whichever copy of his carries it is drawn.
    assert spread.loc["cy", "prediction_sd"].tolist() == [0, 0]
    assert spread.loc[("cy", 1), "haplotype_id"] == spread.loc[("cy", 2), "haplotype_id"]
    assert (spread.loc["ann", "prediction_sd"] > 0).all()
    assert spread.loc["ann", "haplotype_id"].isna().all()

    world.run(tmp_path / "M.parquet", **open_phase, unphased=8, haplotypes="mean")
    means = pd.read_parquet(tmp_path / "M.parquet")
    means = means[means["track"] == "liver"].set_index("individual")
    expected = spread.groupby("individual")["prediction"].mean()
    np.testing.assert_allclose(means["prediction"], expected.loc[means.index], rtol=1e-5)
    # Which copy is which does not matter to the sum over the copies of bob and cy.
    np.testing.assert_allclose(means.loc[["bob", "cy"], "prediction_sd"], 0, atol=1e-6)


def test_a_mixture_adds_effects_of_single_variants(world: Any, tmp_path: Path, model: Any) -> None:
    world.run(
        tmp_path / "M.tsv",
        genotypes=world / "unphased.vcf",
        gene=["g1"],
        unphased="mixture",
        haplotypes="mean",
    )
    table = pd.read_csv(tmp_path / "M.tsv", sep="\t").set_index(["individual", "track"])
    window = world.reference("g1")
    snp = {"A": "C", "C": "G", "G": "T", "T": "A"}[window[7]]
    with_snp = window[:7] + snp + window[8:]
    inserted = (window[:16] + "TT" + window[16:])[: len(window)]
    base, one, two = (model.truth(text)[0] for text in (window, with_snp, inserted))
    assert table.loc[("cy", "liver"), "prediction"] == pytest.approx(base, rel=1e-5)
    # Dosages 1 and 1 of ann, 2 and 1 of bob; a person is the mean over two copies.
    ann = base + 0.5 * (one - base) + 0.5 * (two - base)
    bob = base + (one - base) + 0.5 * (two - base)
    assert table.loc[("ann", "liver"), "prediction"] == pytest.approx(ann, rel=1e-5)
    assert table.loc[("bob", "liver"), "prediction"] == pytest.approx(bob, rel=1e-5)
