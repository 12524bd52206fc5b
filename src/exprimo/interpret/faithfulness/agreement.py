"""Do explanations of the same examples agree?"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.errors import ConfigError, InputError, MismatchError
from exprimo.core.files.atomic import atomic_file
from exprimo.core.files.provenance import describe_origin
from exprimo.core.run import write_json
from exprimo.interpret.attributions.store import Attributions
from exprimo.interpret.faithfulness.alike import Alike, alike
from exprimo.interpret.faithfulness.means import Units

AGREEMENT_FORMAT = 1
_MOST = 1000


class Agreement(NamedTuple):
    """How far explanations agree.

    Attributes
    ----------
    path
        The file that was written; None where none was asked for.
    names
        The explanations: each folder's name, and its method.
    n_examples
        Examples that all of them explain, and that are compared.
    pairs
        ``one``, ``other`` (numbers of `names`), ``input``, and the numbers of
        `exprimo.interpret.faithfulness.alike.Alike`, with ``_low`` and ``_high``.
    """

    path: Path | None
    names: tuple[tuple[str, str], ...]
    n_examples: int
    pairs: pd.DataFrame


def agreement(
    explanations: Sequence[str | Path],
    out: str | Path | None = None,
    *,
    top: int = 20,
    most: int = _MOST,
    seed: int = 0,
) -> Agreement:
    """Compare explanations of the same examples: by several methods, runs or seeds.

    Parameters
    ----------
    explanations
        Folders that `exprimo.explain` made, two or more.
    out
        A ``.json`` file for what was found.
    top
        Positions whose overlap is counted.
    most
        At most so many examples, evenly along those that all folders share.
    seed
        Of swapped examples and of intervals, which resample examples.

    Examples
    --------
    >>> agreement(["E/gradient", "E/deeplift"], "agreement.json")          # doctest: +SKIP
    """
    if len(explanations) < 2:
        raise ConfigError(
            "one explanation has nothing to agree with",
            found=len(explanations),
            expected="two folders or more",
        )
    folders = [Path(path) for path in explanations]
    held = [_Held.of(folder) for folder in folders]
    shared = _shared(held, most)
    for beside in held[1:]:
        _refuse_other_sequences(held[0], beside, shared)
    rows = []
    for one, other in combinations(range(len(held)), 2):
        for name in [n for n in held[one].inputs if n in held[other].inputs]:
            a, b = (held[i].values(name, shared) for i in (one, other))
            found = alike(a, b, Units(shared, "example"), top=top, seed=seed)
            rows.append({"one": one, "other": other, "input": name, **_numbers(found)})
    if not rows:
        raise MismatchError(
            "these explanations share no input",
            found="; ".join(", ".join(one.inputs) for one in held),
        )
    names = tuple((str(one.folder), one.method) for one in held)
    table = pd.DataFrame(rows)
    path = None if out is None else Path(out)
    if path is not None:
        _write(path, names, len(shared), table, folders, {"top": top, "seed": seed})
    return Agreement(path, names, len(shared), table)


class _Held(NamedTuple):
    """What one folder holds."""

    folder: Path
    method: str
    inputs: tuple[str, ...]
    example_id: npt.NDArray[np.str_]

    @classmethod
    def of(cls, folder: Path) -> _Held:
        with Attributions.open(folder) as found:
            method = str(found.attrs.get("method", ""))
            return cls(folder, method, found.inputs, found.example_id)

    def codes(self, wanted: npt.NDArray[np.str_]) -> npt.NDArray[np.uint8]:
        """Give the sequences of named examples, (n, length)."""
        with Attributions.open(self.folder) as found:
            return found.codes(self._rows(wanted))

    def values(self, name: str, wanted: npt.NDArray[np.str_]) -> npt.NDArray[Any]:
        """Give contributions of named examples, (n, positions)."""
        with Attributions.open(self.folder) as found:
            values = found.values(self._rows(wanted), input=name)
        return values.reshape(len(values), -1)

    def _rows(self, wanted: npt.NDArray[np.str_]) -> npt.NDArray[np.int64]:
        order = np.argsort(self.example_id)
        rows = order[np.searchsorted(self.example_id, wanted, sorter=order)]
        return np.asarray(rows, dtype=np.int64)


def _refuse_other_sequences(one: _Held, other: _Held, shared: npt.NDArray[np.str_]) -> None:
    """Refuse explanations whose examples are called alike and are not the same."""
    if "sequence" not in one.inputs or "sequence" not in other.inputs:
        return
    a, b = one.codes(shared), other.codes(shared)
    differ = np.ones(len(shared), bool) if a.shape != b.shape else (a != b).any(axis=1)
    if differ.any():
        raise MismatchError(
            "another sequence under the same name",
            file=other.folder,
            record=str(shared[differ.argmax()]),
            found=f"{int(differ.sum()):,} of {len(shared):,} shared examples differ",
            expected=f"the sequences of {one.folder}",
            remedy="Explain the same dataset with each",
        )


def _shared(held: Sequence[_Held], most: int) -> npt.NDArray[np.str_]:
    shared = held[0].example_id
    for one in held[1:]:
        shared = shared[np.isin(shared, one.example_id)]
    if not len(shared):
        raise InputError(
            "no example is explained by all of these folders",
            found=", ".join(str(one.folder) for one in held),
            remedy="Explain the same examples: with the same dataset, --on and --most",
        )
    if len(shared) <= most:
        return shared
    return shared[np.linspace(0, len(shared) - 1, most).round().astype(np.int64)]


def _numbers(found: Alike) -> dict[str, float]:
    numbers: dict[str, float] = {}
    for name, value in found._asdict().items():
        if isinstance(value, float):
            numbers[name] = value
        else:
            numbers |= {name: value.value, f"{name}_low": value.low, f"{name}_high": value.high}
    return numbers


def _write(
    path: Path,
    names: Sequence[tuple[str, str]],
    n_examples: int,
    table: pd.DataFrame,
    folders: Sequence[Path],
    settings: dict[str, int],
) -> None:
    plain = table.astype(object).where(table.notna(), None)
    with atomic_file(path) as partial:
        write_json(
            partial,
            {
                "format_version": AGREEMENT_FORMAT,
                "explanations": [{"folder": folder, "method": method} for folder, method in names],
                "n_examples": n_examples,
                "pairs": plain.to_dict("records"),
                "settings": settings,
                "provenance": describe_origin([folder / "attributions.h5" for folder in folders]),
            },
        )
