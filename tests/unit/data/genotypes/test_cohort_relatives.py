"""Relatives and components: planted families and populations, and what plink2 says of them."""

from __future__ import annotations

import io
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest

from exprimo.data.genotypes import open_genotypes
from exprimo.data.genotypes.cohort import (
    principal_components,
    related_pairs,
    summarise_cohort,
    unlinked,
    variant_statistics,
)
from exprimo.data.genotypes.cohort.kinship import chance_kinship, kinship_tiles
from exprimo.data.genotypes.cohort.thinning import EvenSample

N_VARIANTS, N_FOUNDERS = 4000, 40


def _child(rng, mother, father):
    """Take one copy of each parent at every variant: unlinked, as they are made here."""
    rows = np.arange(len(mother))
    return np.stack(
        [mother[rows, rng.integers(0, 2, len(rows))], father[rows, rng.integers(0, 2, len(rows))]],
        axis=1,
    )


@pytest.fixture(scope="module")
def people():
    """Founders of two populations, and a family: alleles (variants, samples, 2), and names."""
    rng = np.random.default_rng(5)
    p = rng.uniform(0.15, 0.85, N_VARIANTS)
    other = np.clip(p + rng.normal(0, 0.15, N_VARIANTS), 0.1, 0.9)
    half = N_FOUNDERS // 2
    alleles = [rng.random((N_VARIANTS, half, 2)) < q[:, None, None] for q in (p, other)]
    founders = np.concatenate(alleles, axis=1).astype(np.int8)
    one, two = (_child(rng, founders[:, 0], founders[:, 1]) for _ in range(2))
    niece = _child(rng, one, founders[:, 2])
    twin = founders[:, 5].copy()
    whole = np.concatenate([founders, np.stack([one, two, niece, twin], axis=1)], axis=1)
    names = [*(f"f{n}" for n in range(N_FOUNDERS)), "one", "two", "niece", "twin"]
    return whole.astype(np.int8), names


def _codes(alleles):
    return np.where((alleles < 0).any(axis=2), 3, alleles.sum(axis=2)).astype(np.int8)


def test_the_planted_family_is_found(people):
    alleles, names = people
    found = related_pairs(_codes(alleles), names)
    relations = {frozenset(row[:2]): row[5] for row in found.itertuples(index=False)}
    assert relations.pop(frozenset(("f5", "twin"))) == "duplicates or twins"
    assert relations.pop(frozenset(("one", "two"))) == "siblings"
    for pair in (("f0", "one"), ("f1", "two"), ("f0", "two"), ("f1", "one"), ("one", "niece"),
                 ("f2", "niece")):  # fmt: skip
        assert relations.pop(frozenset(pair)) == "parent and child"
    for pair in (("two", "niece"), ("f0", "niece"), ("f1", "niece")):
        assert relations.pop(frozenset(pair)) == "second degree"
    assert relations == {}


def test_tiles_do_not_change_kinship(people, monkeypatch):
    alleles, _ = people
    codes = _codes(alleles)
    whole = next(kinship_tiles(codes))[2]
    monkeypatch.setattr("exprimo.data.genotypes.cohort.kinship._TILE", 13)
    monkeypatch.setattr("exprimo.data.genotypes.cohort.kinship._CHUNK", 700)
    for left, right, tile in kinship_tiles(codes):
        np.testing.assert_allclose(
            tile, whole[left : left + 13, right : right + 13], rtol=0, atol=1e-12
        )


def test_kinship_of_two_by_hand():
    #         both het, opposite, het and hom, hom and het, one missing
    codes = np.array([[1, 1], [0, 2], [1, 0], [1, 2], [2, 1], [1, 3]], np.int8)
    # Σ(x - y)² is 4 + 1 + 1 + 1, the fewer heterozygotes (of the second) 2.
    kinship = next(kinship_tiles(codes))[2]
    assert kinship[0, 1] == pytest.approx(0.5 - 7 / 8)


