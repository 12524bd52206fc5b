"""Weights that others estimated: PredictDB, FUSION as text, the PGS Catalog."""

from __future__ import annotations

import gzip
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from exprimo.core.errors import FormatError, InputError
from exprimo.genetics.scores.weights import read_weights

PGS = (
    "###PGS CATALOG SCORING FILE\n#format_version=2.0\n##POLYGENIC SCORE (PGS) INFORMATION\n"
    "#pgs_id=PGS000001\n#genome_build=GRCh37\n"
    "rsID\tchr_name\tchr_position\teffect_allele\tother_allele\teffect_weight\n"
    "rs1\t1\t55\tA\tG\t0.5\nrs2\t2\t77\tt\t\t-1e-3\n"
)


def _predictdb(path: Path, *, gene: str = "g1", column: str = "weight") -> Path:
    with closing(sqlite3.connect(path)) as file, file:
        file.execute(
            f"CREATE TABLE weights (rsid TEXT, gene TEXT, {column} REAL, ref_allele TEXT, "
            "eff_allele TEXT, varID TEXT)"
        )
        file.execute("CREATE TABLE extra (gene TEXT, genename TEXT, 'pred.perf.R2' REAL)")
        rows = [
            ("rs1", "g1", 0.25, "A", "G", "chr1_55_A_G_b38"),
            ("rs2", "g1", -0.5, "C", "T", "chr1_99_C_T_b38"),
        ]
        file.executemany("INSERT INTO weights VALUES (?, ?, ?, ?, ?, ?)", rows)
        file.execute("INSERT INTO extra VALUES (?, 'G1', 0.1)", (gene,))
    return path


def test_predictdb(tmp_path: Path) -> None:
    found = read_weights(_predictdb(tmp_path / "m.db"))
    assert (found.kind, found.build, found.ledger) == ("PredictDB", "b38", None)
    columns = ["gene_id", "chrom", "pos", "effect_allele", "other_allele", "weight"]
    assert found.table[columns].values.tolist() == [
        ["g1", "1", 55, "G", "A", 0.25],
        ["g1", "1", 99, "T", "C", -0.5],
    ]


def test_predictdb_without_its_tables_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"weights.*Expected: rsid, gene, weight"):
        read_weights(_predictdb(tmp_path / "a.db", column="w"))
    with pytest.raises(FormatError, match=r"not in the table extra.*g1"):
        read_weights(_predictdb(tmp_path / "b.db", gene="g2"))
    damaged = tmp_path / "c.db"
    damaged.write_bytes(b"SQLite format 3\x00" + b"\x01" * 4000)
    with pytest.raises(FormatError, match="not a PredictDB model"):
        read_weights(damaged)


def test_fusion_as_text(tmp_path: Path) -> None:
    file = tmp_path / "T.G1.wgt.tsv"
    file.write_text(
        "V1\tV2\tV3\tV4\tV5\tV6\tenet\ttop1\n"
        "1\trs1\t0\t55\tA\tG\t0.5\t0\n1\trs2\t0\t77\tC\tT\tNA\t-0.25\n"
    )
    found = read_weights(file).table
    columns = ["gene_id", "model", "variant_id", "pos", "effect_allele", "weight"]
    assert found[columns].values.tolist() == [
        ["T.G1", "enet", "rs1", 55, "A", 0.5],
        ["T.G1", "top1", "rs2", 77, "C", -0.25],
    ]


@pytest.mark.parametrize("packed", [True, False])
def test_what_r_saved_is_refused_with_the_way_out(tmp_path: Path, packed: bool) -> None:
    file = tmp_path / ("G.wgt.RDat" if packed else "anything")
    content = b"RDX3\nX\n\x00\x00\x00\x03"
    file.write_bytes(gzip.compress(content) if packed else content)
    with pytest.raises(FormatError, match=r"only R reads.*write\.table"):
        read_weights(file)


def test_pgs_catalog(tmp_path: Path) -> None:
    file = tmp_path / "PGS000001.txt.gz"
    file.write_bytes(gzip.compress(PGS.encode()))
    found = read_weights(file)
    assert (found.kind, found.build) == ("PGS Catalog", "GRCh37")
    columns = ["gene_id", "variant_id", "chrom", "pos", "effect_allele", "other_allele", "weight"]
    assert found.table[columns].values.tolist() == [
        ["PGS000001", "rs1", "1", 55, "A", "G", 0.5],
        ["PGS000001", "rs2", "2", 77, "T", "", -1e-3],
    ]


def test_places_that_the_catalog_harmonised_are_taken(tmp_path: Path) -> None:
    file = tmp_path / "h.txt"
    file.write_text(
        "#pgs_id=P\n#genome_build=GRCh37\n#HmPOS_build=GRCh38\n"
        "rsID\tchr_name\tchr_position\teffect_allele\teffect_weight\thm_rsID\thm_chr\thm_pos\t"
        "hm_inferOtherAllele\n"
        "rs1\t1\t55\tA\t0.5\trs9\t1\t66\tG\nrs2\t1\t56\tA\t0.5\trs2\t\t\tC/G\n"
    )
    found = read_weights(file)
    assert found.build == "GRCh38"
    columns = ["variant_id", "chrom", "pos", "other_allele"]
    assert found.table[columns].values.tolist() == [["rs9", "1", 66, "G"], ["rs2", "", 0, ""]]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("\t55\t", "\tfive\t", "not a position"),
        ("0.5", "much", "not a number"),
        ("rs2\t2\t77\tt\t\t-1e-3", "rs1\t1\t55\tA\tG\t0.7", "two weights"),
        ("effect_weight", "weight", "no known kind"),
        ("0.5", "", "not a number"),
    ],
)
def test_broken_scoring_files_are_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    file = tmp_path / "s.txt"
    file.write_text(PGS.replace(old, new, 1))
    with pytest.raises(FormatError, match=said):
        read_weights(file)


def test_weights_that_do_not_add_up_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "s.txt"
    file.write_text(
        "rsID\teffect_allele\teffect_weight\tis_dominant\nrs1\tA\t1\tFalse\nrs2\tA\t1\tTrue\n"
    )
    with pytest.raises(FormatError, match=r"line 3.*is_dominant"):
        read_weights(file)


def test_no_file_and_no_folder_of_scores(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_weights(tmp_path / "none")
    with pytest.raises(FormatError, match=r"not a folder of scores.*weights\.parquet"):
        read_weights(tmp_path)
