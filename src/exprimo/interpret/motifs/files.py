"""The files of found motifs: tables, matrices for other programs, and how they were found."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.run import write_json
from exprimo.interpret.motifs.patterns import Pattern

if TYPE_CHECKING:
    from exprimo.interpret.motifs.find import Found

MOTIFS_FORMAT = 1
MOTIFS_FILE, MATCHES_FILE, HITS_FILE = "motifs.tsv", "matches.tsv", "hits.tsv.gz"
MEME_FILE, WEIGHTS_FILE, SUMMARY_FILE = "motifs.meme", "weights.tsv", "motifs.json"
_SIGNIFICANT = "%.7g"


def write_found(folder: Path, found: Found, provenance: Mapping[str, Any]) -> None:
    """Write everything but the figures into a folder that stands already."""
    write_table(folder / MOTIFS_FILE, found.motifs)
    write_table(folder / MATCHES_FILE, found.matches)
    write_table(folder / WEIGHTS_FILE, weight_table(found.patterns))
    # A fixed time in the head, so that the same sites are the same bytes.
    text = _as_text(found.hits).encode("utf-8")
    (folder / HITS_FILE).write_bytes(gzip.compress(text, compresslevel=6, mtime=0))
    names = dict(zip(found.motifs["pattern"], found.motifs["name"], strict=True))
    (folder / MEME_FILE).write_text(
        meme_text(found.patterns, found.background, names), encoding="utf-8"
    )
    write_json(
        folder / SUMMARY_FILE,
        {"format_version": MOTIFS_FORMAT, **found.facts, "provenance": provenance},
    )


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as TSV."""
    path.write_text(_as_text(table), encoding="utf-8")


def _as_text(table: pd.DataFrame) -> str:
    return table.to_csv(sep="\t", index=False, float_format=_SIGNIFICANT, lineterminator="\n")


def weight_table(patterns: Sequence[Pattern]) -> pd.DataFrame:
    """Write matrices out: per pattern, position and base its share and both contributions."""
    parts = [
        pd.DataFrame(
            {
                "pattern": pattern.name,
                "position": np.repeat(np.arange(pattern.width), 4),
                "base": np.tile(list("ACGT"), pattern.width),
                "probability": pattern.probabilities.ravel(),
                "contribution": pattern.contributions.ravel(),
                "hypothetical": pattern.hypothetical.ravel(),
            }
        )
        for pattern in patterns
    ]
    columns = ["pattern", "position", "base", "probability", "contribution", "hypothetical"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def meme_text(
    patterns: Sequence[Pattern],
    background: npt.NDArray[np.float64],
    names: Mapping[str, str],
) -> str:
    """Write patterns in MEME's minimal format.

    Examples
    --------
    >>> word = Pattern("pos_1", 1, np.eye(4)[[2, 0]], *np.zeros((2, 2, 4)), np.zeros((9, 4), int))
    >>> print(meme_text([word], np.full(4, 0.25), {}).split("MOTIF ")[1].splitlines()[1])
    letter-probability matrix: alength= 4 w= 2 nsites= 9 E= 0
    """
    letters = " ".join(f"{b} {f:.5f}" for b, f in zip("ACGT", background, strict=True))
    lines = ["MEME version 4", "", "ALPHABET= ACGT", "", "strands: + -", ""]
    lines += ["Background letter frequencies", letters, ""]
    for pattern in patterns:
        name = "_".join(str(names.get(pattern.name) or "").split())
        lines.append(f"MOTIF {pattern.name} {name}".rstrip())
        lines.append(
            f"letter-probability matrix: alength= 4 w= {pattern.width} nsites= {pattern.n} E= 0"
        )
        lines += [" ".join(f"{value:.6f}" for value in row) for row in pattern.probabilities]
        lines.append("")
    return "\n".join(lines)
