"""BED files of genes, and files that are none of the formats."""

from __future__ import annotations

from pathlib import Path

import pytest

from exprimo.core.errors import FormatError, InputError, MismatchError
from exprimo.data.annotation import Annotation, read_annotation

SIX = "chrI\t10\t40\tA\t0\t-\nchrII\t0\t9\tB\t0.0\t+\n"
TWELVE = "chr1\t100\t400\tT\t0\t-\t150\t350\t0\t3\t60,20,100,\t0,100,200,\n"


def read(folder: Path, text: str) -> Annotation:
    path = folder / "genes.bed"
    path.write_text(text)
    return read_annotation(path)


@pytest.mark.parametrize(
    "text",
    [
        SIX,
        SIX.replace("\t", " "),
        SIX.replace("\n", "\r\n"),
        "track name=x\nbrowser y\n#c\n\n" + SIX,
        SIX.replace("\t-", "\t-\tx\ty\tz").replace("\t+", "\t+\tx\ty\tz"),
    ],
)
def test_bed6_and_its_variants(tmp_path: Path, text: str) -> None:
    found = read(tmp_path, text)
    assert found.format == "bed"
    assert found.genes.values.tolist() == [
        ["A", "A", "chrI", 10, 40, "-", ""],
        ["B", "B", "chrII", 0, 9, "+", ""],
    ]
    assert found.transcripts.values.tolist() == [
        ["A", "A", "chrI", 10, 40, "-", True],
        ["B", "B", "chrII", 0, 9, "+", True],
    ]
    assert found.exons.values.tolist() == [["A", 10, 40], ["B", 0, 9]]
    assert len(found.cds) == 0
    assert found.notes == {}


def test_bed12(tmp_path: Path) -> None:
    found = read(tmp_path, TWELVE)
    assert found.exons[["start", "end"]].values.tolist() == [[100, 160], [200, 220], [300, 400]]
    assert found.cds[["start", "end"]].values.tolist() == [[150, 160], [200, 220], [300, 350]]


def test_bed12_without_cds(tmp_path: Path) -> None:
    found = read(tmp_path, TWELVE.replace("150\t350", "100\t100"))
    assert len(found.cds) == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SIX + "chrI\t50\t60\tA\t0\t+\n", "lines 1 and 3: two rows have the same gene id.*A"),
        (SIX + "chrI\t50\t60\tC\t0\n", "line 3.*Found: 5 columns. Expected: 6 columns"),
        ("chrI\t50\t60\tC\n", "line 1.*Found: 4 columns"),
        (SIX + "chrI\t50\t60\tC\t0\t.\n", r"line 3.*strand.*'\.'"),
        (SIX + "chrI\t60\t50\tC\t0\t+\n", "line 3.*start 60, end 50"),
        (SIX + "chrI\t-6\t50\tC\t0\t+\n", "line 3.*start -6"),
        (SIX + "chrI\tsix\t50\tC\t0\t+\n", "line 3.*Found: six, 50"),
        (SIX + "chrI\t1\t50\t.\t0\t+\n", "line 3.*without a name"),
        (TWELVE.replace("60,20,100,", "60,20,"), "line 1: blocks that do not fit"),
        (TWELVE.replace("60,20,100,", "60,20,90,"), "line 1: blocks that do not fit"),
        (TWELVE.replace("60,20,100,", "a,b,c,"), "line 1: blocks are not whole numbers"),
        (">I\nACGT\n", "line 1: neither GTF nor GFF3 nor BED.*'>I'"),
        ("gene\tcount\nA\t3\n", "neither GTF"),
        ("#nothing\n", "no genes"),
        ("", "the file is empty"),
    ],
)
def test_bad_files(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(FormatError, match=message) as caught:
        read(tmp_path, text)
    assert caught.value.file == str(tmp_path / "genes.bed")


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_annotation(tmp_path / "none.bed")


def test_binary_file(tmp_path: Path) -> None:
    path = tmp_path / "genes.bed"
    path.write_bytes(b"\xff\xfe\x00\x01" * 9)
    with pytest.raises(FormatError, match="UTF-8"):
        read_annotation(path)


def test_chromosomes_are_renamed_and_the_others_dropped(tmp_path: Path) -> None:
    found = read(tmp_path, SIX)
    assert found.chromosomes == ["chrI", "chrII"]
    ours = found.with_chromosomes({"chrI": "I"})
    assert ours.genes[["gene_id", "chrom"]].values.tolist() == [["A", "I"]]
    assert ours.transcripts["chrom"].tolist() == ["I"]
    assert ours.exons["transcript_id"].tolist() == ["A"]
    assert ours.notes == {"genes_off_genome": 1}
    assert found.chromosomes == ["chrI", "chrII"]
    with pytest.raises(MismatchError, match=r"chrI, chrII\. Expected: 7"):
        found.with_chromosomes({"7": "seven"})
