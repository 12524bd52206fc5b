"""Half-lives of real genes: measured ones joined with expression, computed ones of real files."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import exprimo
from exprimo.core.dataset import Dataset
from exprimo.core.sequence import encode
from exprimo.data.annotation import Annotation, read_annotation
from exprimo.data.fasta import Genome
from exprimo.data.foreign import ChannelEvidence, PairCounts
from exprimo.features.halflife import transcript_features

pytestmark = pytest.mark.real

LEFT, RIGHT = 24_985_581, 26_000_306  # what the first record of the FASTA holds, from 1
TABLE = "Fig2_S3__all_HLs_human_PC1.txt"


@pytest.fixture(scope="module")
def labels(realdata: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Xpresso's expression of human genes, with the header line that its file lacks."""
    table = pd.read_table(
        realdata / "xpresso" / "1to1_orthologs_expression.txt.gz", header=None, usecols=[0, 3]
    )
    path = tmp_path_factory.mktemp("labels") / "expression.tsv"
    table.set_axis(["gene_id", "expression"], axis=1).to_csv(path, sep="\t", index=False)
    return path


def test_measured_half_lives_join_expression(realdata: Path, labels: Path, tmp_path: Path) -> None:
    made = exprimo.dataset_features(
        realdata / "halflife" / TABLE,
        columns=["human_PC1"],
        targets=labels,
        target="expression",
        genes=realdata / "xpresso" / "hg38_promoters_cage_corrected_withChr.bed",
        out=tmp_path / "D.h5",
    )
    assert made.n_examples == 11_940
    assert made.dropped["with a target, but not in the table of features"] == 15_348 - 11_940
    assert made.dropped["not in the table of targets"] == 13_921 - 11_940
    with Dataset.open(made.path) as data:
        halflife = data.rows("halflife", np.arange(len(data)))[:, 0]
        expression = data.target("expression")
        placed = data.column("chrom") != ""
    assert np.corrcoef(halflife, expression)[0, 1] == pytest.approx(0.30, abs=0.005)
    assert placed.mean() > 0.95


def gtf_line(chrom: str, feature: str, start: int, end: int, strand: str, gene: str) -> str:
    tags = f'gene_id "{gene}"; transcript_id "{gene}.t";'
    return f"{chrom}\tmade\t{feature}\t{start + 1}\t{end}\t.\t{strand}\t.\t{tags}\n"


def longest_orf(mature: str) -> tuple[int, int]:
    """Find the longest ATG...stop by reading codons; start and end in the mRNA."""
    best = (0, 0)
    for at in range(len(mature) - 2):
        if mature.startswith("ATG", at):
            for end in range(at + 3, len(mature) - 2, 3):
                if mature[end : end + 3] in {"TAA", "TAG", "TGA"}:
                    best = max(best, (at, end + 3), key=lambda orf: orf[1] - orf[0])
                    break
    return best


# UniProt: amino acids of the canonical proteins that lie in this stretch of chromosome 21.
PROTEINS = {"JAM2": 298, "GABPA": 454, "MRPL39": 338}


@pytest.fixture(scope="module")
def chr21(realdata: Path) -> tuple[str, Annotation]:
    """The letters of a megabase of chr21, and its genes; positions count from its first base."""
    source = realdata / "human_chr21"
    with gzip.open(source / "GRCh38_chr21_assembled.fa.gz", "rt") as handle:
        assert next(handle).startswith(f">chr21:{LEFT}-{RIGHT} ")
        letters = []
        for line in handle:
            if line.startswith(">"):
                break
            letters.append(line.strip().upper())
    return "".join(letters), read_annotation(source / "GRCh38_chr21_genes.gtf")


