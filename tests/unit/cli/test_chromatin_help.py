"""What the help says to a user of the chromatin study."""

from __future__ import annotations

import re

import pytest

from exprimo.cli import main as cli


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("train", "auto, random, chromosome, homology, gene, cell, individual, example, "
         "column:NAME, or a cross such as gene*cell."),
        ("train", "above the median, the cell-median, or a number."),
        ("dataset chromatin", "in order: H3K4me3,H3K27me3; names them where the file has none."),
    ],
)  # fmt: skip
def test_help_names_what_can_be_given(
    command: str, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.setenv("TERMINAL_WIDTH", "400")
    monkeypatch.setattr("sys.argv", ["exprimo", *command.split(), "-h"])
    with pytest.raises(SystemExit):
        cli.main()
    out = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    assert told in re.sub(r"\s+", " ", out)


def test_models_tells_what_sizes_are_counted_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["exprimo", "models"])
    with pytest.raises(SystemExit):
        cli.main()
    out = capsys.readouterr().out
    assert "600 bases, or five marks in 100 bins" in out
    assert re.search(r"histone_fcn +network +signal +[\d,]+ to [\d,]+ ", out)
    assert re.search(r"deepchrome +network +signal +[\d,]+  ", out), "its size is fixed"
