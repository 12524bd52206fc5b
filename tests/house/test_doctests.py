"""Every example in a docstring gives what it says."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import exprimo

MODULES = sorted(
    {"exprimo", *(m.name for m in pkgutil.walk_packages(exprimo.__path__, "exprimo."))}
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_give_what_they_say(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    said: list[str] = []
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.FAIL_FAST)
    for found in doctest.DocTestFinder(exclude_empty=True).find(module, name):
        runner.run(found, out=said.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(said)


def test_examples_are_common() -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    n_examples = sum(
        len(found.examples)
        for name in MODULES
        for found in finder.find(importlib.import_module(name), name)
    )
    assert n_examples > 100
