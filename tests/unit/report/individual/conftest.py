"""A made-up second half of a study of individuals."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def made_up_association() -> ModuleType:
    # Tests are not a package, so the module beside this one is loaded by its path.
    full = "exprimo_report_made_up_association"
    if full not in sys.modules:
        path = Path(__file__).with_name("made_up_association.py")
        spec = importlib.util.spec_from_file_location(full, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[full] = module
        spec.loader.exec_module(module)
    return sys.modules[full]


@pytest.fixture(scope="session")
def association_folder(
    tmp_path_factory: pytest.TempPathFactory, made_up_association: ModuleType
) -> Path:
    folder: Path = made_up_association.make_study(
        tmp_path_factory.mktemp("association") / "study", made_up_association.People()
    )
    return folder
