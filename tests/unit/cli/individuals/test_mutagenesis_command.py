"""The command mutagenesis: what it takes and what it says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

import exprimo.scoring.mutagenesis as package
from exprimo.cli.individuals.mutagenesis import parse_positions, register
from exprimo.core.errors import ConfigError
from exprimo.scoring.mutagenesis import Mutated


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the command asks the library for."""
    seen: dict[str, Any] = {}

    def mutagenesis(model: str, out: Path, **options: Any) -> Mutated:
        seen.update(options, model=model)
        way, best = "local, only what a change can reach", "-1.5 of y by chr1:5 A>G, position +3"
        return Mutated(out, 2, (-20, 11), ("y",), way, 180, 3, best, 180, 4, 1)

    monkeypatch.setattr(package, "mutagenesis", mutagenesis)
    monkeypatch.setattr("exprimo.data.textfile.require_file", lambda *_: None)
    return seen


def run(*arguments: str) -> str:
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    done = CliRunner().invoke(app, ["mutagenesis", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_options_reach_the_library_and_the_answer_the_user(asked: dict[str, Any]) -> None:
    told = run(
        "RUN", "--fasta", "g.fa", "--genes", "g.gtf", "--gene", "a", "--gene", "b",
        "--positions", "-20:11", "--bins", "all", "--way", "whole", "--precision", "bf16",
        "-o", "M.parquet",
    )  # fmt: skip
    assert asked["gene"] == ["a", "b"]
    assert asked["positions"] == (-20, 11)
    assert asked["precision"] == "bf16"
    assert (asked["bins"], asked["way"], asked["dataset"]) == ("all", "whole", None)
    assert "Wrote 180 single-base changes of 2 windows to M.parquet" in told
    assert "where N stands: 3 positions" in told
    assert "positions -20 to 10 relative to the TSS" in told
    assert "local, only what a change can reach" in told
    assert "1 of 4 shards were there already" in told
    facts = json.loads(run("RUN", "D.h5", "-o", "M.h5", "--json"))
    assert asked["dataset"] == Path("D.h5")
    assert facts["n_substitutions"] == 180


@pytest.mark.parametrize("text", ["200", "a:b", "1:"])
def test_what_is_no_range(text: str) -> None:
    with pytest.raises(ConfigError, match=r"not a (range|whole number)"):
        parse_positions(text)
