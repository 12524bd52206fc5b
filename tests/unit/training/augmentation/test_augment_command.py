"""`exprimo train --augment`, from the command line to the report's sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from exprimo.cli import main as cli
from exprimo.core.run import Run
from exprimo.report.runs.distrust import doubts
from exprimo.report.runs.reading import read_material

Make = Callable[..., Path]


def train(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: object
) -> tuple[int, str, str]:
    arguments = ["exprimo", "train", *map(str, words), "--model", "gc_content", "--target", "up"]
    monkeypatch.setattr("sys.argv", [*arguments, "--test-chroms", "chr1", "--val-chroms", "chr2"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


@pytest.fixture
def codes() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 4, (200, 40)).astype(np.uint8)


def test_a_sample_a_ratio_and_insisting(
    rare: Path,
    codes: np.ndarray,
    make_sample: Make,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sample = make_sample(codes, fidelity="not checked")
    words = (rare, "--augment", sample, "--ratio", "0.5", "-o", tmp_path / "R")
    code, _, err = train(monkeypatch, capsys, *words)
    assert code == 2
    assert "nobody has checked" in err
    code, out, err = train(monkeypatch, capsys, *words, "--insist")
    assert (code, err) == (0, "")
    told = Run.open(tmp_path / "R").metrics["augment"]
    assert (told["ratio"], told["n"], told["insist"]) == (0.5, 48, True)
    title = "gc_content learned from 48 generated positives"
    assert f"CAUTION: {title}." in out
    page = (tmp_path / "R" / "report.html").read_text(encoding="utf-8")
    assert title in page
    assert "Made by diffusion, whose check for copies and collapse says: not checked" in page


@pytest.mark.parametrize(("fidelity", "weight"), [("passed", "checked"), ("failed", "serious")])
def test_how_much_it_weighs_in_the_report(
    fidelity: str,
    weight: str,
    rare: Path,
    codes: np.ndarray,
    make_sample: Make,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sample = make_sample(codes, fidelity=fidelity)
    words = (rare, "--augment", sample, "--insist", "-o", tmp_path / "R")
    assert train(monkeypatch, capsys, *words)[0] == 0
    [doubt] = [d for d in doubts(read_material(tmp_path / "R")) if "generated" in d.title]
    assert doubt.weight == weight
    assert f"says: {fidelity}. The training part (chromosome split) then has 1" in doubt.text


def test_a_ratio_without_a_sample(
    rare: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, _, err = train(monkeypatch, capsys, rare, "--ratio", "2", "-o", tmp_path / "R")
    assert code == 2
    assert "ratio does nothing without augment.sample" in err
