"""Reading the folder of a promoter-halflife study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from exprimo.core.files.versions import check_format_version
from exprimo.report.files import needed, read_json, read_table
from exprimo.report.interpret.reading import (
    InterpretationFolder,
    is_interpretation,
    read_interpretation,
)
from exprimo.report.runs.material import Material
from exprimo.report.runs.reading import read_material

STUDY_FORMAT = 1
KIND = "promoter-halflife"
_NUMBERS = ("value", "low", "high", "n")


@dataclass(frozen=True)
class HalflifeFolder:
    """A study as its files tell it.

    Attributes
    ----------
    facts
        ``study.json``.
    validation
        Scores on the validation part, as the benchmark's table gives them for the test part.
    interpretation
        None where the study was stopped before it.
    """

    name: str
    facts: Mapping[str, Any]
    benchmark: Material
    validation: pd.DataFrame
    interpretation: InterpretationFolder | None

    @property
    def steps(self) -> list[Mapping[str, Any]]:
        """Give what each input adds."""
        return list((self.facts.get("verdict") or {}).get("steps") or [])

    @property
    def ceilings(self) -> Mapping[str, Mapping[str, float]]:
        """Give what the truth of each input scores in a simulated world; empty for real data."""
        return dict((self.facts.get("truth") or {}).get("ceilings") or {})


def is_halflife_study(folder: Path) -> bool:
    """Tell whether a folder is one of a study that this page is for."""
    path = folder / "study.json"
    return path.is_file() and read_json(path).get("kind") == KIND


def read_halflife_study(source: str | Path) -> HalflifeFolder:
    """Read the folder of a study."""
    folder = Path(source)
    path = folder / "study.json"
    facts = read_json(path)
    check_format_version(facts.get("format_version"), STUDY_FORMAT, file=path, what="study")
    parts = needed(facts, "parts", path)
    place = str(parts["benchmark"])
    benchmark = read_material(folder / place, f"{place}/")
    best = (facts.get("truth") or {}).get("ceilings", {}).get("promoter and half-life")
    if best and benchmark.ceiling is None:
        what = "the true promoter and half-life components of the simulated world, same test genes"
        benchmark = replace(benchmark, ceiling=(float(best["value"]), what))
    validation = read_table(
        folder / place / "validation.tsv", ("model", "role", "split", "metric"), _NUMBERS
    )
    benchmark = replace(benchmark, chosen=_chosen(validation, benchmark))
    own = folder / str(parts["interpretation"])
    found = read_interpretation(own, f"{own.name}/") if is_interpretation(own) else None
    return HalflifeFolder(folder.name, facts, benchmark, validation, found)


def _chosen(validation: pd.DataFrame, benchmark: Material) -> str:
    """Name the row that is best on validation, which then answers; empty where none has a score."""
    here = validation[
        (validation["split"] == benchmark.answer_split)
        & (validation["metric"] == benchmark.headline)
        & (validation["role"] == "model")
    ].dropna(subset="value")
    best = here.sort_values("value", ascending=False, kind="stable")["model"]
    return str(best.iloc[0]) if len(best) else ""
