"""Reading what a study of individuals says of eQTLs, predictors, loci and candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from exprimo.core.errors import FormatError
from exprimo.report.files import as_numbers, needed, read_table

SCORE = "score:"
"""Columns of ``loci.tsv`` that hold a model's scores begin so."""

KINDS = ("stack", "cis", "model", "member")
"""Kinds of predictors, in the order in which a reader asks for them."""

CALIBRATED = " (calibrated)"
"""A model on the scale of expression, by a line through training people, has this in its name."""

_TABLES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "egenes": (
        ("gene_id", "chrom", "variant_id", "egene"),
        ("tss", "n_variants", "slope", "pval_nominal", "pval_beta", "qval", "n_sets", "h2"),
    ),
    "predictors": (("gene_id", "predictor", "kind"), ("n_people", "r2", "pearson_r")),
    "predicted": (("gene_id", "individual", "predictor"), ("observed", "predicted")),
    "loci": (
        ("gene_id", "variant_id", "chrom", "ref", "alt", "credible_set"),
        ("pos", "pval_nominal", "slope", "pip", "r2_lead"),
    ),
    "gene_models": (
        ("locus", "gene_id", "gene_name", "chrom", "strand", "exons"), ("start", "end")
    ),
    "candidates": (
        (
            "gene_id", "variant_id", "chrom", "ref", "alt", "model", "credible_set", "agrees",
            "motif",
        ),
        ("rank", "pos", "raw_score", "score_rank", "pip", "slope", "pval_nominal"),
    ),
}  # fmt: skip
# Columns that are numbers where they are there at all.
_OPTIONAL = ("true_h2", "n_acting", "lead_r2_acting", "effect", "motif_ref", "motif_alt", "h2_low",
             "h2_high", "af", "tss_distance")  # fmt: skip


class Contest(NamedTuple):
    """One predictor against another: the paired difference in mean R² over genes."""

    ours: str
    theirs: str
    value: float
    low: float
    high: float

    @property
    def is_above(self) -> bool:
        """Tell whether the whole interval lies above 0."""
        return self.low > 0


