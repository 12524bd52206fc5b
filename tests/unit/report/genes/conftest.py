"""The made-up benchmark of genes, for the tests of this folder."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def made_up_genes() -> ModuleType:
    full = "exprimo_report_made_up_genes"
    if full not in sys.modules:
        path = Path(__file__).parents[1] / "made_up_genes.py"
        spec = importlib.util.spec_from_file_location(full, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[full] = module
        spec.loader.exec_module(module)
    return sys.modules[full]


@pytest.fixture(scope="session")
def genes_folder(
    tmp_path_factory: pytest.TempPathFactory, made_up_genes: ModuleType, made_up: ModuleType
) -> Path:
    folder: Path = made_up_genes.make_genes(tmp_path_factory.mktemp("genes") / "b", made_up)
    return folder
