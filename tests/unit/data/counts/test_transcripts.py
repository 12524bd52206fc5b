"""The gene of each transcript."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from exprimo.core.errors import FormatError, InputError, MismatchError
from exprimo.data.counts.transcripts import (
    TranscriptGenes,
    match_transcripts,
    read_transcript_genes,
)


@pytest.fixture
def put(tmp_path: Path):
    def write(text: str, name: str = "tx2gene.tsv") -> Path:
        path = tmp_path / name
        path.write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
        return path

    return write


def match(ids: list[str], genes: dict[str, str], *, ignore_version=False, stripped=False):
    table = TranscriptGenes(genes, stripped=stripped)
    found = match_transcripts(ids, table, ignore_version=ignore_version, source="in")
    return [found.genes[at] if at >= 0 else None for at in found.position], found.notes


@pytest.mark.parametrize(
    "text",
    [
        "T1\tg1\nT2\tg2\n",
        "TXNAME,GENEID\nT1,g1\nT2,g2\n",
        '"tx";"gene"\n"T1";"g1"\n"T2";"g2"\n',
        "# made from release 110\nT1\tg1\tSNF2\n\nT2\tg2\tABC1\nT1\tg1\tSNF2\n",
        "T1\tg1\r\nT2\tg2\r\n",
    ],
)
@pytest.mark.parametrize("name", ["t.tsv", "t.gz"])
def test_tables(put, text: str, name: str) -> None:
    genes = read_transcript_genes(put(text, name)).genes
    assert {name: genes[name] for name in ("T1", "T2")} == {"T1": "g1", "T2": "g2"}


def test_an_annotation(put) -> None:
    feature = 'gene_id "ENSG00000000001.4"; transcript_id "ENST0000000000{}.2";'
    rows = [
        f"1\tx\ttranscript\t{1 + 10 * at}\t{9 + 10 * at}\t.\t+\t.\t" + feature.format(at)
        for at in (1, 2)
    ]
    table = read_transcript_genes(put("\n".join(rows) + "\n", "genes.gtf"))
    assert dict(table.genes) == {
        "ENST00000000001": "ENSG00000000001", "ENST00000000002": "ENSG00000000001",
    }  # fmt: skip
    found, _ = match(["ENST00000000002.2"], dict(table.genes), stripped=table.stripped)
    assert found == ["ENSG00000000001"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("T1\n", "line 1: not a transcript with its gene"),
        ("T1\tg1\nT2\t\n", "line 2: not a transcript"),
        ("T1\tg1\nT2\tg1\nT1\tg2\n", "transcript T1, lines 1 and 3.*g1 and g2"),
        ("# nothing\n", "no transcripts in this table"),
        ("", "empty"),
    ],
)
def test_bad_tables(put, text: str, said: str) -> None:
    with pytest.raises(FormatError, match=said):
        read_transcript_genes(put(text))


def test_versions_count_unless_told_otherwise() -> None:
    genes = {"AT1G01010.1": "g1", "AT1G01010.2": "g1", "T3": "g3"}
    ids = ["AT1G01010.1", "AT1G01010.3", "T3.7"]
    with pytest.raises(MismatchError, match="add --ignore-version"):
        match(ids, genes)
    assert match(ids, genes, ignore_version=True)[0] == ["g1", "g1", "g3"]


def test_versions_that_tell_genes_apart() -> None:
    with pytest.raises(InputError, match=r"transcript Y74C9A: .*Found: g1 and g2"):
        match(["Y74C9A.1"], {"Y74C9A.1": "g1", "Y74C9A.2": "g2"}, ignore_version=True)


def test_long_gencode_names() -> None:
    ids = ["ENST00000000001.2|ENSG00000000009.1|-|ABC|", "ENST00000000002.1|ENSG00000000009.1|"]
    found, notes = match(ids, {"ENST00000000001.2": "g", "ENST00000000002.1": "g"})
    assert found == ["g", "g"]
    assert notes["ids_cut_at_bar"] == 2
    found, notes = match(ids, dict.fromkeys(ids, "whole"))
    assert found == ["whole", "whole"]
    assert "ids_cut_at_bar" not in notes


def test_exchanged_columns_are_recognised() -> None:
    with pytest.raises(MismatchError, match="Exchange the columns"):
        match(["T1", "T2"], {"g1": "T1", "g2": "T2"})


def test_a_foreign_table() -> None:
    with pytest.raises(MismatchError, match=r"2 of 2 .*that the index was built from"):
        match(["T1", "T2"], {"A": "g1", "B": "g2"})


def test_those_without_a_gene_are_listed() -> None:
    ids = [f"T{at}" for at in range(60)]
    _, notes = match(ids, dict.fromkeys(ids[:35], "g"))
    assert notes["transcripts_without_gene"] == 25
    assert str(notes["without_gene"]).startswith("T35, T36, ")
    assert str(notes["without_gene"]).endswith("T54 and 5 more")
    assert "without_gene" not in match(["T1"], {"T1": "g"})[1]
