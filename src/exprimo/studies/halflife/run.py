"""Running a promoter-halflife study, stage by stage."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from exprimo.core.dataset import Dataset
from exprimo.core.files.provenance import describe_origin
from exprimo.core.predictor import Backbone
from exprimo.core.run import Run, write_json
from exprimo.features.embeddings import attach_embeddings
from exprimo.report import build_report
from exprimo.scoring.embeddings import embed
from exprimo.splits import sequence_groups
from exprimo.studies.benchmarking import BenchmarkConfig, Benchmarked, run_benchmark
from exprimo.studies.benchmarking.plan import PlannedRun, answer_split, plan_runs, planned_splits
from exprimo.studies.halflife.checks import (
    backbone_model,
    check_backbone,
    check_dataset,
    check_files,
    check_layer,
    check_settings,
)
from exprimo.studies.halflife.config import HalflifeStudy
from exprimo.studies.halflife.interpretation import interpret_row
from exprimo.studies.halflife.plan import (
    settled_splits,
    study_benchmark,
    study_question,
)
from exprimo.studies.halflife.source import build_dataset
from exprimo.studies.halflife.truth import truth_ceilings
from exprimo.studies.halflife.verdict import verdict
from exprimo.studies.interpreting import EXPLAINED, explain_genes
from exprimo.studies.resuming import (
    SETTINGS,
    begun_study,
    check_settings_kept,
    check_sources_kept,
    study_folder,
)

STUDY_FORMAT = 1
_WRITTEN = ("embeddings", "benchmark", "interpretation", EXPLAINED, "study.json")


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
    with study_folder(study, home, out, resume=resume) as folder:
        return _run(study, home, folder, resume)


def _run(study: HalflifeStudy, home: Path, folder: Path, resume: bool) -> HalflifeResult:
    settings = folder / SETTINGS
    check_settings(study)
    check_settings_kept(study, settings)
    check_files(study, home)
    backbone = check_backbone(study, home)
    dataset = home / study.dataset if study.dataset else folder / "dataset.h5"
    names = _WRITTEN if study.dataset else ("dataset.h5", *_WRITTEN)
    with begun_study(study, settings, names):
        if not study.dataset and not dataset.exists():
            build_dataset(study, home, dataset)
        config = _benchmark(study, home, dataset, folder, backbone)
    _embed(study, home, dataset, folder)
    done = run_benchmark(config, folder / "benchmark", resume=resume, report=False)
    split = answer_split(done.scores["split"])
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
    row = PlannedRun(study.interpretation.row, split, config.seed, 1.0)
    truth = home / study.truth if study.truth else None
    facts |= _explain(study, config, done.path / "runs" / row.folder, folder, truth)
    explained = explain_genes(
        done,
        dataset,
        folder / EXPLAINED,
        split=split,
        seed=config.seed,
        row=row.model,
        annotation=home / study.genes.genes if study.genes else None,
        threads=study.benchmark.machine.threads,
    )
    if explained is not None:
        facts["parts"]["explained"] = EXPLAINED
    write_json(folder / "study.json", facts)
    report = build_report(folder)
    return HalflifeResult(folder, report, done._replace(report=report), facts)


def _embed(study: HalflifeStudy, home: Path, dataset: Path, folder: Path) -> None:
    machine, wanted = study.benchmark.machine, study.embeddings
    if wanted is not None:
        embed(
            backbone_model(study, home),
            dataset,
            folder / "embeddings",
            bin=wanted.bin,
            dtype=wanted.dtype,
            device=machine.device,
            threads=machine.threads,
        )


def _explain(
    study: HalflifeStudy, config: BenchmarkConfig, run: Path, folder: Path, truth: Path | None
) -> dict[str, Any]:
    """Explain a Run, and give what the truth of a simulated world tells of its test genes."""
    with (
        Dataset.open(config.dataset) as data,
        attach_embeddings(data, config.embeddings),
    ):
        if not (folder / "interpretation").exists():
            interpret_row(
                run,
                data,
                study.interpretation,
                folder / "interpretation",
                bin_bases=study.embeddings.bin if study.embeddings else 1,
                truth=truth,
                threads=study.benchmark.machine.threads,
            )
        done = Run.open(run)
        return {} if truth is None else {"truth": truth_ceilings(truth, data, done, done.split)}


def _benchmark(
    study: HalflifeStudy, home: Path, dataset: Path, folder: Path, backbone: Backbone | None
) -> BenchmarkConfig:
    """Plan the benchmark; a target that is a label already is not cut once more."""
    with Dataset.open(dataset) as data:
        if not study.dataset:
            check_sources_kept(data.provenance, dataset)
        target = data.the_target(study.benchmark.target)
        above = study.benchmark.above
        cut = None if above == "none" or target.kind != "regression" else above
        store = folder / "embeddings" if study.embeddings else None
        config = study_benchmark(study, dataset, store, cut)
        config = config.model_copy(update={"splits": settled_splits(study, data.columns)})
        check_dataset(study, home, data, config)
        check_layer(study, data, config, backbone)
        if not (folder / "benchmark").exists():
            # A split that is refused leaves nothing behind, so it is asked for before training.
            groups = sequence_groups(data) if "sequence" in data.inputs else None
            planned_splits(data, config, groups)
        plan_runs(config, "classification" if cut is not None else target.kind)
    return config
