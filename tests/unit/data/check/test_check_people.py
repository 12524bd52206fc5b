"""Covariates of people, and what the commands of genotypes write, told by content."""

from __future__ import annotations

from pathlib import Path

import h5py
import pandas as pd
import pytest

from exprimo.data.check import check_file
from exprimo.data.check.genotypes.cohort_facts import relatives
from exprimo.simulate.individuals.files import write_covariates

PERSONAL = ["gene_id", "individual", "haplotype", "track", "prediction", "haplotype_id"]
SCORES = ["variant_id", "chrom", "pos", "ref", "alt", "gene_id", "track", "ref_pred", "alt_pred",
          "raw_score", "ref_match", "contains_unknown"]  # fmt: skip
CHANGES = ["variant_id", "gene_id", "tss_distance", "gene_ref", "gene_alt", "track", "raw_score"]


def test_covariates_with_a_column_for_each_person(tmp_path: Path) -> None:
    file = tmp_path / "anything.tsv"
    values = pd.DataFrame({"sex": [0, 1, 1], "batch": [1, 1, 1], "PC1": [-0.5, 0.25, 1.5]})
    write_covariates(file, ["ann", "bob", "eve"], values)
    found = check_file(file)
    assert (found.kind, found.problems) == ("covariates", [])
    assert found.facts["people"] == "3 (ann, bob, eve), a column each"
    assert found.facts["PC1"] == "-0.5 to 1.5"
    assert found.facts["the same in all people"] == "batch"


def test_covariates_with_a_row_for_each_person(tmp_path: Path) -> None:
    file = tmp_path / "anything.tsv"
    file.write_text("individual\tage\tsex\tPC1\nann\t30\tf\t0.1\nbob\t50\tm\t-2\n")
    found = check_file(file)
    assert (found.kind, found.problems) == ("covariates", [])
    assert found.facts["people"] == "2 (ann, bob), a row each"
    assert (found.facts["age"], found.facts["sex=m"]) == ("30 to 50", "0 to 1")
    file.write_text("individual\tage\tsex\tPC1\nann\t30\tf\t0.1\nbob\t50\tNA\t-2\n")
    assert "a covariate is missing" in check_file(file).problems[0]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("id\ts1\ts2\nPCNA\t3\t4\nCOV\t0\t9\nC1\t5\t5\n", "counts"),
        ("gene\tsex\tbatch\ng1\t3\t4\ng2\t0\t9\n", "counts"),
        ("sample\tsex\tbatch\nann\tf\t1\nbob\tm\t2\n", "samples"),
        ("id\tage\tcell\tdrug\na\t1\tx\tu\nb\t2\ty\tv\nc\t2\tx\tv\nd\t3\ty\tu\n", "samples"),
    ],
)
def test_other_tables_are_no_covariates(tmp_path: Path, text: str, kind: str) -> None:
    file = tmp_path / "anything.tsv"
    file.write_text(text)
    assert check_file(file).kind == kind


def test_a_column_for_each_of_many_people_is_not_listed_whole(tmp_path: Path) -> None:
    people = [f"p{n}" for n in range(40)]
    table = pd.DataFrame(0.5, index=pd.Index(["g1", "g2"], name="gene_id"), columns=people)
    table.to_csv(tmp_path / "a", sep="\t")
    found = check_file(tmp_path / "a")
    assert found.kind == "targets"
    assert found.facts["columns of numbers"] == "40, the first of them:"
    assert list(found.facts)[2:] == people[:8]


@pytest.mark.parametrize(
    ("columns", "kind"),
    [(PERSONAL, "personal predictions"), (SCORES, "variant scores"), (CHANGES, "mutagenesis")],
)
def test_own_tables(tmp_path: Path, columns: list[str], kind: str) -> None:
    table = pd.DataFrame({name: ["1", "2"] for name in columns})
    table.to_parquet(tmp_path / "a")
    table.to_csv(tmp_path / "b", sep="\t", index=False)
    for found in (check_file(tmp_path / "a"), check_file(tmp_path / "b")):
        assert (found.kind, found.problems) == (kind, [])
        assert found.facts == {"rows": "2", "columns": ", ".join(columns)}
    with (tmp_path / "b").open("a") as file:
        file.write("3\t3")
    [problem] = check_file(tmp_path / "b").problems
    assert "line 4" in problem
    assert "another length" in problem


def test_effects_of_single_bases(tmp_path: Path) -> None:
    columns = ["#chrom", "start", "end", "gene_id", "strongest", "strand", "ref"]
    columns += [*(f"effect_{base}" for base in "ACGT"), "track"]
    (tmp_path / "M.bed").write_text(
        "\t".join(columns) + "\nchr1\t4\t5\tg1\t0.5\t+\tA\t0\t0.1\t0.5\t0.2\ty\n"
    )
    found = check_file(tmp_path / "M.bed")
    assert (found.kind, found.problems) == ("mutagenesis (BED)", [])
    assert found.facts["rows"] == "1"
    with h5py.File(tmp_path / "M.h5", "w") as file:
        file.attrs["format"], file.attrs["format_version"] = "exprimo mutagenesis", 1
        file["effects"] = [[1.0, 2.0]]
    found = check_file(tmp_path / "M.h5")
    assert (found.kind, found.problems) == ("mutagenesis (HDF5)", [])
    assert found.facts == {"effects": "1 × 2"}
    with h5py.File(tmp_path / "attributions.h5", "w") as file:
        file.attrs["format"], file.attrs["format_version"] = "exprimo attributions", 1
        file["inputs/sequence/values"] = [[1.0, 2.0]]
    found = check_file(tmp_path / "attributions.h5")
    assert (found.kind, found.problems) == ("attributions (HDF5)", [])
    assert found.facts == {"inputs/sequence/values": "1 × 2"}


def test_relatives_are_told_for_sure_only_over_much_of_a_genome() -> None:
    pairs = pd.DataFrame(
        {
            "sample_1": ["ann", "bob"],
            "sample_2": ["eve", "sam"],
            "relation": ["duplicates or twins", "second degree"],
            "kinship": [0.5, 0.1],
        }
    )
    twins = "ann and eve (duplicates or twins, kinship 0.50)"
    told = relatives(pairs, 2_900_000_000)
    assert told == f"2 pairs: {twins}; bob and sam (second degree, kinship 0.10)"
    told = relatives(pairs, 21_000_000)
    assert "alike in the 21 Mb seen, too little of a genome to tell relatives" in told
    assert told.endswith(f"{twins}; bob and sam (as second degree, kinship 0.10)")
    assert relatives(pairs.head(1), 21_000_000) == f"1 pair: {twins}"
    assert relatives(pairs.head(0), 21_000_000) == "none"
