"""``exprimo benchmark``: every model under every split, paired, with the overlaps counted."""

from __future__ import annotations

import time
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from exprimo.core.dataset import Dataset, TargetInfo
from exprimo.core.errors import InputError
from exprimo.core.files.atomic import (
    atomic_directory,
    atomic_file,
    being_written,
    is_being_written,
    partial_path,
)
from exprimo.core.files.provenance import describe_origin
from exprimo.core.files.versions import RUN_FORMAT
from exprimo.core.progress import track
from exprimo.core.run import Run, write_json
from exprimo.core.split import Split
from exprimo.models import get_spec
from exprimo.report import build_report
from exprimo.splits import HomologyGroups, Overlaps, count_overlaps, sequence_groups
from exprimo.splits.novelty import outside_training
from exprimo.studies.benchmarking.config import BenchmarkConfig
from exprimo.studies.benchmarking.plan import (
    PlannedRun,
    plan_runs,
    planned_splits,
    slug,
    train_config,
)
from exprimo.studies.benchmarking.tables import (
    learning_curve,
    paired_table,
    read_cells,
    score_table,
)
from exprimo.training import TrainConfig, train_run
from exprimo.training.augmentation import check_sample
from exprimo.training.judging import HEADLINE
from exprimo.training.objective.cut import task_of
from exprimo.training.run import dataset_facts


class Benchmarked(NamedTuple):
    """What a benchmark wrote: ``scores`` and ``paired`` are its tables."""

    path: Path
    report: Path
    headline: str
    scores: pd.DataFrame
    paired: pd.DataFrame


def run_benchmark(
    config: BenchmarkConfig, out: str | Path, *, resume: bool = False, report: bool = True
) -> Benchmarked:
    """Train and judge every planned run, then write tables and the report.

    A killed benchmark goes on with ``resume``: finished runs stay, the unfinished one continues
    from its last epoch. Without ``report`` no page is written, for a study that writes its own.
    """
    target = Path(out)
    if resume and (target / "benchmark.json").exists():
        _check_config(config, target)
        return read_benchmark(target)
    if is_being_written(target):
        raise being_written(target)
    if not resume:
        _refuse_unfinished(target)
    started = time.perf_counter()
    with Dataset.open(config.dataset) as dataset, atomic_directory(target, resume=True) as folder:
        facts = dataset.the_target(config.target)
        config = _store_config(config.model_copy(update={"target": facts.name}), folder)
        groups = sequence_groups(dataset) if "sequence" in dataset.inputs else None
        config, splits = _splits(dataset, config, groups, folder)
        overlaps = _overlaps(dataset, splits, groups, folder)
        task = task_of(facts, config.above)
        planned = plan_runs(config, task, dataset.inputs)
        for run in track(planned, "Training models"):
            own = folder / "runs" / run.folder
            train_planned(run, config, splits[run.split], own, resume=resume)
        headline = HEADLINE[task]
        cells = read_cells(planned, folder / "runs", splits, config.role)
        curve, verdict = learning_curve(planned, folder / "runs", splits, headline)
        _store_table(score_table(cells, task), folder / "table.tsv")
        chosen_on = read_cells(planned, folder / "runs", splits, config.role, "val")
        _store_table(score_table(chosen_on, task), folder / "validation.tsv")
        _store_table(paired_table(cells, headline), folder / "paired.tsv")
        if len(curve):
            _store_table(curve, folder / "learning_curve.tsv")
        write_json(
            folder / "benchmark.json",
            {
                **describe_origin([], format_version=RUN_FORMAT),
                "question": config.question or _question(facts.name, config.models),
                "dataset": dataset_facts(dataset),
                "task": task,
                **_target_facts(facts, config),
                "headline": headline,
                "models": [_model_facts(planned, name, config, folder) for name in _names(planned)],
                "splits": list(splits),
                "split_files": {name: f"splits/{slug(name)}" for name in splits},
                "runs": [{**run._asdict(), "folder": f"runs/{run.folder}"} for run in planned],
                "seeds": list(range(config.seed, config.seed + config.seeds)),
                "wall_seconds": time.perf_counter() - started,
                "ceiling": _ceiling(config),
                "overlaps": overlaps,
                "outside": {
                    name: [one._asdict() for one in outside_training(dataset, split)]
                    for name, split in splits.items()
                },
                "learning_curve": verdict,
            },
        )
        if report:
            build_report(folder)
    return read_benchmark(target)


def _refuse_unfinished(target: Path) -> None:
    partial = partial_path(target)
    if partial.is_dir():
        raise InputError(
            "an unfinished benchmark stands here",
            file=target,
            found=partial.name,
            remedy="Go on with it: add --resume. Or remove that folder to start anew",
        )


def _ceiling(config: BenchmarkConfig) -> dict[str, Any] | None:
    if config.ceiling is None:
        return None
    return {"value": config.ceiling, "what": config.ceiling_source}


