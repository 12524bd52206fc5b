"""Made-up Runs, benchmarks and studies, written once for all tests of the report."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


def _load(name: str) -> ModuleType:
    # Tests are not a package, so the module beside this one is loaded by its path.
    full = f"exprimo_report_{name}"
    if full not in sys.modules:
        path = Path(__file__).with_name(f"{name}.py")
        spec = importlib.util.spec_from_file_location(full, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[full] = module
        spec.loader.exec_module(module)
    return sys.modules[full]


@pytest.fixture(scope="session")
def made_up() -> ModuleType:
    return _load("made_up")


@pytest.fixture(scope="session")
def made_up_study() -> ModuleType:
    return _load("made_up_study")


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


@pytest.fixture(scope="session")
def dge_folder(tmp_path_factory: pytest.TempPathFactory, made_up_study: ModuleType) -> Path:
    world = made_up_study.Experiment()
    return made_up_study.make_dge(tmp_path_factory.mktemp("report") / "dge", world)


@pytest.fixture(scope="session")
def study_folder(
    tmp_path_factory: pytest.TempPathFactory, made_up_study: ModuleType, made_up: ModuleType
) -> Path:
    world = made_up_study.StudyWorld(truth=True)
    folder = tmp_path_factory.mktemp("report") / "study"
    return made_up_study.make_study(folder, world, made_up)
