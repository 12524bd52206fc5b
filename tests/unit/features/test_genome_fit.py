"""Annotations that fit, and each way in which one can belong to another genome."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from exprimo.core.errors import MismatchError
from exprimo.core.sequence import decode, encode, reverse_complement
from exprimo.data.annotation import Annotation, read_annotation
from exprimo.data.fasta import Genome
from exprimo.features.genome_fit import check_genome_fits

World = Any


@pytest.fixture
def genome(world: World) -> Iterator[Genome]:
    with Genome.open(world.fasta) as opened:
        yield opened


def moved(annotation: Annotation, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Annotation:
    """Apply a change of start and end to each table of an annotation."""
    names = ("genes", "transcripts", "exons", "cds")
    return dataclasses.replace(
        annotation, **{name: change(getattr(annotation, name)) for name in names}
    )


def test_an_annotation_of_this_genome_fits(world: World, genome: Genome) -> None:
    fit = check_genome_fits(read_annotation(world.gtf), genome)
    assert fit.facts() == {
        "verdict": "fits",
        "starts": "CDS",
        "n_starts": 40,
        "atg_fraction": 1.0,
        "n_introns": 40,
        "gt_ag_fraction": 1.0,
    }
    assert str(fit) == "fits (100% of 40 CDS start with ATG, 100% of 40 introns are GT–AG)"


def test_another_build_is_refused_with_the_evidence(world: World, genome: Genome) -> None:
    other = moved(
        read_annotation(world.gtf), lambda t: t.assign(start=t["start"] + 37, end=t["end"] + 37)
    )
    with pytest.raises(MismatchError) as caught:
        check_genome_fits(other, genome)
    message = str(caught.value)
    assert "of 40 CDS start with ATG" in message
    assert "of 40 introns are GT–AG" in message
    assert "another genome build" in message
    assert str(world.gtf) in message


@pytest.mark.parametrize(("by", "words"), [(1, "further left"), (-1, "further right")])
def test_positions_off_by_one_are_named(world: World, genome: Genome, by: int, words: str) -> None:
    other = moved(
        read_annotation(world.gtf), lambda t: t.assign(start=t["start"] + by, end=t["end"] + by)
    )
    with pytest.raises(MismatchError, match=f"one base {words}, 100% start with ATG"):
        check_genome_fits(other, genome)


def test_exchanged_strands_are_named(world: World, genome: Genome) -> None:
    def flip(table: pd.DataFrame) -> pd.DataFrame:
        if "strand" not in table:
            return table
        return table.assign(strand=table["strand"].map({"+": "-", "-": "+"}))

    other = moved(read_annotation(world.gtf), flip)
    with pytest.raises(MismatchError, match=r"with \+ and - exchanged, 100% start with ATG"):
        check_genome_fits(other, genome)


def test_a_reverse_complemented_fasta_is_named(
    world: World, write_genome: Callable[..., Path]
) -> None:
    turned = {
        name: decode(reverse_complement(encode(letters)))
        for name, letters in world.chromosomes.items()
    }
    annotation = read_annotation(world.gtf)
    fasta = write_genome(turned, "turned.fa")
    with Genome.open(fasta) as genome, pytest.raises(MismatchError) as caught:
        check_genome_fits(annotation, genome)
    assert "reverse complement of each chromosome, 100% start with ATG" in str(caught.value)


def test_one_strand_written_differently_is_named(world: World, genome: Genome) -> None:
    def shift_minus(table: pd.DataFrame) -> pd.DataFrame:
        if "chrom" in table:
            return table
        minus = table["transcript_id"].str[-3].astype(int) % 2 == 1
        return table.assign(start=table["start"] + 5 * minus, end=table["end"] + 5 * minus)

    other = moved(read_annotation(world.gtf), shift_minus)
    with pytest.raises(MismatchError, match=r"Those of the \+ strand fit \(100% ATG\)"):
        check_genome_fits(other, genome)


def test_a_few_odd_genes_are_no_reason_to_refuse(world: World, genome: Genome) -> None:
    annotation = read_annotation(world.gtf)
    cds = annotation.cds.copy()
    cds.loc[:12, ["start", "end"]] += 1
    fit = check_genome_fits(dataclasses.replace(annotation, cds=cds), genome)
    assert fit.atg_fraction is not None
    assert 0.7 < fit.atg_fraction < 1


def test_orfs_without_cds_are_checked_by_their_starts(world: World, genome: Genome) -> None:
    fit = check_genome_fits(read_annotation(world.bed()), genome)
    assert (fit.verdict, fit.starts, fit.n_starts, fit.atg_fraction) == ("fits", "genes", 40, 1.0)
    assert (fit.n_introns, fit.gt_ag_fraction) == (0, None)


def test_genes_that_start_at_a_tss_cannot_be_checked(world: World, genome: Genome) -> None:
    rows = [f"{c}\t{s}\t{s + 160}\t{g}\t0\t{strand}\n" for g, c, s, strand in world.genes]
    fit = check_genome_fits(read_annotation(world.write("tss.bed", "".join(rows))), genome)
    assert fit.verdict == "not checkable"
    assert fit.atg_fraction is not None
    assert fit.atg_fraction < 0.2


def test_orfs_moved_by_one_base_are_refused(world: World, genome: Genome) -> None:
    orfs = moved(
        read_annotation(world.bed()), lambda t: t.assign(start=t["start"] + 1, end=t["end"] + 1)
    )
    with pytest.raises(MismatchError, match="one base further left, 100% start with ATG"):
        check_genome_fits(orfs, genome)


def test_too_few_records_refuse_nothing(world: World, genome: Genome) -> None:
    few = "".join(world.gtf.read_text().splitlines(keepends=True)[: 6 * 6])
    annotation = moved(
        read_annotation(world.write("few.gtf", few)),
        lambda t: t.assign(start=t["start"] + 37, end=t["end"] + 37),
    )
    fit = check_genome_fits(annotation, genome)
    assert (fit.verdict, fit.n_starts, fit.n_introns) == ("not checkable", 6, 6)


def test_records_beyond_the_chromosome_are_named(
    world: World, write_genome: Callable[..., Path]
) -> None:
    short = {"chr1": world.chromosomes["chr1"][:5000], "chr2": world.chromosomes["chr2"]}
    fasta = write_genome(short, "short.fa")
    with Genome.open(fasta) as genome, pytest.raises(MismatchError) as caught:
        check_genome_fits(read_annotation(world.gtf), genome)
    message = str(caught.value)
    assert "4 records lie beyond the end" in message
    assert "gene g1_16 at chr1:4851-5010" in message
    assert "chr1 ends at 5000" in message


def test_large_annotations_are_sampled_and_the_seed_decides(
    world: World, genome: Genome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exprimo.features.genome_fit.SAMPLED", 15)
    annotation = read_annotation(world.gtf)
    odd = annotation.cds["transcript_id"].isin(annotation.transcripts["transcript_id"][::8])
    cds = annotation.cds.assign(
        start=annotation.cds["start"] + odd, end=annotation.cds["end"] + odd
    )
    annotation = dataclasses.replace(annotation, cds=cds)
    fits = [check_genome_fits(annotation, genome, seed=seed) for seed in (0, 0, 1, 2, 3)]
    assert {fit.n_starts for fit in fits} == {15}
    assert fits[0] == fits[1]
    assert len({fit.atg_fraction for fit in fits}) > 1
    assert np.mean([fit.atg_fraction for fit in fits]) > 0.7


def test_what_the_assembly_does_not_know_is_no_evidence(world: World, tmp_path: Path) -> None:
    """A piece of a chromosome in its place among N fits the annotation of the whole."""
    annotation = read_annotation(world.gtf)
    ends = annotation.genes.groupby("chrom")["end"].max()
    fasta = tmp_path / "part.fa"
    with Genome.open(world.fasta) as genome, fasta.open("w") as file:
        for name in genome.names:
            letters = decode(genome.chromosome(name))
            known = int(ends.get(name, 0)) // 2
            file.write(f">{name}\n{letters[:known]}{'N' * (len(letters) - known)}\n")
    with Genome.open(fasta) as genome:
        facts = check_genome_fits(annotation, genome).facts()
    assert facts["gt_ag_fraction"] == facts["atg_fraction"] == 1.0
    assert 0 < facts["n_introns"] < 40
