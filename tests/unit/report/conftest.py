"""Made-up Runs and benchmarks, written once for all tests of the report."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


def _load() -> ModuleType:
    # Tests are not a package, so the module beside this one is loaded by its path.
    name = "exprimo_report_made_up"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("made_up.py"))
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def made_up() -> ModuleType:
    return _load()


@pytest.fixture(scope="session")
def regression(tmp_path_factory: pytest.TempPathFactory, made_up: ModuleType) -> Path:
    return made_up.make_benchmark(tmp_path_factory.mktemp("report") / "reg", made_up.World())


@pytest.fixture(scope="session")
def classification(tmp_path_factory: pytest.TempPathFactory, made_up: ModuleType) -> Path:
    world = made_up.World(
        task="classification", seeds=(0,), splits=("random", "homology"), target="differential",
        beaten=False, leak=True, ceiling=False, learning=False,
    )  # fmt: skip
    return made_up.make_benchmark(tmp_path_factory.mktemp("report") / "cls", world)


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory, made_up: ModuleType) -> Path:
    return made_up.single_run(tmp_path_factory.mktemp("report") / "run", made_up.World())
