"""GFF3 of Ensembl, GENCODE and NCBI, and without genes."""

from __future__ import annotations

from pathlib import Path

import pytest

from exprimo.core.errors import FormatError
from exprimo.data.annotation import Annotation, read_annotation


def line(feature: str, start: int, end: int, values: str, *, strand: str = "+") -> str:
    return f"1\tsource\t{feature}\t{start}\t{end}\t.\t{strand}\t.\t{values}\n"


ENSEMBL = (
    "##gff-version 3\n"
    + line("chromosome", 1, 999, "ID=chromosome:1;Alias=CM1", strand=".")
    + "###\n"
    + line("gene", 101, 400, "ID=gene:ENSG00000000001;Name=PLUS;biotype=protein_coding;version=5")
    + line("mRNA", 101, 400, "ID=transcript:ENST00000000001;Parent=gene:ENSG00000000001;tag=basic")
    + line("five_prime_UTR", 101, 150, "Parent=transcript:ENST00000000001")
    + line("exon", 101, 400, "Parent=transcript:ENST00000000001;Name=ENSE1")
    + line("CDS", 151, 300, "ID=CDS:ENSP1;Parent=transcript:ENST00000000001")
    + line(
        "mRNA",
        201,
        400,
        "ID=transcript:ENST00000000002;Parent=gene:ENSG00000000001;tag=basic,Ensembl_canonical;"
        "transcript_id=ENST00000000002",
    )
    + line("exon", 201, 250, "Parent=transcript:ENST00000000002")
    + line("exon", 301, 400, "Parent=transcript:ENST00000000002")
    + line("CDS", 211, 250, "ID=CDS:ENSP2;Parent=transcript:ENST00000000002")
    + line("CDS", 301, 350, "ID=CDS:ENSP2;Parent=transcript:ENST00000000002")
    + "###\n"
    + line("ncRNA_gene", 501, 600, "ID=gene:ENSG00000000002;biotype=lncRNA", strand="-")
    + line("lnc_RNA", 501, 600, "ID=transcript:T2;Parent=gene:ENSG00000000002", strand="-")
    + line("exon", 501, 600, "Parent=transcript:T2", strand="-")
    + "##FASTA\n>1\nACGT\n"
)


def read(folder: Path, text: str) -> Annotation:
    path = folder / "genes.gff3"
    path.write_text(text)
    return read_annotation(path)


def test_ensembl(tmp_path: Path) -> None:
    found = read(tmp_path, ENSEMBL)
    assert found.format == "gff3"
    assert found.genes.values.tolist() == [
        ["ENSG00000000001", "PLUS", "1", 100, 400, "+", "protein_coding"],
        ["ENSG00000000002", "ENSG00000000002", "1", 500, 600, "-", "lncRNA"],
    ]
    assert found.transcripts.values.tolist() == [
        ["ENST00000000001", "ENSG00000000001", "1", 100, 400, "+", False],
        ["ENST00000000002", "ENSG00000000001", "1", 200, 400, "+", True],
        ["T2", "ENSG00000000002", "1", 500, 600, "-", True],
    ]
    assert found.exons.values.tolist() == [
        ["ENST00000000001", 100, 400],
        ["ENST00000000002", 200, 250],
        ["ENST00000000002", 300, 400],
        ["T2", 500, 600],
    ]
    assert found.cds["end"].tolist() == [300, 250, 350]
    assert found.notes == {"canonical_flagged": 1}


def test_the_order_of_lines_does_not_matter(tmp_path: Path) -> None:
    body = ENSEMBL.partition("##FASTA")[0]
    turned = read(tmp_path, "".join(reversed(body.splitlines(keepends=True))))
    plain = read(tmp_path, ENSEMBL)
    ours = turned.transcripts.sort_values("transcript_id").reset_index(drop=True)
    assert plain.transcripts.equals(ours)
    assert sorted(turned.cds.values.tolist()) == plain.cds.values.tolist()


def test_gencode(tmp_path: Path) -> None:
    gene = "gene_id=ENSG00000186092.7;gene_type=protein_coding;gene_name=OR4F5"
    transcript = "transcript_id=ENST00000641515.2"
    found = read(
        tmp_path,
        line("gene", 11, 90, f"ID=ENSG00000186092.7;{gene}")
        + line("transcript", 11, 90, f"ID=ENST00000641515.2;Parent=ENSG00000186092.7;{transcript}")
        + line("exon", 11, 90, "ID=exon:ENST00000641515.2:1;Parent=ENST00000641515.2")
        + line("CDS", 21, 50, "ID=CDS:ENST00000641515.2;Parent=ENST00000641515.2")
        + line("start_codon", 21, 23, "ID=start_codon:ENST00000641515.2;Parent=ENST00000641515.2")
        + line("stop_codon", 48, 50, "ID=stop_codon:ENST00000641515.2;Parent=ENST00000641515.2")
        # The parts of one UTR share an ID.
        + line("five_prime_UTR", 11, 15, "ID=UTR5:ENST00000641515.2;Parent=ENST00000641515.2")
        + line("five_prime_UTR", 17, 20, "ID=UTR5:ENST00000641515.2;Parent=ENST00000641515.2"),
    )
    assert found.genes.values.tolist() == [
        ["ENSG00000186092", "OR4F5", "1", 10, 90, "+", "protein_coding"]
    ]
    assert found.transcripts["transcript_id"].tolist() == ["ENST00000641515"]
    assert found.cds[["start", "end"]].values.tolist() == [[20, 50]]
    assert found.notes == {}


