"""Reads of a BAM: which count, how far they reach, and bedtools' counts."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pysam
import pytest

from exprimo.core.errors import FormatError, MismatchError
from exprimo.data.signals import open_signal
from exprimo.data.signals.intervals import bam

HEADER = {
    "HD": {"VN": "1.6"},
    "SQ": [{"SN": "c", "LN": 1_000}, {"SN": "d", "LN": 500}, {"SN": "e", "LN": 9}],
}
Read = tuple[int, int, int, str]  # flag, chromosome, start, cigar


def write_bam(path: Path, reads: list[Read]) -> Path:
    with pysam.AlignmentFile(str(path), "wb", header=HEADER) as out:
        for number, (flag, chrom, start, cigar) in enumerate(reads):
            read = pysam.AlignedSegment(out.header)
            read.query_name = f"r{number}"
            read.flag = flag
            read.reference_id, read.reference_start = chrom, start
            read.mapping_quality = 60
            if cigar:
                read.cigarstring = cigar
                length = read.infer_query_length()
                assert length is not None
                read.query_sequence = "A" * length
            out.write(read)
    return path


def test_reads_that_count_and_those_that_do_not(tmp_path: Path) -> None:
    path = write_bam(
        tmp_path / "t.bam",
        [
            (0, 0, 0, "10M"),
            (16, 0, 9, "5S10M2I11M3S"),  # covers 21 bases, [9, 30)
            (0, 1, 3, "6M"),
            (0, 0, 18, "2M10N3M"),  # over a gap, [18, 33)
            (0, 0, 40, "2M5D1M"),  # [40, 48)
            (4, 0, 0, ""),
            (256, 0, 0, "10M"),
            (512, 0, 0, "10M"),
            (1024, 0, 0, "10M"),
            (2048, 0, 0, "10M"),
            (4, -1, -1, ""),
        ],
    )
    with open_signal(path) as signal:
        assert signal.kind == "bam"
        assert signal.chromosomes == {"c": 1_000, "d": 500, "e": 9}
        assert signal.total() == 5
        assert signal.bins("c", np.array([0]), 5, 10).tolist() == [[2, 2, 2, 1, 1]]
        assert signal.bins("d", np.array([-4, 600]), 2, 10).tolist() == [[1, 1], [0, 0]]
        assert signal.bins("e", np.array([0]), 1, 9).tolist() == [[0]]
        with pytest.raises(MismatchError, match="names of the file: c, d, e"):
            signal.bins("chr1", np.array([0]), 1, 10)


def random_reads(n: int, seed: int) -> list[Read]:
    rng = np.random.default_rng(seed)
    starts = np.sort(rng.integers(0, 900, n))
    lengths = rng.integers(20, 60, n)
    return [
        (16 * (at % 2), 0, int(start), f"{length}M")
        for at, (start, length) in enumerate(zip(starts, lengths, strict=True))
    ]


@pytest.mark.parametrize("block", [1 << 22, 1_000])
def test_many_reads_equal_pysam_and_need_no_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(bam, "_BLOCK", block)
    path = write_bam(tmp_path / "t.bam", random_reads(3_000, 5))
    with pysam.AlignmentFile(str(path), "rb") as oracle:
        spans = np.array(
            [(r.reference_start, r.reference_end) for r in oracle.fetch(until_eof=True)]
        )
    lefts = 25 * np.arange(40)
    expected = [int(((spans[:, 0] < at + 25) & (spans[:, 1] > at)).sum()) for at in lefts]
    with open_signal(path) as signal:
        assert signal.bins("c", np.array([0]), 40, 25)[0].tolist() == expected


def test_counts_equal_bedtools(tmp_path: Path) -> None:
    if shutil.which("bedtools") is None:
        pytest.skip("no bedtools on this machine: install Debian's package bedtools")
    path = write_bam(tmp_path / "t.bam", random_reads(2_000, 6))
    pysam.index(str(path))
    bins = tmp_path / "bins.bed"
    bins.write_text("".join(f"c\t{at}\t{at + 10}\n" for at in range(0, 1_000, 10)))
    reads = tmp_path / "reads.bed"
    calls = {
        "multicov": ["multicov", "-bams", str(path), "-bed", str(bins)],
        "coverage": ["coverage", "-counts", "-a", str(bins), "-b", str(path)],
        "bamtobed": ["bamtobed", "-i", str(path)],
    }
    said = {
        name: subprocess.run(["bedtools", *call], capture_output=True, check=True, text=True).stdout
        for name, call in calls.items()
    }
    reads.write_text(said["bamtobed"])
    for track in (path, reads):
        with open_signal(track) as signal:
            found = signal.bins("c", np.array([0]), 100, 10)[0]
        for name in ("multicov", "coverage"):
            counts = [int(line.split("\t")[3]) for line in said[name].splitlines()]
            assert found.tolist() == counts


def test_a_bam_cut_short_is_refused(tmp_path: Path) -> None:
    raw = write_bam(tmp_path / "t.bam", random_reads(500, 7)).read_bytes()
    (tmp_path / "cut.bam").write_bytes(raw[:-40])
    with pytest.raises(FormatError, match="cut short"):
        open_signal(tmp_path / "cut.bam")


def test_records_that_contradict_themselves_are_refused(tmp_path: Path) -> None:
    raw = bytearray(gzip.decompress(write_bam(tmp_path / "t.bam", random_reads(3, 8)).read_bytes()))
    first = raw.index(b"r0\0") - 36
    end = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
    for offset, message in ((0, "impossible length"), (4, "contradicts itself")):
        changed = raw.copy()
        changed[first + offset] = 17
        changed[first + offset + 1 : first + offset + 4] = bytes(3)
        (tmp_path / "bad.bam").write_bytes(gzip.compress(changed) + end)
        with open_signal(tmp_path / "bad.bam") as signal, pytest.raises(FormatError, match=message):
            signal.total()
