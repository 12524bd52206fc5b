"""Promoters of real genomes: yeast from files to a dataset, and builds told apart by evidence."""

from __future__ import annotations

import gzip
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprimo.core.coordinates import reconcile_chromosomes
from exprimo.core.dataset import Dataset
from exprimo.core.errors import MismatchError
from exprimo.core.sequence import encode
from exprimo.data.annotation import Annotation, read_annotation, tss_table
from exprimo.data.fasta import Genome
from exprimo.features.build_promoters import dataset_promoters
from exprimo.features.build_table import dataset_table
from exprimo.features.genome_fit import check_genome_fits
from exprimo.features.windows import cut_windows

pytestmark = pytest.mark.real

FASTA = "Saccharomyces_cerevisiae.R64-1-1.dna.toplevel.fa.gz"
TRAILER = ["no_feature", "ambiguous", "too_low_aQual", "not_aligned", "alignment_not_unique"]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXPRIMO_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="module")
def yeast(realdata: Path, cache: Path) -> Iterator[Genome]:
    with Genome.open(realdata / "yeast" / FASTA) as genome:
        yield genome


def on_genome(path: Path, genome: Genome) -> Annotation:
    annotation = read_annotation(path)
    return annotation.with_chromosomes(reconcile_chromosomes(genome.names, annotation.chromosomes))


def test_orfs_start_with_atg_on_both_strands(realdata: Path, yeast: Genome) -> None:
    orfs = on_genome(realdata / "yeast" / "Scer_nondubious_ORFs.bed", yeast)
    sites = tss_table(orfs)
    parts = list(cut_windows(yeast, sites, upstream=10, downstream=3))
    codes = np.concatenate([part.codes for part in parts])
    atg = (codes[:, 10:] == encode("ATG")).all(axis=1)
    assert (len(atg), int(atg.sum())) == (5889, 5884)
    for strand in "+-":
        assert atg[(sites["strand"] == strand).to_numpy()].mean() > 0.998


def test_the_orfs_fit_and_with_exchanged_strands_do_not(realdata: Path, yeast: Genome) -> None:
    path = realdata / "yeast" / "Scer_nondubious_ORFs.bed"
    fit = check_genome_fits(on_genome(path, yeast), yeast)
    assert (fit.verdict, fit.starts) == ("fits", "genes")
    assert fit.atg_fraction is not None
    assert fit.atg_fraction > 0.99

    orfs = on_genome(path, yeast)
    flip = {"+": "-", "-": "+"}
    orfs.genes["strand"] = orfs.genes["strand"].map(flip)
    with pytest.raises(MismatchError, match=r"with [+] and - exchanged, (99|100)% start with ATG"):
        check_genome_fits(orfs, yeast)


def test_introns_of_human_genes_tell_the_build(realdata: Path, tmp_path: Path) -> None:
    folder = realdata / "human_chr21"
    with gzip.open(folder / "GRCh38_chr21_assembled.fa.gz", "rt") as handle:
        assert next(handle).startswith(">chr21:24985581-26000306 ")
        letters = []
        for line in handle:
            if line.startswith(">"):
                break
            letters.append(line.strip())
    lines = [
        line
        for line in (folder / "GRCh38_chr21_genes.gtf").read_text().splitlines(keepends=True)
        if int(line.split("\t")[3]) >= 24_985_581 and int(line.split("\t")[4]) <= 26_000_306
    ]
    (tmp_path / "genes.gtf").write_text("".join(lines))
    annotation = read_annotation(tmp_path / "genes.gtf")

    for name, before in (("right", 24_985_580), ("other", 24_985_580 - 1_037)):
        text = f"{'N' * before}{''.join(letters)}{'N' * 2000}"
        wrapped = "\n".join(text[at : at + 1000] for at in range(0, len(text), 1000))
        (tmp_path / f"{name}.fa").write_text(f">chr21\n{wrapped}\n")
    with Genome.open(tmp_path / "right.fa") as genome:
        fit = check_genome_fits(annotation, genome)
    assert (fit.verdict, fit.n_starts) == ("fits", 0)
    assert fit.n_introns > 50
    assert fit.gt_ag_fraction is not None
    assert fit.gt_ag_fraction > 0.9
    with (
        Genome.open(tmp_path / "other.fa") as genome,
        pytest.raises(MismatchError, match=r"introns are GT–AG\. Expected: at least 70%"),
    ):
        check_genome_fits(annotation, genome)


