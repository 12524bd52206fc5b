"""The three files of a PLINK data set, found by their prefix or by any of them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from exprimo.core.errors import InputError
from exprimo.data.textfile import require_file

_PLINK1 = (".bed", ".bim", ".fam")
_PLINK2 = (".pgen", ".pvar", ".psam")
_ENDINGS = (*_PLINK1, *_PLINK2, ".pvar.zst")


class Trio(NamedTuple):
    """Three files that belong together.

    Attributes
    ----------
    kind
        ``"PLINK 1"`` or ``"PLINK 2"``.
    prefix
        What their names begin with.
    genotypes, variants, people
        The .bed or .pgen; the .bim or .pvar (.pvar.zst); the .fam or .psam.
    """

    kind: str
    prefix: Path
    genotypes: Path
    variants: Path
    people: Path


def find_trio(path: Path) -> Trio | None:
    """Find the trio that ``path`` is the prefix or a file of; None where it is neither.

    A prefix of both a .bed and a .pgen is refused. Where one of the three is missing, the error
    says which.
    """
    ending = next((e for e in reversed(_ENDINGS) if path.name.lower().endswith(e)), None)
    if ending is not None:
        return _trio(_without(path, ending), "PLINK 1" if ending in _PLINK1 else "PLINK 2")
    if path.is_file():
        return None
    kinds = [
        kind
        for kind, main in (("PLINK 1", ".bed"), ("PLINK 2", ".pgen"))
        if _beside(path, main).is_file()
    ]
    if len(kinds) == 2:
        raise InputError(
            "the prefix of two data sets",
            file=path,
            found=f"{path.name}.bed and {path.name}.pgen",
            expected="one",
            remedy="Give the file that is meant",
        )
    if not kinds:
        # A .bim alone still says what is meant.
        for kind, endings in (("PLINK 2", _ENDINGS[3:]), ("PLINK 1", _PLINK1)):
            if any(_beside(path, e).is_file() for e in endings):
                kinds = [kind]
    return _trio(path, kinds[0]) if kinds else None


def _beside(prefix: Path, ending: str) -> Path:
    return prefix.with_name(prefix.name + ending)


def _without(path: Path, ending: str) -> Path:
    return path.with_name(path.name[: -len(ending)])


def _trio(prefix: Path, kind: str) -> Trio:
    endings = _PLINK1 if kind == "PLINK 1" else _PLINK2
    files = [_beside(prefix, ending) for ending in endings]
    packed = _beside(prefix, ".pvar.zst")
    if kind == "PLINK 2" and not files[1].is_file() and packed.is_file():
        files[1] = packed
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise InputError(
            f"a {kind} data set is three files, and not all are here",
            file=prefix,
            found=f"no {', no '.join(missing)}",
            expected=", ".join(file.name for file in files),
            remedy="Put them side by side, of one prefix",
        )
    for file in files:
        require_file(file, f"a file of a {kind} data set")
    return Trio(kind, prefix, *files)
