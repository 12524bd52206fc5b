"""Transcription start sites by rule, and from a table."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from exprimo.core.errors import ConfigError, FormatError
from exprimo.data.annotation import read_annotation, read_tss_table, tss_table
from exprimo.data.annotation.identifiers import strip_version


def gtf(gene: str, strand: str, transcripts: list[tuple[str, int, int, str]]) -> str:
    text = ""
    for name, start, end, tag in transcripts:
        for feature in ("transcript", "exon"):
            text += f"c\tx\t{feature}\t{start}\t{end}\t.\t{strand}\t.\t"
            text += f'gene_id "{gene}"; transcript_id "{name}";'
            text += f' tag "{tag}";\n' if tag else "\n"
    return text


def rows(folder: Path, text: str, rule: str) -> list[list[object]]:
    path = folder / "genes.gtf"
    path.write_text(text)
    table = tss_table(read_annotation(path), rule)  # type: ignore[arg-type]  # parametrized
    assert list(table.columns) == ["gene_id", "chrom", "tss", "strand", "transcript_id"]
    return table[["gene_id", "tss", "strand", "transcript_id"]].values.tolist()


THREE = [("T1", 101, 400, ""), ("T2", 51, 300, "basic"), ("T3", 201, 500, "Ensembl_canonical")]


@pytest.mark.parametrize(
    ("strand", "rule", "expected"),
    [
        ("+", "canonical", ["G", 200, "+", "T3"]),
        ("+", "most5prime", ["G", 50, "+", "T2"]),
        ("-", "canonical", ["G", 499, "-", "T3"]),
        ("-", "most5prime", ["G", 499, "-", "T3"]),
    ],
)
def test_rules_on_both_strands(
    tmp_path: Path, strand: str, rule: str, expected: list[object]
) -> None:
    assert rows(tmp_path, gtf("G", strand, THREE), rule) == [expected]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (["", "MANE_Select", "Ensembl_canonical"], "T3"),
        (["basic", "appris_principal_1", "MANE_Select"], "T3"),
        (["basic", "appris_principal_1", "basic"], "T2"),
        (["", "", "basic"], "T3"),
        (["", "", ""], "T2"),
        (["CCDS", "CCDS", "CCDS"], "T2"),
    ],
)
def test_the_ladder_of_canonical(tmp_path: Path, tags: list[str], expected: str) -> None:
    # T2 has the longest sum of exons; T1 and T3 are equal.
    spans = [("T1", 1, 100), ("T2", 1, 200), ("T3", 1, 100)]
    transcripts = [(*span, tag) for span, tag in zip(spans, tags, strict=True)]
    assert rows(tmp_path, gtf("G", "+", transcripts), "canonical")[0][3] == expected


def test_the_longest_cds_goes_before_the_longest_transcript(tmp_path: Path) -> None:
    text = gtf("G", "+", [("T1", 1, 100, ""), ("T2", 11, 500, "")])
    text += 'c\tx\tCDS\t10\t60\t.\t+\t0\tgene_id "G"; transcript_id "T1";\n'
    text += 'c\tx\tCDS\t20\t50\t.\t+\t0\tgene_id "G"; transcript_id "T2";\n'
    assert rows(tmp_path, text, "canonical")[0][3] == "T1"


def test_equal_transcripts_go_by_id_and_genes_keep_their_order(tmp_path: Path) -> None:
    text = gtf("H", "-", [("T9", 1, 50, ""), ("T8", 1, 50, "")]) + gtf("A", "+", THREE)
    for rule in ("canonical", "most5prime"):
        found = rows(tmp_path, text, rule)
        assert [row[0] for row in found] == ["H", "A"]
        assert found[0] == ["H", 49, "-", "T8"]


def test_unknown_rule(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="canonical, most5prime"):
        rows(tmp_path, gtf("G", "+", THREE), "longest")


def test_a_table_is_one_based(tmp_path: Path) -> None:
    path = tmp_path / "tss.tsv"
    path.write_text("note\tgene_id\tchrom\ttss\tstrand\nx\tG\tI\t1\t+\ny\tH\tI\t90\t-\n\n")
    assert read_tss_table(path).values.tolist() == [
        ["G", "I", 0, "+", ""],
        ["H", "I", 89, "-", ""],
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gene_id\tchrom\ttss\nG\tI\t5\n", "line 1: no column strand"),
        ("gene_id\tchrom\ttss\tstrand\nG\tI\t0\t+\n", "line 2: tss is not a position. Found: 0"),
        ("gene_id\tchrom\ttss\tstrand\nG\tI\t5.5\t+\n", r"line 2.*Found: 5\.5"),
        ("gene_id\tchrom\ttss\tstrand\nG\tI\t5\t*\n", r"line 2.*strand.*'\*'"),
        ("gene_id\tchrom\ttss\tstrand\nG\tI\t5\n", "line 2: a malformed line"),
        ("gene_id\tchrom\ttss\tstrand\nG\tI\t5\t+\nG\tI\t6\t+\n", "lines 2 and 3.*same gene id"),
        ("gene_id\tchrom\ttss\tstrand\n", "no rows"),
    ],
)
def test_bad_tables(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "tss.tsv"
    path.write_text(text)
    with pytest.raises(FormatError, match=message):
        read_tss_table(path)


@pytest.mark.parametrize(
    ("raw", "stripped"),
    [
        ("ENSG00000236875.12", "ENSG00000236875"),
        ("ENSMUST00000193812.2", "ENSMUST00000193812"),
        ("ENSG00000236875.3_1", "ENSG00000236875"),
        ("ENSG00000182378.13_PAR_Y", "ENSG00000182378_PAR_Y"),
        ("ENSGR0000182378.11", "ENSGR0000182378"),
        ("ENSG00000236875", "ENSG00000236875"),
        ("AT1G01010.1", "AT1G01010.1"),
        ("Y74C9A.3", "Y74C9A.3"),
        ("NM_000014.6", "NM_000014.6"),
        ("AP001342.1", "AP001342.1"),
    ],
)
def test_only_versions_are_stripped(raw: str, stripped: str) -> None:
    assert strip_version(raw) == stripped


def test_a_packed_table_of_nothing(tmp_path: Path) -> None:
    table = tmp_path / "tss.tsv.gz"
    table.write_bytes(gzip.compress(b""))
    with pytest.raises(FormatError, match=r"tss\.tsv\.gz: the file is empty"):
        read_tss_table(table)
