"""What a dataset of generated sequences says of itself: its generator, ledger and verdict."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
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
    """

    generator: Mapping[str, Any]
    ledger: Ledger
    fidelity: str = NOT_CHECKED
    figures: Mapping[str, Any] = {}


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
    for name, column in zip(("fitted", "unit", "key"), zip(*rows, strict=True), strict=False):
        group[f"ledger/{name}"] = np.array([str(one).encode() for one in column])


def read_stamp(path: str | Path) -> Generated | None:
    """Read the stamp of a dataset; None where its sequences were not generated."""
    Dataset.open(path).close()
    with h5py.File(path, "r") as file:
        if _GROUP not in file:
            return None
        group = file[_GROUP]
        try:
            learned: dict[str, dict[Unit, set[str]]] = {}
            if "ledger" in group:
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
            del group["figures"]
            group["figures"] = _text(figures)


def _text(facts: Mapping[str, Any]) -> bytes:
    return json.dumps(facts, ensure_ascii=True).encode()
