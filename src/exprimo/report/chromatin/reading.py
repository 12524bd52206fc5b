"""Reading the folder of a chromatin study."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from exprimo.core.files.versions import check_format_version
from exprimo.report.files import as_numbers, needed, read_json, read_table
from exprimo.report.runs.material import Material
from exprimo.report.runs.reading import read_material

STUDY_FORMAT = 1
INTERPRETATION_FORMAT = 1
KIND = "chromatin"

MEAN_OVER_CELLS = "mean over cell types"
GENE_MEAN = "gene_mean"
LEAKING_SPLIT = "example"
EVERY_GENE = "all test genes"
_CEILING_OF = "expression that the simulated world expects, on the same test examples"

_CELLS = (
    ("model", "split", "cell_type", "metric", "unit"),
    ("value", "low", "high", "n", "n_groups"),
)
_GENES = (
    ("model", "split", "unit", "interval_over_cells"),
    ("pooled_r", "low", "high", "n_cell_types", "median_r", "median_spearman", "n_genes"),
)
_BINS = (("label", "row"), ("bin", "offset", "mean", "se", "n"))
_ATTENTION = (("label", "row", "level"), ("bin", "offset", "mean", "se", "n"))
_RAISED = (("row",), ("bin", "offset", "before", "after", "low", "high"))

Interval = tuple[float, float, float]


class Within(NamedTuple):
    """What a row tells of the cell types of a gene: r pooled over genes, and of how many cells."""

    pooled: Interval
    unit: str
    n_cell_types: int


@dataclass(frozen=True)
class Explanation:
    """What a network looks at, as the files of ``interpretation/`` tell it.

    Attributes
    ----------
    summary
        ``interpretation.json``.
    marks, kmers, attention, raised, outputs
        The tables, None where a file is absent.
    """

    summary: Mapping[str, Any]
    place: str
    marks: pd.DataFrame | None = None
    kmers: pd.DataFrame | None = None
    attention: pd.DataFrame | None = None
    raised: pd.DataFrame | None = None
    outputs: pd.DataFrame | None = None

    def file(self, name: str) -> str:
        """Name a file of the folder as the reader of the report finds it."""
        return f"{self.place}{name}"

    @property
    def row(self) -> str:
        """Name the row that was explained."""
        return str(self.summary.get("row") or "the network")

    @property
    def scale(self) -> str:
        """Name the unit of the output."""
        return str(self.summary.get("scale") or "output").replace("target SD", "SD")

    @property
    def mark_unit(self) -> str:
        """Name the unit of a mark's gradient: per standard deviation of the signal, if known."""
        known = self.marks is not None and "per_sd" in self.marks
        return f"{self.scale} per {'SD of the signal' if known else 'unit'}"

    @property
    def kmer_unit(self) -> str:
        """Name the unit of a k-mer's gradient."""
        return f"{self.scale} per k-mer"

    @property
    def planted(self) -> list[Mapping[str, Any]]:
        """Give what a simulated world planted, beside what was found; empty for real data."""
        return list(self.summary.get("planted") or [])


@dataclass(frozen=True)
class ChromatinFolder:
    """A study as its files tell it.

    Attributes
    ----------
    facts
        ``study.json``.
    cells, genes
        How each row does within each cell type, and over the cell types of a gene.
    binary
        The benchmark of rows trained for high against low; None where there is none.
    explanation
        None where the study was stopped before it.
    """

    name: str
    facts: Mapping[str, Any]
    benchmark: Material
    cells: pd.DataFrame
    genes: pd.DataFrame
    binary: Material | None = None
    explanation: Explanation | None = None

    @property
    def split(self) -> str:
        """Give the split that answers the question."""
        return self.benchmark.answer_split

    @property
    def row(self) -> str:
        """Name the row that answers and is explained."""
        return str(self.facts.get("row") or "")

    @property
    def steps(self) -> list[Mapping[str, Any]]:
        """Give what each input adds."""
        return list((self.facts.get("verdict") or {}).get("steps") or [])

    @property
    def rivals(self) -> list[Mapping[str, Any]]:
        """Give the answering row against the strongest baselines."""
        return list((self.facts.get("verdict") or {}).get("rivals") or [])

    @property
    def truth(self) -> Mapping[str, Mapping[str, Any]]:
        """Give the ceilings of each split in a simulated world; empty for real data."""
        return dict(self.facts.get("truth") or {})

    def ceiling(self, split: str, metric: str) -> Interval | None:
        """Give a ceiling with its interval, None where it is not known."""
        found = (self.truth.get(split) or {}).get(metric)
        return None if not found or found.get("value") is None else interval_of(found, "value")

    def within(self, model: str, split: str) -> Within | None:
        """Find what a row tells of the cell types of a gene."""
        here = self.genes[(self.genes["model"] == model) & (self.genes["split"] == split)]
        for line in here.to_dict("records"):
            pooled = interval_of(line, "pooled_r")
            return Within(pooled, str(line["unit"]), int(line["n_cell_types"]))
        return None

    def test_cells(self, split: str) -> list[str]:
        """List the cell types of a split's test part."""
        here = self.cells[self.cells["split"] == split]["cell_type"]
        return [str(cell) for cell in here.unique() if cell != MEAN_OVER_CELLS]


