"""What each kind of file is called, what is told about it, and what is wrong with it."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset import write_dataset
from exprimo.core.files.versions import RUN_FORMAT
from exprimo.core.ledger import Ledger
from exprimo.core.run import write_json, write_predictions
from exprimo.core.split import Split
from exprimo.data.check import check, check_file

GTF = (
    'I\tmade\tgene\t11\t90\t.\t+\t.\tgene_id "g1";\n'
    'I\tmade\ttranscript\t11\t90\t.\t+\t.\tgene_id "g1"; transcript_id "t1";\n'
    'I\tmade\texon\t11\t90\t.\t+\t.\tgene_id "g1"; transcript_id "t1";\n'
)
GFF3 = "##gff-version 3\nI\tmade\tgene\t11\t90\t.\t+\t.\tID=gene:g1\n"
BED = "chrI\t10\t90\tg1\t0\t+\nchrI\t100\t190\tg2\t0\t-\n"
HTSEQ = "YAL1\t3\nYAL2\t4\n__no_feature\t7\n"
COUNTS = "gene\tA\tB\nYAL1\t3\t0\nYAL2\t4\t8\n"
TILES = "core\trep1\tyfp\nACGTACGTAC\t1\t1.5\nACGTACGTAA\t2\t\n"
TARGETS = "gene_id\tlog2FoldChange\tsymbol\ng1\t-1.5\tABC1\ng2\tNA\tABC2\n"

MEME = (
    "MEME version 4\n\nMOTIF M1 GATA1\nletter-probability matrix: alength= 4 w= 2\n"
    "0 0 1 0\n0.5 0 0 0.5\n"
)

TEXTS = {
    "FASTA": ">I\nACGTNN\n>II\nGG\n",
    "GTF": GTF,
    "GFF3": GFF3,
    "BED": BED,
    "HTSeq file": HTSEQ,
    "counts": COUNTS,
    "samples": "sample,status,age\nA,IS,61\nB,C,\n",
    "targets": TARGETS,
    "sequence table": TILES,
    "gene names": "YAL001C\tTFC3\nYAL002W\tVPS8\nYAL003W\tEFB1\n",
    "MEME motifs": MEME,
}


@pytest.fixture
def file(tmp_path):
    """Write a file whose name says nothing, and give its path."""

    def write(content: str | bytes, packed: bool = False):
        path = tmp_path / "unnamed"
        raw = content.encode() if isinstance(content, str) else content
        path.write_bytes(gzip.compress(raw) if packed else raw)
        return path

    return write


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kind", TEXTS)
def test_content_tells_the_kind(file, kind, packed):
    report = check_file(file(TEXTS[kind], packed=packed))
    assert (report.kind, report.problems, report.ok) == (kind, [], True)
    assert report.facts


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("counts", "# Program:featureCounts v2\nGeneid\tChr\tStart\tEnd\tStrand\tLength\ta.bam\n"
         "g1\tI\t1\t5\t+\t5\t3\n"),
        ("counts", "NAME\ta\tb\nCLASS:DOSE\tIS\tC\ng1\t1\t2\n"),
        ("samples", '"","condition"\n"s1","A"\n"s2","A"\n"s3","B"\n"s4","B"\n'),
        ("targets", "gene_id\tchanged\ng1\t1\ng2\t\ng3\t0\n"),
        ("gene names", "systematic\tcommon\nYAL001C\tTFC3\n"),
        ("GFF3", "I\tmade\tgene\t11\t90\t.\t+\t.\tID=gene:g1\n"),
        ("BED", "track name=genes\nchrI\t10\t90\tg1\t0\t+\n"),
    ],
)  # fmt: skip
def test_variants_of_a_kind(file, kind, text):
    report = check_file(file(text))
    assert (report.kind, report.problems) == (kind, [])


def test_facts_of_a_fasta(file):
    facts = check_file(file(TEXTS["FASTA"])).facts
    assert facts["records"] == "2 (I, II)"
    assert facts["bases"] == "8, longest record 6"
    assert facts["N"] == "25.0%"
    assert facts["GC"] == "66.7%"


def test_facts_of_motifs(file):
    assert check_file(file(MEME)).facts == {
        "motifs": "1 (M1)",
        "positions": "2 to 2",
        "information": "3.0 to 3.0 bits",
        "background": "A 0.25, C 0.25, G 0.25, T 0.25",
    }
    wrong = check_file(file(MEME + "0.5 0.5 0.5 0.5\n"))
    assert wrong.kind == "MEME motifs"
    assert "not a row of probabilities" in wrong.problems[0]


def test_facts_of_counts(file):
    facts = check_file(file(COUNTS + "YAL3\t0\t0\n__no_feature\t9\t9\n")).facts
    assert facts["genes"] == "3, 1 of them without any read"
    assert facts["reads per sample"] == "7 to 8"
    assert facts["trailer rows left out"] == "1"


def test_facts_of_tables(file):
    assert check_file(file(TEXTS["samples"])).facts == {
        "samples": "2 (A, B)",
        "status": "IS × 1, C × 1",
        "age": "61 to 61; 1 missing",
    }
    assert check_file(file(TARGETS)).facts["log2FoldChange"] == (
        "1 values, -1.5 to -1.5; 1 missing"
    )
    assert check_file(file(TILES)).facts == {
        "rows": "2",
        "sequences": "column core, up to 10 bases, 0 of them shorter",
        "rep1": "1 values",
        "yfp": "1 values",
        "rows without yfp": "1",
    }


def test_an_annotation_counts_its_genes(file):
    facts = check_file(file(BED)).facts
    assert (facts["genes"], facts["chromosomes"]) == ("2", "1 (chrI)")


@pytest.mark.parametrize(
    ("kind", "text", "problem"),
    [
        ("counts", COUNTS.replace("8", "-8"), "gene YAL2, sample B: a negative count"),
        ("counts", COUNTS.replace("8", "0.5"), "gene YAL2, sample B: a fractional count"),
        ("counts", COUNTS + "YAL1\t1\t2\n", "the same gene occurs twice"),
        ("counts", COUNTS + "YAL3\t1\n", "another number of fields"),
        ("counts", COUNTS.partition("\n")[0] + "\n", "no genes"),
        ("counts", COUNTS.replace("8", "0"), "sample B: not a single read"),
        ("samples", TEXTS["samples"] + "A,C,3\n", "the same sample occurs twice"),
        ("targets", TARGETS + "g1\t1\tABC3\ng9\t1\tABC9\n", "the same gene occurs twice"),
        ("FASTA", ">I\nACXT\n", "not a DNA letter"),
        ("FASTA", ">I\nNNNN\n", "no base is known"),
        ("GTF", GTF.replace("\t11\t90\t.\t+\t.\tgene_id \"g1\"; transcript_id \"t1\";\n",
                            "\t95\t90\t.\t+\t.\tgene_id \"g1\"; transcript_id \"t1\";\n"),
         "impossible stretch"),
        ("sequence table", TILES + "ACGTACGT-A\t3\t4\n", "line 4, base 9: not a DNA letter"),
        ("sequence table", "id\tseq\na\tACGTACGTAC\nb\tACGTACGTAA\n", "no column of numbers"),
        ("HTSeq file", HTSEQ + "YAL1\t3\n", "the same gene occurs twice"),
        ("unknown", "", "empty"),
        ("unknown", "\n\n", "empty"),
        ("unknown", "A letter, to somebody\nwith prose in it, and commas, and more\n",
         "not a kind of file that Exprimo reads"),
        ("VCF", "##fileformat=VCFv4.2\n#CHROM\tPOS\nI\t5\n", "no column 'ref'"),
        ("unknown", "ENSG1\t1.5\nENSG2\t2.5\n", "first line holds numbers"),
        ("unknown", "ACGTACGTACGT\t1.5\nACGTACGTACGA\t2.5\n", "the first line holds"),
        ("unknown", "gene\ta\ta\ng1\t1\t2\n", "a column name occurs twice"),
        ("unknown", b"PK\x03\x04....", "Excel"),
        ("unknown", b"\x1f\x8b\x08\x00", "cut short"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_full_message(file, kind, text, problem):
    path = file(text)
    report = check_file(path)
    assert (report.kind, report.ok) == (kind, False)
    assert len(report.problems) == 1
    assert problem in report.problems[0]
    assert str(path) in report.problems[0]


def test_gzip_cut_short_behind_its_beginning(file):
    rows = "".join(f"g{i}\t{i * 31 % 977}\t{i * 17 % 911}\n" for i in range(20_000))
    whole = file(COUNTS + rows, packed=True).read_bytes()
    report = check_file(file(whole[: len(whole) - 50]))
    assert report.kind == "counts"
    assert "cut short" in report.problems[0]


def test_htseq_folders_and_archives(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    for name in ("WT.txt", "KO.txt"):
        (folder / name).write_text(HTSEQ)
    with tarfile.open(tmp_path / "run.tar.gz", "w:gz") as archive:
        header = tarfile.TarInfo("WT.txt")
        header.size = len(HTSEQ)
        archive.addfile(header, io.BytesIO(HTSEQ.encode()))
    reports = check([folder, tmp_path / "run.tar.gz"])
    assert [report.kind for report in reports] == ["HTSeq folder", "HTSeq tar"]
    assert all(report.ok for report in reports)
    (folder / "KO.txt").write_text("YAL1\tx\nYAL2\t4\n")
    assert "sample KO: not a count" in check_file(folder).problems[0]


def test_other_folders_and_nothing(tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG\0\0")
    reports = check([tmp_path, tmp_path / "gone"])
    assert [report.kind for report in reports] == ["unknown", "unknown"]
    assert "not a kind of file" in reports[0].problems[0]
    assert "no such file or folder" in reports[1].problems[0]


def test_one_path_is_enough(file):
    (report,) = check(str(file(COUNTS)))
    assert report.kind == "counts"


def test_an_exprimo_dataset(tmp_path):
    path = tmp_path / "D.h5"
    with write_dataset(path, {}) as data:
        data.examples(pd.DataFrame({"example_id": ["a", "b", "c"]}))
        data.input("sequence", [np.zeros((3, 20), dtype=np.uint8)])
        data.target("yfp", [1.0, np.nan, 2.0], kind="regression")
    report = check_file(path)
    assert (report.kind, report.problems) == ("Exprimo dataset", [])
    assert report.facts["examples"] == "3"
    assert report.facts["input sequence"] == "1 distinct rows of 20 uint8"
    assert report.facts["target yfp"] == "regression, 2 values"

    (tmp_path / "cut.h5").write_bytes(path.read_bytes()[:700])
    cut = check_file(tmp_path / "cut.h5")
    assert (cut.kind, cut.ok) == ("Exprimo dataset", False)
    assert "cut short" in cut.problems[0]


def test_hdf5_of_somebody_else(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "keras.h5", "w") as other:
        other.create_group("model_weights")
    report = check_file(tmp_path / "keras.h5")
    assert report.kind == "HDF5 file"
    assert "not an Exprimo dataset" in report.problems[0]


@pytest.fixture
def run(tmp_path):
    """A folder with the files of a run, made without training."""
    folder = tmp_path / "run"
    folder.mkdir()
    write_json(
        folder / "provenance.json",
        {"format_version": RUN_FORMAT, "exprimo": "0.1.0", "dataset": {}, "split": {}},
    )
    write_json(folder / "metrics.json", {})
    (folder / "config.toml").write_text("")
    parts = np.array(["train", "train", "test"])
    ids = np.array(["a", "b", "c"])
    Split(ids, parts, "random", 0, "ab12", ("gene",)).save(folder / "split.parquet")
    Ledger({"weights": {"gene": frozenset({"a", "b"})}}).save(folder / "ledger.parquet")
    table = pd.DataFrame(
        {"example_id": ids, "target": 1.0, "prediction": 2.0, "prediction_sd": np.nan}
    )
    write_predictions(folder / "predictions.parquet", table)
    return folder


def test_an_exprimo_run(run):
    report = check_file(run)
    assert (report.kind, report.problems) == ("Exprimo run", [])
    assert report.facts == {
        "written by": "Exprimo 0.1.0",
        "split": "random, test 1, train 2",
        "weights learned from": "2 by gene",
        "predictions": "3",
    }


def test_a_run_that_lacks_a_file(run):
    (run / "ledger.parquet").unlink()
    assert check_file(run).problems == [f"{run}: ledger.parquet is missing."]


def test_a_run_of_a_newer_version(run):
    (run / "provenance.json").write_text(json.dumps({"format_version": RUN_FORMAT + 1}))
    assert "newer Exprimo" in check_file(run).problems[0]


def test_a_benchmark_and_a_table_of_predictions(run, tmp_path):
    assert check_file(run / "predictions.parquet").facts == {
        "rows": "3",
        "columns": "example_id, target, prediction, prediction_sd",
    }
    (run / "benchmark.json").write_text("{}")
    assert check_file(run).kind == "Exprimo benchmark"
    (tmp_path / "cut.parquet").write_bytes(b"PAR1 and no more")
    assert "damaged parquet" in check_file(tmp_path / "cut.parquet").problems[0]


def test_a_study_file(tmp_path):
    (tmp_path / "study.toml").write_text('kind = "sequence"\n[data]\nx = 1\n')
    assert check_file(tmp_path / "study.toml").facts == {"kind": "sequence", "keys": "kind, data"}
    (tmp_path / "broken.toml").write_text("kind = \n")
    assert not check_file(tmp_path / "broken.toml").ok


def test_checking_changes_nothing(tmp_path):
    (tmp_path / "genome.fa").write_text(TEXTS["FASTA"])
    check_file(tmp_path / "genome.fa")
    assert [file.name for file in tmp_path.iterdir()] == ["genome.fa"]


SALMON = "Name\tLength\tEffectiveLength\tTPM\tNumReads\n"


def test_quantified_transcripts_alone_and_by_folder(tmp_path: Path) -> None:
    for sample, reads in (("S1", "30.5"), ("S2", "0")):
        (tmp_path / sample).mkdir()
        (tmp_path / sample / "quant.sf").write_text(f"{SALMON}T1\t1000\t800\t3\t{reads}\n")
    alone = check_file(tmp_path / "S1" / "quant.sf")
    assert (alone.kind, alone.facts["samples"], alone.ok) == (
        "quantified transcripts",
        "1 (S1)",
        True,
    )
    found = check_file(tmp_path)
    assert found.kind == "quantified transcripts"
    assert found.facts == {
        "format": "salmon quantifications",
        "samples": "2 (S1, S2)",
        "transcripts": "1",
        "reads per sample": "0 to 30",
    }
    assert len(found.problems) == 1
    assert "S2" in found.problems[0]


def test_quantified_transcripts_of_two_indices_are_a_problem(tmp_path: Path) -> None:
    (tmp_path / "S1.quant.sf").write_text(f"{SALMON}T1\t1000\t800\t3\t7\n")
    (tmp_path / "S2.quant.sf").write_text(f"{SALMON}T2\t1000\t800\t3\t7\n")
    found = check_file(tmp_path)
    assert found.kind == "quantified transcripts"
    assert "do not have the same transcripts" in found.problems[0]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("study.json", "Exprimo study"),
        ("labels.tsv", "Exprimo DGE"),
        ("interpretation.json", "Exprimo interpretation"),
        ("manifest.json", "Exprimo embeddings"),
        ("truth/world.json", "simulated world"),
    ],
)
def test_folders_that_exprimo_wrote_are_known(tmp_path: Path, name: str, kind: str) -> None:
    folder = tmp_path / "made"
    (folder / name).parent.mkdir(parents=True)
    (folder / name).write_text("{}")
    (folder / "provenance.json").write_text("{}")
    found = check_file(folder)
    assert (found.kind, found.ok) == (kind, True)


def test_json_and_an_index_are_not_taken_for_tables(tmp_path: Path) -> None:
    (tmp_path / "study.json").write_text('{"kind": "sequence", "out": ""}')
    (tmp_path / "g.fa").write_text(">I\nACGT\n")
    (tmp_path / "g.fa.fai").write_text("I\t4\t3\t4\t5\n")
    found = check([tmp_path / "study.json", tmp_path / "g.fa.fai"])
    assert [f.kind for f in found] == ["JSON file", "FASTA index"]
    assert all(f.ok for f in found)
    (tmp_path / "cut.json").write_text('{"kind": ')
    assert "cut short" in check_file(tmp_path / "cut.json").problems[0]
