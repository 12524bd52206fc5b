"""People matched by name, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from bed_reader import to_bed

from exprimo.core.errors import FormatError, InputError, MismatchError
from exprimo.genetics.cohort import open_cohort
from exprimo.genetics.cohort.matching import match_people

Write = Callable[..., Path]
ROWS = [("1", 5, "A", "C", "0|0 0|1 1|1 0|1 0|0"), ("2", 7, "G", "T", "0|1 0|0 0|0 1|1 0|0")]
PEOPLE = ["ann", "bob", "cid", "dan", "eve"]


@pytest.fixture
def genotypes(write_vcf: Write) -> Path:
    return write_vcf(PEOPLE, ROWS)


def test_people_are_matched_in_the_order_of_expression(genotypes: Path, write_lines: Write) -> None:
    bed = write_lines(
        "e.bed",
        "#chr start end gene_id fay eve bob ann dan",
        "chr1 9 10 g1 0 5 2 1 4",
        "chr2 9 10 g2 0 9 8 7 6",
        "chr3 9 10 g3 0 1 2 3 4",
    )
    covariates = write_lines("c.tsv", "id ann bob cid eve", "age 1 2 3 5")
    with open_cohort(genotypes, bed, covariates) as cohort:
        assert cohort.people == cohort.genotypes.samples == ("eve", "bob", "ann")
        assert cohort.expression.people == cohort.people
        assert cohort.expression.values.tolist() == [[5, 2, 1], [9, 8, 7]]
        assert cohort.expression.genes["chrom"].tolist() == ["1", "2"]
        assert cohort.covariates.tolist() == [[5], [2], [1]]
        assert cohort.genotypes.region("1", 0, 9).dosage().tolist() == [[0, 1, 0]]
        assert dict(cohort.dropped) == {
            "people without genotypes": 1,
            "people without expression": 1,
            "people without covariates": 1,
            "genes on chromosomes without genotypes": 1,
        }


def test_people_asked_for_come_in_that_order(genotypes: Path, write_lines: Write) -> None:
    bed = write_lines("e.bed", "#chr start end gene_id ann bob cid", "1 9 10 g1 1 2 3")
    names = write_lines("names.txt", "# mine", "cid", "fay", "ann")
    with open_cohort(genotypes, bed, samples=names) as cohort:
        assert cohort.people == ("cid", "ann")
        assert cohort.dropped["people not asked for"] == 1
        assert cohort.dropped["people without genotypes"] == 1
    with (
        pytest.raises(InputError, match="named twice"),
        open_cohort(genotypes, bed, samples=["ann", "ann"]),
    ):
        pass


def test_no_overlap_shows_the_heads_of_both_lists(genotypes: Path, write_lines: Write) -> None:
    bed = write_lines("e.bed", "#chr start end gene_id P1 P2 P3", "1 9 10 g1 1 2 3")
    with (
        pytest.raises(MismatchError, match=r"ann, bob, cid.*P1, P2, P3"),
        open_cohort(genotypes, bed),
    ):
        pass


def test_duplicated_people_are_refused(
    genotypes: Path, write_vcf: Write, write_lines: Write
) -> None:
    bed = write_lines("e.bed", "#chr start end gene_id ann bob cid", "1 9 10 g1 1 2 3")
    twice = write_vcf(["ann", "bob", "ann"], [("1", 5, "A", "C", "0|0 0|1 1|1")], "twice.vcf")
    with pytest.raises(InputError, match="ann"), open_cohort(twice, bed):
        pass
    bed_twice = write_lines("t.bed", "#chr start end gene_id ann bob bob", "1 9 10 g1 1 2 3")
    with pytest.raises(FormatError, match="bob"), open_cohort(genotypes, bed_twice):
        pass
    rows = write_lines("c.tsv", "id age", "ann 1", "bob 2", "cid 4", "bob 3")
    with pytest.raises(FormatError, match="bob"), open_cohort(genotypes, bed, rows):
        pass
    with pytest.raises(InputError, match=r"twice.*bob"):
        match_people(["ann", "bob"], ["bob", "bob"])


def test_too_few_people_for_the_covariates(genotypes: Path, write_lines: Write) -> None:
    bed = write_lines("e.bed", "#chr start end gene_id ann bob cid", "1 9 10 g1 1 2 3")
    covariates = write_lines("c.tsv", "id ann bob cid", "age 1 2 4", "sex 0 1 0")
    with (
        pytest.raises(InputError, match=r"3 people and 2 covariates.*at least 5"),
        open_cohort(genotypes, bed, covariates),
    ):
        pass


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (["age 1 2 4 5 7", "site 3 3 3 3 3"], "constant covariates.*site"),
        (["age 1 2 4 5 7", "site north north north north north"], "constant covariates.*site"),
        (["age 1 2 4 5 7", "months 13 25 49 61 85"], "collinear covariates.*months.*age"),
        (["age 1 NA 4 5 7"], "missing.*age, person bob|age, person bob.*missing"),
    ],
)
def test_unfit_covariates_are_named(
    genotypes: Path, write_lines: Write, rows: list[str], told: str
) -> None:
    bed = write_lines("e.bed", f"#chr start end gene_id {' '.join(PEOPLE)}", "1 9 10 g1 1 2 3 5 8")
    covariates = write_lines("c.tsv", f"id {' '.join(PEOPLE)}", *rows)
    with pytest.raises(InputError, match=told), open_cohort(genotypes, bed, covariates):
        pass


def test_constant_genes_are_refused_or_dropped(genotypes: Path, write_lines: Write) -> None:
    # bob, who differs, has no place among the matched people of the second gene.
    bed = write_lines(
        "e.bed", "#chr start end gene_id ann fay cid", "1 9 10 g1 1 2 3", "1 10 11 g2 4 5 4"
    )
    with pytest.raises(InputError, match=r"constant genes.*g2"), open_cohort(genotypes, bed):
        pass
    with open_cohort(genotypes, bed, constant="drop") as cohort:
        assert cohort.expression.genes["gene_id"].tolist() == ["g1"]
        assert cohort.dropped["genes that are constant"] == 1
    still = write_lines("s.bed", "#chr start end gene_id ann cid", "1 9 10 g1 1 1")
    with (
        pytest.raises(InputError, match="no gene varies"),
        open_cohort(genotypes, still, constant="drop"),
    ):
        pass


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (["1 20 21 g1 1 2 3", "1 9 10 g2 1 2 4"], "not sorted.*1:9 after 1:20"),
        (["1 9 10 g1 1 2 3", "2 9 10 g2 1 2 4", "1 30 31 g3 4 2 1"], "gene g3.*not sorted"),
        (["1 9 10 g1 1 nan 3"], "value is missing"),
    ],
)
def test_unsorted_or_missing_expression(
    genotypes: Path, write_lines: Write, rows: list[str], told: str
) -> None:
    bed = write_lines("e.bed", "#chr start end gene_id ann bob cid", *rows)
    with pytest.raises(FormatError, match=told), open_cohort(genotypes, bed):
        pass


def test_other_chromosomes_are_refused(genotypes: Path, write_lines: Write) -> None:
    bed = write_lines("e.bed", "#chr start end gene_id ann bob cid", "7 9 10 g1 1 2 3")
    with pytest.raises(MismatchError, match="no chromosome name"), open_cohort(genotypes, bed):
        pass


def test_people_of_a_plink_data_set(tmp_path: Path, write_lines: Write) -> None:
    dosage = np.array([[0.0, 2], [1, np.nan], [2, 0]], dtype=np.float32)
    to_bed(
        tmp_path / "p.bed",
        dosage,
        properties={
            "fid": ["f", "f", "f"], "iid": ["ann", "bob", "cid"], "sex": [1, 2, 2],
            "chromosome": ["1", "1"], "sid": ["a", "b"], "bp_position": [5, 9],
            "allele_1": ["C", "G"], "allele_2": ["A", "T"],
        },
        count_A1=True,
    )  # fmt: skip
    bed = write_lines("e.bed", "#chr start end gene_id cid bob fay", "1 9 10 g1 1 2 3")
    with open_cohort(tmp_path / "p", bed) as cohort:
        assert cohort.people == ("cid", "bob")
        found = cohort.genotypes.region("1", 0, 20).dosage()
        np.testing.assert_array_equal(found, [[2, 1], [0, np.nan]])
