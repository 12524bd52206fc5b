"""The files of an interpretation by several methods, and reading them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from exprimo.core.files.versions import check_format_version
from exprimo.report.files import needed, read_json, read_table
from exprimo.report.interpret.reading import (
    InterpretationFolder,
    is_interpretation,
    read_interpretation,
)

METHODS_FORMAT = 1
FOLDER, SUMMARY, METHODS = "interpretation", "summary.json", "methods.tsv"
AGREEMENT, PLANTED, MOTIFS, INSERTION = "agreement.json", "planted.tsv", "motifs", "insertion"

METHOD_NUMBERS = (
    "n", "n_of", "auroc", "auroc_low", "auroc_high", "auroc_swapped", "delta", "deletion",
    "deletion_low", "deletion_high", "randomised", "randomised_low", "randomised_high", "seconds",
)  # fmt: skip
METHOD_WORDS = ("method", "title", "verdict", "failures", "recovers", "refused")
METHOD_COLUMNS = (
    *METHOD_WORDS[:2], *METHOD_NUMBERS[:6], "recovers", *METHOD_NUMBERS[6:13], "verdict",
    "failures", "seconds", "refused",
)  # fmt: skip
PLANTED_WORDS = ("motif", "consensus", "pattern", "strand", "found")
PLANTED_NUMBERS = ("effect", "p", "q")


class Explanations(NamedTuple):
    """An interpretation by several methods, as its files tell it.

    Attributes
    ----------
    folder, place
        Where it is, and as seen from the report.
    summary
        ``summary.json``: the Run, its row and split, the best method, what was found.
    methods
        ``methods.tsv``, one row a method.
    best
        The folder of the method that is shown; None where none could be made.
    agreement
        ``agreement.json``; None of fewer than two methods.
    motifs, planted, effect
        The tables of motifs found, of planted motifs and of inserted ones.
    """

    folder: Path
    place: str
    summary: Mapping[str, Any]
    methods: pd.DataFrame
    best: InterpretationFolder | None
    agreement: Mapping[str, Any] | None
    motifs: pd.DataFrame | None
    planted: pd.DataFrame | None
    effect: pd.DataFrame | None

    def file(self, name: str) -> str:
        """Name a file of the folder as the reader of the report finds it."""
        return f"{self.place}{name}"


def find_explanations(folder: Path) -> Path | None:
    """Give the folder of an interpretation by several methods: in a study's, or beside it."""
    homes = [folder, *([folder.parent] if (folder / "benchmark.json").is_file() else [])]
    return next((h / FOLDER for h in homes if (h / FOLDER / SUMMARY).is_file()), None)


def read_explanations(folder: Path) -> Explanations:
    """Read the folder of `find_explanations`."""
    place = f"{folder.name}/"
    path = folder / SUMMARY
    summary = read_json(path)
    check_format_version(
        summary.get("format_version"), METHODS_FORMAT, file=path, what="interpretation"
    )
    for key in ("row", "split", "part", "motifs", "insertion"):
        needed(summary, key, path)
    best = summary.get("best")
    own = folder / str(best)
    shown = best is not None and is_interpretation(own)
    told = folder / AGREEMENT
    words = ("pattern", "sign", "consensus", "name", "match", "match_id")
    effect = ("position", "effect", "low", "high", "n")
    return Explanations(
        folder,
        place,
        summary,
        read_table(folder / METHODS, METHOD_WORDS, METHOD_NUMBERS),
        read_interpretation(own, f"{place}{best}/") if shown else None,
        read_json(told) if told.is_file() else None,
        _optional(folder / MOTIFS / "motifs.tsv", words, ("seqlets", "sites", "information", "q")),
        _optional(folder / PLANTED, PLANTED_WORDS, PLANTED_NUMBERS),
        _optional(folder / INSERTION / "effect.tsv", ("motif", "name", "strand"), effect),
    )


def _optional(path: Path, text: tuple[str, ...], numbers: tuple[str, ...]) -> pd.DataFrame | None:
    return read_table(path, text, numbers) if path.is_file() else None
