"""``exprimo variants`` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from exprimo.cli.main import app
from exprimo.models.pretrained.enformer import TOY, random_enformer, save_enformer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("command")
    bases = "".join(np.random.default_rng(0).choice(list("ACGT"), 4000))
    (home / "g.fa").write_text(f">chr1\n{bases}\n")
    (home / "g.bed").write_text("chr1\t2000\t2600\tg1\t0\t+\n")
    rows = [
        f"chr1:{at + 1}:{bases[at]}:{'ACGT'[('ACGT'.index(bases[at]) + 1) % 4]}"
        for at in (1990, 2010, 3900)
    ]
    (home / "V.txt").write_text("\n".join([*rows, "chr1:2020:A:<DEL>"]) + "\n")
    save_enformer(random_enformer(TOY), home / "toy.safetensors")
    return home


def _run(folder: Path, *more: str) -> tuple[int, str]:
    done = CliRunner().invoke(
        app,
        [
            "variants",
            f"enformer:{folder / 'toy.safetensors'}",
            "--variants", str(folder / "V.txt"),
            "--fasta", str(folder / "g.fa"),
            "--threads", "1",
            "--device", "cpu",
            *more,
        ],
    )  # fmt: skip
    return done.exit_code, done.output + str(done.exception or "")


def test_it_says_what_was_written_and_what_was_not(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "S.tsv"
    genes = ("--genes", str(folder / "g.bed"))
    code, told = _run(folder, "-o", str(out), *genes, "--tracks", "0,2-3")
    assert code == 0, told
    assert "Wrote 6 rows" in told
    assert "2 pairs of 2 variants and 1 window" in told
    assert "1 of 3 variants lie in no window" in told
    assert "left out: 1 (symbolic allele)" in told
    assert len(pd.read_csv(out, sep="\t")) == 6
    code, told = _run(folder, "-o", str(out), *genes)
    assert "already exists" in told
    out = tmp_path / "T.tsv"
    code, told = _run(folder, "-o", str(out), "--tracks", "0", "--json", "--score", "published")
    assert code == 0, told
    facts = json.loads(told)
    assert (facts["n_rows"], facts["n_outside"], facts["background"]) == (3, 0, None)


def test_what_is_wrong_is_said(folder: Path, tmp_path: Path) -> None:
    code, told = _run(folder, "-o", str(tmp_path / "S.xlsx"), "--tracks", "0")
    assert code != 0
    assert "unknown kind of output" in told
    code, told = _run(folder, "-o", str(tmp_path / "S.tsv"), "--center", "tss", "--tracks", "0")
    assert code != 0
    assert "--center variant" in told
    code, told = _run(folder, "-o", str(tmp_path / "S.tsv"), "--tracks", "0", "--bins", "few")
    assert code != 0
    assert "3 or all" in told
