"""Weights, tables of associations and scores that cannot be meant: one message, nothing written."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import exprimo

PEOPLE = [f"p{at:02}" for at in range(40)]
VCF = (
    "##fileformat=VCFv4.2\n##contig=<ID=1>\n"
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t"
)
SCORING = "rsID\tchr_name\tchr_position\teffect_allele\tother_allele\teffect_weight\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Genotypes, eQTLs and scores of genes, and a GWAS and a model's scores beside; read-only."""
    folder = tmp_path_factory.mktemp("tables") / "home"
    folder.mkdir()
    rng = np.random.default_rng(2)
    calls = rng.integers(0, 2, (6, len(PEOPLE), 2))
    rows = [
        f"1\t{1000 + 100 * at}\tv{at}\tA\tG\t.\t.\t.\tGT\t"
        + "\t".join(f"{a}|{b}" for a, b in row.tolist())
        for at, row in enumerate(calls)
    ]
    (folder / "g.vcf").write_text(VCF + "\t".join(PEOPLE) + "\n" + "\n".join(rows) + "\n")
    values = calls[2].sum(axis=1) + 0.5 * rng.normal(size=(2, len(PEOPLE)))
    genes = pd.DataFrame(
        {"#chr": "1", "start": [1200, 1400], "end": [1201, 1401], "gene_id": ["g1", "g2"]}
    )
    genes.join(pd.DataFrame(values, columns=PEOPLE)).to_csv(folder / "e.bed", sep="\t", index=False)
    both = (folder / "g.vcf", folder / "e.bed")
    exprimo.eqtl_map(*both, folder / "EQTL", permutations=20, threads=1)
    exprimo.prs_fit(*both, folder / "SCORES", models=["p+t"])
    return folder


@pytest.fixture(scope="module")
def pairs(home: Path) -> pd.DataFrame:
    """Associations of both genes."""
    return pd.read_parquet(home / "EQTL" / "nominal" / "1.parquet")


def _gwas(pairs: pd.DataFrame) -> pd.DataFrame:
    one = pairs[pairs["phenotype_id"] == "g1"]
    return pd.DataFrame(
        {
            "CHR": one["chrom"], "BP": one["pos"], "SNP": one["variant_id"], "A1": one["alt"],
            "A2": one["ref"], "BETA": one["slope"], "SE": 0.1, "P": "0.5", "N": 900,
            "FRQ": one["af"],
        }
    )  # fmt: skip


def _predictdb(path: Path, *rows: tuple[object, ...], extra: str = "g1") -> Path:
    file = sqlite3.connect(path)
    file.execute("CREATE TABLE weights (gene, rsid, varID, ref_allele, eff_allele, weight)")
    file.execute("CREATE TABLE extra (gene)")
    file.execute("INSERT INTO extra VALUES (?)", (extra,))
    file.executemany("INSERT INTO weights VALUES (?, ?, ?, ?, ?, ?)", rows)
    file.commit()
    file.close()
    return path


