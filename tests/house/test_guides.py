"""The complete examples of the guides (adding-*.md) do what the guides say."""

from __future__ import annotations

import doctest
import importlib.util
import inspect
import re
import sys
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

import exprimo

DOCS = Path(__file__).parents[2] / "docs"


def _block(page: str, start: str) -> str:
    """Give the Python block of a guide whose docstring (first line) starts so."""
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / page).read_text("utf-8"), flags=re.DOTALL)
    found = [block for block in blocks if block.startswith(start)]
    assert len(found) == 1, (page, start)
    return found[0]


def _as_module(name: str, code: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Load a block as the module of the package that the guide makes of it."""
    path = folder / f"{name.split('.')[-1]}.py"
    path.write_text(code, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize(("name", "options"), [("motif_max", {"motifs": 8}), ("first_base", {})])
def test_the_models_of_the_guide_are_found_and_trained(
    name: str,
    options: dict[str, int],
    planted: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    facts = tmp_path / f"exprimo_{name}-0.1.0.dist-info"
    facts.mkdir()
    (tmp_path / f"{name}.py").write_text(_block("adding-a-model.md", f'"""{name}:'))
    (facts / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: exprimo-{name}\nVersion: 0.1.0\n"
    )
    (facts / "entry_points.txt").write_text(f"[exprimo.models]\n{name} = {name}:SPEC\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    fit = {"epochs": 1} if name == "motif_max" else {}
    run = exprimo.train(
        planted, tmp_path / "RUN", model=name, target="y", options=options, fit=fit,
        machine={"threads": 1, "device": "cpu"},
    )  # fmt: skip
    monkeypatch.delitem(sys.modules, name, raising=False)
    assert run.metrics["model"] == name
    assert len(run.predictions()) > 0


def test_the_reader_of_the_guide_passes_its_own_tests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = _block("adding-a-reader.md", '"""Operons')
    module = _as_module("exprimo.data.operons", reader, tmp_path, monkeypatch)
    assert doctest.testmod(module).failed == 0
    assert doctest.testmod(module).attempted > 0
    tests = _as_module(
        "guide_operons", _block("adding-a-reader.md", "from pathlib"), tmp_path, monkeypatch
    )
    functions = [
        f for n, f in inspect.getmembers(tests, inspect.isfunction) if n.startswith("test_")
    ]
    assert len(functions) == 3
    for number, function in enumerate(functions):
        folder = tmp_path / str(number)
        folder.mkdir()
        function(folder)


def test_the_command_of_the_guide_prints_what_its_function_gives(
    planted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = _block("adding-a-command.md", '"""GC and CpG')
    function = _as_module("exprimo.features.composition_of", code, tmp_path, monkeypatch)
    code = _block("adding-a-command.md", '"""Commands that describe')
    wrapper = _as_module("exprimo.cli.describing", code, tmp_path, monkeypatch)
    home = "exprimo.features.composition_of:dataset_composition"
    monkeypatch.setitem(exprimo._HOME, "composition", home)
    found = function.dataset_composition(planted)
    assert 0.4 < found.means["gc"] < 0.6
    app = typer.Typer()
    wrapper.register(app)
    app.command("other")(lambda: None)  # with one command alone typer leaves its name out
    done = CliRunner().invoke(app, ["composition", str(planted)])
    assert done.exit_code == 0, done.output
    assert f"{found.n_distinct:,} distinct sequences" in done.output


@pytest.mark.slow
def test_the_study_of_the_guide_finds_nothing_in_nothing(
    planted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = _block("adding-a-study.md", '"""The study kind')
    module = _as_module("exprimo.studies.null", code, tmp_path, monkeypatch)
    asked = {"models": ["kmer_linear"], "target": "y", "machine": {"threads": 1}}
    study = module.NullStudy.checked({"dataset": str(planted), "benchmark": asked})
    done = module.run_null_study(study, tmp_path)
    table = pd.read_csv(done.path / "table.tsv", sep="\t").set_index(["model", "metric"])
    row = table.loc[("kmer_linear", "pearson_r")]
    assert row["low"] < 0 < row["high"] or row["value"] == 0
    assert done.report.exists()
    assert (tmp_path / "null" / "dataset.h5").exists()
