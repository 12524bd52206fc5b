"""Files of chromatin signal are known for what they are, and told with their readers' errors."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pybigtools
import pysam
import pytest

from exprimo.data.check import check_file
from exprimo.data.check.signal_facts import _affordable
from exprimo.data.signals.numpy_stacks import ArrayHead

DEEPCHROME = "".join(f"g{n},{at},1,2,3,4,{n},{n % 2}\n" for n in range(3) for at in range(1, 5))
READS = "".join(f"chr1\t{i * 50}\t{i * 50 + 36}\tSRR1.{i}\t37\t+\n" for i in range(12))
GENES = "".join(f"chr1\t{i * 5000}\t{i * 5300 + 900}\tg{i}\t0\t+\n" for i in range(12))
SEQUENCES = "g1,ACGTACGTNN\ng2,ACGTACGTAA\n"


def write(path: Path, text: str) -> Path:
    raw = text.encode()
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return path


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("unnamed", "chr1\t0\t10\t1.5\nchr1\t10\t30\t2\n", "bedGraph track"),
        ("t.bedGraph.gz", "track type=bedGraph\nchr1\t0\t10\t1.5\n", "bedGraph track"),
        ("t.tagAlign", "chr1\t5\t41\tN\t1000\t+\n", "reads (BED)"),
        ("unnamed", "chr1\t5\t41\tN\t1000\t+\nchr1\t9\t45\tN\t1000\t-\n", "reads (BED)"),
        ("unnamed", "chr1\t5\t41\tr7/1\t30\t+\nchr1\t9\t40\tr8/2\t30\t-\n", "reads (BED)"),
        ("r.bed", "chr1\t5\t41\nchr1\t9\t45\n", "reads (BED)"),
        ("unnamed", READS, "reads (BED)"),
        ("genes.bed", GENES, "BED"),
        ("unnamed", DEEPCHROME, "binned signal (CSV)"),
        ("t.csv.gz", "gene,bin,k4,label\ng1,1,2,0\ng1,2,0,0\n", "binned signal (CSV)"),
        ("unnamed", SEQUENCES, "sequences of genes"),
        ("s.tsv.gz", SEQUENCES.replace(",", "\t"), "sequences of genes"),
        ("unnamed", "gene id,sequence\n" + SEQUENCES, "sequences of genes"),
    ],
)
def test_text_is_told_by_content(tmp_path: Path, name: str, text: str, kind: str) -> None:
    report = check_file(write(tmp_path / name, text))
    assert (report.kind, report.problems) == (kind, [])


def test_facts_of_text_tracks(tmp_path: Path) -> None:
    reads = check_file(write(tmp_path / "r.bed", READS)).facts
    assert (reads["chromosomes"], reads["total"]) == ("1 (chr1)", "12 reads that count")
    track = check_file(write(tmp_path / "t", "chr1\t0\t10\t1.5\nchr2\t10\t30\t2\n")).facts
    assert track["chromosomes"] == "2 (chr1, chr2)"
    assert track["total"].startswith("55, ")
    flat = check_file(write(tmp_path / "flat.bg", "chr1\t0\t10\t0\n"))
    assert flat.problems == [f"{tmp_path / 'flat.bg'}: the signal is 0 everywhere."]
    torn = check_file(write(tmp_path / "torn.bg", "chr1\t0\t10\t1\nchr1\t5\t20\t1\n"))
    assert (torn.kind, len(torn.problems)) == ("bedGraph track", 1)
    assert "line 2 (chr1 5 20): intervals that overlap" in torn.problems[0]


def test_a_bigwig_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "unnamed"
    intervals = [("chr1", 0, 10, 1.5), ("chr2", 5, 25, 2.0)]
    pybigtools.open(str(tmp_path / "t.bw"), "w").write({"chr1": 100, "chr2": 60}, iter(intervals))
    (tmp_path / "t.bw").rename(path)
    report = check_file(path)
    assert (report.kind, report.problems) == ("BigWig track", [])
    assert report.facts == {
        "chromosomes": "2 (chr1, chr2)",
        "bases": "160",
        "size": f"{path.stat().st_size:,} bytes",
        "total": "55, the signal summed over all bases",
        "mean": "0.3438 a base",
    }
    raw = path.read_bytes()
    (tmp_path / "cut").write_bytes(raw[: len(raw) // 2])
    cut = check_file(tmp_path / "cut")
    assert (cut.kind, cut.ok) == ("BigWig track", False)
    assert "a damaged BigWig" in cut.problems[0]
    intervals[1] = ("chr2", 5, 25, float("nan"))
    pybigtools.open(str(tmp_path / "nan.bw"), "w").write({"chr1": 100, "chr2": 60}, iter(intervals))
    assert "chr2:6: signal that is no finite number" in check_file(tmp_path / "nan.bw").problems[0]


def test_a_bam_and_what_is_none(tmp_path: Path) -> None:
    path = tmp_path / "unnamed"
    with pysam.AlignmentFile(str(path), "wb", header={"SQ": [{"SN": "c", "LN": 1000}]}) as out:
        read = pysam.AlignedSegment(out.header)
        read.query_name, read.flag = "q", 0
        read.reference_id, read.reference_start = 0, 3
        read.cigarstring, read.query_sequence = "10M", "A" * 10
        out.write(read)
    report = check_file(path)
    assert (report.kind, report.problems) == ("reads (BAM)", [])
    assert (report.facts["bases"], report.facts["total"]) == ("1,000", "1 reads that count")
    (tmp_path / "x.cram").write_bytes(b"CRAM\3\0 and more")
    assert "samtools view -b" in check_file(tmp_path / "x.cram").problems[0]
    wiggle = check_file(write(tmp_path / "w.wig", "fixedStep chrom=c start=1 step=1\n1\n"))
    assert (wiggle.kind, wiggle.ok) == ("unknown", False)
    assert "wigToBigWig" in wiggle.problems[0]


def test_facts_of_a_deepchrome_table(tmp_path: Path) -> None:
    report = check_file(write(tmp_path / "E003.csv", DEEPCHROME))
    marks = report.facts.pop("marks")
    assert marks.startswith("5 (H3K27me3, H3K36me3, H3K4me1, H3K4me3, H3K9me3")
    assert report.facts == {
        "cell types": "1 (E003)",
        "bins": "4",
        "genes": "3",
        "signal": "0 to 4",
        "expression": "none",
        "label": "1 of 3 are 1",
    }
    three = check_file(write(tmp_path / "three", DEEPCHROME.replace(",1,2,3,4,", ",1,4,")))
    assert three.problems == []
    assert three.facts["marks"] == "3, without names: give them with --marks"
    cut = check_file(write(tmp_path / "cut.csv", DEEPCHROME.replace("g1,3,", "g1,4,")))
    assert (cut.kind, len(cut.problems)) == ("binned signal (CSV)", 1)
    assert "bins that are missing or out of order" in cut.problems[0]


def by_cell(n: int, columns: int = 7) -> npt.NDArray[np.float32]:
    array = np.ones((n, 4, columns), dtype=np.float32)
    array[:, :, 0] = np.arange(n)[:, None]
    return array


def test_each_cell_type_of_an_npz_has_its_own_problem(tmp_path: Path) -> None:
    path = tmp_path / "train.npz"
    np.savez(path, C1=by_cell(9), C2=by_cell(12, 6))
    report = check_file(path)
    assert (report.kind, report.problems) == ("binned signal (NPZ by cell type)", [])
    assert report.facts["cell types"] == "2 (C1, C2)"
    assert (report.facts["genes"], report.facts["bins"]) == ("9 to 12", "4")
    assert report.facts["expression"] == "9 values in 1 of 2 cell types, 1 to 1"
    odd = by_cell(9)
    odd[2, 1, 3] = np.nan
    np.savez(path, C1=odd, C2=by_cell(3, 4), C3=by_cell(2))
    report = check_file(path)
    assert [problem.split(":")[0] for problem in report.problems] == [
        f"{path}, C1, gene 2, mark_3, bin 2",
        f"{path}, C2",
    ]
    assert report.facts["cell types"] == "3 (C1, C2, C3)"
    path.write_bytes(path.read_bytes()[:90])
    cut = check_file(path)
    assert (cut.kind, cut.ok) == ("binned signal (NPZ by cell type)", False)
    assert "cut short" in cut.problems[0]


def test_of_a_large_npz_the_first_cell_type_is_read() -> None:
    large = ArrayHead((16_000, 100, 7), np.dtype(np.float64))
    assert _affordable(dict.fromkeys("ABCDE", large)) == [*"ABCDE"]
    huge = ArrayHead((1_600_000, 100, 7), np.dtype(np.float64))
    assert _affordable({"A": huge, "B": large}) == ["A"]


def test_stacks_of_one_cell_type(tmp_path: Path) -> None:
    values, genes = np.ones((2, 3, 5)), np.array(["a", "b"])
    np.savez(tmp_path / "s", signal=values, gene_id=genes, expression=np.array([1.5, np.nan]))
    np.save(tmp_path / "t.npy", values)
    (tmp_path / "t.genes.txt").write_text("a\nb\n")
    for path in (tmp_path / "s.npz", tmp_path / "t.npy"):
        report = check_file(path)
        assert (report.kind, report.problems) == ("binned signal (NumPy stack)", [])
        assert report.facts["marks"].startswith("3 (mark_1, mark_2, mark_3")
    assert check_file(tmp_path / "s.npz").facts["expression"] == ("1 values, 1.5 to 1.5; 1 missing")


def test_sequences_of_two_lengths(tmp_path: Path) -> None:
    path = write(tmp_path / "s.csv", SEQUENCES)
    assert check_file(path).facts == {
        "genes": "2 (g1, g2)",
        "bases": "10 each",
        "N": "10.0%",
        "GC": "44.4%",
    }
    write(path, SEQUENCES + "g3,ACGTACGTA\n")
    assert "line 3, gene g3: sequences of two lengths" in check_file(path).problems[0]


def test_a_table_of_tracks_tells_missing_pairs_and_files(tmp_path: Path) -> None:
    table = tmp_path / "tracks.tsv"
    rows = ["cell_type\tmark\tfile", "A\tk4\ta4.bw", "A\tk9\ta9.bw", "B\tk4\tb4.bw"]
    write(table, "\n".join([*rows, "B\tk9\tb9.bw", ""]))
    for name in ("a4.bw", "a9.bw", "b4.bw", "b9.bw"):
        (tmp_path / name).touch()
    report = check_file(table)
    assert (report.kind, report.problems) == ("table of signal tracks", [])
    assert report.facts == {"cell types": "2 (A, B)", "marks": "2 (k4, k9)", "tracks": "4"}
    (tmp_path / "a4.bw").unlink()
    write(table, "\n".join([*rows, "B\tk4\tb4b.bw", ""]))
    twice, missing, gone = check_file(table).problems
    assert "B:k4: two files for the same mark" in twice
    assert "cell type B, mark k9: a mark of a cell type is missing" in missing
    assert "a4.bw, cell type A, mark k4: no such file" in gone