def mean_log_expression(archive: Path) -> pd.Series:
    """Give the mean log2 counts per million of each gene over the samples of a tar of HTSeq."""
    columns = []
    with tarfile.open(archive) as tar:
        for member in tar:
            handle = tar.extractfile(member)
            if handle is not None:
                columns.append(pd.read_csv(handle, sep="\t", header=None, index_col=0)[1])
    counts = pd.concat(columns, axis=1).drop(index=TRAILER)
    assert counts.shape == (7126, 48)
    return np.log2(counts / counts.sum() * 1e6 + 1).mean(axis=1)


def test_yeast_promoters_from_files_to_a_dataset(
    realdata: Path, cache: Path, yeast: Genome, tmp_path: Path
) -> None:
    folder = realdata / "yeast"
    expression = mean_log_expression(folder / "profDGE48_WT_countdata.tar.gz")
    expression.rename_axis("gene_id").rename("mean_log").to_csv(tmp_path / "t.tsv", sep="\t")
    made = dataset_promoters(
        fasta=folder / FASTA,
        genes=folder / "Scer_polIItranscripts-adjustedTSS.bed",
        targets=tmp_path / "t.tsv",
        gene_names=folder / "Scer-sys-to-common-name.tsv",
        out=tmp_path / "D.h5",
        upstream=500,
        downstream=100,
    )
    with Dataset.open(made.path) as data:
        examples = data.examples()
        target = data.target("mean_log")
        origin = data.provenance
        by_gene = examples.set_index("gene_id")
        for gene, systematic in (("PAU8", "YAL068C"), ("TFC3", "YAL001C")):
            assert by_gene.loc[gene, "target_gene_id"] == systematic
            at = examples.index[examples["gene_id"] == gene]
            assert target[at][0] == pytest.approx(expression[systematic], rel=1e-6)
        # The TSS of PAU8 (minus strand, [1806, 2169) in the BED) is base 2168.
        row = data.rows("sequence", np.array(examples.index[examples["gene_id"] == "PAU8"]))[0]
        forward = yeast.fetch("I", 2069, 2669)
        np.testing.assert_array_equal(row, (3 - forward)[::-1])
    assert made.n_examples == 6445
    assert not np.isnan(target).any()
    assert origin["gene_names"] == {
        "same_id": 1289,
        "by_name": 5156,
        "ambiguous": 0,
        "not_in_annotation": 681,
    }
    assert origin["chromosomes"]["chrI"] == "I"
    assert set(examples["chrom"]) <= set(yeast.names)
    assert int(examples["clipped"].sum()) == 5


def test_reporter_tiles_become_a_dataset(realdata: Path, tmp_path: Path) -> None:
    table = realdata / "gpra" / "native_tiles.tsv.gz"
    header = pd.read_csv(table, sep="\t", nrows=3)
    sequence = next(name for name in header if header[name].astype(str).str.len().min() >= 80)
    made = dataset_table(
        table,
        out=tmp_path / "D.h5",
        sequence=sequence,
        target="combined",
        prefix="AACTGCATTTTTTTCACATC",
        suffix="GGTTACGGCTGTTTCTTAAT",
    )
    whole = pd.read_csv(table, sep="\t")
    assert made.n_examples == int(whole["combined"].notna().sum())
    with Dataset.open(made.path) as data:
        assert data.inputs["sequence"].shape == (120,)
        row = data.rows("sequence", np.array([0]))[0]
        first = whole[whole["combined"].notna()].iloc[0]
        flanked = f"AACTGCATTTTTTTCACATC{first[sequence]}GGTTACGGCTGTTTCTTAAT"
        np.testing.assert_array_equal(row, encode(flanked))
        assert data.target("combined")[0] == pytest.approx(first["combined"])