def interval_of(found: Mapping[Any, Any], value: str) -> Interval:
    """Give a value with its interval; JSON has null where there is none."""
    one, low, high = (
        math.nan if found.get(name) is None else float(found[name])
        for name in (value, "low", "high")
    )
    return one, low, high


def is_chromatin_study(folder: Path) -> bool:
    """Tell whether a folder is one of a study that this page is for."""
    path = folder / "study.json"
    return path.is_file() and read_json(path).get("kind") == KIND


def read_chromatin_study(source: str | Path) -> ChromatinFolder:
    """Read the folder of a study."""
    folder = Path(source)
    path = folder / "study.json"
    facts = read_json(path)
    check_format_version(facts.get("format_version"), STUDY_FORMAT, file=path, what="study")
    parts = needed(facts, "parts", path)
    place = str(needed(parts, "benchmark", path))
    benchmark = _without_meant_overlaps(read_material(folder / place, f"{place}/"))
    binary = parts.get("binary")
    explained = parts.get("interpretation")
    study = ChromatinFolder(
        folder.name,
        facts,
        replace(benchmark, chosen=str(facts.get("row") or ""), chosen_how="before any was judged"),
        read_table(folder / "cells.tsv", *_CELLS),
        read_table(folder / "genes.tsv", *_GENES),
        None if binary is None else read_material(folder / str(binary), f"{binary}/"),
        None if explained is None else read_explanation(folder / str(explained), f"{explained}/"),
    )
    best = study.ceiling(study.split, benchmark.headline)
    if best and benchmark.ceiling is None:
        study = replace(study, benchmark=replace(study.benchmark, ceiling=(best[0], _CEILING_OF)))
    return study


def _without_meant_overlaps(material: Material) -> Material:
    """Leave out the near-duplicates of splits that share genes between their parts on purpose."""
    kept = {
        name
        for name, split in material.split_of.items()
        if {"gene", "sequence"} & set(split.held_out)
    }
    return replace(
        material,
        overlaps={name: facts for name, facts in material.overlaps.items() if name in kept},
        torn={name: pairs for name, pairs in material.torn.items() if name in kept},
    )


def read_explanation(folder: Path, place: str) -> Explanation | None:
    """Read what was explained; None where nothing was yet."""
    path = folder / "interpretation.json"
    if not path.is_file():
        return None
    summary = read_json(path)
    check_format_version(
        summary.get("format_version"), INTERPRETATION_FORMAT, file=path, what="interpretation"
    )

    def table(name: str, text: tuple[str, ...], numbers: tuple[str, ...]) -> pd.DataFrame | None:
        file = folder / name
        return read_table(file, text, numbers) if file.is_file() else None

    return Explanation(
        summary,
        place,
        _per_sd(table("mark_bins.tsv", *_BINS), folder / "mark_bins.tsv"),
        table("kmer_bins.tsv", *_BINS),
        table("attention.tsv", *_ATTENTION),
        table("raised.tsv", *_RAISED),
        table("raised_outputs.tsv", (), ("step", "output")),
    )


def _per_sd(table: pd.DataFrame | None, path: Path) -> pd.DataFrame | None:
    """Turn slopes per unit of signal into slopes per standard deviation that it has there.

    Per unit, a slope is steepest where a mark hardly varies and moves nothing. Older studies did
    not store the deviations, and are shown per unit.
    """
    if table is None or "per_sd" not in table:
        return table
    sd, per_sd = (as_numbers(table[name].astype(str), path) for name in ("sd", "per_sd"))
    return table.assign(mean=per_sd, se=table["se"] * sd, per_sd=per_sd)
