"""Running a chromatin study, stage by stage."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from exprimo.core.dataset import Dataset
from exprimo.core.files.provenance import describe_origin
from exprimo.core.run import write_json
from exprimo.features.chromatin import attach_kmer_bins
from exprimo.report import build_report
from exprimo.studies.benchmarking import BenchmarkConfig, Benchmarked, run_benchmark
from exprimo.studies.benchmarking.plan import PlannedRun, answer_split
from exprimo.studies.chromatin.cells import read_predicted, write_tables
from exprimo.studies.chromatin.checks import check_dataset, check_files, check_settings
from exprimo.studies.chromatin.config import ChromatinStudy
from exprimo.studies.chromatin.interpretation import interpret_rows
from exprimo.studies.chromatin.plan import (
    binary_benchmark,
    explained_row,
    study_benchmark,
)
from exprimo.studies.chromatin.source import build_dataset
from exprimo.studies.chromatin.truth import ceilings, expected_values
from exprimo.studies.chromatin.verdict import verdict
from exprimo.studies.resuming import (
    SETTINGS,
    begun_study,
    check_settings_kept,
    check_sources_kept,
    study_folder,
)

STUDY_FORMAT = 1
_WRITTEN = ("benchmark", "binary", "interpretation", "cells.tsv", "genes.tsv", "study.json")
_ATTENTIVE = "attentive_chrome"


class ChromatinResult(NamedTuple):
    """What a study wrote; ``binary`` is the benchmark of high against low, if there is one."""

    path: Path
    report: Path
    benchmark: Benchmarked
    binary: Benchmarked | None
    facts: dict[str, Any]


def run_chromatin_study(
    study: ChromatinStudy, home: Path, *, out: str | Path | None = None, resume: bool = False
) -> ChromatinResult:
    """Build the dataset, compare the rows, look within cells and genes, explain, and report.

    Parameters
    ----------
    home
        The folder that paths in the study are relative to.
    out
        Overrides ``study.out``.
    resume
        Keep what an interrupted run has finished.
    """
    with study_folder(study, home, out, resume=resume) as folder:
        return _run(study, home, folder, resume)


def _run(study: ChromatinStudy, home: Path, folder: Path, resume: bool) -> ChromatinResult:
    settings = folder / SETTINGS
    check_settings(study)
    check_settings_kept(study, settings)
    check_files(study, home)
    dataset = home / study.dataset if study.dataset else folder / "dataset.h5"
    names = _WRITTEN if study.dataset else ("dataset.h5", *_WRITTEN)
    with begun_study(study, settings, names):
        config = _prepared(study, home, dataset)
    done = run_benchmark(config, folder / "benchmark", resume=resume, report=False)
    split = answer_split(done.scores["split"])
    row = explained_row(study, config.models)
    binary = binary_benchmark(study, config, split)
    judged = None
    if binary is not None:
        judged = run_benchmark(binary, folder / "binary", resume=resume, report=False)
    facts: dict[str, Any] = {
        **describe_origin([], format_version=STUDY_FORMAT),
        "kind": study.kind,
        "question": config.question,
        "split": split,
        "row": row,
        "verdict": verdict(done, split, row),
        "parts": {"benchmark": "benchmark", "interpretation": "interpretation"}
        | ({"binary": "binary"} if judged else {}),
        "config": study.model_dump(mode="json"),
    }
    facts |= _look(study, home, config, done, folder, split, row)
    write_json(folder / "study.json", facts)
    report = build_report(folder)
    return ChromatinResult(folder, report, done._replace(report=report), judged, facts)


def _prepared(study: ChromatinStudy, home: Path, dataset: Path) -> BenchmarkConfig:
    """Build the dataset where there is none yet, and plan the benchmark on it."""
    if not study.dataset and not dataset.exists():
        build_dataset(study, home, dataset)
    with Dataset.open(dataset) as data:
        if not study.dataset:
            check_sources_kept(data.provenance, dataset)
        config = study_benchmark(study, dataset, data.inputs)
        check_dataset(study, home, data, config)
    return config


def _look(
    study: ChromatinStudy,
    home: Path,
    config: BenchmarkConfig,
    done: Benchmarked,
    folder: Path,
    split: str,
    row: str,
) -> dict[str, Any]:
    """Judge within cells and genes, explain, and give what the truth of a world tells."""
    truth = home / study.truth if study.truth else None
    with Dataset.open(config.dataset) as data:
        attach_kmer_bins(data)
        target = data.the_target(study.benchmark.target).name
        if not (folder / "genes.tsv").exists():
            write_tables(done.path, data, target, folder)
        if not (folder / "interpretation").exists():
            interpret_rows(
                _run_of(done, row, split, config),
                _attentive(study, config, done, split),
                data,
                study.interpretation.model_copy(update={"row": row}),
                folder / "interpretation",
                bin_size=bin_size(data),
                truth=truth,
                threads=study.benchmark.machine.threads,
            )
        if truth is None:
            return {}
        expected, genes = expected_values(truth, data), data.column("gene_id")
        told: dict[str, Any] = {}
        for one in read_predicted(done.path):
            if one.split not in told:
                told[one.split] = ceilings(expected, one, genes)
        return {"truth": told}


def bin_size(data: Dataset) -> int:
    """Give the bases of a bin, as its builder noted; 100 where it did not."""
    settings = data.provenance.get("settings") or {}
    return int(settings.get("bin_size") or 100)


def _run_of(done: Benchmarked, row: str, split: str, config: BenchmarkConfig) -> Path:
    return done.path / "runs" / PlannedRun(row, split, config.seed, 1.0).folder


def _attentive(
    study: ChromatinStudy, config: BenchmarkConfig, done: Benchmarked, split: str
) -> Path | None:
    row = study.interpretation.attention or _ATTENTIVE
    return _run_of(done, row, split, config) if row in config.models else None
