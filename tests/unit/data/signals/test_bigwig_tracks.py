"""BigWig into bins: against values per base, against pybigtools, and damaged files."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pybigtools
import pytest

from exprimo.core.errors import ConfigError, FormatError, MismatchError
from exprimo.data.signals import open_signal

Interval = tuple[str, int, int, float]
LENGTHS = {"chr1": 60_000, "chr2": 5_000, "chrEmpty": 100}


def write_bigwig(path: Path, intervals: list[Interval], lengths: dict[str, int] = LENGTHS) -> Path:
    pybigtools.open(str(path), "w").write(lengths, iter(intervals))
    return path


def made_up_intervals(chrom: str, length: int, n: int, seed: int) -> list[Interval]:
    """Intervals with gaps between some and none between others."""
    rng = np.random.default_rng(seed)
    edges = np.sort(rng.choice(length, 2 * n, replace=False))
    edges[2::6] = edges[1:-1:6]
    values = rng.gamma(1, 5, n).astype(np.float32)
    return [
        (chrom, int(a), int(b), float(v))
        for a, b, v in zip(edges[::2], edges[1::2], values, strict=True)
        if a < b
    ]


def dense(intervals: list[Interval], chrom: str, length: int) -> npt.NDArray[np.float64]:
    values = np.zeros(length)
    for name, start, end, value in intervals:
        if name == chrom:
            values[start:end] = value
    return values


@pytest.fixture(scope="module")
def intervals() -> list[Interval]:
    return [*made_up_intervals("chr1", 60_000, 5_000, 1), *made_up_intervals("chr2", 5_000, 50, 2)]


@pytest.fixture(scope="module")
def track(intervals: list[Interval], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bigwig(tmp_path_factory.mktemp("bigwig") / "H3K4me3.bw", intervals)


def test_means_equal_those_over_every_base(track: Path, intervals: list[Interval]) -> None:
    starts = np.array([30_000, 12, 0, 29_990, 30_000, 57_999])
    values = dense(intervals, "chr1", 60_000)
    expected = [values[at : at + 2_000].reshape(20, 100).mean(axis=1) for at in starts]
    with open_signal(track) as signal:
        found = signal.bins("chr1", starts, 20, 100)
        other = signal.bins("chr2", np.array([100]), 3, 7)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_allclose(
        other[0], dense(intervals, "chr2", 5_000)[100:121].reshape(3, 7).mean(axis=1), atol=1e-5
    )


@pytest.mark.parametrize(("n_bins", "bin_size"), [(100, 100), (1, 5_000), (37, 3), (400, 1)])
def test_means_equal_pybigtools_exact_ones(track: Path, n_bins: int, bin_size: int) -> None:
    rng = np.random.default_rng(n_bins)
    starts = rng.integers(0, 60_000 - n_bins * bin_size, 40)
    oracle = pybigtools.open(str(track))
    expected = np.stack(
        [
            oracle.values(
                "chr1", int(at), int(at) + n_bins * bin_size, bins=n_bins, exact=True,
                uncovered=0.0, oob=0.0, fillna=0.0,
            )
            for at in starts
        ]
    )  # fmt: skip
    with open_signal(track) as signal:
        found = signal.bins("chr1", starts, n_bins, bin_size)
    assert np.abs(found - expected).max() < 1e-5


def test_bases_outside_the_chromosome_are_zero(tmp_path: Path) -> None:
    path = write_bigwig(tmp_path / "t.bw", [("chr2", 0, 5_000, 3.0)])
    with open_signal(path) as signal:
        found = signal.bins("chr2", np.array([-15, 4_985, -500, 9_000]), 3, 10)
    assert found.tolist() == [[0, 1.5, 3], [3, 1.5, 0], [0, 0, 0], [0, 0, 0]]


def test_a_file_knows_its_chromosomes_and_its_sum(track: Path, intervals: list[Interval]) -> None:
    with open_signal(track) as signal:
        assert signal.kind == "bigwig"
        assert signal.chromosomes["chr1"] == 60_000
        whole = sum((end - start) * value for _, start, end, value in intervals)
        assert signal.total() == pytest.approx(whole, rel=1e-6)
        assert signal.bins("chr1", np.empty(0, np.int64), 5, 10).shape == (0, 5)


def bigwig_of_blocks(path: Path, blocks: list[bytes], *, packed: bool = True) -> Path:
    """Write a minimal file by hand: one chromosome of 1,000 bases, no zoom level, no summary."""
    name = b"chrA"
    tree = struct.pack("<IIIIQQ", 0x78CA8C91, 1, len(name), 8, 1, 0)
    tree += struct.pack("<BBH", 1, 0, 1) + name + struct.pack("<II", 0, 1_000)
    data_at = 64 + len(tree)
    stored = [zlib.compress(block) if packed else block for block in blocks]
    data = struct.pack("<Q", len(stored)) + b"".join(stored)
    index_at = data_at + len(data)
    leaves, at = b"", data_at + 8
    for block, raw in zip(stored, blocks, strict=True):
        _, first, last = struct.unpack_from("<III", raw)
        leaves += struct.pack("<IIIIQQ", 0, first, 0, last, at, len(block))
        at += len(block)
    index = struct.pack("<IIQIIIIQII", 0x2468ACE0, 256, len(blocks), 0, 0, 0, 1_000, index_at, 1, 0)
    index += struct.pack("<BBH", 1, 0, len(blocks)) + leaves
    header = struct.pack(
        "<IHHQQQHHQQIQ", 0x888FFC26, 4, 0, 64, data_at, index_at, 0, 0, 0, 0, 4_096 * packed, 0
    )
    path.write_bytes(header + tree + data + index)
    return path


def block(kind: int, first: int, last: int, step: int, span: int, items: bytes, n: int) -> bytes:
    return struct.pack("<IIIIIBBH", 0, first, last, step, span, kind, 0, n) + items


@pytest.mark.parametrize("packed", [True, False])
def test_all_three_kinds_of_blocks_are_read(tmp_path: Path, packed: bool) -> None:
    path = bigwig_of_blocks(
        tmp_path / "t.bw",
        [
            block(1, 0, 20, 0, 0, struct.pack("<IIfIIf", 0, 5, 2.0, 15, 20, 4.0), 2),
            block(2, 20, 50, 0, 10, struct.pack("<IfIf", 20, 1.0, 40, 3.0), 2),
            block(3, 60, 85, 20, 5, struct.pack("<ff", 8.0, 6.0), 2),
        ],
        packed=packed,
    )
    with open_signal(path) as signal:
        found = signal.bins("chrA", np.array([0]), 10, 10)
        assert found[0].tolist() == [1, 2, 1, 0, 3, 0, 4, 0, 3, 0]
        assert signal.total() == 10 + 20 + 10 + 30 + 40 + 30  # no summary: counted


def test_signal_that_is_no_number_is_refused_where_a_window_needs_it(tmp_path: Path) -> None:
    items = struct.pack("<IIfIIf", 0, 5, 2.0, 15, 20, float("nan"))
    path = bigwig_of_blocks(tmp_path / "t.bw", [block(1, 0, 20, 0, 0, items, 2)])
    with open_signal(path) as signal:
        assert signal.bins("chrA", np.array([0]), 1, 5).tolist() == [[2.0]]
        with pytest.raises(FormatError, match=r"t\.bw, chrA:16: signal that is no finite number"):
            signal.bins("chrA", np.array([0]), 2, 10)


@pytest.mark.parametrize(
    "bad",
    [
        block(1, 0, 20, 0, 0, struct.pack("<IIf", 0, 5, 2.0), 2),  # says two items, holds one
        block(1, 0, 20, 0, 0, struct.pack("<IIf", 5, 5, 2.0), 1),  # an empty interval
        block(1, 0, 20, 0, 0, struct.pack("<IIfIIf", 9, 12, 1.0, 5, 10, 2.0), 2),  # overlaps
        block(9, 0, 20, 0, 0, b"", 0),
    ],
)
def test_blocks_that_contradict_themselves_are_refused(tmp_path: Path, bad: bytes) -> None:
    path = bigwig_of_blocks(tmp_path / "t.bw", [bad])
    with open_signal(path) as signal, pytest.raises(FormatError, match="damaged BigWig"):
        signal.bins("chrA", np.array([0]), 2, 10)


def test_a_changed_byte_in_the_data_is_noticed(track: Path, tmp_path: Path) -> None:
    raw = bytearray(track.read_bytes())
    data_at = struct.unpack_from("<Q", raw, 16)[0]
    raw[data_at + 3_000] ^= 0xFF
    (tmp_path / "t.bw").write_bytes(raw)
    with open_signal(tmp_path / "t.bw") as signal, pytest.raises(FormatError, match="damaged"):
        signal.bins("chr1", np.array([0]), 1, 60_000)


@pytest.mark.parametrize("part", [0.01, 0.3, 0.6])
def test_a_file_cut_short_is_refused_at_once(track: Path, tmp_path: Path, part: float) -> None:
    raw = track.read_bytes()
    (tmp_path / "t.bw").write_bytes(raw[: int(len(raw) * part)])
    with pytest.raises(FormatError, match="cut short"):
        open_signal(tmp_path / "t.bw")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"<html>not found</html>" * 9, "first bytes 3c 68 74 6d"),
        (struct.pack("<I", 0x8789F2EB) + bytes(100), "a BigBed file"),
        (struct.pack(">I", 0x888FFC26) + bytes(100), "a big-endian BigWig"),
        (b"short", "a file of 5 bytes"),
    ],
)
def test_what_is_no_bigwig_is_refused(tmp_path: Path, content: bytes, found: str) -> None:
    (tmp_path / "t.bw").write_bytes(content)
    with pytest.raises(FormatError, match="not a BigWig file") as caught:
        open_signal(tmp_path / "t.bw")
    assert caught.value.found == found


def test_an_unknown_chromosome_shows_both_lists(track: Path) -> None:
    with open_signal(track) as signal:
        with pytest.raises(MismatchError, match=r"asked for 1, 2.*names of the file: chr1, chr2"):
            signal.require_chromosomes(["1", "2", "chr1"])
        with pytest.raises(MismatchError, match="chromosome chrX"):
            signal.bins("chrX", np.array([0]), 1, 1)
        with pytest.raises(ConfigError, match="0 bins"):
            signal.bins("chr1", np.array([0]), 0, 1)


def test_an_index_in_a_circle_ends(track: Path, tmp_path: Path) -> None:
    raw = bytearray(track.read_bytes())
    index_at = struct.unpack_from("<Q", raw, 24)[0]
    node = struct.pack("<BBHIIIIQ", 0, 0, 1, 0, 0, 9, 9, index_at + 48)
    raw[index_at + 48 : index_at + 48 + len(node)] = node
    (tmp_path / "t.bw").write_bytes(raw)
    with pytest.raises(FormatError, match="circle"), open_signal(tmp_path / "t.bw") as signal:
        signal.bins("chr1", np.array([0]), 1, 1)
