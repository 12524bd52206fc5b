"""Genomes opened by position, against plain slicing, pyfaidx and samtools."""

from __future__ import annotations

import gzip
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyfaidx
import pysam
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exprimo.core.coordinates import promoter_interval
from exprimo.core.errors import FormatError, InputError, MismatchError
from exprimo.core.sequence import decode, encode, reverse_complement
from exprimo.data.fasta import Genome

LETTERS = "ACGTNacgtnRYSWKMBDHV"
TWO = ">I first\nACGTACGTAC\nGGGG\n>II\nttRn\n"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("EXPRIMO_CACHE", str(folder))
    return folder


def random_text(seed: int, lengths: list[int], width: int, line_end: str = "\n") -> str:
    rng = np.random.default_rng(seed)
    text = ""
    for number, length in enumerate(lengths):
        letters = "".join(rng.choice(list(LETTERS), length))
        lines = [letters[at : at + width] for at in range(0, length, width)]
        text += f">r{number} note {number}{line_end}" + "".join(line + line_end for line in lines)
    return text


def records_of(text: str) -> dict[str, str]:
    found = {}
    for record in text.split(">")[1:]:
        header, *lines = record.split("\n")
        found[header.split()[0]] = "".join(lines).replace("\r", "")
    return found


def write(folder: Path, text: str, kind: str) -> Path:
    if kind == "plain":
        path = folder / "g.fa"
        path.write_bytes(text.encode())
    elif kind == "gzip":
        path = folder / "g.fa.gz"
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path = folder / "g.fa.gz"
        with pysam.BGZFile(str(path), "wb", None) as handle:
            handle.write(text.encode())
    return path