def read_benchmark(path: str | Path) -> Benchmarked:
    """Read a finished benchmark back."""
    folder = Path(path)
    facts = Run(folder).read_json("benchmark.json")
    return Benchmarked(
        folder,
        folder / "report.html",
        facts["headline"],
        pd.read_csv(folder / "table.tsv", sep="\t"),
        pd.read_csv(folder / "paired.tsv", sep="\t"),
    )


def _store_config(config: BenchmarkConfig, folder: Path) -> BenchmarkConfig:
    if (folder / "config.toml").exists():
        _check_config(config, folder)
    config.save(folder / "config.toml")
    return config


def _target_facts(target: TargetInfo, config: BenchmarkConfig) -> dict[str, str]:
    return {"target": target.name, "units": target.units if config.above is None else ""}


def _check_config(config: BenchmarkConfig, folder: Path) -> None:
    """Refuse to go on with a benchmark that was started with other settings."""
    path = folder / "config.toml"
    before = BenchmarkConfig.load(path)
    # The target may be left out where there is only one; what is stored names it.
    if before != config.model_copy(update={"target": config.target or before.target}):
        raise InputError(
            "the benchmark that stands here was started with other settings",
            file=path,
            remedy="Resume with the same command, or choose another -o",
        )


def _splits(
    dataset: Dataset, config: BenchmarkConfig, groups: HomologyGroups | None, folder: Path
) -> tuple[BenchmarkConfig, dict[str, Split]]:
    """Make each split once, and give the configuration with ``auto`` resolved.

    Generated sequences that a row may not learn from under it are refused, before any run.
    """
    splits = planned_splits(dataset, config, groups)
    for row, split in product(config.augment, splits.values()):
        check_sample(config.augment_of(row), dataset, split)
    (folder / "splits").mkdir(exist_ok=True)
    for split in splits.values():
        path = folder / "splits" / f"{slug(split.strategy)}.parquet"
        if not path.exists():
            split.save(path)
    return config.model_copy(update={"splits": tuple(splits)}), splits


def _overlaps(
    dataset: Dataset, splits: dict[str, Split], groups: HomologyGroups | None, folder: Path
) -> dict[str, Any]:
    if groups is None:
        return {}
    counted = {}
    for strategy, split in splits.items():
        overlaps = count_overlaps(dataset, split, groups=groups)
        counted[strategy] = _overlap_facts(overlaps)
        _store_table(overlaps.named, folder / "splits" / f"{slug(strategy)}.overlaps.tsv")
        _store_table(overlaps.nearest, folder / "splits" / f"{slug(strategy)}.nearest.tsv")
    return counted


def _overlap_facts(overlaps: Overlaps) -> dict[str, Any]:
    # Identical sequences are relatives too, and the nearest ones.
    pairs = [overlaps.count(f"{kind}_sequence") for kind in ("identical", "near_duplicate")]
    related = overlaps.nearest["shared"] > 0
    return {
        "near_duplicate_pairs": sum(p.pairs for p in pairs),
        "kept": sum(p.together for p in pairs),
        "torn": sum(p.train_test for p in pairs),
        "torn_from_validation": sum(p.torn - p.train_test for p in pairs),
        "test_with_relative_in_train": int(related.sum()),
        "n_test": len(overlaps.nearest),
        "complete": overlaps.complete,
        "relations": overlaps.counts.to_dict("records"),
    }


def train_planned(
    planned: PlannedRun, config: BenchmarkConfig, split: Split, folder: Path, *, resume: bool
) -> None:
    """Train one planned run into ``folder``, or go on with what stands there."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    train = train_config(planned, config, split)
    train_run(train, folder, split=split, resume=resume or folder.exists())


def _names(planned: list[PlannedRun]) -> list[str]:
    return list(dict.fromkeys(run.model for run in planned))


def _model_facts(
    planned: list[PlannedRun], name: str, config: BenchmarkConfig, folder: Path
) -> dict[str, Any]:
    spec = get_spec(config.entry(name))
    first = next(run for run in planned if run.model == name)
    run = Run.open(folder / "runs" / first.folder)
    return {
        "name": name,
        "model": spec.name,
        "role": config.role(name),
        "summary": spec.summary,
        "inputs": run.metrics["inputs"],
        "n_parameters": run.metrics["n_parameters"],
        "citation": spec.cited(spec.config.checked(TrainConfig.load(run.config_path).options)),
    }


def _store_table(table: pd.DataFrame, path: Path) -> None:
    with atomic_file(path) as partial:
        table.to_csv(partial, sep="\t", index=False)


def _question(target: str, models: tuple[str, ...]) -> str:
    verb = "does" if len(models) == 1 else "do"
    return f"How well {verb} {', '.join(models)} predict {target} of sequences never seen?"
