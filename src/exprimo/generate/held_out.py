"""How many held-out sequences a split leaves to compare generated ones with."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from exprimo.core.dataset import Dataset, TargetInfo
from exprimo.core.sequence import N_CODE
from exprimo.core.split import Split
from exprimo.generate.conditioning import Label, class_names

FEWEST_HELD_OUT = 100
"""Distinct held-out sequences without which nothing generated can be checked: two halves of 50."""
_CHUNK = 4096

Rows = npt.NDArray[np.int64]


def held_out_facts(
    dataset: Dataset, split: Split, info: TargetInfo | None, label: Label | None
) -> dict[str, Any]:
    """Count the distinct held-out sequences, of the rarest class where classes can be asked for.

    Returns
    -------
    facts
        ``held_out_distinct``, and ``notes``: what to do where these are too few for a check.
    """
    held = np.sort(np.concatenate([split.rows("val"), split.rows("test")]))
    fewest, of = count_distinct(dataset, held), ""
    if info is not None and info.kind != "regression":
        values = dataset.target(info.name)[held]
        for number, name in enumerate(class_names(info)):
            if label is None or label.number == number:
                found = count_distinct(dataset, held[values == number])
                if found < fewest:
                    fewest, of = found, f" of class {name}"
    return {"held_out_distinct": fewest, "notes": _notes(fewest, of)}


def _notes(n: int, of: str) -> list[str]:
    if n >= FEWEST_HELD_OUT:
        return []
    return [
        f"only {n:,} distinct sequences{of} are held out, and generate check refuses fewer than "
        f"{FEWEST_HELD_OUT}: hold out more, such as --set 'split.fractions=[0.7,0.15,0.15]', "
        "or --like a run of such a split"
    ]


def count_distinct(dataset: Dataset, rows: Rows) -> int:
    """Count the distinct sequences without N of some examples."""
    stored = np.unique(dataset.index("sequence")[rows])
    count = 0
    for start in range(0, dataset.inputs["sequence"].n_distinct, _CHUNK):
        wanted = stored[(stored >= start) & (stored < start + _CHUNK)] - start
        if len(wanted):
            codes = dataset.distinct("sequence", start, start + _CHUNK)[wanted]
            count += int((codes < N_CODE).all(axis=1).sum())
    return count
