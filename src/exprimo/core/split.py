"""The Split: which example may teach, which may tune, which may judge."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from exprimo.core.errors import FormatError, InputError, MismatchError
from exprimo.core.files.atomic import atomic_file

Part = Literal["train", "val", "test", "none"]
PARTS: tuple[Part, ...] = get_args(Part)


@dataclass(frozen=True)
class Split:
    """One part per example of one dataset.

    Attributes
    ----------
    example_id, part
        Arrays of text, shape (examples,); part is ``train``, ``val``, ``test`` or ``none``.
    strategy, seed
        How it was made.
    dataset_sha256
        The contents it was made for.
    held_out
        The kinds of thing that test shares with no other part (``gene``, ``sequence``,
        ``cell_type``, ``individual``); the ledger refuses evaluation on any of them.
    notes
        What was counted on the way (purged rows, rows without the column, ...).
    group, unit
        What intervals are resampled over: a label per example, and what it names (homology
        group, gene, person); no labels: each example stands for itself.

    Examples
    --------
    >>> split = Split(np.array(["a", "b"]), np.array(["train", "test"]), "random", 0, "ab12",
    ...               ("gene",))
    >>> split.rows("test").tolist()
    [1]
    """

    example_id: npt.NDArray[np.str_]
    part: npt.NDArray[np.str_]
    strategy: str
    seed: int
    dataset_sha256: str
    held_out: tuple[str, ...]
    notes: Mapping[str, int | str] = field(default_factory=dict)
    group: npt.NDArray[np.str_] | None = None
    unit: str = "example"

    def rows(self, part: Part) -> npt.NDArray[np.int64]:
        """Give the positions of a part's examples."""
        return np.flatnonzero(self.part == part).astype(np.int64)

    def counts(self) -> dict[str, int]:
        """Count the examples of each part."""
        return {part: int((self.part == part).sum()) for part in PARTS}

    def save(self, path: str | Path) -> None:
        """Write ``split.parquet``; the other fields travel in its metadata."""
        columns = {"example_id": self.example_id.tolist(), "part": self.part.tolist()}
        if self.group is not None:
            columns["group"] = self.group.tolist()
        table = pa.table(columns)
        facts = {
            "unit": self.unit,
            "strategy": self.strategy,
            "seed": str(self.seed),
            "dataset_sha256": self.dataset_sha256,
            "held_out": ",".join(self.held_out),
            **{f"note:{name}": json.dumps(value) for name, value in self.notes.items()},
        }
        # A handle, not a path: pyarrow takes a folder called "~" for the user's home.
        with atomic_file(path) as partial, open(partial, "wb") as handle:
            pq.write_table(table.replace_schema_metadata(facts), handle)

    @classmethod
    def load(cls, path: str | Path) -> Split:
        """Read ``split.parquet``."""
        try:
            table = pq.read_table(Path(path).absolute())
            facts = {k.decode(): v.decode() for k, v in (table.schema.metadata or {}).items()}
            parts = np.asarray(table["part"].to_pylist(), dtype=str)
            ids = np.asarray(table["example_id"].to_pylist(), dtype=str)
            split = cls(
                ids,
                parts,
                facts["strategy"],
                int(facts["seed"]),
                facts["dataset_sha256"],
                tuple(unit for unit in facts["held_out"].split(",") if unit),
                {k[5:]: json.loads(v) for k, v in facts.items() if k.startswith("note:")},
                np.asarray(table["group"].to_pylist(), dtype=str)
                if "group" in table.column_names
                else None,
                facts.get("unit", "example"),
            )
        except FileNotFoundError:
            raise InputError("no such split", file=path) from None
        except (OSError, pa.ArrowInvalid, KeyError, ValueError) as error:
            raise FormatError("not a split written by Exprimo", file=path, found=error) from error
        unknown = set(parts.tolist()) - set(PARTS)
        if unknown:
            raise FormatError("an unknown part", file=path, found=unknown, expected=PARTS)
        return split

    def check_dataset(self, sha256: str, *, file: str | Path) -> None:
        """Refuse a dataset other than the one that was split."""
        if sha256 != self.dataset_sha256:
            raise MismatchError(
                "this split belongs to another dataset",
                file=file,
                found=f"contents {sha256[:12]}",
                expected=f"contents {self.dataset_sha256[:12]}",
                remedy="Split again, or give the dataset that the run was trained on",
            )

    def frame(self) -> pd.DataFrame:
        """Give the split as a table (example_id, part)."""
        return pd.DataFrame({"example_id": self.example_id, "part": self.part})
