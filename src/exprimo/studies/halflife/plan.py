"""The benchmark that a study consists of: pure planning."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from exprimo.studies.benchmarking import BenchmarkConfig
from exprimo.studies.halflife.config import HALFLIFE_ALONE, ROWS, HalflifeStudy

_QUESTION = "Is a gene high or low, told from its promoter and what sets its mRNA's half-life?"
_QUANTITY = "How much expression do promoter and what sets the mRNA's half-life tell?"


def study_question(study: HalflifeStudy) -> str:
    """Give the question of a study."""
    own = study.question or study.benchmark.question
    return own or (_QUANTITY if study.benchmark.above == "none" else _QUESTION)


def study_benchmark(
    study: HalflifeStudy, dataset: str | Path, store: str | Path | None, above: Any
) -> BenchmarkConfig:
    """Plan the rows of the table with their options and presets.

    Parameters
    ----------
    store
        The embeddings that promoters are read through; None reads bases.
    above
        Where the target is cut; None where it is a label already, or a regression is wanted.

    Examples
    --------
    >>> study = HalflifeStudy(dataset="D.h5")
    >>> config = study_benchmark(study, "D.h5", None, "median")
    >>> config.variants["half-life alone"], config.options["half-life alone"]["dna"]
    ('halflife_cnn', 'none')
    """
    values = study.benchmark.model_dump()
    names = study.benchmark.models
    rows = {name: ROWS[name] for name in names if name in ROWS}
    values["variants"] = {name: model for name, (model, _) in rows.items()} | values["variants"]
    values["presets"] = dict.fromkeys(rows, study.preset) | values["presets"]
    dna = {} if store is None else {"dna": "embedding"}
    values["options"] = _merged({name: dna | own for name, (_, own) in rows.items()}, values)
    # The rival that nobody asked for may not be compared; another name is a mistake to be told.
    values["rivals"] = tuple(
        name for name in study.benchmark.rivals if name in names or name != HALFLIFE_ALONE
    )
    values |= {
        "dataset": str(dataset),
        "embeddings": None if store is None else str(store),
        "above": above,
        "question": study_question(study),
    }
    return BenchmarkConfig.checked(values)


def _merged(rows: dict[str, dict[str, str]], values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Lay the options that the study sets over those that make the rows."""
    given = values["options"]
    own = {name: {**options, **given.get(name, {})} for name, options in rows.items()}
    return {**given, **own}


def settled_splits(study: HalflifeStudy, columns: Collection[str]) -> tuple[str, ...]:
    """Give the splits that are asked for; else those that the dataset's columns allow.

    Parts that the files themselves bring come first.

    Examples
    --------
    >>> study = HalflifeStudy(dataset="D.h5")
    >>> settled_splits(study, ("gene_id", "chrom")), settled_splits(study, ("gene_id", "part"))
    (('homology', 'chromosome', 'random'), ('column:part', 'homology', 'random'))
    """
    asked = study.benchmark.splits
    if "splits" in study.benchmark.model_fields_set:
        return asked
    given = ("column:part",) if "part" in columns else ()
    return (*given, *(one for one in asked if one != "chromosome" or "chrom" in columns))
