"""The readers of genomes, annotations and names on published files."""

from __future__ import annotations

import re
import tarfile
from collections import Counter
from pathlib import Path

import numpy as np
import pysam
import pytest

from exprimo.core.coordinates import reconcile_chromosomes
from exprimo.core.sequence import decode, encode, reverse_complement
from exprimo.data.annotation import read_annotation, tss_table
from exprimo.data.fasta import Genome, read_fasta
from exprimo.data.names import read_gene_names

pytestmark = pytest.mark.real

YEAST = "yeast/Saccharomyces_cerevisiae.R64-1-1.dna.toplevel.fa.gz"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPRIMO_CACHE", str(tmp_path))


def test_yeast_genome(realdata: Path) -> None:
    streamed = dict(read_fasta(realdata / YEAST))
    with Genome.open(realdata / YEAST) as genome:
        assert len(genome.names) == 17
        assert (genome.names[0], genome.names[-1]) == ("I", "Mito")
        assert sum(genome.lengths.values()) == 12_157_105
        assert genome.lengths["I"] == 230_218
        for name, codes in streamed.items():
            assert np.array_equal(codes, genome.chromosome(name))


def test_yeast_orfs_begin_with_atg(realdata: Path) -> None:
    orfs = read_annotation(realdata / "yeast/Scer_nondubious_ORFs.bed")
    assert len(orfs.genes) == 5889
    with Genome.open(realdata / YEAST) as genome:
        names = reconcile_chromosomes(genome.names, orfs.chromosomes)
        assert names["chrM"] == "Mito"
        starts = Counter[str]()
        for gene in orfs.with_chromosomes(names).genes.itertuples():
            codes = genome.fetch(gene.chrom, gene.start, gene.end)
            codes = codes if gene.strand == "+" else reverse_complement(codes)
            starts[decode(codes[:3])] += 1
    assert starts["ATG"] == 5884


def test_yeast_names_join_counts_and_genes(realdata: Path) -> None:
    names = read_gene_names(realdata / "yeast/Scer-sys-to-common-name.tsv")
    assert len(names.pairs) == 6445
    assert names.ambiguous == {}
    with tarfile.open(realdata / "yeast/profDGE48_WT_countdata.tar.gz") as archive:
        member = archive.extractfile(archive.getmembers()[0])
        assert member is not None
        counted = [line.split(b"\t")[0].decode() for line in member.read().splitlines()]
    genes = read_annotation(realdata / "yeast/Scer_polIItranscripts-adjustedTSS.bed").genes
    found = names.translate(counted, into=genes["gene_id"])
    assert (len(found.mapping), found.direct, found.by_table) == (6445, 1289, 5156)
    assert found.mapping["YAL001C"] == "TFC3"
    assert "no_feature" in found.missing


def test_yeast_gff_without_genes(realdata: Path) -> None:
    found = read_annotation(realdata / "yeast/Scer_R64_transcripts_longestUTR.gff")
    assert found.format == "gff3"
    assert len(found.genes) == found.notes["implied_genes"] == 5696
    assert found.genes.iloc[0].tolist() == [
        "YAL001C", "YAL001C", "chrI", 147468, 151191, "-", "",
    ]  # fmt: skip
    orfs = read_annotation(realdata / "yeast/Scer_nondubious_ORFs.bed").genes
    names = read_gene_names(realdata / "yeast/Scer-sys-to-common-name.tsv")
    join = names.translate(found.genes["gene_id"], into=orfs["gene_id"])
    both = found.genes.assign(gene_id=found.genes["gene_id"].map(join.mapping)).merge(
        orfs, on="gene_id", suffixes=("", "_orf")
    )
    assert len(both) > 5000
    assert (both["chrom"] == both["chrom_orf"]).all()
    assert (both["strand"] == both["strand_orf"]).all()
    within = (both["start"] <= both["start_orf"]) & (both["end"] >= both["end_orf"])
    assert within.mean() > 0.95


def test_gencode_chr9(realdata: Path) -> None:
    found = read_annotation(realdata / "annotation/gencode_chr9_hg19.gtf.gz")
    assert (len(found.genes), len(found.transcripts), len(found.exons)) == (536, 1176, 5964)
    assert not found.genes["gene_id"].str.contains(".", regex=False).any()
    assert found.chromosomes == ["chr9"]
    wash = found.genes.set_index("gene_name").loc["WASH1"]
    assert (wash["gene_id"], wash["strand"], wash["biotype"]) == (
        "ENSG00000181404", "-", "protein_coding",
    )  # fmt: skip
    assert found.transcripts.groupby("gene_id")["canonical"].sum().eq(1).all()
    inside = found.exons.merge(found.transcripts, on="transcript_id", suffixes=("", "_t"))
    assert ((inside["start"] >= inside["start_t"]) & (inside["end"] <= inside["end_t"])).all()


def test_human_chr21(realdata: Path) -> None:
    found = read_annotation(realdata / "human_chr21/GRCh38_chr21_genes.gtf")
    assert (len(found.genes), len(found.transcripts), len(found.exons)) == (32, 77, 429)
    genes = found.genes.set_index("gene_name")
    assert genes.loc[["MRPL39", "JAM2", "ATP5J", "GABPA"], "strand"].tolist() == list("-+-+")
    tss = tss_table(found, "most5prime").set_index("gene_id")["tss"]
    assert tss[genes.loc["MRPL39", "gene_id"]] == 25_607_516


def test_human_chr21_introns_are_gt_ag(realdata: Path) -> None:
    # The header's offset is part of the name; the window of the file is told apart by its reader.
    found = read_annotation(realdata / "human_chr21/GRCh38_chr21_genes.gtf")
    path = realdata / "human_chr21/GRCh38_chr21_assembled.fa.gz"
    with Genome.open(path) as genome:
        assert len(genome.names) == 10
        name = genome.names[0]
        match = re.fullmatch(r"chr21:(\d+)-(\d+)", name)
        assert match is not None
        first, last = int(match[1]), int(match[2])
        assert genome.lengths[name] == last - first + 1
        codes = genome.chromosome(name)
    strands = found.transcripts.set_index("transcript_id")["strand"]
    ends = Counter[str]()
    for transcript, exons in found.exons.groupby("transcript_id"):
        for start, end in zip(exons["end"][:-1], exons["start"][1:], strict=True):
            if start >= first - 1 and end <= last:
                intron = codes[start - first + 1 : end - first + 1]
                intron = intron if strands[transcript] == "+" else reverse_complement(intron)
                ends[decode(intron[:2]) + decode(intron[-2:])] += 1
    assert ends["GTAG"] / ends.total() > 0.95
    assert ends.total() > 150


def test_bgzip_and_long_lines(realdata: Path) -> None:
    packed = realdata / "annotation/hg38_chr1_first_1Mb.fa.gz"
    with Genome.open(packed) as genome, pysam.BGZFile(str(packed), "rb", None) as handle:
        lines = handle.read().split(b"\n")[1:]
        assert np.array_equal(genome.chromosome("chr1"), encode(b"".join(lines)))
    with Genome.open(realdata / "annotation/hg38_chr22_32000000_32300000.fa") as genome:
        assert genome.lengths == {"chr22": 300_000}
