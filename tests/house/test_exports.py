"""What ``import exprimo`` offers, and how little it costs."""

from __future__ import annotations

import importlib
import inspect
import resource
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

import exprimo

PATIENCE = 0.5


@pytest.mark.parametrize("name", exprimo.__all__)
def test_each_export_resolves_and_is_explained(name: str) -> None:
    item = getattr(exprimo, name)
    assert callable(item)
    summary = (inspect.getdoc(item) or "").splitlines()[0]
    assert summary.endswith("."), f"{name}: {summary!r}"
    assert len(summary.split()) > 1


def test_the_list_the_table_and_dir_agree() -> None:
    assert exprimo.__all__ == sorted(exprimo._HOME) == dir(exprimo)


def test_the_type_checkers_stub_is_the_table() -> None:
    import ast

    stub = Path(inspect.getfile(exprimo)).with_suffix(".pyi")
    tree = ast.parse(stub.read_text(encoding="utf-8"))
    shown = {
        alias.asname or alias.name: f"{node.module}:{alias.name}"
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    # Names that differ at home are given by an assignment.
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name):
            assert isinstance(node.targets[0], ast.Name)
            shown[node.targets[0].id] = shown.pop(node.value.id)
    assert shown == exprimo._HOME


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'evalute'"):
        _ = exprimo.evalute


def test_every_command_is_an_export() -> None:
    from typer.main import get_command

    from exprimo.cli.main import app

    commands = get_command(app).commands  # type: ignore[attr-defined]  # a group has commands
    flat = {
        f"{name}_{inner}" if hasattr(command, "commands") else name
        for name, command in commands.items()
        for inner in (getattr(command, "commands", None) or [""])
    }
    exported = set(exprimo.__all__) - {"Dataset", "ExprimoError", "Run"}
    assert {name.replace("-", "_") for name in flat} == exported


def _python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("name", "inside"),
    [("evaluate", "intervals"), ("report", "page"), ("simulate", "world")],
)
def test_functions_keep_their_names_beside_folders(name: str, inside: str) -> None:
    importlib.import_module(f"exprimo.{name}.{inside}")
    folder = sys.modules[f"exprimo.{name}"]
    assert inspect.ismodule(folder)
    assert inspect.isfunction(getattr(exprimo, name))
    setattr(exprimo, name, folder)  # what the import system does after loading a folder
    function = getattr(exprimo, name)
    assert inspect.isfunction(function)
    assert function is getattr(
        importlib.import_module(exprimo._HOME[name].split(":")[0]),
        exprimo._HOME[name].split(":")[1],
    )


def _heavy(modules: str) -> set[str]:
    return {"torch", "pandas", "numpy", "h5py", "sklearn", "numba"} & set(modules.split())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "light"),
    [
        ("import exprimo", "nothing"),
        ("import exprimo.cli.main as m; sys.argv = ['exprimo', '-h']; m.main()", "no torch"),
    ],
)
def test_import_and_help_are_quick_and_bring_no_torch(code: str, light: str) -> None:
    whole = f"""
import sys
from pathlib import Path
try:
    {code}
except SystemExit:
    pass
print("LOADED", *sorted(sys.modules))
"""
    # Processor time, which on a quiet machine is the time, and on a busy one does not grow.
    seconds = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        told = _python(whole)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    loaded = _heavy(told.split("LOADED")[1])
    assert "torch" not in loaded
    if light == "nothing":
        assert loaded == set()
    else:
        assert "evaluate" in told
    assert statistics.median(seconds) < PATIENCE, seconds


@pytest.mark.slow
def test_torch_stays_out_of_the_folders_that_do_without() -> None:
    folders = ["core", "data", "simulate", "features", "splits", "evaluate", "report"]
    told = _python(f"""
import importlib, pkgutil, sys
for folder in {folders}:
    package = importlib.import_module("exprimo." + folder)
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
        assert "torch" not in sys.modules, module.name
""")
    assert told == ""
