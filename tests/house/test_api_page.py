"""The page of the Python API: every public name, signatures as in the code, examples that run."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import re
from pathlib import Path

import pytest

import exprimo

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "api.md"
BLOCK = re.compile(r"(<!-- not run: ([^>\n]+) -->\n\n)?```python\n(.*?)```", flags=re.DOTALL)
# What an example may be left out for.
REASONS = {"needs the network", "needs the extra interpret", "takes minutes"}


def _text() -> str:
    return PAGE.read_text(encoding="utf-8")


def test_no_public_name_is_missing() -> None:
    assert sorted(re.findall(r"<!-- signature: (\w+) -->", _text())) == sorted(exprimo.__all__)


def test_signatures_are_those_of_the_code() -> None:
    spec = importlib.util.spec_from_file_location("docs_api", ROOT / "tools" / "docs" / "api.py")
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert tool.updated(_text()) == _text(), "run: python tools/docs/api.py"


@pytest.mark.parametrize("name", exprimo.__all__)
def test_each_name_has_an_example(name: str) -> None:
    code = "\n".join(block for _, _, block in BLOCK.findall(_text()))
    assert re.search(rf"\bexprimo\.{name}\b", code)


def test_examples_are_left_out_for_a_reason() -> None:
    blocks = BLOCK.findall(_text())
    left_out = [reason for _, reason, _ in blocks if reason]
    assert set(left_out) <= REASONS
    assert len(left_out) < 5 < len(blocks)


@pytest.mark.slow
def test_the_examples_run_in_the_order_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        for _, reason, code in BLOCK.findall(_text()):
            if not reason:
                exec(compile(code, "docs/api.md", "exec"), names)
    assert "leak: weights learned from" in said.getvalue()
    assert (tmp_path / "report.html").exists()
