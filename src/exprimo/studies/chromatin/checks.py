"""What can be refused before any stage has run, and what once the dataset stands."""

from __future__ import annotations

import difflib
from pathlib import Path

import numpy as np

from exprimo.core.dataset import Dataset
from exprimo.core.errors import ConfigError, InputError, MismatchError
from exprimo.data.textfile import require_file
from exprimo.models.zoo import all_specs
from exprimo.splits import make_split
from exprimo.splits.names import parse_strategy
from exprimo.studies.benchmarking import BenchmarkConfig
from exprimo.studies.benchmarking.plan import named_values, plan_runs
from exprimo.studies.chromatin.config import ROWS, ChromatinStudy
from exprimo.studies.chromatin.plan import (
    can_be_explained,
    explained_row,
    row_inputs,
    study_benchmark,
)
from exprimo.studies.chromatin.source import source_files
from exprimo.studies.chromatin.truth import FILES, expected_values

_EVERYTHING = ("signal", "cell_context", "sequence")


def check_settings(study: ChromatinStudy) -> None:
    """Refuse rows, options and splits that no stage could use.

    Examples
    --------
    >>> check_settings(ChromatinStudy(dataset="D.h5"))
    """
    comparison = study.benchmark
    known = [*ROWS, *comparison.variants, *(spec.name for spec in all_specs())]
    for key, rows in (
        ("benchmark.models", comparison.models),
        ("binary.models", study.binary.models),
    ):
        for row in rows:
            if row not in known:
                near = difflib.get_close_matches(row, known, n=1, cutoff=0.5)
                raise ConfigError(
                    "no such row",
                    record=key,
                    found=row,
                    expected=f"{', '.join(ROWS)}; or a model",
                    remedy=f"Did you mean {near[0]}?" if near else "See: exprimo models",
                )
    if comparison.above is not None:
        raise ConfigError(
            "this study learns expression as it is, and high or low beside it",
            record="benchmark.above",
            found=comparison.above,
            remedy="Leave it out; [binary] names what is trained for high and low",
        )
    plan_runs(study_benchmark(study, "dataset.h5", _EVERYTHING), "regression")
    for strategy in comparison.splits:
        if strategy != "auto":
            parse_strategy(strategy)
    for name in study.interpretation.model_fields_set & {"row", "attention"}:
        if (explained := getattr(study.interpretation, name)) is not None:
            _check_explained(study, explained)


def _check_explained(study: ChromatinStudy, row: str) -> None:
    if row not in study.benchmark.models:
        raise ConfigError(
            "the row to be explained is not compared",
            record="interpretation",
            found=row,
            expected=", ".join(study.benchmark.models),
        )
    if not can_be_explained(study, row):
        raise ConfigError(
            "the row to be explained is no network that reads marks, so it has no gradients",
            record="interpretation",
            found=row,
            expected="such as marks",
        )


def check_files(study: ChromatinStudy, home: Path) -> None:
    """Refuse files that are not there."""
    for key, path in source_files(study, home).items():
        require_file(path, f"a file ({key})")
    if study.truth is not None:
        for name in FILES:
            require_file(home / study.truth / name, "the truth of a simulated world (truth)")


def check_dataset(
    study: ChromatinStudy, home: Path, data: Dataset, config: BenchmarkConfig
) -> None:
    """Refuse a dataset that the rows cannot be compared on, or that cannot be split as asked."""
    if "signal" not in data.inputs:
        raise MismatchError(
            "this dataset holds no signal",
            file=data.path,
            found=", ".join(data.inputs),
            remedy="Build it with: exprimo dataset chromatin",
        )
    target = data.the_target(study.benchmark.target)
    if target.kind != "regression":
        raise ConfigError(
            "this study learns how much a gene is expressed, and the target has classes",
            file=data.path,
            record=target.name,
            found=target.kind,
            remedy="Train on it with: exprimo train --model deepchrome",
        )
    values = data.target(target.name)
    if len(np.unique(values[~np.isnan(values)])) < 2:
        raise InputError(
            "the target never varies, or is not known", file=data.path, record=target.name
        )
    for row in config.models:
        missing = row_inputs(study, row) - set(data.inputs)
        if missing:
            raise MismatchError(
                f"the row {row} reads inputs that the dataset does not hold",
                file=data.path,
                found=", ".join(data.inputs),
                expected=", ".join(sorted(missing)),
                remedy="Build the dataset with --fasta or --sequences, or leave the row out",
            )
    explained_row(study, config.models)
    for strategy in config.splits:
        if "sequence" not in data.inputs:
            make_split(
                data,
                None if strategy == "auto" else strategy,
                seed=config.seed,
                **named_values(config, strategy),
            )
    if study.truth is not None:
        expected_values(home / study.truth, data)
