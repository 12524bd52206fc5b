"""The families of generators by name."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from importlib import import_module

from exprimo.core.errors import ConfigError
from exprimo.generate.family import FamilySpec

# Each file of families/ ends with its SPEC; what it must offer stands in family.py.
_HOMES = {
    "diffusion": "exprimo.generate.families.masked_diffusion:SPEC",
    "diffusion-published": "exprimo.generate.families.gaussian_diffusion:SPEC",
    "gan": "exprimo.generate.families.wasserstein:SPEC",
    "gan-published": "exprimo.generate.families.published_gan:SPEC",
}


def get_family(name: str, others: Sequence[str] = ()) -> FamilySpec:
    """Look a family up by name; a refusal lists ``others`` too, which a caller knows.

    Examples
    --------
    >>> get_family("diffusion").guided
    True
    """
    if name not in _HOMES:
        known = (*_HOMES, *others)
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        raise ConfigError(
            "no such generator",
            record=name,
            expected=f"one of {', '.join(known)}",
            remedy=f"Did you mean {near[0]}?" if near else None,
        )
    module, attribute = _HOMES[name].split(":")
    found: FamilySpec = getattr(import_module(module), attribute)
    return found


def family_names() -> tuple[str, ...]:
    """Name the families, the usual one first.

    Examples
    --------
    >>> family_names()[0]
    'diffusion'
    """
    return tuple(_HOMES)


def all_families() -> Iterator[FamilySpec]:
    """Go through the families."""
    for name in family_names():
        yield get_family(name)
