"""Running a promoter-halflife study, stage by stage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from exprimo.core.dataset import Dataset
from exprimo.core.errors import ExprimoError, InputError
from exprimo.core.files.provenance import describe_origin
from exprimo.core.run import Run, write_json
from exprimo.core.split import Split
from exprimo.features.embeddings import attach_embeddings
from exprimo.report import build_report
from exprimo.scoring.embeddings import embed
from exprimo.studies.benchmarking import BenchmarkConfig, Benchmarked, run_benchmark
from exprimo.studies.benchmarking.plan import PlannedRun, plan_runs, slug
from exprimo.studies.halflife.checks import (
    backbone_model,
    check_backbone,
    check_dataset,
    check_files,
    check_settings,
)
from exprimo.studies.halflife.config import HalflifeStudy
from exprimo.studies.halflife.interpretation import interpret_row
from exprimo.studies.halflife.plan import (
    answer_split,
    settled_splits,
    study_benchmark,
    study_question,
)
from exprimo.studies.halflife.source import build_dataset
from exprimo.studies.halflife.truth import truth_ceilings
from exprimo.studies.halflife.verdict import verdict
from exprimo.studies.resuming import check_settings_kept

STUDY_FORMAT = 1


class HalflifeResult(NamedTuple):
    """What a study wrote, and its benchmark."""

    path: Path
    report: Path
    benchmark: Benchmarked
    facts: dict[str, Any]


def run_halflife_study(
    study: HalflifeStudy, home: Path, *, out: str | Path | None = None, resume: bool = False
) -> HalflifeResult:
    """Build the dataset, embed, compare the rows, explain one of them, and write the report.

    Parameters
    ----------
    home
        The folder that paths in the study are relative to.
    out
        Overrides ``study.out``.
    resume
        Keep what an interrupted run has finished.
    """
    folder = Path(out) if out is not None else home / study.out
    settings = folder / "settings.toml"
    if not resume and settings.exists():
        raise InputError(
            "a study stands here already",
            file=folder,
            remedy="Go on with it: add --resume. Or choose another out",
        )
    check_settings(study)
    check_settings_kept(study, settings)
    check_files(study, home)
    check_backbone(study, home)
    dataset = home / study.dataset if study.dataset else folder / "dataset.h5"
    with _started(study, folder, settings) as anew:
        # What stands in a folder without settings was not made by this study: it is refused.
        if not study.dataset and (anew or not dataset.exists()):
            build_dataset(study, home, dataset)
        config = _benchmark(study, home, dataset, folder)
    if study.embeddings is not None:
        model = backbone_model(study, home)
        embed(model, dataset, folder / "embeddings", bin=study.embeddings.bin)
    done = run_benchmark(config, folder / "benchmark", resume=resume, report=False)
    split = answer_split(done.scores["split"])
    headline_split = Split.load(done.path / "splits" / f"{slug(split)}.parquet")
    row = PlannedRun(study.interpretation.row, split, config.seed, 1.0)
    run = done.path / "runs" / row.folder
    truth = home / study.truth if study.truth else None
    facts: dict[str, Any] = {
        **describe_origin([], format_version=STUDY_FORMAT),
        "kind": study.kind,
        "question": study_question(study),
        "split": split,
        "verdict": verdict(done, split),
        "parts": {"benchmark": "benchmark", "interpretation": "interpretation"},
        "preset": study.preset,
        "config": study.model_dump(mode="json"),
    }
    with _opened(config) as data:
        if not (folder / "interpretation").exists():
            interpret_row(
                run,
                data,
                study.interpretation,
                folder / "interpretation",
                bin_bases=study.embeddings.bin if study.embeddings else 1,
                truth=truth,
            )
        if truth is not None:
            facts["truth"] = truth_ceilings(truth, data, Run.open(run), headline_split)
    write_json(folder / "study.json", facts)
    report = build_report(folder)
    return HalflifeResult(folder, report, done._replace(report=report), facts)


@contextmanager
def _started(study: HalflifeStudy, folder: Path, settings: Path) -> Iterator[bool]:
    """Write the settings, and leave nothing behind if the dataset is refused.

    Yields whether the study begins anew. A kill leaves the settings, so that it is resumed with
    no others.
    """
    if settings.exists():
        yield False
        return
    before = set(folder.iterdir()) if folder.exists() else None
    study.save(settings)
    try:
        yield True
    except ExprimoError:
        for path in set(folder.iterdir()) - (before or set()):
            path.unlink()
        if before is None:
            folder.rmdir()
        raise


def _benchmark(study: HalflifeStudy, home: Path, dataset: Path, folder: Path) -> BenchmarkConfig:
    """Plan the benchmark; a target that is a label already is not cut once more."""
    with Dataset.open(dataset) as data:
        target = data.the_target(study.benchmark.target)
        above = study.benchmark.above
        cut = None if above == "none" or target.kind != "regression" else above
        store = folder / "embeddings" if study.embeddings else None
        config = study_benchmark(study, dataset, store, cut)
        config = config.model_copy(update={"splits": settled_splits(study, data.columns)})
        check_dataset(study, home, data, config)
        plan_runs(config, "classification" if cut is not None else target.kind)
    return config


@contextmanager
def _opened(config: BenchmarkConfig) -> Iterator[Dataset]:
    with Dataset.open(config.dataset) as data, attach_embeddings(data, config.embeddings):
        yield data
