"""FASTA records in a stream."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pysam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exprimo.core.errors import FormatError, InputError
from exprimo.core.sequence import Codes, decode, encode
from exprimo.data.fasta import Genome, read_fasta, write_fasta
from exprimo.data.fasta.records import raw_records


def letters_of(path: Path) -> list[tuple[str, str]]:
    return [(name, decode(codes)) for name, codes in read_fasta(path)]


def test_lines_of_any_length_case_and_end(tmp_path: Path) -> None:
    path = tmp_path / "a.fa"
    path.write_bytes(b">a x\r\nAC\r\n\r\ngtu\r\n>b\r\nRYN")
    assert letters_of(path) == [("a", "ACGTT"), ("b", "NNN")]


@settings(max_examples=60, derandomize=True, deadline=None)
@given(size=st.integers(1, 40), line_end=st.sampled_from(["\n", "\r\n"]))
def test_block_borders_change_nothing(size: int, line_end: str) -> None:
    text = line_end.join([">a b", "ACGT", "AC", ">cc", "GG", "", ">d", "T", ""]).encode()
    blocks = [text[at : at + size] for at in range(0, len(text), size)]
    records = list(raw_records(blocks, Path("a.fa")))
    assert [r.name for r in records] == ["a", "cc", "d"]
    assert [r.line for r in records] == [1, 4, 7]
    for record, letters in zip(records, [b"ACGTAC", b"GG", b"T"], strict=True):
        assert record.body.translate(None, b"\r\n") == letters
        assert text[record.offset :].startswith(record.body[:2])


@pytest.mark.parametrize("name", ["a.fa", "a.fa.gz"])
@pytest.mark.parametrize("width", [1, 7, 60, 1000])
def test_written_records_come_back(tmp_path: Path, name: str, width: int) -> None:
    rng = np.random.default_rng(width)
    records: list[tuple[str, Codes]] = [
        (f"r{n}", rng.integers(0, 5, n, dtype=np.uint8)) for n in (1, 59, 60, 61, 120)
    ]
    path = tmp_path / name
    write_fasta(path, iter(records), width=width)
    assert [(n, c.tolist()) for n, c in read_fasta(path)] == [(n, c.tolist()) for n, c in records]
    opened = gzip.open(path) if name.endswith("gz") else open(path, "rb")  # noqa: SIM115 -- closed below
    with opened as handle:
        assert max(len(line) for line in handle if line[:1] != b">") == min(width, 120) + 1


def test_written_gzip_needs_no_unpacking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPRIMO_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "a.fa.gz"
    write_fasta(path, [("I", encode("ACGTN" * 40))])
    with Genome.open(path) as genome, pysam.FastaFile(str(path)) as peer:
        assert decode(genome.fetch("I", 57, 63)) == peer.fetch("I", 57, 63) == "GTNACG"
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    "records",
    [
        [("a", encode("A")), ("a", encode("C"))],
        [("a b", encode("A"))],
        [("", encode("A"))],
        [("a", encode(""))],
    ],
)
def test_what_cannot_be_read_back_is_not_written(
    tmp_path: Path, records: list[tuple[str, Codes]]
) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        write_fasta(tmp_path / "a.fa", records)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "record"),
    [
        (">a\nAC\n>a\nAC\n", "line 3"),
        (">a\nAC\n>b\n\n", "record b, line 3"),
        (">a\nAC\nA-C\n", "record a, line 3"),
        ("\n>a\nAC\n", "line 1"),
    ],
)
def test_bad_records(tmp_path: Path, text: str, record: str) -> None:
    path = tmp_path / "a.fa"
    path.write_text(text)
    with pytest.raises(FormatError) as caught:
        list(read_fasta(path))
    assert (caught.value.file, caught.value.record) == (str(path), record)


def test_gzip_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "a.fa.gz"
    path.write_bytes(gzip.compress(b">a\n" + b"ACGT" * 99)[:-6])
    with pytest.raises(FormatError, match="cut short"):
        list(read_fasta(path))
