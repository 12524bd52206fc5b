"""Reading an interpretation's folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from exprimo.core.errors import FormatError, InputError
from exprimo.core.files.versions import check_format_version
from exprimo.interpret.faithfulness.verdict import (
    CURVE_COLUMNS,
    CURVES_FILE,
    UNCHECKED,
    Verdict,
    read_verdict,
)
from exprimo.interpret.files import (
    INTERPRETATION_FORMAT,
    MAP_COLUMNS,
    PLANTED_COLUMN,
    SUMMARY_FILE,
    TOP_COLUMNS,
)
from exprimo.interpret.importance import PROFILE_COLUMNS
from exprimo.report.charts.chart import FloatArray, floats
from exprimo.report.files import as_numbers, needed, read_json, read_table


@dataclass(frozen=True)
class InterpretationFolder:
    """An interpretation, as its files tell it.

    Attributes
    ----------
    summary
        ``interpretation.json``.
    profile, top, layer_map
        The tables, None where a file is absent. Of ``layer_map`` prediction, probability and
        target are text where they are names of classes, else numbers.
    place
        The folder relative to that of the report, with a slash; empty where they are one.
    verdict
        Of the checks of its faithfulness.
    curves
        What deletion and insertion did, None where that was not looked at.
    """

    summary: Mapping[str, Any]
    profile: pd.DataFrame | None
    top: pd.DataFrame | None
    layer_map: pd.DataFrame | None
    place: str = ""
    verdict: Verdict = UNCHECKED
    curves: pd.DataFrame | None = None

    def file(self, name: str) -> str:
        """Name a file of the folder as the reader of the report finds it."""
        return f"{self.place}{name}"

    @property
    def task(self) -> str:
        """Give the model's task: regression, classification or multiclass."""
        return str(self.summary["task"])

    @property
    def unit(self) -> str:
        """Name the unit of a contribution: that of the explained output, per base."""
        return f"{self.summary['scale']} per base"

    @property
    def method(self) -> str:
        """Name the method that made contributions."""
        return str(self.summary.get("method") or "gradient × input")

    @property
    def n_learned(self) -> int | None:
        """Give how many of the examples the model learned from; None where that is not known."""
        known = self.summary.get("n_learned")
        return None if known is None else int(known)

    @property
    def learned_from(self) -> str:
        """Say how many of the examples were learned from; nothing where it is none."""
        learned, n = self.n_learned, int(self.summary["n_examples"])
        if not learned:
            return ""
        return f"{'All of them' if learned == n else f'{learned:,} of {n:,}'} were learned from"

    @property
    def explained(self) -> str:
        """Say which output was explained."""
        if self.task == "multiclass":
            return f"the logit of {self.summary['output']}, less the mean of all"
        return "the logit" if self.task == "classification" else "the predicted value"

    @property
    def planted(self) -> FloatArray | None:
        """Give the share of examples with a planted base at each position, if it is known."""
        if self.profile is None or PLANTED_COLUMN not in self.profile:
            return None
        return floats(self.profile[PLANTED_COLUMN].to_numpy())


def is_interpretation(folder: Path) -> bool:
    """Tell whether a folder holds an interpretation."""
    return (folder / SUMMARY_FILE).is_file()


def is_explanation(folder: Path) -> bool:
    """Tell whether a folder is an explanation itself, and no Run or study that holds one."""
    owners = ("metrics.json", "benchmark.json", "study.json")
    return is_interpretation(folder) and not any((folder / name).is_file() for name in owners)


def read_interpretation(source: str | Path, place: str = "") -> InterpretationFolder:
    """Read an interpretation's folder; ``place`` is the folder as seen from the report."""
    folder = Path(source)
    path = folder / SUMMARY_FILE
    if not is_interpretation(folder):
        raise InputError(
            "not the folder of an interpretation", file=folder, found=f"no {SUMMARY_FILE}"
        )
    summary = read_json(path)
    check_format_version(
        summary.get("format_version"), INTERPRETATION_FORMAT, file=path, what="interpretation"
    )
    for key in ("task", "output", "scale", "n_examples", "unit", "level"):
        needed(summary, key, path)
    profile = _optional(folder / "importance.tsv", (), PROFILE_COLUMNS)
    if profile is not None and PLANTED_COLUMN in profile:
        profile[PLANTED_COLUMN] = as_numbers(profile[PLANTED_COLUMN], folder / "importance.tsv")
    words = ("input", "curve", "order")
    numbers = tuple(name for name in CURVE_COLUMNS if name not in words)
    return InterpretationFolder(
        summary,
        profile,
        _top(folder),
        _map(folder, summary),
        place,
        read_verdict(folder),
        _optional(folder / CURVES_FILE, words, numbers),
    )


def _optional(path: Path, text: tuple[str, ...], numbers: tuple[str, ...]) -> pd.DataFrame | None:
    return read_table(path, text, numbers) if path.is_file() else None


def _top(folder: Path) -> pd.DataFrame | None:
    path = folder / "top_positions.tsv"
    numbers = tuple(name for name in TOP_COLUMNS if name != "example_id")
    table = _optional(path, ("example_id",), numbers)
    if table is None:
        return None
    n_cells = table["position"].nunique() * table["example_id"].nunique()
    if len(table) != n_cells or not np.isfinite(table[list(numbers)].to_numpy()).all():
        raise FormatError(
            "not every position stands once with every example",
            file=path,
            found=f"{len(table):,} rows",
            expected=f"{n_cells:,} rows, without a missing number",
        )
    return table


def _map(folder: Path, summary: Mapping[str, Any]) -> pd.DataFrame | None:
    names = ("prediction", "target") if summary["task"] == "multiclass" else ()
    numbers = tuple(name for name in MAP_COLUMNS if name not in (*names, "example_id"))
    return _optional(folder / "layer_map.tsv", ("example_id", *names), numbers)
