"""Reading the folder of a study of individuals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from exprimo.core.files.versions import check_format_version
from exprimo.report.files import needed, read_json, read_table
from exprimo.report.individual.association.reading import Association, read_association

STUDY_FORMAT = 1
KIND = "individual"
Interval = tuple[float, float, float]

_GENES = (("model", "gene_id"), ("n_people", "pearson_r", "sd_observed", "sd_predicted"))
_PEOPLE = (("model", "individual"), ("n_genes", "pearson_r", "mean_r"))
_TOP = (
    ("model", "variant_id", "chrom", "ref", "alt", "gene_id"),
    ("pos", "ref_pred", "alt_pred", "raw_score"),
)
_EFFECTS = (("model", "variant_id", "gene_id", "in_site", "what"), ("raw_score", "effect"))


@dataclass(frozen=True)
class IndividualFolder:
    """A study as its files tell it.

    Attributes
    ----------
    facts
        ``study.json``.
    genes, people, top, effects
        The tables; None where there was no expression, or no truth.
    association
        eQTLs, predictors, loci and candidates; None where the study has none.
    """

    name: str
    facts: Mapping[str, Any]
    genes: pd.DataFrame | None
    people: pd.DataFrame | None
    top: pd.DataFrame
    effects: pd.DataFrame | None
    association: Association | None = None

    @property
    def question(self) -> str:
        """Give the question of the first line."""
        return str(self.facts.get("question") or "")

    @property
    def answer(self) -> str:
        """Name the model that answers."""
        return str(self.facts["answer"])

    @property
    def models(self) -> Mapping[str, Mapping[str, Any]]:
        """Give what is known of each model, the answering one first."""
        found: Mapping[str, Mapping[str, Any]] = self.facts["models"]
        return found

    def own(self, part: str) -> Mapping[str, Any] | None:
        """Give a part of what is known of the answering model; None where there is none."""
        found: Mapping[str, Any] | None = self.models[self.answer].get(part)
        return found


def interval_of(found: Mapping[str, Any] | None) -> Interval:
    """Give a value with its interval; JSON has null where there is none."""
    missing = float("nan")
    if found is None:
        return missing, missing, missing
    one, low, high = (
        missing if found[name] is None else float(found[name]) for name in ("value", "low", "high")
    )
    return one, low, high


def is_individual_study(folder: Path) -> bool:
    """Tell whether a folder is one of a study that this page is for."""
    path = folder / "study.json"
    return path.is_file() and read_json(path).get("kind") == KIND


def read_individual_study(source: str | Path) -> IndividualFolder:
    """Read the folder of a study."""
    folder = Path(source)
    path = folder / "study.json"
    facts = read_json(path)
    check_format_version(facts.get("format_version"), STUDY_FORMAT, file=path, what="study")
    for key in ("answer", "models", "verdict"):
        needed(facts, key, path)
    return IndividualFolder(
        folder.name,
        facts,
        _table(folder / "genes.tsv", *_GENES),
        _table(folder / "people.tsv", *_PEOPLE),
        read_table(folder / "top.tsv", *_TOP),
        _table(folder / "effects.tsv", *_EFFECTS),
        read_association(folder, facts),
    )


def _table(path: Path, text: tuple[str, ...], numbers: tuple[str, ...]) -> pd.DataFrame | None:
    return read_table(path, text, numbers) if path.is_file() else None
