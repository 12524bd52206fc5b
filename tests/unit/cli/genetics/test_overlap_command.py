"""The command eqtl overlap: what it prints and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from exprimo.cli.genetics.overlap import register
from exprimo.core.errors import ConfigError, LeakError


@pytest.fixture
def group() -> typer.Typer:
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    return app


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    rng = np.random.default_rng(0)
    ids = [f"1:{i}:A:G" for i in range(1, 201)]
    lines = ["variant_id\tscore\tother"]
    lines += [f"{v}\t{rng.normal() ** 3}\t{rng.normal()}" for v in ids]
    (tmp_path / "s.tsv").write_text("\n".join(lines) + "\n")
    lines = ["marker\tp\tslope\ttss_distance"]
    lines += [f"{v}\t{rng.uniform()}\t{rng.normal()}\t{i}" for i, v in enumerate(ids)]
    (tmp_path / "e.tsv").write_text("\n".join(lines) + "\n")
    return [
        "overlap", "--scores", str(tmp_path / "s.tsv"), "--eqtl", str(tmp_path / "e.tsv"),
        "--eqtl-name", "variant_id=marker", "--top", "20",
    ]  # fmt: skip


def test_both_columns_are_told_and_written(
    group: typer.Typer, files: list[str], tmp_path: Path
) -> None:
    out = tmp_path / "X.json"
    words = [*files, "--score-column", "score", "--score-column", "other", "-o", str(out)]
    done = CliRunner().invoke(group, words, catch_exceptions=False)
    assert done.exit_code == 0
    assert f"Wrote {out}" in done.output
    assert "expected" in done.output
    assert "None of 200 associations" in done.output
    assert "CIRCULAR" not in done.output
    assert set(json.loads(out.read_text())["columns"]) == {"score", "other"}


def test_json_is_for_programs(group: typer.Typer, files: list[str]) -> None:
    words = [*files, "--score-column", "score", "--window", "50", "--json"]
    done = CliRunner().invoke(group, words, catch_exceptions=False)
    found = json.loads(done.output)
    assert found["columns"]["score"]["n"] == 51
    assert found["columns"]["score"]["expected"] == pytest.approx(400 / 51)


def test_the_stamp_stands_above_and_below(group: typer.Typer, files: list[str]) -> None:
    words = [*files, "--score-column", "score", "--circular"]
    done = CliRunner().invoke(group, words, catch_exceptions=False)
    assert done.output.count("CIRCULAR") == 2
    assert done.output.splitlines()[1].startswith("CIRCULAR")
    assert "without the p-value" in done.output
    assert "shifted along the region" in done.output


def test_refusals(group: typer.Typer, files: list[str]) -> None:
    words = [*files, "--score-column", "score"]
    with pytest.raises(LeakError, match="p-value"):
        CliRunner().invoke(group, [*words, "--uses-pvalue", "score"], catch_exceptions=False)
    with pytest.raises(ConfigError, match="ROLE=COLUMN"):
        CliRunner().invoke(group, [*words, "--score-name", "x"], catch_exceptions=False)
