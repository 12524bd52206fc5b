"""One table of counts as R, Python, spreadsheets, featureCounts, HTSeq and STAR would write it."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from exprimo.core.errors import FormatError
from exprimo.data.counts import read_counts

BAMS = "bams/s1.sorted.bam\t/data/s2Aligned.sortedByCoord.out.bam"
DIALECTS = {
    "tsv": "gene_id\ts1\ts2\nENSG01.4\t3\t0\nENSG02.1\t12\t7\n",
    "csv": "gene_id,s1,s2\nENSG01.4,3,0\nENSG02.1,12,7\n",
    "semicolons": "gene;s1;s2\nENSG01.4;3;0\nENSG02.1;12;7\n",
    "quoted": '"gene_id","s1","s2"\n"ENSG01.4","3","0"\n"ENSG02.1","12","7"\n',
    "byte order mark": "\ufeffgene_id,s1,s2\nENSG01.4,3,0\nENSG02.1,12,7\n",
    "mark and quotes": '\ufeff"gene_id","s1","s2"\r\n"ENSG01.4",3,0\r\n"ENSG02.1",12,7\r\n',
    "carriage returns": "gene_id\ts1\ts2\r\nENSG01.4\t3\t0\r\nENSG02.1\t12\t7\r\n",
    "old Macintosh": "gene_id\ts1\ts2\rENSG01.4\t3\t0\rENSG02.1\t12\t7\r",
    "write.table": '"s1" "s2"\n"ENSG01.4" 3 0\n"ENSG02.1" 12 7\n',
    "write.table, tabs, no quotes": "s1\ts2\nENSG01.4\t3\t0\nENSG02.1\t12\t7\n",
    "write.csv": '"","s1","s2"\n"ENSG01.4",3,0\n"ENSG02.1",12,7\n',
    "floats": "gene_id\ts1\ts2\nENSG01.4\t3.0\t0.0\nENSG02.1\t1.2e1\t7.00\n",
    "blank lines": "gene_id\ts1\ts2\n\nENSG01.4\t3\t0\nENSG02.1\t12\t7\n\n\n",
    "blanks in cells": "gene_id, s1, s2\nENSG01.4, 3, 0\nENSG02.1, 12, 7\n",
    "commented header": "#gene_id\ts1\ts2\nENSG01.4\t3\t0\nENSG02.1\t12\t7\n",
    "names behind ids": "gene_id\tgene_name\ts1\ts2\nENSG01.4\tA\t3\t0\nENSG02.1\tB\t12\t7\n",
    "names at the end": "gene_id\ts1\ts2\tgene_name\nENSG01.4\t3\t0\tA\nENSG02.1\t12\t7\tB\n",
    "several columns about genes": (
        "gene_id\tSymbol\tgene_biotype\tlength\ts1\ts2\tdescription\n"
        "ENSG01.4\tA\tlncRNA\t1000\t3\t0\ta gene, probably\n"
        "ENSG02.1\tB\tprotein_coding\t20\t12\t7\t\n"
    ),
    "featureCounts": (
        '# Program:featureCounts v2.0.1; Command:"featureCounts" "-a" "genes.gtf"\n'
        f"Geneid\tChr\tStart\tEnd\tStrand\tLength\t{BAMS}\n"
        "ENSG01.4\t1;1\t1;5\t2;9\t+;+\t10\t3\t0\nENSG02.1\t1\t20\t30\t-\t11\t12\t7\n"
    ),
    "HTSeq files merged": (
        "gene_id\ts1\ts2\nENSG01.4\t3\t0\nENSG02.1\t12\t7\n__no_feature\t100\t200\n"
        "__ambiguous\t1\t2\n__too_low_aQual\t0\t0\n__not_aligned\t0\t0\n"
        "__alignment_not_unique\t5\t5\n"
    ),
    "STAR files merged": (
        "gene_id\ts1\ts2\nN_unmapped\t10\t20\nN_multimapping\t1\t1\nN_noFeature\t100\t200\n"
        "N_ambiguous\t1\t1\nENSG01.4\t3\t0\nENSG02.1\t12\t7\n"
    ),
}


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_all_say_the_same(tmp_path: Path, dialect: str, packed: bool) -> None:
    content = DIALECTS[dialect].encode()
    path = tmp_path / "counts"
    path.write_bytes(gzip.compress(content) if packed else content)
    counts = read_counts(path)
    # Versions stay: they tell genes of the two halves of a chromosome pair apart (ENSG....1_PAR_Y).
    assert counts.matrix.index.tolist() == ["ENSG01.4", "ENSG02.1"]
    assert counts.samples == ["s1", "s2"]
    assert counts.matrix.to_numpy().tolist() == [[3, 0], [12, 7]]


def test_reads_without_a_gene_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "counts"
    for dialect, name in (
        ("HTSeq files merged", "no_feature"),
        ("STAR files merged", "N_noFeature"),
    ):
        path.write_text(DIALECTS[dialect])
        assert read_counts(path).notes[name] == 300


def test_columns_about_genes_are_told(tmp_path: Path) -> None:
    path = tmp_path / "counts"
    path.write_text(DIALECTS["several columns about genes"])
    told = read_counts(path).notes["column_passed_over"]
    assert told == "Symbol, gene_biotype, length, description"


def test_such_a_column_among_the_samples_is_no_sample(tmp_path: Path) -> None:
    path = tmp_path / "counts"
    path.write_text("gene_id\ts1\tgene_name\ts2\nENSG01.4\t3\tA\t0\n")
    with pytest.raises(FormatError, match="sample gene_name: not a count"):
        read_counts(path)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("gene_id\ts1\ts2\t\nENSG01.4\t3\t0\t\n", "column 4: a sample without a name"),
        (",gene_id,s1\n0,ENSG01.4,3\n", "line 2, gene 0, sample gene_id: not a count"),
        ('gene_id,s1,s2\nENSG01.4,"1,200",0\n', "line 2, gene ENSG01.4, sample s1: not a count"),
        ("gene_id\ts1\ts2\nENSG01.4\t3\n", "line 2 .*another number of fields"),
    ],
)
def test_what_would_have_to_be_guessed_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "counts"
    path.write_text(text)
    with pytest.raises(FormatError, match=problem):
        read_counts(path)
