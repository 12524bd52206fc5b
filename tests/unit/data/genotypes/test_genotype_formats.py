"""One cohort in every format reads the same; what is written comes back."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pgenlib
import pytest
from bed_reader import to_bed
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exprimo.data.genotypes import Block, open_genotypes

FIXTURE = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
CHROMS = ("1", "2", "10")


class Cohort(NamedTuple):
    """Records by position, with the truth: allele codes (records, samples, 2) and phase."""

    records: list[tuple[str, int, str, tuple[str, ...]]]
    codes: npt.NDArray[np.int32]
    phased: npt.NDArray[np.uint8]

    @property
    def samples(self) -> list[str]:
        return [f"s{i}" for i in range(self.codes.shape[1])]


@st.composite
def cohorts(draw: st.DrawFn, most_alts: int = 3) -> Cohort:
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n_records, n_samples = draw(st.integers(1, 12)), draw(st.integers(1, 9))
    places = sorted((int(rng.integers(0, 3)), int(rng.integers(1, 60))) for _ in range(n_records))
    records = []
    codes = np.empty((n_records, n_samples, 2), np.int32)
    for row, (chrom, pos) in enumerate(places):
        words = list(
            dict.fromkeys("".join(rng.choice(list("ACGT"), rng.integers(1, 5))) for _ in range(9))
        )
        n_alts = int(rng.integers(1, most_alts + 1))
        records.append((CHROMS[chrom], pos, words[0], tuple(words[1 : n_alts + 1])))
        codes[row] = rng.integers(0, len(records[-1][3]) + 1, (n_samples, 2))
    codes[rng.random((n_records, n_samples)) < 0.15] = -9
    phased = rng.integers(0, 2, (n_records, n_samples)).astype(np.uint8)
    # Without phase the order says nothing: one order for all formats.
    codes = np.where((phased == 1)[..., None], codes, np.sort(codes, axis=-1))
    return Cohort(records, codes, phased)


def vcf_rows(cohort: Cohort) -> list[tuple[object, ...]]:
    rows = []
    for i, (chrom, pos, ref, alts) in enumerate(cohort.records):
        people = [
            ("|" if flag else "/").join("." if c < 0 else str(c) for c in pair)
            for pair, flag in zip(cohort.codes[i], cohort.phased[i], strict=True)
        ]
        rows.append((chrom, pos, f"v{i}", ref, ",".join(alts), "GT", *people))
    return rows


def write_pgen(cohort: Cohort, folder: Path) -> Path:
    prefix = folder / "c"
    writer = pgenlib.PgenWriter(
        os.fsencode(f"{prefix}.pgen"),
        len(cohort.samples),
        variant_ct=len(cohort.records),
        nonref_flags=False,
        allele_ct_limit=max(len(alts) for *_, alts in cohort.records) + 1,
        hardcall_phase_present=True,
    )
    lines = ["#CHROM\tPOS\tID\tREF\tALT"]
    for i, (chrom, pos, ref, alts) in enumerate(cohort.records):
        writer.append_partially_phased(
            np.ascontiguousarray(cohort.codes[i].reshape(-1)),
            np.ascontiguousarray(cohort.phased[i]),
            allele_ct=len(alts) + 1,
        )
        lines.append(f"{chrom}\t{pos}\tv{i}\t{ref}\t{','.join(alts)}")
    writer.close()
    Path(f"{prefix}.pvar").write_text("\n".join(lines) + "\n")
    Path(f"{prefix}.psam").write_text("#IID\n" + "\n".join(cohort.samples) + "\n")
    return prefix


def write_bed(cohort: Cohort, folder: Path) -> Path:
    counts = cohort.codes.sum(axis=-1)
    counts[cohort.codes[..., 0] < 0] = -127
    to_bed(
        folder / "c.bed",
        counts.T.astype(np.int8),
        properties={
            "iid": cohort.samples,
            "chromosome": [chrom for chrom, *_ in cohort.records],
            "sid": [f"v{i}" for i in range(len(cohort.records))],
            "bp_position": [pos for _, pos, *_ in cohort.records],
            "allele_1": [alts[0] for *_, alts in cohort.records],
            "allele_2": [ref for _, _, ref, _ in cohort.records],
        },
        count_A1=True,
    )
    return folder / "c"


def check(block: Block, cohort: Cohort, order: list[int], rows: list[int]) -> None:
    """Compare a block with the truth of some people and records."""
    expected = [(i, k) for i in rows for k in range(1, len(cohort.records[i][3]) + 1)]
    assert block.variants["variant_id"].tolist() == [f"v{i}" for i, _ in expected]
    assert block.variants["alt"].tolist() == [cohort.records[i][3][k - 1] for i, k in expected]
    assert block.variants["start"].tolist() == [cohort.records[i][1] - 1 for i, _ in expected]
    assert block.alleles.shape == (len(expected), len(order), 2)
    for row, (i, k) in enumerate(expected):
        truth = cohort.codes[i][order]
        missing = truth < 0
        np.testing.assert_array_equal(block.alleles[row], np.where(missing, -1, truth == k))
        known = (cohort.phased[i][order] == 1) | (truth[:, 0] == truth[:, 1])
        np.testing.assert_array_equal(block.phased[row], known)


def overlapping(cohort: Cohort, chrom: str, start: int, end: int) -> list[int]:
    return [
        i
        for i, (name, pos, ref, _) in enumerate(cohort.records)
        if name == chrom and pos - 1 < end and pos - 1 + len(ref) > start
    ]


def check_file(path: Path, cohort: Cohort, order: list[int], start: int, end: int) -> None:
    with open_genotypes(path, samples=[cohort.samples[i] for i in order]) as genotypes:
        for chrom in genotypes.chromosomes:
            check(
                genotypes.region(chrom, start, end),
                cohort,
                order,
                overlapping(cohort, chrom, start, end),
            )
        rows = list(range(len(cohort.records)))
        blocks = list(genotypes.blocks(3))
        assert [n for b in blocks for n in b.variants["variant_id"]] == [
            f"v{i}" for i in rows for _ in cohort.records[i][3]
        ]
        assert dict(genotypes.skipped) == {}


@FIXTURE
@given(cohort=cohorts(), start=st.integers(0, 60), length=st.integers(1, 20), data=st.data())
def test_vcf_bcf_and_pgen_give_the_truth(
    write_vcf: Callable[..., Path],
    packed: Callable[[Path], Path],
    as_bcf: Callable[[Path], Path],
    cohort: Cohort,
    start: int,
    length: int,
    data: st.DataObject,
) -> None:
    everybody = list(range(len(cohort.samples)))
    order = data.draw(st.permutations(everybody))[: data.draw(st.integers(1, len(everybody)))]
    plain = write_vcf(vcf_rows(cohort), cohort.samples)
    with tempfile.TemporaryDirectory() as folder:
        for path in (plain, packed(plain), as_bcf(plain), write_pgen(cohort, Path(folder))):
            check_file(path, cohort, order, start, start + length)


@FIXTURE
@given(cohort=cohorts(most_alts=1), start=st.integers(0, 60), length=st.integers(1, 20))
def test_a_bed_gives_the_same_dosages_as_the_vcf(
    write_vcf: Callable[..., Path], cohort: Cohort, start: int, length: int
) -> None:
    plain = write_vcf(vcf_rows(cohort), cohort.samples)
    with (
        tempfile.TemporaryDirectory() as folder,
        open_genotypes(plain) as vcf,
        open_genotypes(write_bed(cohort, Path(folder))) as bed,
    ):
        assert vcf.chromosomes == bed.chromosomes
        for chrom in vcf.chromosomes:
            ours = bed.region(chrom, start, start + length)
            theirs = vcf.region(chrom, start, start + length)
            columns = ["chrom", "start", "ref", "alt", "variant_id"]
            assert ours.variants[columns].equals(theirs.variants[columns])
            np.testing.assert_array_equal(ours.dosage(), theirs.dosage())
            het = ours.alleles[..., 0] != ours.alleles[..., 1]
            np.testing.assert_array_equal(ours.phased, ~het)


@pytest.mark.parametrize("size", [1, 4, 7, 100])
def test_blocks_of_any_size_hold_everything(tmp_path: Path, size: int) -> None:
    rng = np.random.default_rng(2)
    records = [("1", i + 1, "A", ("C", "G")[: 1 + i % 2]) for i in range(20)]
    cohort = Cohort(
        records, rng.integers(0, 2, (20, 3, 2)).astype(np.int32), np.ones((20, 3), np.uint8)
    )
    with open_genotypes(write_pgen(cohort, tmp_path)) as genotypes:
        blocks = list(genotypes.blocks(size))
        whole = genotypes.region("1", 0, 100)
    assert len(blocks) == -(-20 // size)
    np.testing.assert_array_equal(np.concatenate([b.alleles for b in blocks]), whole.alleles)


def test_an_empty_stretch_holds_nothing(write_vcf: Callable[..., Path], tmp_path: Path) -> None:
    records = [("1", 5, "ACGT", ("A",))]
    cohort = Cohort(records, np.array([[[0, 1]]], np.int32), np.ones((1, 1), np.uint8))
    for path in (write_vcf(vcf_rows(cohort), cohort.samples), write_pgen(cohort, tmp_path)):
        with open_genotypes(path) as genotypes:
            assert len(genotypes.region("1", 6, 7).variants) == 1
            assert genotypes.region("1", 6, 6).variants.empty