def test_ncbi_and_exons_on_a_gene(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        line("gene", 1, 90, "ID=gene-AB%2C1;Name=AB%2C1;gbkey=Gene;gene_biotype=protein_coding")
        + line("mRNA", 1, 90, "ID=rna-NM_1.4;Parent=gene-AB%2C1;gbkey=mRNA;transcript_id=NM_1.4")
        + line("exon", 1, 90, "ID=exon-NM_1.4-1;Parent=rna-NM_1.4;gbkey=mRNA")
        + line("pseudogene", 201, 290, "ID=gene-P;Name=P;gbkey=Gene")
        + line("exon", 201, 240, "ID=id-P;Parent=gene-P;gbkey=exon")
        + line("exon", 261, 290, "ID=id-P-2;Parent=gene-P;gbkey=exon"),
    )
    assert found.genes["gene_id"].tolist() == ["AB,1", "P"]
    assert found.transcripts["transcript_id"].tolist() == ["NM_1.4", "P"]
    assert found.exons.values.tolist() == [
        ["NM_1.4", 0, 90],
        ["P", 200, 240],
        ["P", 260, 290],
    ]


def test_one_exon_of_two_transcripts(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        line("gene", 1, 90, "ID=G")
        + line("mRNA", 1, 50, "ID=A;Parent=G")
        + line("mRNA", 1, 90, "ID=B;Parent=G")
        + line("exon", 1, 50, "Parent=A,B")
        + line("exon", 71, 90, "Parent=B"),
    )
    assert found.exons.values.tolist() == [["A", 0, 50], ["B", 0, 50], ["B", 70, 90]]


def test_transcripts_without_genes(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        line("primary_transcript", 11, 90, "ID=YAL001C_tx0", strand="-")
        + line("primary_transcript", 111, 190, "ypd=1;ID=YAL003W_id003")
        + line("mRNA", 301, 390, "ID=T9;Parent=gene:G9"),
    )
    assert found.genes["gene_id"].tolist() == ["YAL001C", "YAL003W", "G9"]
    assert found.genes[["start", "end", "strand"]].values.tolist() == [
        [10, 90, "-"],
        [110, 190, "+"],
        [300, 390, "+"],
    ]
    assert found.transcripts["transcript_id"].tolist() == ["YAL001C_tx0", "YAL003W_id003", "T9"]
    assert found.notes == {"implied_exons": 3, "implied_genes": 3}


def test_genes_one_level_further_up(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        line("gene", 1, 90, "ID=G")
        + line("primary_transcript", 1, 90, "ID=P;Parent=G")
        + line("exon", 1, 90, "Parent=P")
        + line("miRNA", 31, 52, "ID=M;Parent=P")
        + line("exon", 31, 52, "Parent=M"),
    )
    assert found.transcripts[["transcript_id", "gene_id"]].values.tolist() == [
        ["P", "G"],
        ["M", "G"],
    ]


def test_blocks_without_parent_are_counted(tmp_path: Path) -> None:
    found = read(tmp_path, line("gene", 1, 90, "ID=G") + line("exon", 1, 9, "ID=x"))
    assert found.notes["blocks_without_parent"] == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (line("gene", 1, 90, "Name=G"), "line 1: a gene without an ID"),
        (
            line("gene", 1, 90, "ID=G") + line("exon", 1, 9, "Parent=T"),
            "line 2: Parent names no gene or transcript.*Parent=T",
        ),
        (
            line("gene", 1, 90, "ID=G") + line("gene", 101, 190, "ID=G"),
            "two places",
        ),
        (line("gene", 1, 90, "ID=G", strand="?"), r"strand.*'\?'"),
        (line("gene", 90, 1, "ID=G"), "start 90, end 1"),
        (
            line("mRNA", 1, 9, "ID=A;Parent=B") + line("mRNA", 1, 9, "ID=B;Parent=A"),
            "its own ancestor",
        ),
        (line("region", 1, 90, "ID=r"), "no genes"),
    ],
)
def test_bad_files(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(FormatError, match=message) as caught:
        read(tmp_path, text)
    assert caught.value.file == str(tmp_path / "genes.gff3")
