"""The Ledger: what each fitted thing learned from, and the refusal to judge it on that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from exprimo.core.dataset import SEQUENCES, Dataset
from exprimo.core.errors import FormatError, LeakError
from exprimo.core.files.atomic import atomic_file
from exprimo.core.sequence import canonical_hashes

Unit = Literal["gene", "sequence", "individual", "cell_type"]
UNITS: tuple[Unit, ...] = get_args(Unit)
COLUMN_OF: dict[Unit, str] = {
    "gene": "gene_id",
    "individual": "individual",
    "cell_type": "cell_type",
}
"""The column that holds the keys of a unit; sequences have none."""
# Bases hashed at once: large enough to be quick, small beside a batch of activations.
_CHUNK_BASES = 1 << 21


class Leak(NamedTuple):
    """Something that a fitted thing learned from and would be judged on."""

    fitted: str
    unit: Unit
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Ledger:
    """What was learned from: fitted thing -> unit -> keys.

    Keys are gene ids, strand-canonical sequence hashes, individuals, cell types.

    Examples
    --------
    >>> ledger = Ledger({"weights": {"gene": frozenset({"g1", "g2"})}})
    >>> ledger.leaks({"gene": frozenset({"g2", "g9"})}, ("gene",))
    [Leak(fitted='weights', unit='gene', keys=('g2',))]
    """

    learned: Mapping[str, Mapping[Unit, frozenset[str]]]

    def leaks(self, judged: Mapping[Unit, frozenset[str]], held_out: Iterable[str]) -> list[Leak]:
        """List every fitted thing that saw a key which should have been held out from it."""
        found = []
        held = set(held_out)
        for fitted, units in self.learned.items():
            for unit in UNITS:
                if unit in held:
                    shared = units.get(unit, frozenset()) & judged.get(unit, frozenset())
                    if shared:
                        found.append(Leak(fitted, unit, tuple(sorted(shared))))
        return found

    def check(
        self,
        judged: Mapping[Unit, frozenset[str]],
        held_out: Iterable[str],
        *,
        allow: bool = False,
        remedy: str | None = None,
    ) -> list[Leak]:
        """Refuse evaluation on what was learned from; with ``allow`` return the leaks instead.

        ``remedy`` is for those that cannot be told to allow it.
        """
        found = self.leaks(judged, held_out)
        if found and not allow:
            worst = max(found, key=lambda leak: len(leak.keys))
            total = len({key for leak in found for key in leak.keys})
            raise LeakError(
                f"leak: {worst.fitted} learned from what it would be judged on",
                record=f"{worst.unit} {', '.join(worst.keys[:5])}",
                found=f"{total} shared keys ({', '.join(sorted({leak.unit for leak in found}))})",
                expected="none, because the split holds them out",
                remedy=remedy
                or "Evaluate on the test part or on other data; "
                "--allow-leak shows the number anyway and stamps it",
            )
        return found

    def merged(self, other: Ledger) -> Ledger:
        """Join two ledgers; equal names keep the keys of both."""
        names = dict.fromkeys((*self.learned, *other.learned))
        return Ledger(
            {
                name: {
                    unit: self.learned.get(name, {}).get(unit, frozenset())
                    | other.learned.get(name, {}).get(unit, frozenset())
                    for unit in UNITS
                }
                for name in names
            }
        )

    def save(self, path: str | Path) -> None:
        """Write ``ledger.parquet``: columns fitted, unit, key."""
        rows = [
            (fitted, unit, key)
            for fitted, units in self.learned.items()
            for unit, keys in units.items()
            for key in sorted(keys)
        ]
        columns = list(zip(*rows, strict=True)) or [(), (), ()]
        table = pa.table(
            {
                name: pa.array(values, pa.string()).dictionary_encode()
                for name, values in zip(("fitted", "unit", "key"), columns, strict=True)
            }
        )
        # A handle, not a path: pyarrow takes a folder called "~" for the user's home.
        with atomic_file(path) as partial, open(partial, "wb") as handle:
            pq.write_table(table, handle)

    @classmethod
    def load(cls, path: str | Path) -> Ledger:
        """Read ``ledger.parquet``."""
        try:
            table = pq.read_table(Path(path).absolute()).to_pydict()
            learned: dict[str, dict[Unit, set[str]]] = {}
            for fitted, unit, key in zip(table["fitted"], table["unit"], table["key"], strict=True):
                learned.setdefault(fitted, {}).setdefault(unit, set()).add(key)
        except (OSError, pa.ArrowInvalid, KeyError) as error:
            raise FormatError("not a ledger written by Exprimo", file=path, found=error) from error
        return cls(
            {
                fitted: {unit: frozenset(keys) for unit, keys in units.items()}
                for fitted, units in learned.items()
            }
        )


def keys_of(dataset: Dataset, rows: npt.NDArray[np.int64]) -> dict[Unit, frozenset[str]]:
    """Collect the keys of some examples: what a thing fitted on them has learned from."""
    keys: dict[Unit, frozenset[str]] = {}
    for unit, column in COLUMN_OF.items():
        if column in dataset.columns:
            values = set(dataset.column(column)[rows].tolist()) - {""}
            keys[unit] = frozenset(values)
    read = [name for name in SEQUENCES if name in dataset.inputs]
    if read:
        # A haplotype is the same sequence whichever of a person's two it is.
        keys["sequence"] = frozenset().union(*(sequence_keys(dataset, rows, one) for one in read))
    return keys


def sequence_keys(
    dataset: Dataset, rows: npt.NDArray[np.int64], name: str = SEQUENCES[0]
) -> list[str]:
    """Hash what an input of bases has for some examples, one key per distinct row."""
    distinct = np.unique(dataset.index(name)[rows])
    hashes: list[str] = []
    info = dataset.inputs[name]
    step = max(1, _CHUNK_BASES // info.shape[0])
    for start in range(0, info.n_distinct, step):
        wanted = distinct[(distinct >= start) & (distinct < start + step)] - start
        if len(wanted):
            hashes += canonical_hashes(dataset.distinct(name, start, start + step)[wanted])
    return hashes