def _text(name: str, text: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        (folder / name).write_text(text)
        return folder / name

    return write


def _model(name: str, *row: object, extra: str = "g1") -> Callable[[Path], Path]:
    return lambda folder: _predictdb(folder / name, tuple(row), extra=extra)


OTHER_BUILD = ("g1", "rs1", "chr1_999999_A_G_b37", "A", "G", 0.3)
OTHER_ALLELES = ("g1", "rs1", "chr1_1000_A_C_b38", "A", "C", 0.3)
NO_WEIGHT = ("g1", "rs1", "chr1_1000_A_G_b38", "A", "G", None)
WEIGHTS: dict[str, tuple[Callable[[Path], Path], tuple[str, ...]]] = {
    "no SQLite": (_text("m.db", "gene rsid\nno database\n"), ("m.db", "PredictDB file")),
    "another build": (_model("m.db", *OTHER_BUILD), ("no such variant", "1:999999", "build")),
    "other alleles": (_model("m.db", *OTHER_ALLELES), ("other alleles at its place", "C and A")),
    "no number": (_model("m.db", *NO_WEIGHT), ("m.db", "g1, variant rs1", "finite number")),
    "no gene": (_model("m.db", *NO_WEIGHT, extra="g9"), ("m.db", "table extra", "g1")),
    "a weight of words": (
        _text("s.txt", SCORING + "rs1\t1\t1000\tG\tA\theavy\n"), ("s.txt", "line 2", "'heavy'")
    ),
    "a missing weight": (
        _text("s.txt", SCORING + "rs1\t1\t1000\tG\tA\tNA\n"), ("s.txt", "variant rs1", "finite")
    ),
    "a variant twice": (
        _text("s.txt", SCORING + "rs1\t1\t1000\tG\tA\t1\n" * 2), ("two weights", "rs1 (1:1000)")
    ),
    "no effect allele": (
        _text("s.txt", SCORING + "rs1\t1\t1000\t\tA\t0.4\n"), ("no weight fits", "build")
    ),
    "scaffolds": (
        _text("s.txt", SCORING + "rs1\tscaf\t1000\tG\tA\t0.4\n"), ("scaf", "--chrom-style")
    ),
    "a workspace of R": (_text("g1.wgt.RDat", "RDX3\nX"), ("saved by R", "write.table")),
    "a folder": (lambda folder: folder, ("not a folder of scores", "weights.parquet")),
    "nothing": (lambda folder: folder / "nix.db", ("nix.db", "no such file", "Check the path")),
}  # fmt: skip


@pytest.mark.parametrize("case", WEIGHTS)
def test_weights(
    command: Any, untouched: Any, out: Path, tmp_path: Path, home: Path, case: str
) -> None:
    write, parts = WEIGHTS[case]
    folder = tmp_path / "in"
    folder.mkdir()
    weights = write(folder)
    with untouched(out):
        refused = command("prs", "score", weights, "--genotypes", home / "g.vcf", "-o", out / "R")
    refused.assert_says(*parts)


def test_a_score_without_other_alleles_is_read(
    command: Any, out: Path, tmp_path: Path, home: Path
) -> None:
    score = tmp_path / "s.txt"
    rows = ("rs1\t1\t1000\tG\t\t0.5", "rs2\t1\t1100\tA\t\t1", "rs3\t1\t1200\tT\t\t9")
    score.write_text(SCORING + "\n".join(rows) + "\n")
    done = command("prs", "score", score, "--genotypes", home / "g.vcf", "-o", out / "R")
    assert (done.code, done.err) == (0, "")
    assert "1 weight: other alleles at its place" in done.out
    scored = pd.read_parquet(out / "R" / "scores.parquet").set_index("sample")["score"]
    lines = [line.split("\t") for line in (home / "g.vcf").read_text().splitlines()[-6:]]
    alt = np.array([[int(cell[0]) + int(cell[2]) for cell in line[9:]] for line in lines])
    np.testing.assert_allclose(scored[PEOPLE], 0.5 * alt[0] + (2 - alt[1]))


Spoil = Callable[[pd.DataFrame], pd.DataFrame]
GWAS: dict[str, tuple[Spoil, tuple[str, ...]]] = {
    "no strength": (
        lambda t: t.drop(columns=["SE", "P"]), ("gwas.tsv", "header", "SNP", "standard error")
    ),
    "no place": (lambda t: t.drop(columns=["BP", "SNP"]), ("gwas.tsv", "header", "position")),
    "p of words": (
        lambda t: t.assign(P=["0.5", "tiny", *t["P"][2:]]), ("line 3, column P", "'tiny'", "NA")
    ),
    "another build": (lambda t: t.assign(BP=t["BP"] + 10**6), ("gwas.tsv",)),
    "alleles that match nothing": (lambda t: t.assign(A1="C", A2="C"), ("gwas.tsv", "build")),
}  # fmt: skip


@pytest.mark.parametrize("kind", ["coloc", "twas", "finemap"])
@pytest.mark.parametrize("case", GWAS)
def test_tables_of_a_trait(
    command: Any, untouched: Any, out: Path, tmp_path: Path, home: Path, pairs: pd.DataFrame,
    kind: str, case: str,
) -> None:  # fmt: skip
    spoil, parts = GWAS[case]
    spoil(_gwas(pairs)).to_csv(tmp_path / "gwas.tsv", sep="\t", index=False)
    given: dict[str, list[object]] = {
        "coloc": ["--eqtl", home / "EQTL", "--gwas"],
        "twas": ["--weights", home / "SCORES", "--panel", home / "g.vcf", "--gwas"],
        "finemap": ["--genotypes", home / "g.vcf", "--region", "1:900-2000", "--summary"],
    }
    with untouched(out):
        refused = command("eqtl", kind, *given[kind], tmp_path / "gwas.tsv", "-o", out / "R")
    refused.assert_says(*parts)


SCORES: dict[str, tuple[Spoil, list[object], tuple[str, ...]]] = {
    "no such column": (lambda t: t, ["--score-column", "rawscore"], ("'rawscore'", "raw_score")),
    "a p-value": (
        lambda t: t.assign(pval_nominal=0.5), ["--score-column", "pval_nominal"],
        ("column 'pval_nominal'", "its name is that of a p-value", "--circular"),
    ),
    "said to use p": (
        lambda t: t, ["--uses-pvalue", "raw_score"], ("--uses-pvalue names it", "the model alone")
    ),
    "words": (
        lambda t: t.assign(raw_score=["high"] * len(t)), [], ("line 2, column raw_score", "'high'")
    ),
    "infinite": (lambda t: t.assign(raw_score="inf"), [], ("column 'raw_score'", "infinite")),
    "a variant twice": (
        lambda t: pd.concat([t, t.head(1).assign(raw_score=9.0)]), [],
        ("more than one score", "one row for a variant"),
    ),
    "another build": (
        lambda t: t.assign(pos=t["pos"] + 10**6, variant_id="x" + t["variant_id"]), [],
        ("1:1001000:A:G", "1:1000:A:G", "build"),
    ),
    "a window of one side": (lambda t: t, ["--window", "500,100"], ("strands", "--genes")),
}  # fmt: skip


@pytest.mark.parametrize("case", SCORES)
def test_tables_of_scores(
    command: Any, untouched: Any, out: Path, tmp_path: Path, home: Path, pairs: pd.DataFrame,
    case: str,
) -> None:  # fmt: skip
    spoil, more, parts = SCORES[case]
    table = pairs[["variant_id", "chrom", "pos", "ref", "alt"]].drop_duplicates()
    table = spoil(table.assign(raw_score=np.arange(len(table)) / 7))
    table.to_csv(tmp_path / "s.tsv", sep="\t", index=False)
    line = ["eqtl", "overlap", "--scores", tmp_path / "s.tsv", "--eqtl", home / "EQTL"]
    column = [] if "--score-column" in more else ["--score-column", "raw_score"]
    with untouched(out):
        refused = command(*line, *column, *more, "--top", 2, "-o", out / "o.json")
    refused.assert_says(*parts)


@pytest.mark.parametrize(
    ("table", "column"),
    [("EQTL/nominal/1.parquet", "slope"), ("EQTL/genes.parquet", "qval"),
     ("SCORES/weights.parquet", "weight")],
)  # fmt: skip
def test_our_own_tables_say_that_they_know_p(
    command: Any, untouched: Any, out: Path, home: Path, table: str, column: str
) -> None:
    with untouched(out):
        command(
            "eqtl", "overlap", "--scores", home / table, "--eqtl", home / "EQTL",
            "--score-column", column, "--top", 2, "-o", out / "o.json",
        ).assert_says(f"column {column!r}", "p_value", "the model alone")  # fmt: skip
