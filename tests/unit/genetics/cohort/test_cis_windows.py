"""Variants near genes, streamed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pysam
import pysam.bcftools
import pytest

from exprimo.core.errors import ConfigError, MismatchError
from exprimo.data.genotypes import open_genotypes
from exprimo.data.genotypes.vcf import VcfGenotypes
from exprimo.data.genotypes.view import Block
from exprimo.genetics.cohort import Cohort, cis_windows, open_cohort
from exprimo.genetics.cohort import sliding as sliding_module

Write = Callable[..., Path]
N_PEOPLE = 12


@pytest.fixture
def cohort(write_vcf: Write, write_lines: Write) -> Iterator[Cohort]:
    """Two chromosomes with variants at random, deletions and missing genotypes among them."""
    random = np.random.default_rng(3)
    people = [f"P{i}" for i in range(N_PEOPLE)]
    rows = []
    for chrom in ("1", "2"):
        for pos in np.sort(random.choice(2000, 150, replace=False)) + 1:
            af = random.choice([0.0, 0.04, 0.3, 0.8, 1.0])
            copies = random.random((N_PEOPLE, 2)) < af
            calls = [f"{int(a)}|{int(b)}" for a, b in copies]
            if random.random() < 0.3:
                calls[random.integers(N_PEOPLE)] = ".|."
            ref = random.choice(["A", "ACCCCCCCCCCCCCCC"])
            rows.append((chrom, int(pos), str(ref), "G", " ".join(calls)))
    lines = [f"#chr start end gene_id {' '.join(people)}"]
    for chrom in ("1", "2"):
        for n, start in enumerate(np.sort(random.choice(2400, 25, replace=False))):
            values = " ".join(f"{v:.3f}" for v in random.normal(size=N_PEOPLE))
            lines.append(f"{chrom} {start} {start + 1} g{chrom}_{n} {values}")
    bed = write_lines("e.bed", *lines)
    with open_cohort(write_vcf(people, rows), bed) as opened:
        yield opened


def by_hand(
    cohort: Cohort, chrom: str, first: int, last: int, maf: float
) -> tuple[list[int], np.ndarray]:
    with open_genotypes(cohort.genotypes.path, samples=cohort.people) as genotypes:
        (whole,) = list(genotypes.blocks())
    starts, dosage = [], []
    for row, values in zip(whole.variants.itertuples(), whole.dosage(), strict=True):
        if row.chrom != chrom or not first <= row.start <= last:
            continue
        af = np.nanmean(values) / 2
        if np.nanmin(values) < np.nanmax(values) and min(af, 1 - af) >= maf:
            starts.append(int(row.start))
            dosage.append(values)
    return starts, np.array(dosage, dtype=np.float32).reshape(len(starts), len(cohort.people))


@pytest.mark.parametrize("stretch", [7, 333, 250_000])
@pytest.mark.parametrize(("upstream", "downstream"), [(100, 100), (400, 10), (0, 55)])
def test_windows_are_what_the_whole_file_says(
    cohort: Cohort,
    monkeypatch: pytest.MonkeyPatch,
    stretch: int,
    upstream: int,
    downstream: int,
) -> None:
    monkeypatch.setattr(sliding_module, "_STRETCH", stretch)
    genes = cohort.expression.genes
    windows = list(cis_windows(cohort, upstream=upstream, downstream=downstream, maf=0.05))
    assert [w.gene_id for w in windows] == genes["gene_id"].tolist()
    assert sum(len(w.variants) for w in windows) > 50
    for window, start, chrom in zip(windows, genes["start"], genes["chrom"], strict=True):
        assert window.tss == start
        expected, dosage = by_hand(cohort, chrom, start - upstream, start + downstream, 0.05)
        assert window.variants["start"].tolist() == expected
        np.testing.assert_array_equal(window.dosage, dosage)
        assert window.variants["tss_distance"].tolist() == [at - start for at in expected]


def test_each_variant_is_read_once(cohort: Cohort, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int, int]] = []
    region = cohort.genotypes.region

    def noted(chrom: str, start: int, end: int) -> Block:
        asked.append((chrom, start, end))
        return region(chrom, start, end)

    monkeypatch.setattr(cohort.genotypes, "region", noted)
    monkeypatch.setattr(sliding_module, "_STRETCH", 100)
    tally: dict[str, int] = {}
    windows = list(cis_windows(cohort, upstream=5000, downstream=5000, tally=tally))
    covered = [(chrom, base) for chrom, start, end in asked for base in range(start, end)]
    assert len(covered) == len(set(covered))
    assert tally["read"] == 300
    left = {len(w.variants) for w in windows if w.chrom == "1"}
    assert len(left) == 1
    out = sum(n for reason, n in tally.items() if reason != "read")
    assert sum(len(windows[at].variants) for at in (0, -1)) == 300 - out


@pytest.mark.parametrize("kind", ["VCF", "BCF"])
def test_each_record_of_an_indexed_file_is_taken_once(
    kind: str,
    write_vcf: Write,
    write_lines: Write,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = ["0|1 1|1 0|0 0|1", "1|1 0|1 0|0 0|0"]
    rows = [("1", 7 * i + 1, "A", "C", calls[i % 2]) for i in range(120)]
    plain = write_vcf(["a", "b", "c", "d"], rows)
    path = indexed(plain, kind)
    starts = [f"1 {at} {at + 1} g{at} 1 2 3 {at}" for at in range(0, 800, 50)]
    bed = write_lines("e.bed", "#chr start end gene_id a b c d", *starts)
    taken: list[int] = []
    genotypes_of = VcfGenotypes._genotypes

    def noted(self: VcfGenotypes, record: Any) -> Any:
        taken.append(record.POS)
        return genotypes_of(self, record)

    monkeypatch.setattr(VcfGenotypes, "_genotypes", noted)
    monkeypatch.setattr(sliding_module, "_STRETCH", 90)
    with open_cohort(path, bed) as cohort:
        assert cohort.genotypes.kind == kind
        near = [len(w.variants) for w in cis_windows(cohort, upstream=200, downstream=200)]
    assert taken == [pos for _, pos, *_ in rows]
    assert max(near) == 58


def indexed(plain: Path, kind: str) -> Path:
    """Pack a VCF, or make a BCF of it, with an index."""
    if kind == "VCF":
        return Path(pysam.tabix_index(str(plain), preset="vcf"))
    packed = plain.with_suffix(".bcf")
    with (
        pysam.VariantFile(str(plain)) as given,
        pysam.VariantFile(str(packed), "wb", header=given.header) as out,
    ):
        for record in given:
            out.write(record)
    pysam.bcftools.index(str(packed))
    return packed


def test_memory_is_that_of_a_window(cohort: Cohort, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sliding_module, "_STRETCH", 20)
    held = []
    advance = sliding_module.SlidingVariants._advance

    def noted(self: sliding_module.SlidingVariants, last: int, floor: int) -> None:
        advance(self, last, floor)
        held.append(int(np.ptp(self._starts)) if len(self._starts) else 0)

    monkeypatch.setattr(sliding_module.SlidingVariants, "_advance", noted)
    list(cis_windows(cohort, upstream=50, downstream=30))
    assert 0 < max(held) <= 50 + 30 + 20


def test_strands_turn_the_window(cohort: Cohort) -> None:
    genes = cohort.expression.genes
    turned = dict.fromkeys(genes["gene_id"], "-")
    there = list(cis_windows(cohort, upstream=300, downstream=20, maf=0, strands=turned))
    plain = list(cis_windows(cohort, upstream=20, downstream=300, maf=0))
    assert [w.variants["start"].tolist() for w in there] == [
        w.variants["start"].tolist() for w in plain
    ]
    # Strands that alternate: windows no longer begin in the order of the genes.
    mixed = {gene: "+-"[n % 2] for n, gene in enumerate(genes["gene_id"])}
    for window in cis_windows(cohort, upstream=600, downstream=0, maf=0, strands=mixed):
        back = mixed[window.gene_id] == "-"
        first, last = (0, 600) if back else (-600, 0)
        expected, _ = by_hand(cohort, window.chrom, window.tss + first, window.tss + last, 0)
        assert window.variants["start"].tolist() == expected


def test_frequencies_of_the_minor_allele(write_vcf: Write, write_lines: Write) -> None:
    genotypes = write_vcf(
        ["a", "b", "c", "d"],
        [
            ("1", 10, "A", "C", "0|0 0|1 1|1 .|."),
            ("1", 20, "A", "C", "1|1 1|1 0|1 1|1"),
            ("1", 30, "A", "C", "0|0 0|0 .|. 0|0"),
            ("1", 40, "A", "C", ".|. .|. .|. .|."),
        ],
    )
    bed = write_lines("e.bed", "#chr start end gene_id a b c d", "1 24 25 g1 1 2 3 4")
    with open_cohort(genotypes, bed) as cohort:
        tally: dict[str, int] = {}
        (window,) = cis_windows(cohort, maf=0.1, tally=tally)
        assert window.variants["tss_distance"].tolist() == [-15, -5]
        np.testing.assert_allclose(window.variants["af"], [0.5, 7 / 8])
        assert window.variants["ma_samples"].tolist() == [2, 1]
        assert window.variants["ma_count"].tolist() == [3, 1]
        assert tally["without variation"] == 2
        (fewer,) = cis_windows(cohort, min_count=2)
        assert fewer.variants["start"].tolist() == [9]
        with pytest.raises(ValueError, match="read-only"):
            window.dosage[0] = 0


def test_settings_and_genes_that_cannot_be(cohort: Cohort) -> None:
    assert [w.gene_id for w in cis_windows(cohort, genes=["g2_3", "g1_1"])] == ["g1_1", "g2_3"]
    with pytest.raises(MismatchError, match="nobody"):
        next(cis_windows(cohort, genes=["nobody"]))
    with pytest.raises(ConfigError):
        next(cis_windows(cohort, maf=0.7))
    with pytest.raises(ConfigError, match="strand"):
        next(cis_windows(cohort, strands={"g1_1": "up"}))