@pytest.mark.parametrize("name", PROTEINS)
def test_features_of_a_human_gene_are_those_of_its_spliced_letters(
    chr21: tuple[str, Annotation], tmp_path: Path, name: str
) -> None:
    letters, annotation = chr21
    gene = annotation.genes.set_index("gene_name").loc[name]
    of_gene = annotation.transcripts[annotation.transcripts["gene_id"] == gene["gene_id"]]
    found = {}
    for transcript in of_gene["transcript_id"]:
        blocks = annotation.exons[annotation.exons["transcript_id"] == transcript]
        exons = blocks[["start", "end"]].to_numpy() - (LEFT - 1)
        if exons.min() < 0 or exons.max() > len(letters):
            continue
        places = np.concatenate([np.arange(start, end) for start, end in exons])
        mature = "".join(letters[at] for at in places)
        if gene["strand"] == "-":
            places, mature = places[::-1], mature.translate(str.maketrans("ACGT", "TGCA"))[::-1]
        found[transcript] = (exons, places, mature, *longest_orf(mature))
    # The annotation has exons alone; the transcript that codes for the known protein is taken.
    exons, places, mature, first, last = next(
        one for one in found.values() if (one[4] - one[3]) // 3 - 1 == PROTEINS[name]
    )
    coding = np.sort(places[first:last])
    cut = np.flatnonzero(np.diff(coding) > 1) + 1
    lines = [gtf_line("21", "exon", start, end, gene["strand"], name) for start, end in exons]
    lines += [
        gtf_line("21", "CDS", part[0], part[-1] + 1, gene["strand"], name)
        for part in np.split(coding, cut)
    ]
    (tmp_path / "g.gtf").write_text("".join(lines))
    (tmp_path / "g.fa").write_text(f">21\n{letters}\n")
    with Genome.open(tmp_path / "g.fa") as genome:
        table = transcript_features(read_annotation(tmp_path / "g.gtf"), genome, [f"{name}.t"])
    row = table.iloc[0]
    utr5, cds, utr3 = mature[:first], mature[first:last], mature[last:]
    for region, text in (("utr5", utr5), ("cds", cds), ("utr3", utr3)):
        assert row[f"{region}_length"] == len(text) > 0
        assert row[f"{region}_gc"] == pytest.approx((text.count("G") + text.count("C")) / len(text))
        assert len(text) < 100 or 0.2 < row[f"{region}_gc"] < 0.9
    assert row["intron_length"] == exons[-1, 1] - exons[0, 0] - len(mature) > 1000
    assert row["junction_density"] == pytest.approx(1000 * (len(exons) - 1) / len(cds))


def test_yeast_genes_have_short_untranslated_ends_poor_in_gc(
    realdata: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPRIMO_CACHE", str(tmp_path / "cache"))
    folder = realdata / "yeast"
    names = dict(
        line.split("\t")[:2]
        for line in (folder / "Scer-sys-to-common-name.tsv").read_text().splitlines()
        if line.count("\t")
    )
    exons: dict[str, list[list[str]]] = {}
    for line in (folder / "Scer_R64_transcripts_longestUTR.gff").read_text().splitlines():
        fields = line.split("\t")
        if len(fields) == 9 and fields[2] == "primary_transcript":
            name = fields[8].split("ID=")[1].split("_")[0]
            exons.setdefault(names.get(name, name), []).append(fields)
    lines = []
    for line in (folder / "Scer_nondubious_ORFs.bed").read_text().splitlines():
        chrom, start, end, name, _, strand = line.split("\t")[:6]
        for one in exons.get(name, exons.get(names.get(name, ""), []))[:1]:
            left, right = int(one[3]) - 1, int(one[4])
            if (one[0], one[6]) == (chrom, strand) and left <= int(start) < int(end) <= right:
                roman = chrom.removeprefix("chr")
                lines += [
                    gtf_line(roman, "exon", left, right, strand, name),
                    gtf_line(roman, "CDS", int(start), int(end), strand, name),
                ]
    gtf = tmp_path / "genes.gtf"
    gtf.write_text("".join(lines))
    made = exprimo.dataset_promoters(
        fasta=folder / "Saccharomyces_cerevisiae.R64-1-1.dna.toplevel.fa.gz",
        genes=gtf, halflife=True, upstream=100, downstream=50, out=tmp_path / "D.h5",
    )  # fmt: skip
    assert made.n_examples > 3500
    with Dataset.open(made.path) as data:
        values = pd.DataFrame(
            data.rows("halflife", np.arange(len(data))), columns=data.inputs["halflife"].labels
        )
    medians = values.median()
    # Nagalakshmi et al. (2008) give medians of 50 and 104 bases.
    assert 10 ** medians["log10_utr5_length"] == pytest.approx(60, rel=0.5)
    assert 10 ** medians["log10_utr3_length"] == pytest.approx(115, rel=0.5)
    assert 10 ** medians["log10_cds_length"] == pytest.approx(1200, rel=0.2)
    assert medians["cds_gc"] == pytest.approx(0.40, abs=0.01)
    assert medians["utr5_gc"] < medians["cds_gc"] - 0.03
    assert medians["utr3_gc"] < medians["cds_gc"] - 0.05


def test_xpressos_promoters_show_their_order_of_letters(realdata: Path) -> None:
    table = pd.read_table(realdata / "xpresso" / "promoters_10.5kb.tsv")
    codes = np.stack([encode(one) for one in table["sequence"]])
    for channels, verdict in (("ACGT", "fits"), ("AGCT", "contradicts"), ("CGTA", "contradicts")):
        pairs = PairCounts()
        pairs.add(np.argsort(encode(channels)).astype(np.uint8)[codes])
        found = ChannelEvidence.weigh(pairs, "ACGT")
        assert found.verdict == verdict
        if verdict == "contradicts":
            assert found.better == channels
