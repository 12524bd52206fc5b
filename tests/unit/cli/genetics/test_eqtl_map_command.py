"""exprimo eqtl map: options arrive, the summary says what was found."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from exprimo.cli.genetics import eqtl
from exprimo.core.errors import MismatchError

PEOPLE = [f"p{i}" for i in range(60)]
HEAD = (
    "##fileformat=VCFv4.2\n##contig=<ID=1>\n"
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t"
)


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    rng = np.random.default_rng(2)
    dosage = rng.binomial(2, 0.4, (20, 60))
    calls = {0: "0|0", 1: "0|1", 2: "1|1"}
    rows = [
        f"1\t{1000 * (i + 1)}\tv{i}\tA\tG\t.\t.\t.\tGT\t" + "\t".join(calls[d] for d in row)
        for i, row in enumerate(dosage)
    ]
    vcf, bed = tmp_path / "g.vcf", tmp_path / "e.bed"
    vcf.write_text(HEAD + "\t".join(PEOPLE) + "\n" + "\n".join(rows) + "\n")
    strong, none = 2.0 * dosage[4] + rng.normal(size=60), rng.normal(size=60)
    bed.write_text(
        "#chr\tstart\tend\tgene_id\t" + "\t".join(PEOPLE) + "\n"
        "1\t5000\t5001\tg0\t" + "\t".join(map(str, strong)) + "\n"
        "1\t9000\t9001\tg1\t" + "\t".join(map(str, none)) + "\n"
    )
    return str(vcf), str(bed)


def run(*words: str):
    app = typer.Typer()
    eqtl.register(app)
    app.command("other")(lambda: None)
    return CliRunner().invoke(app, ["eqtl", "map", *words])


def test_the_summary_counts_what_was_found(files: tuple[str, str], tmp_path: Path) -> None:
    vcf, bed = files
    out = str(tmp_path / "EQTL")
    asked = run(
        "--genotypes", vcf, "--expression", bed, "-o", out, "--window", "6000",
        "--downstream", "3000", "--permutations", "100", "--fdr", "0.1",
    )  # fmt: skip
    assert asked.exit_code == 0, asked.output
    assert "1 eGene at a false discovery rate of 0.1" in asked.output
    assert "(Benjamini-Hochberg)" in asked.output
    assert "1 independent signal" in asked.output
    assert "20 variants read" in asked.output
    assert "left out" not in asked.output
    last = asked.output.splitlines()[-1]
    assert last.startswith(f"  next: exprimo eqtl finemap --egenes {out} (which variant), ")
    pairs = pd.read_parquet(tmp_path / "EQTL" / "nominal" / "1.parquet")
    assert pairs["tss_distance"].between(-6000, 3000).all()
    assert (pairs["tss_distance"] < -3000).any()


def test_json_for_a_program(files: tuple[str, str], tmp_path: Path) -> None:
    vcf, bed = files
    asked = run(
        "--genotypes", vcf, "--expression", bed, "-o", str(tmp_path / "E"), "--window", "3000",
        "--permutations", "0", "--no-nominal", "--folds", "3", "--json",
    )  # fmt: skip
    assert asked.exit_code == 0, asked.output
    found = json.loads(asked.output)
    assert [part["n_people"] for part in found["parts"]] == [40, 40, 40]
    assert found["parts"][0]["n_egenes"] is None


def test_genes_may_be_chosen(files: tuple[str, str], tmp_path: Path) -> None:
    vcf, bed = files
    asked = run(
        "--genotypes", vcf, "--expression", bed, "-o", str(tmp_path / "E"), "--gene", "g1",
        "--permutations", "0",
    )  # fmt: skip
    assert asked.exit_code == 0, asked.output
    assert pd.read_parquet(tmp_path / "E" / "genes.parquet")["phenotype_id"].tolist() == ["g1"]


def test_what_was_left_out_is_told_by_reason(files: tuple[str, str], tmp_path: Path) -> None:
    vcf, bed = files
    (tmp_path / "t.fa").write_text(">1\n" + "A" * 1999 + "T" + "A" * 20_000 + "\n")
    given = ["--genotypes", vcf, "--expression", bed, "--permutations", "0", "--maf", "0.35"]
    given += ["--fasta", str(tmp_path / "t.fa"), "-o", str(tmp_path / "E")]
    refused = run(*given)
    assert isinstance(refused.exception, MismatchError)
    assert "--on-ref-mismatch" in str(refused.exception)
    asked = run(*given, "--on-ref-mismatch", "skip", "--samples", ",".join(PEOPLE[:50]))
    assert asked.exit_code == 0, asked.output
    lines = asked.output.splitlines()
    assert lines[1:3] == ["  19 variants read", "  left out: 10 (people not asked for)"]
    assert lines[-1] == "  left out: 1 (REF is not the genome's)"
    assert re.fullmatch(r"  left out: \d+ \(variants of a rarer minor allele\)", lines[3])


def test_folds_tell_who_was_held_out(files: tuple[str, str], tmp_path: Path) -> None:
    vcf, bed = files
    asked = run(
        "--genotypes", vcf, "--expression", bed, "-o", str(tmp_path / "E"), "--folds", "2",
        "--permutations", "0", "--samples", ",".join(PEOPLE[:40]),
    )  # fmt: skip
    assert asked.exit_code == 0, asked.output
    assert asked.output.count("  left out: 20 (people held out)") == 2
    assert asked.output.count("  left out: 20 (people not asked for)") == 2


def test_transforms_and_hidden_factors_are_asked_for_and_covariates_named(
    files: tuple[str, str], tmp_path: Path
) -> None:
    vcf, bed = files
    ages = "".join(f"{name}\t{at % 7}\n" for at, name in enumerate(PEOPLE))
    (tmp_path / "c.tsv").write_text("sample\tage\n" + ages)
    asked = run(
        "--genotypes", vcf, "--expression", bed, "-o", str(tmp_path / "E"), "--permutations", "0",
        "--covariates", str(tmp_path / "c.tsv"), "--transform", "inverse_normal", "--hidden", "1",
    )  # fmt: skip
    assert asked.exit_code == 0, asked.output
    assert "  covariates: age, hidden_PC1\n" in asked.output
    assert "hidden factors are made of all genes" in asked.output
