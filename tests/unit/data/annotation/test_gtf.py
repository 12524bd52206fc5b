"""GTF of Ensembl and GENCODE, and of others."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from exprimo.core.errors import FormatError
from exprimo.data.annotation import Annotation, read_annotation, tss_table

# One gene on each strand; the stop codon of the plus one is split over two exons.
ENSEMBL = """\
#!genome-build GRCh38
1\tensembl\tgene\t101\t400\t.\t+\t.\tgene_id "ENSG00000000001"; gene_version "5"; gene_name "PLUS"; gene_biotype "protein_coding";
1\tensembl\ttranscript\t101\t400\t.\t+\t.\tgene_id "ENSG00000000001"; gene_version "5"; transcript_id "ENST00000000001"; tag "basic"; tag "Ensembl_canonical";
1\tensembl\texon\t101\t200\t.\t+\t.\tgene_id "ENSG00000000001"; gene_version "5"; transcript_id "ENST00000000001"; exon_number "1";
1\tensembl\tCDS\t151\t200\t.\t+\t0\tgene_id "ENSG00000000001"; gene_version "5"; transcript_id "ENST00000000001"; exon_number "1";
1\tensembl\texon\t251\t300\t.\t+\t.\tgene_id "ENSG00000000001"; gene_version "5"; transcript_id "ENST00000000001"; exon_number "2";
1\tensembl\tCDS\t251\t299\t.\t+\t0\tgene_id "ENSG00000000001"; gene_version "5"; transcript_id "ENST00000000001"; exon_number "2";
1\tensembl\texon\t351\t400\t.\t+\t.\tgene_id "ENSG00000000001"; gene_version "5"; transcript_id "ENST00000000001"; exon_number "3";
1\tensembl\tstop_codon\t300\t300\t.\t+\t0\tgene_id "ENSG00000000001"; gene_version "5"; transcript_id "ENST00000000001"; exon_number "2";
1\tensembl\tstop_codon\t351\t352\t.\t+\t0\tgene_id "ENSG00000000001"; gene_version "5"; transcript_id "ENST00000000001"; exon_number "3";
1\tensembl\tfive_prime_utr\t101\t150\t.\t+\t.\tgene_id "ENSG00000000001"; gene_version "5"; transcript_id "ENST00000000001";
1\tensembl\tgene\t501\t800\t.\t-\t.\tgene_id "ENSG00000000002"; gene_version "1"; gene_biotype "lncRNA";
1\tensembl\ttranscript\t501\t700\t.\t-\t.\tgene_id "ENSG00000000002"; gene_version "1"; transcript_id "ENST00000000002"; tag "basic";
1\tensembl\texon\t601\t700\t.\t-\t.\tgene_id "ENSG00000000002"; gene_version "1"; transcript_id "ENST00000000002"; exon_number "1";
1\tensembl\texon\t501\t550\t.\t-\t.\tgene_id "ENSG00000000002"; gene_version "1"; transcript_id "ENST00000000002"; exon_number "2";
1\tensembl\ttranscript\t501\t800\t.\t-\t.\tgene_id "ENSG00000000002"; gene_version "1"; transcript_id "ENST00000000003";
1\tensembl\texon\t501\t800\t.\t-\t.\tgene_id "ENSG00000000002"; gene_version "1"; transcript_id "ENST00000000003"; exon_number "1";
"""  # noqa: E501 -- lines of a file, as they are


def line(
    feature: str,
    start: int,
    end: int,
    gene: str,
    transcript: str = "",
    *,
    chrom: str = "chr1",
    strand: str = "+",
    more: str = "",
) -> str:
    ids = f'gene_id "{gene}";' + (f' transcript_id "{transcript}";' if transcript else "")
    return f"{chrom}\tHAVANA\t{feature}\t{start}\t{end}\t.\t{strand}\t.\t{ids}{more}\n"


def read(folder: Path, text: str) -> Annotation:
    path = folder / "genes.gtf"
    path.write_text(text)
    return read_annotation(path)


def test_ensembl(tmp_path: Path) -> None:
    found = read(tmp_path, ENSEMBL)
    assert found.format == "gtf"
    assert found.genes.values.tolist() == [
        ["ENSG00000000001", "PLUS", "1", 100, 400, "+", "protein_coding"],
        ["ENSG00000000002", "ENSG00000000002", "1", 500, 800, "-", "lncRNA"],
    ]
    assert found.transcripts.values.tolist() == [
        ["ENST00000000001", "ENSG00000000001", "1", 100, 400, "+", True],
        ["ENST00000000002", "ENSG00000000002", "1", 500, 700, "-", True],
        ["ENST00000000003", "ENSG00000000002", "1", 500, 800, "-", False],
    ]
    assert found.exons.values.tolist() == [
        ["ENST00000000001", 100, 200],
        ["ENST00000000001", 250, 300],
        ["ENST00000000001", 350, 400],
        ["ENST00000000002", 500, 550],
        ["ENST00000000002", 600, 700],
        ["ENST00000000003", 500, 800],
    ]
    # The stop codon is in: its first base joined to the second block, two more in a third.
    assert found.cds.values.tolist() == [
        ["ENST00000000001", 150, 200],
        ["ENST00000000001", 250, 300],
        ["ENST00000000001", 350, 352],
    ]
    assert found.notes == {"canonical_flagged": 1}


def test_gzip_and_windows_line_ends_change_nothing(tmp_path: Path) -> None:
    plain = read(tmp_path, ENSEMBL)
    packed = tmp_path / "genes.gtf.gz"
    packed.write_bytes(gzip.compress(ENSEMBL.replace("\n", "\r\n").encode()))
    other = read_annotation(packed)
    for name in ("genes", "transcripts", "exons", "cds"):
        assert getattr(plain, name).equals(getattr(other, name))


def test_the_order_of_lines_does_not_matter(tmp_path: Path) -> None:
    plain = read(tmp_path, ENSEMBL)
    turned = read(tmp_path, "".join(reversed(ENSEMBL.splitlines(keepends=True))))
    for name, key in (("genes", "gene_id"), ("transcripts", "transcript_id")):
        ours = getattr(turned, name).sort_values(key).reset_index(drop=True)
        assert getattr(plain, name).equals(ours)
    assert sorted(turned.cds.values.tolist()) == plain.cds.values.tolist()


def test_gencode_versions_and_par(tmp_path: Path) -> None:
    gene, transcript = "ENSG00000182378.13", "ENST00000359512.8"
    found = read(
        tmp_path,
        line("gene", 1, 90, gene, chrom="chrX", more=' gene_type "protein_coding"; level 2;')
        + line("transcript", 1, 90, gene, transcript, chrom="chrX", more=' tag "MANE_Select";')
        + line("gene", 11, 99, gene + "_PAR_Y", chrom="chrY")
        + line("transcript", 11, 99, gene + "_PAR_Y", transcript + "_PAR_Y", chrom="chrY"),
    )
    assert found.genes["gene_id"].tolist() == ["ENSG00000182378", "ENSG00000182378_PAR_Y"]
    assert found.genes["biotype"].tolist() == ["protein_coding", ""]
    assert found.transcripts["transcript_id"].tolist() == [
        "ENST00000359512",
        "ENST00000359512_PAR_Y",
    ]
    assert found.notes == {"implied_exons": 2}


@pytest.mark.parametrize("order", ["XY", "YX"])
def test_one_id_on_x_and_y(tmp_path: Path, order: str) -> None:
    text = {
        chrom: line("gene", 1, 90, "G", chrom=chrom)
        + line("transcript", 1, 90, "G", "T", chrom=chrom)
        + line("exon", 1, 90, "G", "T", chrom=chrom)
        for chrom in "XY"
    }
    found = read(tmp_path, text[order[0]] + text[order[1]])
    assert dict(zip(found.genes["chrom"], found.genes["gene_id"], strict=True)) == {
        "X": "G",
        "Y": "G_PAR_Y",
    }
    assert sorted(found.transcripts["transcript_id"]) == ["T", "T_PAR_Y"]
    assert len(found.exons) == 2
    assert found.notes["par_y_copies"] == 1


def test_versions_of_one_gene_that_overlap_become_one(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        line("exon", 1, 90, "ENSG00000000001.1", "ENST00000000001.1")
        + line("exon", 50, 120, "ENSG00000000001.2", "ENST00000000001.2")
        + line("exon", 500, 600, "ENSG00000000002.2", "ENST00000000002.1"),
    )
    assert found.genes[["gene_id", "start", "end"]].values.tolist() == [
        ["ENSG00000000001", 0, 120],
        ["ENSG00000000002", 499, 600],
    ]
    assert found.transcripts["transcript_id"].tolist() == [
        "ENST00000000001.1",
        "ENST00000000001.2",
        "ENST00000000002",
    ]
    assert found.transcripts["canonical"].tolist() == [True, False, True]
    assert found.notes["version_collisions"] == 3


@pytest.mark.parametrize(
    "second",
    [
        line("gene", 500, 600, "ENSG00000000001.2"),
        line("gene", 50, 120, "ENSG00000000001.2", strand="-"),
        line("gene", 50, 120, "ENSG00000000001.1", chrom="chr2"),
        line("gene", 1, 90, "ENSG00000000001.1"),
    ],
)
def test_one_gene_id_at_two_places_is_refused(tmp_path: Path, second: str) -> None:
    with pytest.raises(FormatError, match=r"gene ENSG00000000001.*, lines 1 and 2"):
        read(tmp_path, line("gene", 1, 90, "ENSG00000000001.1") + second)


def test_one_transcript_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="transcript T, lines 1 and 2"):
        read(tmp_path, line("transcript", 1, 90, "G", "T") + line("transcript", 5, 9, "G", "T"))


def test_exons_alone_make_genes_and_transcripts(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        line("exon", 301, 400, "G", "A", more=' gene_name "NAME";')
        + line("exon", 101, 200, "G", "A")
        + line("exon", 151, 200, "G", "B"),
    )
    assert found.genes.values.tolist() == [["G", "NAME", "chr1", 100, 400, "+", ""]]
    assert found.transcripts[["start", "end", "canonical"]].values.tolist() == [
        [100, 400, True],
        [150, 200, False],
    ]
    assert found.exons["start"].tolist() == [100, 300, 150]


def test_transcript_ids_shared_by_genes_are_told_apart(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        line("exon", 1, 9, "G1", "unknown_transcript_1")
        + line("exon", 21, 29, "G2", "unknown_transcript_1"),
    )
    assert found.transcripts["transcript_id"].tolist() == [
        "G1:unknown_transcript_1",
        "G2:unknown_transcript_1",
    ]
    assert found.exons["start"].tolist() == [0, 20]
    assert found.notes["qualified_transcript_ids"] == 2


def test_a_gene_line_alone_is_its_own_transcript(tmp_path: Path) -> None:
    found = read(tmp_path, line("gene", 1, 90, "G", strand="-"))
    assert found.transcripts.values.tolist() == [["G", "G", "chr1", 0, 90, "-", True]]
    assert found.notes == {"implied_exons": 1, "implied_transcripts": 1}


def test_cds_without_stop_codon_lines_is_counted(tmp_path: Path) -> None:
    found = read(tmp_path, line("exon", 1, 90, "G", "T") + line("CDS", 4, 33, "G", "T"))
    assert found.cds[["start", "end"]].values.tolist() == [[3, 33]]
    assert found.notes["cds_without_stop_codon"] == 1


def test_cds_alone_gives_the_exons(tmp_path: Path) -> None:
    found = read(tmp_path, line("CDS", 4, 33, "G", "T") + line("CDS", 51, 60, "G", "T"))
    assert found.exons[["start", "end"]].values.tolist() == [[3, 33], [50, 60]]


def test_stop_codon_on_the_minus_strand_is_joined_below(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        line("exon", 1, 90, "G", "T", strand="-")
        + line("CDS", 13, 42, "G", "T", strand="-")
        + line("stop_codon", 10, 12, "G", "T", strand="-"),
    )
    assert found.cds[["start", "end"]].values.tolist() == [[9, 42]]
    assert "cds_without_stop_codon" not in found.notes


def test_stop_codon_within_the_cds_adds_nothing(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        line("exon", 1, 90, "G", "T")
        + line("CDS", 10, 42, "G", "T")
        + line("stop_codon", 40, 42, "G", "T"),
    )
    assert found.cds[["start", "end"]].values.tolist() == [[9, 42]]


def test_trans_spliced_transcripts_are_kept_and_counted(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        line("gene", 1, 90, "G", strand="-")
        + line("transcript", 1, 90, "G", "A", strand="+", more=' tag "Ensembl_canonical";')
        + line("transcript", 1, 80, "G", "B", strand="-")
        + line("exon", 1, 80, "G", "B", strand="-"),
    )
    assert found.transcripts["canonical"].tolist() == [False, True]
    assert found.notes["trans_spliced_transcripts"] == 1
    assert tss_table(found, "most5prime")["tss"].tolist() == [79]


def test_other_keys_and_values_do_not_confuse(tmp_path: Path) -> None:
    more = ' ref_gene_id "R"; note "x; gene_id Y"; level 2;'
    text = line("exon", 1, 9, "G;1", "T", more=more) + line("exon", 21, 29, "G;1", "T", more=more)
    found = read(tmp_path, text.replace('gene_id "G;1"; transcript', 'transcript').replace(
        "level 2;", 'level 2; gene_id "G;1"'
    ))  # fmt: skip
    assert found.genes["gene_id"].tolist() == ["G;1"]
    assert found.genes["end"].tolist() == [29]


GOOD = line("exon", 1, 9, "G", "T")


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("chr1\tx\texon\t1\t9\t.\t+\n", "malformed.*Found: 7 columns. Expected: 9"),
        (GOOD.replace("\t9\t", "\tnine\t"), "not a whole number.*Found: 1, nine"),
        (line("exon", 9, 5, "G", "T"), "impossible.*start 9, end 5"),
        (line("exon", 0, 5, "G", "T"), "impossible.*1 <= start"),
        (line("exon", 1, 5, "G", "T", strand="."), r"strand.*Found: '\.'"),
        (GOOD.replace("gene_id", "gen_id"), "no gene_id"),
        (GOOD.replace("transcript_id", "tx"), "no transcript_id"),
        (GOOD.replace('"G"', '""'), "no gene_id"),
        (line("exon", 21, 29, "G", "T", strand="-"), "lines 1 and 2.*two places"),
    ],
)
def test_bad_lines(tmp_path: Path, bad: str, message: str) -> None:
    with pytest.raises(FormatError, match=message) as caught:
        read(tmp_path, GOOD + bad)
    assert caught.value.file == str(tmp_path / "genes.gtf")
    assert "2" in str(caught.value.record)


def test_no_genes_at_all(tmp_path: Path) -> None:
    for text in ("# only a comment\n", line("five_prime_utr", 1, 9, "G", "T")):
        with pytest.raises(FormatError, match="no genes"):
            read(tmp_path, text)


def test_gzip_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "genes.gtf.gz"
    path.write_bytes(gzip.compress(ENSEMBL.encode())[:-9])
    with pytest.raises(FormatError, match="cut short"):
        read_annotation(path)
