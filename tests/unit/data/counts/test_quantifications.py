"""Quantified transcripts, summed to genes as tximport does."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprimo.core.errors import FormatError, InputError, MismatchError
from exprimo.data.counts import (
    holds_quantifications,
    read_counts,
    read_quantifications,
    refuse_empty_samples,
)
from exprimo.data.samples import match_samples, read_samples

SAMPLES = ["S1", "S2", "S3"]
# Transcript, length, then per sample effective length, TPM, reads. No gene is given for X9.1.
ROWS = """
T1.1 1500 1301.2 30.5 310.5   1310.4 10 95.5      1295.8 0 0
T1.2 900 702.75 0 0           711.5 4.5 25        699.25 8 51.5
T2.1 2100 1900.5 12.25 201.25 1910.25 0 0         1893.75 20.75 340.25
T3.1 700 510.1 0 0            515.6 0 0           505.4 0 0
T3.2 1250 1049.9 0 0          1055.1 0 0          1043.6 0 0
T3.3 3000 2801.3 0 0          2810.7 0 0          2795.2 0 0
T4.1 480 290.75 0 0           299.5 0 0           284.25 1.5 2.5
T5.1 1800 1600.2 5.5 74       1609.9 2.25 31.25   1594.1 0 0
T5.2 1100 899.8 1.25 9.5      905.3 0 0           893.7 0 0
X9.1 650 455.5 3 12           461.25 7.5 40.75    449.9 2 8
"""
GENES = {
    "T1.1": "gB", "T1.2": "gB", "T2.1": "gA", "T3.1": "gC", "T3.2": "gC", "T3.3": "gC",
    "T4.1": "gD", "T5.1": "gE", "T5.2": "gE", "T7.1": "gF",
}  # fmt: skip

# R 4.2.2, tximport 1.26.1, DESeq2 1.38.3:
#   txi <- tximport(files, type = "salmon", tx2gene = tx2gene)
#   counts(DESeqDataSetFromTximport(txi, data.frame(x = 1:3), ~ 1)); txi$length
R_COUNTS = {
    "gA": [201, 0, 340], "gB": [310, 120, 52], "gC": [0, 0, 0], "gD": [0, 0, 2], "gE": [84, 31, 0],
}  # fmt: skip
R_LENGTHS = [
    [1900.5, 1897.1219979221153, 1893.75],
    [1301.2, 1124.5344827586207, 699.25],
    [1454.1, 1454.1, 1454.1],
    [284.25, 284.25, 284.25],
    [1470.4962962962964, 1609.9, 1538.6201569612324],
]


def lines_of(sample: int, program: str) -> list[str]:
    """Give the file of one sample as its program writes it."""
    rows = [line.split() for line in ROWS.strip().splitlines()]
    if program == "salmon":
        return ["Name\tLength\tEffectiveLength\tTPM\tNumReads"] + [
            "\t".join([*row[:2], *row[2 + 3 * sample : 5 + 3 * sample]]) for row in rows
        ]
    return ["target_id\tlength\teff_length\test_counts\ttpm"] + [
        "\t".join([*row[:2], row[2 + 3 * sample], row[4 + 3 * sample], row[3 + 3 * sample]])
        for row in rows
    ]


def put(file: Path, lines: list[str]) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    text = ("\n".join(lines) + "\n").encode()
    file.write_bytes(gzip.compress(text) if file.suffix == ".gz" else text)
    return file


@pytest.fixture
def salmon(tmp_path: Path) -> Path:
    folder = tmp_path / "salmon"
    for at, sample in enumerate(SAMPLES):
        put(folder / sample / "quant.sf", lines_of(at, "salmon"))
    return folder


@pytest.fixture
def table(tmp_path: Path) -> Path:
    pairs = [f"{transcript}\t{gene}" for transcript, gene in GENES.items()]
    return put(tmp_path / "tx2gene.tsv", ["TXNAME\tGENEID", *pairs])


def check_against_r(counts) -> None:
    assert counts.matrix.index.tolist() == list(R_COUNTS)
    assert counts.matrix.index.name == "gene_id"
    assert counts.samples == SAMPLES
    assert counts.matrix.to_numpy().tolist() == list(R_COUNTS.values())
    assert counts.matrix.dtypes.eq(np.int64).all()
    np.testing.assert_allclose(counts.lengths, R_LENGTHS, rtol=1e-14)
    pd.testing.assert_index_equal(counts.lengths.index, counts.matrix.index)
    pd.testing.assert_index_equal(counts.lengths.columns, counts.matrix.columns)


@pytest.mark.parametrize("name", ["quant.sf", "quant.sf.gz", "abundance.tsv", "abundance.tsv.gz"])
def test_counts_and_lengths_are_those_of_tximport(tmp_path: Path, table: Path, name: str) -> None:
    program = "salmon" if "quant" in name else "kallisto"
    for at, sample in enumerate(SAMPLES):
        put(tmp_path / "in" / sample / name, lines_of(at, program))
    (tmp_path / "in" / "multiqc").mkdir()
    (tmp_path / "in" / ".hidden").mkdir()
    put(tmp_path / "in" / "tx2gene.tsv", ["a\tb"])
    counts = read_counts(tmp_path / "in", transcripts=table)
    check_against_r(counts)
    assert counts.source == tmp_path / "in"
    assert counts.notes == {
        "format": f"{program} quantifications",
        "trailer_rows": 0,
        "transcripts": 10,
        "transcripts_without_gene": 1,
        "without_gene": "X9.1",
        "reads_without_gene": 61,
        "fractions_rounded": 8,
        "genes": 5,
        "samples": 3,
    }


def test_one_file_per_sample(tmp_path: Path) -> None:
    for at, sample in enumerate(SAMPLES):
        put(tmp_path / f"GSM{at}_{sample}_quant.sf.gz", lines_of(at, "salmon"))
    counts = read_quantifications(tmp_path, GENES)
    assert counts.samples == ["GSM0_S1", "GSM1_S2", "GSM2_S3"]
    assert counts.matrix.to_numpy().tolist() == list(R_COUNTS.values())


def test_a_column_of_the_sheet(salmon: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "samples.csv"
    rows = [f"{name},{salmon / name},x" for name in ("S3", "S1", "S2")]
    sheet.write_text("sample,files,status\n" + "\n".join(rows) + "\n")
    samples = read_samples(sheet)
    counts = read_quantifications(samples["files"], GENES)
    assert counts.samples == ["S3", "S1", "S2"]
    assert counts.source == salmon
    again, _ = match_samples(counts, samples.loc[SAMPLES])
    check_against_r(again)


def test_files_by_name(salmon: Path) -> None:
    check_against_r(
        read_quantifications({name: salmon / name / "quant.sf" for name in SAMPLES}, GENES)
    )


@pytest.mark.parametrize("path", ["S1", "S1/quant.sf"])
def test_a_single_sample(salmon: Path, path: str) -> None:
    counts = read_counts(salmon / path, transcripts=GENES)
    assert counts.samples == ["S1"]
    assert counts.matrix["S1"].tolist() == [201, 310, 0, 0, 84]
    # Nothing to borrow from other samples: the plain mean of the three, and of one.
    assert counts.lengths["S1"].tolist() == pytest.approx(
        [1900.5, 1301.2, (510.1 + 1049.9 + 2801.3) / 3, 290.75, 1470.4962962962964]
    )


def test_transcripts_in_another_order(salmon: Path) -> None:
    head, *rest = lines_of(1, "salmon")
    put(salmon / "S2" / "quant.sf", [head, *rest[::-1]])
    check_against_r(read_quantifications(salmon, GENES))


class TestRefused:
    def test_without_a_table(self, salmon: Path) -> None:
        for path in (salmon, salmon / "S1" / "quant.sf"):
            with pytest.raises(InputError, match="with --transcripts FILE"):
                read_counts(path, round_fractions=True)

    def test_a_table_without_quantifications(self, tmp_path: Path) -> None:
        path = put(tmp_path / "counts.tsv", ["gene\ts1", "g1\t3"])
        with pytest.raises(InputError, match="these are no quantified transcripts"):
            read_counts(path, transcripts=GENES)

    def test_other_transcripts(self, salmon: Path) -> None:
        put(salmon / "S2" / "quant.sf", lines_of(1, "salmon")[:-2])
        with pytest.raises(FormatError) as caught:
            read_quantifications(salmon, GENES)
        assert "S2" in str(caught.value)
        assert "Found: 2 missing (T5.2, X9.1), 0 more" in str(caught.value)

    def test_two_programs(self, salmon: Path) -> None:
        (salmon / "S2" / "quant.sf").unlink()
        put(salmon / "S2" / "abundance.tsv", lines_of(1, "kallisto"))
        with pytest.raises(FormatError, match=r"files of two programs. Found: kallisto"):
            read_quantifications(salmon, GENES)

    def test_two_files_of_one_sample(self, salmon: Path) -> None:
        put(salmon / "S2" / "abundance.tsv", lines_of(1, "kallisto"))
        with pytest.raises(FormatError, match=r"Found: quant.sf, abundance.tsv"):
            read_quantifications(salmon, GENES)

    def test_hdf5_alone(self, tmp_path: Path) -> None:
        put(tmp_path / "in" / "S1" / "abundance.h5", ["x"])
        with pytest.raises(FormatError, match="kallisto h5dump"):
            read_counts(tmp_path / "in", transcripts=GENES)

    @pytest.mark.parametrize(
        ("cell", "said"),
        [
            ("-nan", "If no read was assigned"),
            ("x", "Found: 'x'"),
            ("-3", "Found: '-3'"),
            ("", "Found: ''"),
            ("1_0", "Found: '1_0'"),
            ("inf", "Found: 'inf'"),
        ],
    )
    def test_a_wrong_cell(self, salmon: Path, cell: str, said: str) -> None:
        lines = lines_of(1, "salmon")
        lines[3] = "\t".join([*lines[3].split("\t")[:3], cell, "0"])
        put(salmon / "S2" / "quant.sf", lines)
        with pytest.raises(FormatError, match=said) as caught:
            read_quantifications(salmon, GENES)
        assert "S2/quant.sf, line 4, sample S2, column TPM: not a quantity" in str(caught.value)

    def test_a_transcript_twice(self, salmon: Path) -> None:
        lines = lines_of(0, "salmon")
        put(salmon / "S1" / "quant.sf", [*lines, lines[2]])
        with pytest.raises(FormatError, match=r"transcript 'T1.2'.*lines 3 and 12"):
            read_quantifications(salmon, GENES)

    def test_a_length_of_zero(self, salmon: Path) -> None:
        lines = lines_of(2, "salmon")
        lines[7] = "T4.1\t480\t0\t1.5\t2.5"
        put(salmon / "S3" / "quant.sf", lines)
        with pytest.raises(FormatError, match="a gene of length 0"):
            read_quantifications(salmon, GENES)

    def test_no_transcripts(self, salmon: Path) -> None:
        put(salmon / "S1" / "quant.sf", lines_of(0, "salmon")[:1])
        with pytest.raises(FormatError, match="sample S1: no transcripts"):
            read_quantifications(salmon, GENES)

    @pytest.mark.parametrize("path", [None, np.nan, ""])
    def test_a_sample_without_a_file(self, salmon: Path, path: object) -> None:
        with pytest.raises(InputError, match="sample S9: a sample without a file"):
            read_quantifications({"S1": salmon / "S1", "S9": path}, GENES)

    def test_places_without_any(self, tmp_path: Path) -> None:
        (tmp_path / "S1").mkdir()
        with pytest.raises(InputError, match="no quantified transcripts in this folder"):
            read_quantifications({"S1": tmp_path / "S1"}, GENES)
        with pytest.raises(FormatError, match="no quantified transcripts in it"):
            read_quantifications(tmp_path, GENES)
        path = put(tmp_path / "c.tsv", ["gene\ts1", "g1\t3"])
        with pytest.raises(FormatError, match="Found: gene, s1"):
            read_quantifications(path, GENES)
        with pytest.raises(InputError, match="no such file"):
            read_quantifications({"S1": tmp_path / "gone"}, GENES)

    def test_two_files_of_one_name(self, tmp_path: Path) -> None:
        put(tmp_path / "S1_quant.sf", lines_of(0, "salmon"))
        put(tmp_path / "S1.quant.sf", lines_of(1, "salmon"))
        with pytest.raises(FormatError, match="two files give the same sample name"):
            read_quantifications(tmp_path, GENES)

    def test_half_of_the_transcripts_unknown(self, salmon: Path) -> None:
        few = dict(list(GENES.items())[:5])
        assert read_quantifications(salmon, few).notes["transcripts_without_gene"] == 5
        with pytest.raises(MismatchError) as caught:
            read_quantifications(salmon, dict(list(few.items())[:4]))
        assert "6 of 10 transcripts" in str(caught.value)
        assert "T1.1, T1.2, T2.1, ... here; T1.1, T1.2, T2.1, ... in the table" in str(caught.value)


def test_what_holds_quantifications(salmon: Path, tmp_path: Path) -> None:
    assert holds_quantifications(salmon)
    assert holds_quantifications(salmon / "S1")
    assert holds_quantifications(salmon / "S1" / "quant.sf")
    (tmp_path / "htseq").mkdir()
    put(tmp_path / "htseq" / "a.txt", ["g1\t3"])
    (tmp_path / "htseq" / "empty").touch()
    assert not holds_quantifications(tmp_path / "htseq")
    assert not holds_quantifications(put(tmp_path / "quant.genes.sf", lines_of(0, "salmon")))


def test_samples_without_reads_are_named(salmon: Path) -> None:
    lines = lines_of(1, "salmon")
    silent = [line.rsplit("\t", 1)[0] + "\t0" for line in lines[1:]]
    put(salmon / "S2" / "quant.sf", [lines[0], *silent])
    counts = read_quantifications(salmon, GENES)
    with pytest.raises(FormatError, match=r"a sample without a single read. Found: S2"):
        refuse_empty_samples(counts)
    refuse_empty_samples(read_quantifications({"S1": salmon / "S1"}, GENES))
