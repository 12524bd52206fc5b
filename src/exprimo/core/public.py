"""Public names that are imported when they are first used."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Any


def publish(package: str, homes: Mapping[str, str]) -> list[str]:
    """Let a package offer names that live elsewhere; return them sorted, for ``__all__``.

    Parameters
    ----------
    package
        Name of a package that is being imported.
    homes
        Public name -> ``module:attribute``. Nothing is imported before the name is used.

    Notes
    -----
    Importing a submodule binds it on its package. Where a public name is also that of a folder
    (``exprimo.evaluate``), the name stays what was published; ``from exprimo.evaluate import
    bootstrap`` works all the same.
    """
    names = sorted(homes)

    class Package(ModuleType):
        def __setattr__(self, name: str, value: Any) -> None:
            if not (name in homes and isinstance(value, ModuleType)):
                super().__setattr__(name, value)

        def __getattr__(self, name: str) -> Any:
            if name not in homes:
                raise AttributeError(f"module {package!r} has no attribute {name!r}")
            module, attribute = homes[name].split(":")
            return getattr(import_module(module), attribute)

        def __dir__(self) -> list[str]:
            return names

    sys.modules[package].__class__ = Package
    return names
