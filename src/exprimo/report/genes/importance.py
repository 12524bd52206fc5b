"""The importance of each base of explained genes, small enough for a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from exprimo.interpret.attributions.store import ATTRIBUTIONS_FILE, SEQUENCE, Attributions
from exprimo.interpret.faithfulness.verdict import read_verdict
from exprimo.report.files import read_json
from exprimo.report.genes.packing import packed, signed_bytes
from exprimo.report.wording import counted

PLACES = ("explained", "interpretation", "explanation")
"""Folders in which an explanation of single genes is looked for, in this order."""


class Explained(NamedTuple):
    """Importance as the page's script reads it, what was left out, and where it came from."""

    data: dict[str, Any]
    example_id: list[str]
    notes: tuple[str, ...]
    source: str


def find_explanation(folder: Path) -> Path | None:
    """Give the folder of an explanation that holds single genes; None where there is none."""
    return next((folder / n for n in PLACES if (folder / n / ATTRIBUTIONS_FILE).is_file()), None)


def read_importance(folder: Path, ids: pd.Index[str], most: int) -> Explained | None:
    """Read the contributions of the bases of examples that the page shows.

    Parameters
    ----------
    folder
        Of `find_explanation`.
    ids
        Examples of the page.
    most
        Bases that may be kept.
    """
    with Attributions.open(folder) as found:
        if SEQUENCE not in found.inputs:
            return None
        names = pd.Index(found.example_id)
        known = np.flatnonzero(names.isin(ids))
        n = min(len(known), most // found.length)
        if n == 0:
            return None
        rows = known[np.linspace(0, len(known) - 1, n).round().astype(np.int64)]
        values, codes = found.values(rows), found.codes(rows)
        attrs, length = found.attrs, found.length
        output = found.prediction[rows]
    quantised = signed_bytes(values)
    notes = [] if n == len(known) else [
        f"Importance of {n:,} of {counted(len(known), 'explained gene')} is here."
    ]  # fmt: skip
    told = folder / "interpretation.json"
    facts = read_json(told) if told.is_file() else {}
    return Explained(
        {
            "example": packed(ids.get_indexer(names[rows]), "i4"),
            "length": length,
            "tss": int(attrs.get("tss_index", length // 2)),
            "codes": packed(codes, "u1"),
            "steps": packed(quantised.steps, "i1"),
            "scale": packed(quantised.scale),
            "output": packed(output),
            "method": str(facts.get("method") or attrs.get("method", "")).replace("_", " "),
            "row": str(facts.get("row") or Path(str(facts.get("model") or "")).name),
            "banner": read_verdict(folder).banner(SEQUENCE),
            "unit": str(attrs.get("scale", "")),
        },
        [str(name) for name in names[rows]],
        tuple(notes),
        f"{folder.name}/{ATTRIBUTIONS_FILE}",
    )
