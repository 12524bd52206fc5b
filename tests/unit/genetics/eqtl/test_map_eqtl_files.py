"""What mapping makes of files that are absent, say nothing, or name people in another order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from exprimo.core.errors import ConfigError, ExprimoError, InputError, MismatchError
from exprimo.core.ledger import Ledger
from exprimo.genetics.eqtl import map_eqtl

# Their order by name is not the order of the file.
PEOPLE = [f"p{(7 * at) % 40:02}" for at in range(40)]
HEAD = (
    "##fileformat=VCFv4.2\n##contig=<ID=1>\n"
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t"
)
QUICK: dict[str, Any] = {"permutations": 40, "threads": 1, "correction": "bh"}


def write_genotypes(path: Path, alleles: np.ndarray) -> Path:
    """Write A to C at 1000, 1100, ...; (variants, people, 2)."""
    rows = [
        f"1\t{1000 + 100 * at}\tv{at}\tA\tC\t.\t.\t.\tGT\t"
        + "\t".join(f"{a}|{b}" for a, b in one.tolist())
        for at, one in enumerate(alleles)
    ]
    path.write_text(HEAD + "\t".join(PEOPLE) + "\n" + "".join(f"{row}\n" for row in rows))
    return path


def write_expression(path: Path, people: list[str], values: np.ndarray) -> Path:
    """Write genes g0, g1, ... at 1240, 1241, ...; (genes, people)."""
    rows = [
        f"1\t{1240 + at}\t{1241 + at}\tg{at}\t" + "\t".join(map(repr, row))
        for at, row in enumerate(values.tolist())
    ]
    path.write_text("\n".join(["#chr\tstart\tend\tgene_id\t" + "\t".join(people), *rows]) + "\n")
    return path


@pytest.fixture
def alleles() -> np.ndarray:
    """Six variants."""
    return np.random.default_rng(1).integers(0, 2, (6, len(PEOPLE), 2))


@pytest.fixture
def values(alleles: np.ndarray) -> np.ndarray:
    """Three genes; the first follows the third variant."""
    noise = np.random.default_rng(2).normal(size=(3, len(PEOPLE)))
    noise[0] += 0.5 * alleles[2].sum(axis=1)
    return noise


@pytest.fixture
def given(tmp_path: Path, alleles: np.ndarray, values: np.ndarray) -> tuple[Path, Path]:
    """Genotypes and expression."""
    genotypes = write_genotypes(tmp_path / "g.vcf", alleles)
    return genotypes, write_expression(tmp_path / "e.bed", PEOPLE, values)


@pytest.mark.parametrize("kind", ["absent", "a folder"])
@pytest.mark.parametrize(
    "name", ["genotypes", "expression", "covariates", "fasta", "genes", "folds_file", "chrom_style"]
)
def test_a_file_that_is_none_is_named(
    given: tuple[Path, Path], tmp_path: Path, name: str, kind: str
) -> None:
    wrong = tmp_path / "nix.vcf"
    if kind == "a folder":
        wrong.mkdir()
    files = {"genotypes": given[0], "expression": given[1], name: wrong}
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ExprimoError, match=r"nix\.vcf"):
        map_eqtl(out=tmp_path / "E", **files, **QUICK)  # type: ignore[arg-type] # options by name
    assert sorted(tmp_path.iterdir()) == before


def test_genotypes_without_a_variant_to_test_are_refused(
    given: tuple[Path, Path], tmp_path: Path, alleles: np.ndarray
) -> None:
    same = write_genotypes(tmp_path / "same.vcf", np.zeros_like(alleles))
    with pytest.raises(InputError, match=r"6 without variation.*windows of 3 genes") as refused:
        map_eqtl(same, given[1], tmp_path / "E", **QUICK)
    assert "same.vcf" in str(refused.value)
    with pytest.raises(InputError, match=r"3 variants read, none to test in the windows of 3"):
        map_eqtl(*given, tmp_path / "E", upstream=5, downstream=5, **QUICK)
    with pytest.raises(InputError, match="6 of a rarer minor allele"):
        map_eqtl(*given, tmp_path / "E", maf=0.5, min_count=0, samples=PEOPLE[:39], **QUICK)
    with pytest.raises(InputError, match="no gene has a variant"):
        map_eqtl(*given, tmp_path / "E", upstream=5, downstream=5, folds=2, **QUICK)
    assert not (tmp_path / "E").exists()


def test_one_gene_without_variants_is_counted(given: tuple[Path, Path], tmp_path: Path) -> None:
    # The first base of POS 1300 is 59, 58 and 57 bases behind the three TSS.
    done = map_eqtl(*given, tmp_path / "E", upstream=0, downstream=58, **QUICK)
    assert (done.parts[0].n_genes, done.parts[0].n_untested) == (2, 1)


def test_a_wrong_setting_is_shown_alone(given: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="permutations") as refused:
        map_eqtl(*given, tmp_path / "E", permutations=5)
    assert "Found: 5." in str(refused.value)


def test_variants_that_are_not_the_genomes_can_be_left_out(
    given: tuple[Path, Path], tmp_path: Path
) -> None:
    bases = list("A" * 3000)
    bases[999], bases[1099] = "G", "C"  # v0: neither allele; v1: its ALT.
    (tmp_path / "t.fa").write_text(">1\n" + "".join(bases) + "\n")
    fasta = tmp_path / "t.fa"
    with pytest.raises(MismatchError, match="REF is not the genome's"):
        map_eqtl(*given, tmp_path / "E", fasta=fasta, **QUICK)
    found = {}
    for policy in ("skip", "swap"):
        out = tmp_path / policy
        done = map_eqtl(*given, out, fasta=fasta, on_ref_mismatch=policy, **QUICK)
        pairs = pd.read_parquet(out / "nominal" / "1.parquet")
        found[policy] = pairs[pairs["phenotype_id"] == "g0"].set_index("variant_id")
        (left_out,) = done.parts[0].skipped.values()
        assert left_out == {"skip": 2, "swap": 1}[policy]
        told = json.loads((out / "provenance.json").read_text())
        assert told["settings"]["on_ref_mismatch"] == policy
    assert found["skip"].index.tolist() == ["v2", "v3", "v4", "v5"]
    assert found["swap"].index.tolist() == ["v1", "v2", "v3", "v4", "v5"]
    assert found["swap"].loc["v1", ["ref", "alt"]].tolist() == ["C", "A"]
    plain = map_eqtl(*given, tmp_path / "plain", **QUICK)
    assert plain.parts[0].skipped == {}
    pairs = pd.read_parquet(tmp_path / "plain" / "nominal" / "1.parquet")
    slope = pairs[pairs["phenotype_id"] == "g0"].set_index("variant_id")["slope"]
    assert found["swap"].loc["v1", "slope"] == pytest.approx(-slope["v1"])


def test_the_order_of_people_in_the_expression_changes_nothing(
    given: tuple[Path, Path], tmp_path: Path, values: np.ndarray
) -> None:
    order = np.random.default_rng(3).permutation(len(PEOPLE))
    turned = write_expression(
        tmp_path / "turned.bed", [PEOPLE[at] for at in order], values[:, order]
    )
    tables = []
    for name, expression in (("A", given[1]), ("B", turned)):
        map_eqtl(given[0], expression, tmp_path / name, **QUICK)
        tables.append(pd.read_parquet(tmp_path / name / "genes.parquet"))
    one, two = tables
    assert one["pval_perm"].tolist() == two["pval_perm"].tolist()
    pd.testing.assert_frame_equal(one, two, rtol=1e-4)
    np.testing.assert_allclose(one["pval_nominal"], two["pval_nominal"], rtol=1e-10)


def test_expression_is_transformed_and_hidden_factors_join_the_covariates(
    given: tuple[Path, Path], tmp_path: Path
) -> None:
    age = pd.DataFrame({"sample": PEOPLE, "age": np.random.default_rng(8).normal(size=40)})
    age.to_csv(tmp_path / "c.tsv", sep="\t", index=False)
    asked: dict[str, Any] = {**QUICK, "covariates": tmp_path / "c.tsv"}
    (plain,) = map_eqtl(*given, tmp_path / "A", **asked).parts
    (made,) = map_eqtl(
        *given, tmp_path / "B", transforms=["inverse_normal"], hidden=1, **asked
    ).parts
    assert (plain.covariates, made.covariates) == (("age",), ("age", "hidden_PC1"))
    assert (plain.df, made.df) == (37, 36)
    assert any("have seen a little of the gene that is tested" in note for note in made.notes)
    assert plain.notes != made.notes
    learned = Ledger.load(tmp_path / "B" / "ledger.parquet").learned
    assert set(learned) == {"eqtl", "expression transforms", "hidden factors"}
    config = json.loads((tmp_path / "B" / "summary.json").read_text())["config"]
    assert (config["transforms"], config["hidden"]) == (["inverse_normal"], 1)


def test_transforms_are_those_of_the_file_transformed_by_hand(
    given: tuple[Path, Path], tmp_path: Path, values: np.ndarray
) -> None:
    scaled = (values - values.mean(axis=1, keepdims=True)) / values.std(axis=1, keepdims=True)
    by_hand = write_expression(tmp_path / "z.bed", PEOPLE, scaled)
    map_eqtl(*given, tmp_path / "A", transforms=["zscore"], **QUICK)
    map_eqtl(given[0], by_hand, tmp_path / "B", **QUICK)
    one, two = (pd.read_parquet(tmp_path / name / "nominal" / "1.parquet") for name in "AB")
    np.testing.assert_allclose(one["pval_nominal"], two["pval_nominal"], rtol=1e-6)
    ratio = one["slope"] / two["slope"]
    np.testing.assert_allclose(ratio, ratio[0], rtol=0.05)


def test_within_folds_only_training_people_are_learned_from(
    given: tuple[Path, Path], tmp_path: Path
) -> None:
    done = map_eqtl(
        *given, tmp_path / "E", transforms=["inverse_normal"], hidden=1, folds=2, **QUICK
    )
    folds = pd.read_csv(done.path / "folds.tsv", sep="\t")
    for at, part in enumerate(done.parts):
        learned = Ledger.load(part.path / "ledger.parquet").learned
        training = set(folds.loc[folds["fold"] != at, "sample"])
        assert {frozenset(units["individual"]) for units in learned.values()} == {
            frozenset(training)
        }
        assert len(learned) == 3
