"""The commands prs fit and prs score, from files to what is printed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from exprimo.cli.genetics import prs
from exprimo.core.errors import ConfigError, LeakError

PEOPLE = [f"p{i:02}" for i in range(60)]


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """Write genotypes of ten variants and expression of one gene that the third one drives."""
    rng = np.random.default_rng(1)
    dosage = rng.binomial(2, 0.4, (10, len(PEOPLE)))
    cells = np.array(["0/0", "0/1", "1/1"])
    rows = [f"1\t{10 * (v + 1)}\trs{v}\tA\tC\t.\t.\t.\tGT\t" + "\t".join(cells[row])
            for v, row in enumerate(dosage)]  # fmt: skip
    (tmp_path / "g.vcf").write_text(
        "##fileformat=VCFv4.2\n##contig=<ID=1>\n"
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t" + "\t".join(PEOPLE) + "\n"
        + "\n".join(rows) + "\n"
    )  # fmt: skip
    values = dosage[2] + 0.3 * rng.normal(size=len(PEOPLE))
    (tmp_path / "e.bed").write_text(
        "#chr\tstart\tend\tgene_id\t" + "\t".join(PEOPLE) + "\n1\t50\t51\tg1\t"
        + "\t".join(f"{x:.6f}" for x in values) + "\n"
    )  # fmt: skip
    return tmp_path


def run(*words: str | Path) -> str:
    app = typer.Typer()
    prs.register(app)
    done = CliRunner().invoke(app, ["prs", *map(str, words)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def fit(world: Path, *more: str | Path) -> str:
    return run(
        "fit", "--genotypes", world / "g.vcf", "--expression", world / "e.bed",
        "--models", "baseline,p+t", "--folds", "3", "--p", "0.001,1", "--r2", "0.2",
        "-o", world / "S", *more,
    )  # fmt: skip


def test_fit_and_score_tell_what_they_did(world: Path) -> None:
    told = fit(world)
    assert "1 gene in 60 people" in told
    assert "nothing selected" in told
    assert f"  next: exprimo prs score {world / 'S'} (other people)" in told
    scored = run(
        "score", world / "S", "--genotypes", world / "g.vcf", "-o", world / "T",
        "--expression", world / "e.bed", "--folds-file", world / "S/folds.tsv",
    )  # fmt: skip
    assert "the weights were learned from 60 of these people" in scored
    assert "LEAK" not in scored
    assert f"  next: exprimo stack --features {world / 'T/scores.parquet'}" in scored
    genes = pd.read_parquet(world / "S/genes.parquet").set_index("model")
    assert f"p+t: R² {genes.loc['p+t', 'r2']:.3f}" in scored
    assert genes.loc["p+t", "r2"] > 0.7


def test_json_says_the_same(world: Path) -> None:
    facts = json.loads(fit(world, "--json"))
    assert (facts["n_people"], facts["n_genes"]) == (60, 1)
    assert set(facts["models"]) == {"baseline", "p+t"}


def test_a_leak_is_refused_or_stamped(world: Path) -> None:
    fit(world)
    words = ("score", world / "S", "--genotypes", world / "g.vcf", "--expression",
             world / "e.bed", "-o", world / "T")  # fmt: skip
    with pytest.raises(LeakError, match="learned from"):
        run(*words)
    assert "LEAK: judged on 60 people" in run(*words, "--allow-leak")


def test_thresholds_that_are_no_numbers_are_refused(world: Path) -> None:
    with pytest.raises(ConfigError, match="not a list of numbers"):
        fit(world, "--r2", "low")


def test_covariates_that_the_fit_had_are_asked_for_and_taken_out(world: Path) -> None:
    ages = "".join(f"{name}\t{at % 7}\n" for at, name in enumerate(PEOPLE))
    (world / "c.tsv").write_text("sample\tage\n" + ages)
    fit(world, "--covariates", world / "c.tsv")
    words = ("score", world / "S", "--genotypes", world / "g.vcf", "--expression",
             world / "e.bed", "--folds-file", world / "S/folds.tsv")  # fmt: skip
    assert "fitted to expression without age" in run(*words, "-o", world / "T")
    told = run(*words, "-o", world / "U", "--covariates", world / "c.tsv")
    assert "fitted to expression" not in told
    genes = pd.read_parquet(world / "S/genes.parquet").set_index("model")
    assert f"p+t: R² {genes.loc['p+t', 'r2']:.3f}" in told