@dataclass(frozen=True)
class Association:
    """The second half of a study, as its files tell it.

    Attributes
    ----------
    facts
        ``association`` of ``study.json``.
    answer
        The model that the study asks about.
    egenes, predictors, predicted, loci, gene_models, candidates
        The tables of the same names.
    people_r
        r over people of the answering model over all genes of the study, where it is known.
    """

    facts: Mapping[str, Any]
    answer: str
    egenes: pd.DataFrame
    predictors: pd.DataFrame
    predicted: pd.DataFrame
    loci: pd.DataFrame
    gene_models: pd.DataFrame
    candidates: pd.DataFrame
    people_r: Mapping[str, Any] | None = None

    @property
    def as_it_stands(self) -> tuple[float, float, float]:
        """Give r over people of the answering model itself, with its interval over genes.

        It is that over all genes of the study; without one, that over the genes of the predictors.
        """
        told = self.people_r or (self.scores.get(self.answer) or {}).get("pearson_r")
        return (np.nan, np.nan, np.nan) if told is None else _span(told)

    @property
    def model_follows(self) -> bool:
        """Tell whether that r lies above 0: calibration gives any number of a window a sign."""
        return self.as_it_stands[1] > 0

    @property
    def truth(self) -> Mapping[str, Any]:
        """Give what is known of the truth; empty where there is none."""
        return self.facts.get("truth") or {}

    @property
    def scores(self) -> Mapping[str, Mapping[str, Any]]:
        """Give what ``study.json`` says of each predictor."""
        found: Mapping[str, Mapping[str, Any]] = self.facts["predictors"]
        return found

    @property
    def shown(self) -> Sequence[str]:
        """Give the genes that are drawn as loci."""
        present = set(self.loci["gene_id"])
        return [gene for gene in self.facts.get("shown") or () if gene in present]

    @property
    def followed(self) -> Mapping[str, str]:
        """Give the genes whose people are drawn, observed against predicted, with their names."""
        told: Mapping[str, str] | None = self.facts.get("followed")
        if told is not None:
            return told
        return {str(gene): str(gene) for gene in pd.unique(self.predicted["gene_id"])}

    @property
    def best(self) -> str:
        """Name the predictor with the greatest mean R²."""
        return str((self.facts.get("best") or {}).get("name") or next(iter(self.scores)))

    @property
    def rival(self) -> str | None:
        """Name the elastic net on the genotypes around each gene, if it was fitted."""
        cis = [name for name, one in self.scores.items() if one["kind"] == "cis"]
        return next((name for name in cis if "elastic_net" in name), None)

    @property
    def contests(self) -> list[Contest]:
        """Give the paired differences that were measured."""
        found = [
            Contest(one["a"], one["b"], *_span(one["difference"]))
            for one in self.facts.get("pairs") or ()
        ]
        for name, one in ((self.facts.get("best") or {}).get("beats") or {}).items():
            contest = Contest(self.best, name, *_span(one["difference"]))
            if (contest.ours, contest.theirs) not in {(x.ours, x.theirs) for x in found}:
                found.append(contest)
        return found

    def contest(self, ours: str, theirs: str) -> Contest | None:
        """Give one paired difference, turned round where it was measured the other way."""
        for one in self.contests:
            if (one.ours, one.theirs) == (ours, theirs):
                return one
            if (one.ours, one.theirs) == (theirs, ours):
                return Contest(ours, theirs, -one.value, -one.high, -one.low)
        return None

    @property
    def calibrated(self) -> str | None:
        """Name the predictor that is the answering model, on the scale of expression if it is."""
        for name in (self.answer + CALIBRATED, self.answer):
            if name in self.scores:
                return name
        return None

    def best_of(self, kind: str) -> str | None:
        """Name the predictor of a kind with the greatest mean R²."""
        mine = {name: one for name, one in self.scores.items() if one["kind"] == kind}
        if not mine:
            return None
        return max(mine, key=lambda name: _number(mine[name]["r2"]["value"], least=True))


def read_association(folder: Path, facts: Mapping[str, Any]) -> Association | None:
    """Read the second half of a study; None where the study has none."""
    told = facts.get("association")
    if not told:
        return None
    path = folder / "study.json"
    for key in ("eqtl", "finemap", "predictors"):
        needed(told, key, path)
    tables = {name: _read(folder / f"{name}.tsv", *heads) for name, heads in _TABLES.items()}
    unknown = sorted(set(tables["predictors"]["kind"]) - set(KINDS))
    if unknown:
        raise FormatError(
            "not a kind of predictor",
            file=folder / "predictors.tsv", found=unknown[0], expected=", ".join(KINDS),
        )  # fmt: skip
    answer = str(facts["answer"])
    people = ((facts.get("models") or {}).get(answer) or {}).get("people") or {}
    own_r = (people.get("across_people") or {}).get("mean_r")
    return Association(told, answer, **tables, people_r=own_r)


def models_of(loci: pd.DataFrame) -> list[str]:
    """Name the models whose scores stand in a table of loci."""
    return [name.removeprefix(SCORE) for name in loci.columns if name.startswith(SCORE)]


def _read(path: Path, text: tuple[str, ...], numbers: tuple[str, ...]) -> pd.DataFrame:
    table = read_table(path, text, numbers)
    for name in table.columns:
        if name in _OPTIONAL or name.startswith(SCORE):
            table[name] = as_numbers(table[name], path)
    return table


def _span(found: Mapping[str, Any]) -> tuple[float, float, float]:
    value, low, high = (_number(found[name]) for name in ("value", "low", "high"))
    return value, low, high


def _number(value: float | None, *, least: bool = False) -> float:
    if value is None:
        return float("-inf") if least else float("nan")
    return float(value)
