"""Cohorts of several tissues, and a matrix instead of a BED."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from exprimo.core.errors import ConfigError
from exprimo.genetics.cohort import cis_windows, open_cohort, open_tissues, shared_folds

Write = Callable[..., Path]


@pytest.fixture
def genotypes(write_vcf: Write) -> Path:
    return write_vcf(["ann", "bob", "cid", "dan"], [("1", 5, "A", "C", "0|0 0|1 1|1 0|0")])


def test_each_tissue_has_its_own_people(genotypes: Path, write_lines: Write) -> None:
    beds = {
        "liver": write_lines("l.bed", "#chr start end gene_id ann bob cid", "1 9 10 g1 1 2 3"),
        "brain": write_lines("b.bed", "#chr start end gene_id dan cid ann", "1 9 10 g1 1 2 4"),
    }
    covariates = write_lines("c.tsv", "id ann bob cid dan", "age 1 5 3 4")
    found = {}
    for tissue, cohort in open_tissues(genotypes, beds, covariates):
        (window,) = cis_windows(cohort)
        found[tissue] = (cohort.people, cohort.covariates[:, 0].tolist(), window.dosage.tolist())
    assert found == {
        "liver": (("ann", "bob", "cid"), [1, 5, 3], [[0, 1, 2]]),
        "brain": (("dan", "cid", "ann"), [4, 3, 1], [[0, 2, 0]]),
    }
    with pytest.raises(ConfigError, match=r"different tissues.*brain"):
        next(open_tissues(genotypes, beds, {"liver": covariates}))


def test_a_person_has_one_fold_everywhere() -> None:
    people = {"a": [f"P{i}" for i in range(40)], "b": [f"P{i}" for i in range(60, 20, -1)]}
    folds = shared_folds(people, 4, seed=2)
    one = dict(zip(people["a"], folds["a"], strict=True))
    for name, fold in zip(people["b"], folds["b"], strict=True):
        assert one.get(name, fold) == fold
    with pytest.raises(ConfigError, match="tissue small"):
        shared_folds({"large": people["a"], "small": ["P1", "P2"]}, 4)


def test_a_matrix_with_a_gene_table(genotypes: Path, write_lines: Write) -> None:
    matrix = write_lines("m.tsv", "gene_id cid ann", "g2 1 2", "g1 5 4", "g3 1 2")
    genes = write_lines("g.tsv", "gene_id chrom tss strand", "g1 chr1 3 +", "g2 chr1 9 -")
    with open_cohort(genotypes, matrix, gene_table=genes) as cohort:
        assert cohort.people == ("cid", "ann")
        assert cohort.expression.genes["gene_id"].tolist() == ["g1", "g2"]
        assert cohort.dropped["genes that the gene table lacks"] == 1
        distances = [w.variants["tss_distance"].tolist() for w in cis_windows(cohort)]
        assert distances == [[2], [-4]]
