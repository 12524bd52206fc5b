"""The folder of designs: tables, sequences, and where all came from."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from exprimo.core.files.atomic import atomic_directory, atomic_file
from exprimo.core.files.provenance import describe_origin, sha256_file
from exprimo.core.ledger import Ledger
from exprimo.core.run import write_json
from exprimo.generate.design.aim import Aim
from exprimo.generate.design.drawing import Source
from exprimo.generate.design.judging import judged_by
from exprimo.generate.design.predictors import Reader

DESIGN_FORMAT = 1


class Result(NamedTuple):
    """What is written: tables, accuracies, notes, settings, and what was learned from."""

    table: pd.DataFrame
    summary: pd.DataFrame
    accuracy: dict[str, dict[str, Any] | None]
    notes: list[str]
    settings: dict[str, Any]
    ledger: Ledger


class Origin(NamedTuple):
    """What designs were made for and with."""

    aim: Aim
    guide: Reader
    judge: Reader | None
    source: Source | None
    dataset: Path
    sha256: str


def write_designs(out: Path, result: Result, origin: Origin) -> None:
    """Write the folder whole, or nothing."""
    with atomic_directory(out) as folder:
        write_json(folder / "design.json", _facts(result, origin))
        result.ledger.save(folder / "ledger.parquet")
        for name, table in (("designs", result.table), ("summary", result.summary)):
            with atomic_file(folder / f"{name}.tsv") as partial:
                table.to_csv(partial, sep="\t", index=False, float_format="%.6g")
        with atomic_file(folder / "designs.fa") as partial:
            partial.write_text(_fasta(result.table), encoding="utf-8")


def _facts(result: Result, origin: Origin) -> dict[str, Any]:
    aim, guide, judge, source, dataset, sha256 = origin
    return {
        "format_version": DESIGN_FORMAT,
        "target": {
            "name": guide.target,
            "output": aim.name,
            "task": aim.task,
            "value": aim.value,
            "tolerance": aim.tolerance,
            "training_range": aim.learned,
            "outside_training_range": aim.outside,
        },
        "judged_by": judged_by(judge),
        "guide": _of_run(guide),
        "judge": None if judge is None else _of_run(judge),
        "generator": None if source is None else _of_generator(source),
        "dataset": {"path": str(dataset.resolve()), "sha256": sha256},
        "settings": result.settings,
        "notes": result.notes,
        "accuracy_on_held_out": result.accuracy,
        "summary": _plain(result.summary.to_dict("records")),
        "provenance": describe_origin(builder="generate design"),
    }


def _of_run(reader: Reader) -> dict[str, Any]:
    run = reader.run
    return {
        "path": str(run.path.resolve()),
        "model": run.metrics["model"],
        "target": reader.target,
        "weights_sha256": sha256_file(run.weights_path),
        "dataset": run.provenance["dataset"],
    }


def _of_generator(source: Source) -> dict[str, Any]:
    facts = source.made.provenance
    return {
        "path": str(source.made.path.resolve()),
        "family": source.family,
        "asked": source.condition,
        "weights_sha256": sha256_file(source.made.weights_path),
        "dataset": facts["dataset"],
    }


def _fasta(table: pd.DataFrame) -> str:
    """Write designs, not baselines, with what is said of them in the heads."""
    rows = table[table["role"] == "design"].to_dict("records")
    return "".join(
        f">{row['design']} method={row['method']} target={row['target']:g} "
        f"guide={row['guide']:.4g} judged={row['judged']:.4g} judged_by={row['judged_by']}\n"
        f"{row['sequence']}\n"
        for row in rows
    )


def _plain(rows: list[dict[Any, Any]]) -> list[dict[str, Any]]:
    """Make NumPy's numbers plain."""
    return [
        {
            str(name): value.item() if hasattr(value, "item") else value
            for name, value in row.items()
        }
        for row in rows
    ]
