"""What a dataset of generated sequences says of itself: its generator, ledger and verdict."""

from __future__ import annotations

import hashlib
import json
import shlex
import shutil
from collections.abc import Callable, Mapping
from itertools import chain, count
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from exprimo.core.dataset.reader import Dataset
from exprimo.core.errors import FormatError, InputError
from exprimo.core.files.atomic import atomic_file
from exprimo.core.ledger import Ledger, Unit

NOT_CHECKED = "not checked"
_GROUP = "generated"
_ROWS = 65_536


class Generated(NamedTuple):
    """The stamp of generated sequences.

    Attributes
    ----------
    generator
        What made them: its family, settings and origin.
    ledger
        What the generator learned from.
    fidelity
        ``not checked``, ``passed`` or ``failed``.
    figures
        What the verdict rests on; empty before a check.
    judged
        Digest of the contents that were judged; None before a check.
    """

    generator: Mapping[str, Any]
    ledger: Ledger
    fidelity: str = NOT_CHECKED
    figures: Mapping[str, Any] = {}
    judged: str | None = None


def write_stamp(file: h5py.File, stamp: Generated) -> None:
    """Add the stamp to a dataset that is open for writing; its content hash stays."""
    rows = [
        (fitted, unit, key)
        for fitted, units in stamp.ledger.learned.items()
        for unit, keys in units.items()
        for key in sorted(keys)
    ]
    group = file.create_group(_GROUP)
    group.attrs["fidelity"] = stamp.fidelity
    # As arrays: an attribute holds 64 KiB at most.
    group["generator"] = _text(stamp.generator)
    group["figures"] = _text(stamp.figures)
    for position, name in enumerate(("fitted", "unit", "key")):
        column = [str(row[position]).encode() for row in rows]
        group[f"ledger/{name}"] = np.array(column, dtype=None if column else "S1")


def read_stamp(path: str | Path) -> Generated | None:
    """Read the stamp of a dataset; None where its sequences were not generated."""
    Dataset.open(path).close()
    with h5py.File(path, "r") as file:
        if _GROUP not in file:
            return None
        group = file[_GROUP]
        try:
            learned: dict[str, dict[Unit, set[str]]] = {}
            # A sample without a ledger would hide every leak: it is damaged.
            columns = [
                np.char.decode(group[f"ledger/{name}"][:], "utf-8").tolist()
                for name in ("fitted", "unit", "key")
            ]
            for fitted, unit, key in zip(*columns, strict=True):
                learned.setdefault(fitted, {}).setdefault(unit, set()).add(key)
            ledger = Ledger(
                {
                    fitted: {unit: frozenset(keys) for unit, keys in units.items()}
                    for fitted, units in learned.items()
                }
            )
            return Generated(
                json.loads(group["generator"][()]),
                ledger,
                str(group.attrs["fidelity"]),
                json.loads(group["figures"][()]),
                group.attrs.get("judged"),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise FormatError(
                "the stamp of generated sequences is damaged",
                file=path,
                record=_GROUP,
                found=error,
                remedy="Draw them again with: exprimo generate sample GEN -n N -o S.h5",
            ) from error


def stamp_verdict(path: str | Path, fidelity: str, figures: Mapping[str, Any]) -> None:
    """Write a verdict into a dataset of generated sequences; the file is replaced whole."""
    if read_stamp(path) is None:
        raise InputError(
            "these sequences were not generated, so there is nothing to stamp", file=path
        )
    with atomic_file(path) as partial:
        shutil.copyfile(path, partial)
        with h5py.File(partial, "r+") as file:
            group = file[_GROUP]
            group.attrs["fidelity"] = fidelity
            group.attrs["judged"] = contents_digest(partial)
            del group["figures"]
            group["figures"] = _text(figures)


def contents_digest(path: str | Path) -> str:
    """Hash the sequences and what was asked of them, as they stand in the file, in hex.

    A dataset's own hash is from when it was written: what was changed since, it does not tell.
    """
    found = hashlib.sha256()
    with h5py.File(path, "r") as file:
        for top in ("inputs", "targets"):
            arrays: dict[str, h5py.Dataset] = {}
            if top in file:
                file[top].visititems(_collect(arrays))
            for name in sorted(arrays):
                found.update(f"{top}/{name}".encode())
                for start in range(0, len(arrays[name]), _ROWS):
                    found.update(np.ascontiguousarray(arrays[name][start : start + _ROWS]).data)
    return found.hexdigest()


def check_command(
    sample: str | Path, dataset: str | Path, *, generator: str | Path | None = None
) -> str:
    """Write the command that checks a sample, into a folder that does not stand yet.

    A FASTA names no generator, so that must be named.

    Examples
    --------
    >>> check_command("more/S.h5", "D.h5")
    'exprimo generate check more/S.h5 D.h5 -o more/S-check'
    """
    drawn = Path(sample)
    words = ["exprimo", "generate", "check", _near(drawn), _near(Path(dataset))]
    if drawn.suffix != ".h5" and generator is not None:
        words += ["--generator", str(generator)]
    stem = drawn.name.removesuffix(".gz").rpartition(".")[0]
    names = chain([f"{stem}-check"], (f"{stem}-check{number}" for number in count(2)))
    free = next(place for name in names if not (place := drawn.with_name(name)).exists())
    return shlex.join([*words, "-o", _near(free)])


def _near(path: Path) -> str:
    """Write a path from here on, if it lies below."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def taught_before(path: str | Path) -> Ledger:
    """Give what the generator of a dataset learned from; nothing, where it was not generated.

    Whatever learns from generated sequences has learned from that too.
    """
    stamp = read_stamp(path)
    return Ledger({}) if stamp is None else stamp.ledger


def _collect(arrays: dict[str, h5py.Dataset]) -> Callable[[str, Any], None]:
    def note(name: str, found: Any) -> None:
        if isinstance(found, h5py.Dataset):
            arrays[name] = found

    return note


def _text(facts: Mapping[str, Any]) -> bytes:
    return json.dumps(facts, ensure_ascii=True).encode()
