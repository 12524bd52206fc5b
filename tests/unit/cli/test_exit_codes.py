"""What the command line does with errors: one message, an exit code, a traceback if asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import exprimo
from exprimo.cli import main as cli
from exprimo.core.errors import InputError
from exprimo.core.files.provenance import exprimo_version

Call = Callable[..., tuple[int, str, str]]
FOUND = SimpleNamespace(path=Path("c.tsv"), kind="counts", ok=True, facts={}, problems=[])


def failing(error: BaseException) -> Any:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


def test_exit_codes(monkeypatch: pytest.MonkeyPatch, call: Call) -> None:
    assert call("--version")[:2] == (0, f"exprimo {exprimo_version()}\n")
    code, _, err = call("train", "D.h5")
    assert code == 2
    assert "--out" in err
    code, _, err = call("trian", "D.h5")
    assert code == 2
    assert "trian" in err
    monkeypatch.setattr(exprimo, "report", failing(InputError("no such run", file="R")))
    assert call("report", "R") == (2, "", "exprimo: R: no such run.\n")
    monkeypatch.setattr(exprimo, "report", failing(KeyboardInterrupt()))
    code, out, err = call("report", "R")
    assert (code, out) == (130, "")
    assert "--resume" in err


@pytest.mark.parametrize("at", [0, 1, 2])
def test_debug_adds_the_traceback_wherever_it_stands(
    at: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(exprimo, "report", failing(InputError("no such run", file="R")))
    line = ["report", "R"]
    line.insert(at, "--debug")
    monkeypatch.setattr("sys.argv", ["exprimo", *line])
    with pytest.raises(InputError, match="no such run"):
        cli.main()
    assert capsys.readouterr().err == ""


def test_a_list_of_numbers_that_is_none(monkeypatch: pytest.MonkeyPatch, call: Call) -> None:
    line = ["benchmark", "D.h5", "-o", "B", "--fractions", "half"]
    code, out, err = call(*line)
    assert (code, out) == (2, "")
    assert "--fractions: not a list of numbers. Found: half" in err


def test_check_fails_where_a_file_is_bad(monkeypatch: pytest.MonkeyPatch, call: Call) -> None:
    bad = SimpleNamespace(path=Path("d.tsv"), kind="counts", ok=False, facts={}, problems=["-3"])
    monkeypatch.setattr(exprimo, "check", lambda _: [FOUND, bad])
    code, out, _ = call("check", "c.tsv", "d.tsv")
    assert code == 2
    assert out.splitlines()[-2:] == ["d.tsv: counts, NOT OK", "  problem: -3"]
    code, out, _ = call("check", "c.tsv", "d.tsv", "--json")
    assert code == 2
    assert [file["ok"] for file in json.loads(out)["files"]] == [True, False]
