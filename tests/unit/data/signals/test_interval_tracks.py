"""bedGraph and reads in BED: bins worked out by hand, and files that cannot be used."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from exprimo.core.errors import FormatError, InputError, MismatchError
from exprimo.data.signals import open_signal
from exprimo.data.signals.intervals import spool, text


def text_file(path: Path, lines: str) -> Path:
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(lines.encode(), mtime=0))
    else:
        path.write_text(lines)
    return path


GRAPH = """track type=bedGraph name="H3K4me3"
# chrom start end value
chr1\t10\t20\t3
chr1\t20\t25\t1.5e1

chr2 0 4 0.125
chr2\t8\t9\t-2.5
"""


@pytest.mark.parametrize("name", ["t.bedgraph", "t.bdg.gz", "track.txt"])
def test_a_bedgraph_gives_means_per_base(tmp_path: Path, name: str) -> None:
    with open_signal(text_file(tmp_path / name, GRAPH)) as signal:
        assert signal.kind == "bedgraph"
        assert signal.chromosomes == {"chr1": None, "chr2": None}
        found = signal.bins("chr1", np.array([15, -5, 21]), 2, 10)
        assert found.tolist() == [[9.0, 0.0], [0.0, 1.5], [6.0, 0.0]]
        assert signal.bins("chr2", np.array([0]), 2, 5).tolist() == [[np.float32(0.1), -0.5]]
        assert signal.total() == 30 + 75 + 0.5 - 2.5


def test_numbers_are_read_as_python_reads_them(tmp_path: Path) -> None:
    texts = ["0.1", "123456789.123456789", "1e-300", "7.0E+5", "+3", ".5", "5.", "2.2250738585e-39"]
    rng = np.random.default_rng(0)
    texts += [repr(float(x)) for x in rng.normal(0, 1, 200)]
    texts += [f"{x:.6g}" for x in 10.0 ** rng.uniform(-30, 30, 200)]
    lines = "".join(f"c\t{at}\t{at + 1}\t{cell}\n" for at, cell in enumerate(texts))
    with open_signal(text_file(tmp_path / "t.bedgraph", lines)) as signal:
        found = signal.bins("c", np.array([0]), len(texts), 1)[0]
    assert found.tolist() == [np.float32(float(cell)) for cell in texts]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("c\t5\t9\t1\nc\t8\t12\t1\n", r"line 2 \(c 8 12\): intervals that overlap"),
        ("c\t5\t9\t1\nc\t1\t2\t1\n", "not sorted"),
        ("c\t5\t9\t1\nd\t1\t2\t1\nc\t10\t12\t1\n", "its chromosome ended further up"),
        ("c\t5\t9\tnan\n", r"line 1: signal that is no finite number. Found: 'nan'"),
        ("c\t5\t9\t1\n\nc\t9\t10\t-inf\n", "line 3: signal that is no finite number"),
        ("c\t5\t9\t1\nc\t9\t10\tx\n", "line 2: signal that is no finite"),
        ("c\t5\t9\t1\nc\t9\t10\n", "line 2: a line that is cut off"),
        ("c\t5\t9\t1\nc\t9\t10\t1\t7\n", "line 2: a line with more than four fields"),
        ("c\t5\t9\t1\nc\t9\t9\t1\n", "line 2: an impossible stretch"),
        ("c\t5\t9\t1\nc\t-9\t10\t1\n", "line 2: start or end is not a whole number"),
        ("c\t5\t9\t1\nc\t9\t3000000000\t1\n", "line 2: start or end"),
        ("c\t5\t9\n", "not a bedGraph. Found: 3 columns"),
        ("# nothing\ntrack x\n", "no line of data"),
    ],
)
def test_a_bedgraph_that_cannot_be_used(tmp_path: Path, lines: str, message: str) -> None:
    path = text_file(tmp_path / "t.bedgraph", lines)
    with pytest.raises(FormatError, match=message), open_signal(path) as signal:
        signal.bins("c", np.array([0]), 1, 10)


READS = "c\t0\t10\tr1\t0\t+\nd\t3\t9\tr2\t0\t-\nc\t9\t30\tr3\t0\t-\nc\t9\t11\tr4\t0\t+\n"


@pytest.mark.parametrize("name", ["t.bed", "t.tagAlign.gz", "reads.txt"])
def test_reads_count_in_each_bin_that_they_touch(tmp_path: Path, name: str) -> None:
    with open_signal(text_file(tmp_path / name, READS)) as signal:
        assert signal.kind == "bed"
        assert signal.total() == 4
        # [0, 10) holds all three of c, [10, 20) two, [20, 30) one, [30, 40) none.
        assert signal.bins("c", np.array([0, -10, 5]), 4, 10).tolist() == [
            [3, 2, 1, 0], [0, 3, 2, 1], [3, 1, 1, 0],
        ]  # fmt: skip
        assert signal.bins("d", np.array([0]), 2, 4).tolist() == [[1, 1]]
        with pytest.raises(MismatchError, match=r"asked for chr1.*names of the file: c, d"):
            signal.bins("chr1", np.array([0]), 1, 1)


def test_counts_equal_those_of_a_loop(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    starts = rng.integers(0, 5_000, 2_000)
    ends = starts + rng.integers(1, 200, 2_000)
    lines = "".join(f"c\t{a}\t{b}\n" for a, b in zip(starts, ends, strict=True))
    windows = np.array([0, 777, 4_900, -30])
    expected = [
        [int(((starts < left + 50) & (ends > left)).sum()) for left in window + 50 * np.arange(9)]
        for window in windows
    ]
    with open_signal(text_file(tmp_path / "t.bed", lines)) as signal:
        assert signal.bins("c", windows, 9, 50).tolist() == expected


@pytest.mark.parametrize("block", [1 << 22, 7, 20])
def test_what_waits_in_memory_or_on_disk_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(spool, "_WAITING", 2)
    monkeypatch.setattr(text, "_BLOCK", block)
    with open_signal(text_file(tmp_path / "t.bed", READS * 3)) as signal:
        assert signal.bins("c", np.array([0]), 4, 10).tolist() == [[9, 6, 3, 0]]
        assert signal.bins("d", np.array([0]), 1, 10).tolist() == [[3]]
    with open_signal(text_file(tmp_path / "t.bdg", GRAPH)) as signal:
        assert signal.bins("chr2", np.array([0]), 1, 10).tolist() == [[np.float32(-0.2)]]
        assert signal.bins("chr1", np.array([15]), 1, 10).tolist() == [[9.0]]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.bed", b"", "the file is empty"),
        ("t.bed", b"c\t0\n", "not a track of signal"),
        ("t.bed", b"c\t0\t5\nc\t1\n", "line 2: a line that is cut off"),
        ("t.wig", b"fixedStep chrom=c start=1 step=1\n3\n", "wigToBigWig"),
        ("t.bed.gz", gzip.compress(READS.encode(), mtime=0)[:-12], "the gzip file is cut short"),
        ("t.xlsx", b"PK\x03\x04" + bytes(40), "Excel"),
        ("t.cram", b"CRAM\x03\x00" + bytes(40), "samtools view -b"),
        ("t.bam", b"not a bam at all", "not a BAM file"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FormatError, match=message), open_signal(tmp_path / name) as signal:
        signal.total()


def test_a_missing_file_is_named() -> None:
    with pytest.raises(InputError, match=r"gone\.bw: no such file"):
        open_signal("gone.bw")