def test_strangers_do_not_pass_for_relatives():
    rng = np.random.default_rng(6)
    codes = rng.binomial(2, rng.uniform(0.1, 0.9, 300)[:, None], (300, 60)).astype(np.int8)
    bound = chance_kinship(codes, 60 * 59 // 2)
    assert related_pairs(codes, [str(n) for n in range(60)], at_least=bound).empty
    # Without the bound, chance makes relatives.
    assert len(related_pairs(codes, [str(n) for n in range(60)], at_least=0.0884))


def test_linked_variants_go():
    rng = np.random.default_rng(7)
    independent = rng.integers(0, 3, (300, 200)).astype(np.int8)
    codes = np.repeat(independent, 3, axis=0)
    noise = rng.random(codes.shape) < 0.1
    codes[noise] = rng.integers(0, 3, noise.sum())
    start = np.repeat(np.arange(300) * 10_000, 3) + np.tile([0, 1, 2], 300)
    chosen = unlinked(codes, np.zeros(900, int), start)
    assert chosen.reshape(300, 3).sum(axis=1).max() == 1
    assert chosen.sum() > 280
    # On chromosomes of their own, or far apart, they are not linked.
    assert unlinked(codes[:3], np.arange(3), start[:3]).all()
    assert unlinked(codes[:3], np.zeros(3, int), np.arange(3) * 2_000_000).all()


def test_an_even_sample_spans_the_stream():
    rng = np.random.default_rng(8)
    sample = EvenSample(64, 1)
    at = 0
    while at < 5000:
        n = int(rng.integers(1, 90))
        places = np.arange(at, at + n)
        sample.offer(np.zeros((n, 1), np.int8), np.zeros(n, int), places)
        at += n
    starts = sample.variants()[2]
    assert 32 <= len(starts) <= 64
    assert set(np.diff(starts)) == {128}
    assert starts[0] == 0
    assert sample.seen == at


def test_components_separate_populations_and_both_ways_agree(people):
    codes = _codes(people[0])[:, :N_FOUNDERS]
    exact = principal_components(codes, 4)
    first = exact.vectors[:, 0]
    half = N_FOUNDERS // 2
    assert first[:half].min() > first[half:].max() or first[:half].max() < first[half:].min()
    assert exact.eigenvalues[0] > 1.5 * exact.eigenvalues[1]
    random = principal_components(codes, 4, exact=False)
    np.testing.assert_allclose(random.eigenvalues[0], exact.eigenvalues[0], rtol=1e-6)
    np.testing.assert_allclose(random.vectors[:, 0], first, atol=1e-4)
    np.testing.assert_allclose(exact.vectors.T @ exact.vectors, np.eye(4), atol=1e-12)


@pytest.fixture(scope="module")
def against(people, tmp_path_factory):
    """The people as a VCF with missing genotypes, and what plink2 writes about them."""
    if shutil.which("plink2") is None:
        pytest.skip("no plink2 on this machine")
    alleles, names = people
    alleles = alleles.copy()
    alleles[np.random.default_rng(9).random(alleles.shape[:2]) < 0.02] = -1
    folder = tmp_path_factory.mktemp("plink2")
    text = io.StringIO()
    text.write("##fileformat=VCFv4.2\n##contig=<ID=1>\n##contig=<ID=2>\n")
    text.write('##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n')
    text.write("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t" + "\t".join(names) + "\n")
    for v, row in enumerate(alleles):
        cells = ["./." if a < 0 else f"{a}/{b}" for a, b in row]
        place = f"{1 + 2 * v // len(alleles)}\t{1000 * v + 1}\tv{v}\tA\tG\t.\t.\t.\tGT\t"
        text.write(place + "\t".join(cells) + "\n")
    vcf = folder / "people.vcf"
    vcf.write_text(text.getvalue())
    analyses = ["--missing", "--freq", "--hardy", "--het", "--make-king-table", "--bad-freqs"]
    command = [
        "plink2",
        "--vcf",
        vcf,
        "--out",
        folder / "p",
        "--threads",
        "1",
        "--pca",
        "4",
        *analyses,
    ]
    subprocess.run(command, check=True, capture_output=True)

    def table(ending):
        return pd.read_csv(folder / f"p.{ending}", sep="\t")

    return alleles, names, vcf, table


def test_plink2_counts_the_same(against):
    _, names, vcf, table = against
    with open_genotypes(vcf) as genotypes:
        parts = [variant_statistics(block) for block in genotypes.blocks(900)]
        summary = summarise_cohort(genotypes, min_maf=0)
    variants = pd.concat(parts, ignore_index=True)
    np.testing.assert_allclose(variants["alt_frequency"], table("afreq")["ALT_FREQS"], rtol=1e-5)
    np.testing.assert_allclose(variants["missing_share"], table("vmiss")["F_MISS"], rtol=1e-5)
    np.testing.assert_allclose(variants["hardy_p"], table("hardy")["P"], rtol=1e-5)
    assert variants["het"].tolist() == table("hardy")["HET_A1_CT"].tolist()
    people = summary.samples.set_index("sample").loc[names]
    np.testing.assert_allclose(people["missing_share"], table("smiss")["F_MISS"], rtol=1e-5)
    het = table("het")
    assert (people["hom_ref"] + people["hom_alt"]).tolist() == het["O(HOM)"].tolist()
    np.testing.assert_allclose(people["f"], het["F"], atol=2e-4)


def test_plink2_finds_the_same_relatives(against):
    alleles, names, _, table = against
    theirs = table("kin0").rename(columns={"#IID1": "IID1"})
    ours = related_pairs(_codes(alleles), names, at_least=-9)
    kinship = {frozenset(row[:2]): row[2:5] for row in ours.itertuples(index=False)}
    assert len(theirs) == len(kinship) == len(names) * (len(names) - 1) // 2
    pairs = [kinship[frozenset(pair)] for pair in zip(theirs["IID1"], theirs["IID2"], strict=True)]
    np.testing.assert_allclose([pair[0] for pair in pairs], theirs["KINSHIP"], atol=1e-5)
    np.testing.assert_allclose([pair[1] for pair in pairs], theirs["IBS0"], atol=1e-5)
    assert [pair[2] for pair in pairs] == theirs["NSNP"].tolist()


def test_plink2_gives_the_same_components(against):
    alleles, _, _, table = against
    ours = principal_components(_codes(alleles), 4)
    theirs = table("eigenvec")[["PC1", "PC2", "PC3"]].to_numpy()
    for at in range(3):
        # plink2 divides by the variants that both samples have, so missing genotypes differ.
        agreement = abs(np.corrcoef(ours.vectors[:, at], theirs[:, at])[0, 1])
        assert agreement > 0.99, (at, agreement)
