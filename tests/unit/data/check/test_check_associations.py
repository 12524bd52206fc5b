"""Associations, weights of scores, and the folders of commands on them, told by content."""

from __future__ import annotations

import gzip
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest

from exprimo.data.check import check_file

PGS = (
    "###PGS CATALOG SCORING FILE\n#format_version=2.0\n##SCORE INFORMATION\n#pgs_id=PGS1\n"
    "rsID\tchr_name\tchr_position\teffect_allele\tother_allele\teffect_weight\n"
    "rs1\t1\t55\tA\tG\t0.5\nrs2\t1\t65\tA\tG\t0.5\n"
)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("CHR\tBP\tA1\tA2\tBETA\tSE\tP\n1\t5\tA\tG\t0.1\t0.2\t0.6\n1\t7\tA\tG\t0.1\t0.2\tNA\n",
         {"position": "BP", "p": "P"}),
        (" CHR   SNP  BP  P\n  1  rs1  5  0.6\n  1  rs2  7  NA\n", {"variant": "SNP", "p": "P"}),
        ("#CHROM\tPOS\tID\tREF\tALT\tP\n1\t5\trs1\tA\tG\t0.6\n1\t7\trs2\tA\tG\tNA\n",
         {"chromosome": "#CHROM", "effect allele": "ALT"}),
        ("phenotype_id,variant_id,pval_nominal\ng1,v1,0.1\ng1,v2,\n",
         {"gene": "phenotype_id", "p": "pval_nominal"}),
    ],
)  # fmt: skip
def test_associations(tmp_path: Path, text: str, meant: dict[str, str]) -> None:
    file = tmp_path / "anything.gz"
    with gzip.open(file, "wt") as out:
        out.write(text)
    found = check_file(file)
    assert (found.kind, found.problems) == ("associations", [])
    assert (found.facts["rows"], found.facts["rows with p"]) == ("2", "1")
    for meaning, name in meant.items():
        assert found.facts[meaning] == f"column {name}"


def test_associations_in_parquet(tmp_path: Path) -> None:
    table = pd.DataFrame({"variant_id": ["v1", "v2"], "slope": [1.0, 2.0], "pval_nominal": 0.5})
    table.loc[0, "pval_nominal"] = None
    table.to_parquet(tmp_path / "t.parquet")
    found = check_file(tmp_path / "t.parquet")
    assert found.kind == "associations"
    assert (found.facts["rows"], found.facts["rows with p"]) == ("2", "1")


def test_a_row_that_is_cut_short_is_named(tmp_path: Path) -> None:
    (tmp_path / "g.tsv").write_text("SNP\tA1\tP\nrs1\tA\t0.5\nrs2\tA\n")
    found = check_file(tmp_path / "g.tsv")
    assert found.kind == "associations"
    assert "line 3" in found.problems[0]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("gene\tbase_mean\tlog2fc\tp_value\ng1\t3.5\t4\t0.1\ng2\t0.5\t9\t0.2\n", "targets"),
        ("id\ts1\ts2\ng1\t3\t4\ng2\t0\t9\n", "counts"),
        ("sample\tsex\tbatch\nann\tf\t1\nbob\tm\t2\n", "samples"),
    ],
)
def test_other_tables_are_no_associations(tmp_path: Path, text: str, kind: str) -> None:
    (tmp_path / "t.tsv").write_text(text)
    assert check_file(tmp_path / "t.tsv").kind == kind


def test_weights_of_others(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(PGS)
    found = check_file(tmp_path / "a.txt")
    assert (found.kind, found.facts["rows"]) == ("scoring file (PGS Catalog)", "2")
    (tmp_path / "b.txt").write_text(
        "CHR\tSNP\tCM\tPOS\tA1\tA2\tenet\ttop1\n1\trs1\t0\t5\tA\tG\t0.5\t0\n"
    )
    found = check_file(tmp_path / "b.txt")
    assert (found.kind, found.problems, found.facts["rows"]) == ("FUSION weights", [], "1")


def test_predictdb_and_another_sqlite_file(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "m.db")) as file, file:
        file.execute("CREATE TABLE weights (rsid TEXT, gene TEXT, weight REAL)")
        file.executemany("INSERT INTO weights VALUES (?, 'g1', 0.1)", [("rs1",), ("rs2",)])
        file.execute("CREATE TABLE extra (gene TEXT)")
        file.execute("INSERT INTO extra VALUES ('g1')")
    found = check_file(tmp_path / "m.db")
    assert (found.kind, found.problems) == ("PredictDB weights", [])
    assert (found.facts["weights"], found.facts["genes"]) == ("2", "1")
    with closing(sqlite3.connect(tmp_path / "other.db")) as file, file:
        file.execute("CREATE TABLE songs (name TEXT)")
    found = check_file(tmp_path / "other.db")
    assert found.kind == "unknown"
    assert "not a kind of file that Exprimo reads" in found.problems[0]


@pytest.mark.parametrize(
    ("kind", "files"),
    [
        ("eQTL mapping", ["genes.parquet", "config.toml"]),
        ("fine-mapping", ["credible_sets.parquet", "genes.parquet"]),
        ("fitted scores", ["weights.parquet", "models.parquet", "predictions.parquet"]),
        ("scored people", ["scores.parquet"]),
        ("colocalisation", ["pairs.parquet", "genes.parquet"]),
        ("TWAS", ["genes.parquet"]),
        ("stack", ["weights.parquet", "predictions.parquet", "folds.tsv"]),
    ],
)
def test_folders_of_commands(tmp_path: Path, kind: str, files: list[str]) -> None:
    for name in files:
        (tmp_path / name).touch()
    summary = {"n_genes": 1200, "n_egenes": None, "kind": "x"}
    if kind == "TWAS":
        summary["n_significant"] = 3
    (tmp_path / "summary.json").write_text(json.dumps(summary))
    origin = {"builder": "eqtl" if kind == "eQTL mapping" else "other"}
    (tmp_path / "provenance.json").write_text(json.dumps(origin))
    found = check_file(tmp_path)
    assert (found.kind, found.problems) == (kind, [])
    assert found.facts["genes"] == "1,200"
    assert "egenes" not in found.facts
    (tmp_path / "summary.json").write_text("{")
    assert "summary.json" in check_file(tmp_path).problems[0]


def test_a_mapping_within_folds(tmp_path: Path) -> None:
    (tmp_path / "provenance.json").write_text('{"builder": "eqtl"}')
    for fold in range(2):
        (tmp_path / f"fold{fold}").mkdir()
        (tmp_path / f"fold{fold}" / "summary.json").write_text(f'{{"n_pairs": {fold + 5}}}')
    found = check_file(tmp_path)
    assert found.kind == "eQTL mapping"
    assert (found.facts["fold0: pairs"], found.facts["fold1: pairs"]) == ("5", "6")