@pytest.mark.parametrize("kind", ["plain", "gzip", "bgzip"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("last_line_end", [True, False])
def test_every_kind_reads_the_same(
    tmp_path: Path, kind: str, line_end: str, last_line_end: bool
) -> None:
    text = random_text(1, [95, 1, 60, 121], 20, line_end)
    expected = records_of(text)
    path = write(tmp_path, text if last_line_end else text.rstrip("\r\n"), kind)
    for _ in ("made", "found again"):
        with Genome.open(path) as genome:
            assert genome.names == list(expected)
            assert genome.lengths == {name: len(s) for name, s in expected.items()}
            for name, letters in expected.items():
                assert np.array_equal(genome.chromosome(name), encode(letters))


@settings(
    max_examples=40,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_fetch_is_slicing(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    width = data.draw(st.integers(1, 12))
    lengths = data.draw(st.lists(st.integers(1, 50), min_size=1, max_size=3))
    kind = data.draw(st.sampled_from(["plain", "bgzip"]))
    text = random_text(data.draw(st.integers(0, 99)), lengths, width)
    path = write(tmp_path_factory.mktemp("g"), text, kind)
    with Genome.open(path) as genome:
        for name, letters in records_of(text).items():
            start = data.draw(st.integers(0, len(letters)))
            end = data.draw(st.integers(start, len(letters)))
            codes = genome.fetch(name, start, end)
            assert codes.dtype == np.uint8
            assert codes.tolist() == encode(letters[start:end]).tolist()


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("ending", [True, False])
def test_index_is_that_of_samtools(tmp_path: Path, line_end: str, ending: bool) -> None:
    text = random_text(3, [70, 10, 33], 10, line_end)
    text = text if ending else text.rstrip("\r\n")
    ours, theirs = tmp_path / "ours.fa", tmp_path / "theirs.fa"
    for path in (ours, theirs):
        path.write_bytes(text.encode())
    Genome.open(ours).close()
    pysam.faidx(str(theirs))
    assert Path(f"{ours}.fai").read_bytes() == Path(f"{theirs}.fai").read_bytes()


def test_bgzip_index_is_that_of_samtools(tmp_path: Path) -> None:
    text = random_text(4, [150_000, 90_000], 60)
    path = write(tmp_path, text, "bgzip")
    Genome.open(path).close()
    ours = [Path(f"{path}{suffix}").read_bytes() for suffix in (".fai", ".gzi")]
    for suffix in (".fai", ".gzi"):
        Path(f"{path}{suffix}").unlink()
    pysam.faidx(str(path))
    assert ours == [Path(f"{path}{suffix}").read_bytes() for suffix in (".fai", ".gzi")]
    assert len(ours[1]) > 8 + 16


def test_agrees_with_pyfaidx(tmp_path: Path) -> None:
    path = write(tmp_path, random_text(5, [500, 300], 37).replace("R", "N"), "plain")
    rng = np.random.default_rng(0)
    with Genome.open(path) as genome, pyfaidx.Fasta(str(path)) as peer:
        for _ in range(50):
            name = str(rng.choice(genome.names))
            start, end = sorted(int(x) for x in rng.integers(0, genome.lengths[name] + 1, 2))
            assert genome.fetch(name, start, end).tolist() == (
                encode(peer[name][start:end].seq).tolist() if end > start else []
            )


@pytest.mark.parametrize("width", [60, 20_000])
def test_fetch_reads_no_more_than_it_needs(
    tmp_path: Path, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = random_text(6, [20_000], width)
    letters = records_of(text)["r0"]
    with Genome.open(write(tmp_path, text, "plain")) as genome:
        read: list[int] = []
        whole = os.pread

        def counted(handle: int, size: int, at: int) -> bytes:
            read.append(size)
            return whole(handle, size, at)

        monkeypatch.setattr(os, "pread", counted)
        assert genome.fetch("r0", 9_990, 10_110).tolist() == encode(letters[9_990:10_110]).tolist()
    # 120 bases, with at most the ends of the lines that they run over.
    assert sum(read) <= 120 + (2 if width == 60 else 0)


def test_fetch_uses_the_kept_chromosome_and_cannot_spoil_it(tmp_path: Path) -> None:
    with Genome.open(write(tmp_path, TWO, "plain")) as genome:
        whole = genome.chromosome("I")
        assert genome.chromosome("I") is whole
        with pytest.raises(ValueError, match="read-only"):
            whole[0] = 3
        part = genome.fetch("I", 8, 12)
        part[:] = 0
        assert decode(genome.fetch("I", 8, 12)) == "ACGG"


def test_gene_orientation_on_both_strands(tmp_path: Path) -> None:
    # A gene with TSS at 8 on plus reads GA..., one with TSS at 8 on minus reads its complement.
    path = tmp_path / "g.fa"
    path.write_text(">c\nAACCGGTTGATTACA\n")
    with Genome.open(path) as genome:
        plus = promoter_interval("c", 8, "+", upstream=3, downstream=4)
        assert decode(genome.fetch("c", plus.start, plus.end)) == "GTT" + "GATT"
        minus = promoter_interval("c", 8, "-", upstream=3, downstream=4)
        window = reverse_complement(genome.fetch("c", minus.start, minus.end))
        assert decode(window) == "AAT" + "CAAC"


def test_a_closed_folder_is_left_alone_and_the_cache_used(tmp_path: Path, cache: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    path = write(closed, TWO, "plain")
    closed.chmod(0o555)
    try:
        with Genome.open(path) as genome:
            assert decode(genome.fetch("I", 8, 12)) == "ACGG"
        assert [p.name for p in closed.iterdir()] == ["g.fa"]
        assert [p.name for p in cache.rglob("*.fai")] == ["g.fa.fai"]
    finally:
        closed.chmod(0o755)


def test_plain_gzip_is_unpacked_once(tmp_path: Path, cache: Path) -> None:
    path = write(tmp_path, TWO, "gzip")
    Genome.open(path).close()
    (unpacked,) = cache.rglob("g.fa")
    assert unpacked.read_text() == TWO
    before = unpacked.stat().st_mtime_ns
    Genome.open(path).close()
    assert unpacked.stat().st_mtime_ns == before
    path.write_bytes(gzip.compress(TWO.replace("GGGG", "CCCC").encode()))
    with Genome.open(path) as genome:
        assert decode(genome.fetch("I", 10, 14)) == "CCCC"


@pytest.mark.parametrize("kind", ["plain", "bgzip"])
def test_an_index_older_than_the_fasta_is_made_anew(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path, TWO, kind)
    Genome.open(path).close()
    write(tmp_path, TWO.replace("GGGG", "GG").replace(">II", ">IV"), kind)
    later = path.stat().st_mtime + 10
    os.utime(path, (later, later))
    with Genome.open(path) as genome:
        assert genome.lengths == {"I": 12, "IV": 4}


@pytest.mark.parametrize(
    "index",
    [
        "I\t14\t9\t10\t11\nII\t9\t29\t4\t5\n",  # too long for the file
        "I\t14\t9\t10\t11\n",  # a record is missing
        "II\t14\t9\t10\t11\nI\t4\t29\t4\t5\n",  # other names
        "I\t14\t9\t10\n",  # cut short
        "",
    ],
)
def test_an_index_that_does_not_fit_is_made_anew(tmp_path: Path, index: str) -> None:
    path = write(tmp_path, TWO, "plain")
    fai = Path(f"{path}.fai")
    fai.write_text(index)
    with Genome.open(path) as genome:
        assert genome.lengths == {"I": 14, "II": 4}
    assert fai.read_text() == "I\t14\t9\t10\t11\nII\t4\t29\t4\t5\n"


def test_an_index_of_samtools_is_used_as_it_is(tmp_path: Path) -> None:
    path = write(tmp_path, TWO, "plain")
    pysam.faidx(str(path))
    before = Path(f"{path}.fai").stat().st_mtime_ns
    with Genome.open(path) as genome:
        assert genome.names == ["I", "II"]
    assert Path(f"{path}.fai").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("text", "record", "found"),
    [
        ("", None, None),
        ("ACGT\n", "line 1", "'ACGT'"),
        (">I\nACGT\n>II\n", "record II, line 3", "no bases"),
        (">I\n>II\nACGT\n", "record I, line 1", "no bases"),
        (">I\nACGT\n>\nACGT\n", "line 3", None),
        (">I\nACGT\nAC\nACGT\n", "record I, line 3", "2 characters"),
        (">I\nACGT\nACGTA\n", "record I, line 3", "5 characters"),
        (">I\nACGT\n\nACGT\n", "record I, line 3", "0 characters"),
        (">I\nAC\n>II\nAC\n>I\nAC\n", "line 5", "I, already on line 1"),
        (">I\nACGT\nACXT\n", "record I, line 3", "'X'"),
        (">I\nAC GT\n", "record I, line 2", "' '"),
        (">I\nACGT\n>II\nMKVL*\n", "record II, line 4", "'L'"),
    ],
)
@pytest.mark.parametrize("kind", ["plain", "gzip", "bgzip"])
def test_bad_fasta_is_one_clear_error(
    tmp_path: Path, cache: Path, kind: str, text: str, record: str | None, found: str | None
) -> None:
    path = write(tmp_path, text, kind)
    with pytest.raises(FormatError) as caught:
        Genome.open(path)
    assert caught.value.file == str(path)
    assert (caught.value.record, caught.value.found) == (record, found)
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == [path.name]


@pytest.mark.parametrize("kind", ["gzip", "bgzip"])
@pytest.mark.parametrize("cut", [10, 200, 30])
def test_gzip_cut_short_leaves_nothing(tmp_path: Path, kind: str, cut: int) -> None:
    path = write(tmp_path, random_text(7, [4000], 60), kind)
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(FormatError, match="cut short"):
        Genome.open(path)
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == [path.name]


def test_damaged_gzip(tmp_path: Path) -> None:
    path = write(tmp_path, random_text(7, [4000], 60), "gzip")
    content = bytearray(path.read_bytes())
    content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
    path.write_bytes(content)
    with pytest.raises(FormatError, match="gzip"):
        Genome.open(path)


@pytest.mark.parametrize("kind", ["plain", "gzip", "bgzip"])
def test_several_may_open_a_new_genome_at_once(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path, random_text(9, [40_000], 60), kind)

    def total(_: int) -> int:
        with Genome.open(path) as genome:
            return int(genome.chromosome("r0").sum())

    with ThreadPoolExecutor(4) as pool:
        totals = set(pool.map(total, range(8)))
    assert totals == {total(0)}


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        Genome.open(tmp_path / "none.fa")
    with pytest.raises(InputError, match="folder"):
        Genome.open(tmp_path)


def test_stretches_that_do_not_exist(tmp_path: Path) -> None:
    with Genome.open(write(tmp_path, TWO, "plain")) as genome:
        with pytest.raises(MismatchError, match=r"Found: chrI\. Expected: I, II"):
            genome.fetch("chrI", 0, 1)
        for start, end in ((-1, 3), (5, 4), (0, 15), (14, 15)):
            with pytest.raises(InputError, match=r"0 <= start <= end <= 14"):
                genome.fetch("I", start, end)
        assert genome.fetch("I", 14, 14).shape == (0,)


def test_a_wrong_letter_behind_a_foreign_index_is_found_when_read(tmp_path: Path) -> None:
    path = write(tmp_path, ">I\nACGTXX\n", "plain")
    pysam.faidx(str(path))
    with (
        Genome.open(path) as genome,
        pytest.raises(FormatError, match=r"record I, within bases 2-6.*Found: 'X'"),
    ):
        genome.fetch("I", 1, 6)


def test_a_file_that_shrinks_while_open(tmp_path: Path) -> None:
    path = write(tmp_path, random_text(2, [400], 20), "plain")
    with Genome.open(path) as genome:
        os.truncate(path, 100)
        with pytest.raises(FormatError, match="ended early"):
            genome.fetch("r0", 0, 400)
