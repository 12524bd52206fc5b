"""Reading the folder of a differential-promoter study."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from exprimo.core.errors import FormatError
from exprimo.core.files.versions import check_format_version
from exprimo.report.dge.reading import DgeFolder, read_dge
from exprimo.report.files import as_numbers, needed, read_json, read_table
from exprimo.report.runs.material import Material
from exprimo.report.runs.reading import read_material

Part = TypeVar("Part")

STUDY_FORMAT = 1
KIND = "differential-promoter"

_COVARIATES = ("auroc", "low", "high", "n_positive", "n_negative")
_IMBALANCE = ("value", "low", "high", "n_groups")
_DIFFERENCE = ("difference", "low", "high")
_GENERATORS = (
    "learned", "steps", "passes", "fit_seconds", "drawn",
    "position_4mers", "position_4mers_real", "position_4mers_shuffled",
    "motif_rate", "motif_rate_real", "motif_rate_shuffled",
)  # fmt: skip
_ENRICHMENT = (
    "n_changed", "n_matched", "share_changed", "share_matched", "odds_ratio", "low", "high",
    "pvalue", "padj", "rank",
)  # fmt: skip


@dataclass(frozen=True)
class Examination:
    """What the labels follow besides promoters: ``prevalence.json``, ``covariates.tsv``."""

    prevalence: Mapping[str, Any]
    covariates: pd.DataFrame
    place: str


@dataclass(frozen=True)
class Imbalance:
    """Ways of treating rare positives: their scores, and the difference of each to none.

    Attributes
    ----------
    control
        Difference of each set of generated promoters to shuffled ones; empty without either.
    generators
        What was learned from, drawn and found by the check; empty where none was asked for.
    """

    table: pd.DataFrame
    paired: pd.DataFrame
    place: str
    control: pd.DataFrame = field(default_factory=pd.DataFrame)
    generators: pd.DataFrame = field(default_factory=pd.DataFrame)


@dataclass(frozen=True)
class Enrichment:
    """Motifs in changed promoters against matched ones, and how well these were matched."""

    table: pd.DataFrame
    balance: pd.DataFrame
    place: str


@dataclass(frozen=True)
class Study:
    """A study as its files tell it; each part is None (or empty) where it was not made.

    Attributes
    ----------
    facts
        ``study.json``.
    targets
        Benchmarks of other targets from the same promoters.
    missing
        Parts that ``study.json`` names and that are not there.
    """

    name: str
    facts: Mapping[str, Any]
    dge: DgeFolder | None = None
    benchmark: Material | None = None
    examination: Examination | None = None
    imbalance: Imbalance | None = None
    enrichment: Enrichment | None = None
    targets: tuple[Material, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def question(self) -> str:
        """Give the question that the study asks."""
        return str(self.facts.get("question") or "")

    @property
    def verdict(self) -> Mapping[str, Any]:
        """Give whether any model beats the baselines, and the rows behind it."""
        return dict(self.facts.get("verdict") or {})

    @property
    def truth(self) -> Mapping[str, Any]:
        """Give what a simulated world knows; empty for real data."""
        return dict(self.facts.get("truth") or {})


def is_study(folder: Path) -> bool:
    """Tell whether a folder is one of a study that this page is for."""
    path = folder / "study.json"
    return path.is_file() and read_json(path).get("kind") == KIND


def read_study(source: str | Path) -> Study:
    """Read the folder of a study, with all parts that are there."""
    folder = Path(source)
    path = folder / "study.json"
    facts = read_json(path)
    check_format_version(facts.get("format_version"), STUDY_FORMAT, file=path, what="study")
    parts = _Parts(folder, needed(facts, "parts", path), path)
    benchmark = parts.read("benchmark", read_material)
    targets = parts.read_each("targets", read_material)
    return Study(
        name=folder.name,
        facts=facts,
        dge=parts.read("dge", read_dge),
        benchmark=_in_the_light_of(benchmark, facts),
        examination=parts.read("examination", _examination),
        imbalance=parts.read("imbalance", _imbalance),
        enrichment=parts.read("enrichment", _enrichment),
        targets=targets,
        missing=tuple(parts.missing),
    )


class _Parts:
    """The parts that a study names, opened one by one; counts those that are not there."""

    def __init__(self, folder: Path, places: Any, path: Path) -> None:
        if not isinstance(places, dict):
            raise FormatError("not a table of folders", file=path, record="parts", found=places)
        self._folder = folder
        self._places = places
        self.missing: list[str] = []

    def read(self, name: str, reader: Callable[[Path, str], Part]) -> Part | None:
        place = self._places.get(name)
        return None if place is None else self._open(str(place), reader)

    def read_each(self, name: str, reader: Callable[[Path, str], Part]) -> tuple[Part, ...]:
        found = (self._open(str(place), reader) for place in self._places.get(name) or ())
        return tuple(part for part in found if part is not None)

    def _open(self, place: str, reader: Callable[[Path, str], Part]) -> Part | None:
        if not (self._folder / place).is_dir():
            self.missing.append(place)
            return None
        return reader(self._folder / place, f"{place}/")


def _in_the_light_of(benchmark: Material | None, facts: Mapping[str, Any]) -> Material | None:
    """Tell the benchmark which model validation chose, and the ceiling of a simulated world."""
    if benchmark is None:
        return None
    benchmark = replace(benchmark, chosen=str((facts.get("verdict") or {}).get("model") or ""))
    known = (facts.get("truth") or {}).get("ceiling")
    if benchmark.ceiling is not None or not known:
        return benchmark
    return replace(benchmark, ceiling=(float(known["value"]), str(known.get("what") or "")))


def _examination(folder: Path, place: str) -> Examination:
    prevalence = read_json(folder / "prevalence.json")
    covariates = read_table(folder / "covariates.tsv", ("covariate", "among"), _COVARIATES)
    return Examination(prevalence, covariates, place)


def _imbalance(folder: Path, place: str) -> Imbalance:
    text = ("strategy", "model", "split", "metric", "unit")
    control, generators = folder / "against_shuffles.tsv", folder / "generators.tsv"
    return Imbalance(
        _with_seeds(read_table(folder / "table.tsv", text, _IMBALANCE), folder),
        _differences(folder / "paired.tsv"),
        place,
        _differences(control) if control.exists() else pd.DataFrame(),
        read_table(generators, ("generator", "gate", "why"), _GENERATORS)
        if generators.exists()
        else pd.DataFrame(),
    )


def _differences(path: Path) -> pd.DataFrame:
    return _with_seeds(read_table(path, ("strategy", "model", "metric"), _DIFFERENCE), path)


def _with_seeds(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Add what studies did not write before they had several seeds and generators."""
    absent = {"seeds": "1", "seed_sd": "", "gate": ""}
    table = table.assign(**{k: v for k, v in absent.items() if k not in table})
    for name in ("seeds", "seed_sd"):
        table[name] = as_numbers(table[name], path)
    return table


def _enrichment(folder: Path, place: str) -> Enrichment:
    return Enrichment(
        read_table(folder / "table.tsv", ("set", "test", "motif"), _ENRICHMENT),
        read_table(folder / "balance.tsv", ("covariate",), ("before", "after")),
        place,
    )
