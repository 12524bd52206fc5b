"""Each way of treating the rarer class against doing nothing, at true prevalence, over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from exprimo.core.dataset import Dataset
from exprimo.core.files.atomic import atomic_file
from exprimo.core.progress import track
from exprimo.core.run import Run
from exprimo.core.split import Split
from exprimo.models import get_spec
from exprimo.models.zoo import Imbalance
from exprimo.studies.benchmarking import BenchmarkConfig
from exprimo.studies.benchmarking.plan import PlannedRun, is_trained, slug, train_config
from exprimo.studies.differential.config import SHUFFLES, ImbalanceComparison
from exprimo.studies.differential.imbalance.augmenting import Made, Source, make_samples, wanted
from exprimo.studies.differential.imbalance.judging import (
    DIFFERENCES,
    SCORES,
    Judged,
    difference_rows,
    judged,
    score_rows,
)
from exprimo.training import train_run
from exprimo.training.config import AugmentConfig

NONE = "none"


class Treatment(NamedTuple):
    """A way of treating the rarer class: what it adds, and the verdict on that."""

    name: str
    way: Imbalance = "none"
    sample: Path | None = None
    gate: str = ""


def compare_imbalance(
    config: ImbalanceComparison,
    benchmark: BenchmarkConfig,
    done: Path,
    out: Path,
    *,
    resume: bool,
    motifs: Path | None = None,
) -> None:
    """Train each model with each treatment on the benchmark's first split, and write the tables.

    Weights, resampling and generated promoters touch the training part only: validation and test
    keep the prevalence they have. A network is trained from several seeds, and each treatment is
    paired with none by seed; what the benchmark has trained already is taken from there. A
    baseline gives the same from every seed. One that has no use for a treatment (focal loss,
    where there is no loss to focus) has no row for it.
    """
    name = benchmark.splits[0]
    split = Split.load(done / "splits" / f"{slug(name)}.parquet")
    first = Run.open(done / "runs" / PlannedRun(config.models[0], name, benchmark.seed, 1.0).folder)
    samples = _samples(config, benchmark, first, split, out, motifs)
    treatments = [
        Treatment(NONE),
        *(Treatment(way, way) for way in config.strategies),
        *(Treatment(k, "none", one.sample, one.gate) for k, one in samples.items() if one.sample),
    ]
    plans = [
        (model, treatment, seed)
        for model in config.models
        for treatment in treatments
        if heeds(benchmark.entry(model), treatment.way)
        for seed in _seeds(config, benchmark, model)
    ]
    runs: dict[tuple[str, str], list[Run]] = {}
    for model, treatment, seed in track(plans, "Treating imbalance"):
        planned = PlannedRun(model, name, seed, 1.0)
        stands = done / "runs" / planned.folder
        if treatment.name == NONE and stands.exists():
            run = Run.open(stands)
        else:
            run = _train(planned, treatment, benchmark, split, out, resume=resume)
        runs.setdefault((model, treatment.name), []).append(run)
    gates = {treatment.name: treatment.gate for treatment in treatments}
    cells = {
        (model, treatment): judged(treatment, model, mine, split, gates[treatment])
        for (model, treatment), mine in runs.items()
    }
    _write_tables(cells, split, out)


def heeds(model: str, strategy: Imbalance) -> bool:
    """Tell whether a model has a use for a strategy; the loop sees to all of them for networks.

    Examples
    --------
    >>> heeds("cnn", "focal"), heeds("kmer_linear", "focal"), heeds("kmer_linear", "oversample")
    (True, False, True)
    """
    spec = get_spec(model)
    return strategy == NONE or spec.kind != "baseline" or strategy in spec.imbalance


def _samples(
    config: ImbalanceComparison,
    benchmark: BenchmarkConfig,
    plain: Run,
    split: Split,
    out: Path,
    motifs: Path | None,
) -> dict[str, Made]:
    if not config.generators:
        return {}
    with Dataset.open(benchmark.dataset) as dataset:
        n = wanted(dataset, benchmark.target, split)
    out.mkdir(parents=True, exist_ok=True)
    return make_samples(Source(config, benchmark, plain, n, motifs), split, out / "generated")


def _seeds(config: ImbalanceComparison, benchmark: BenchmarkConfig, model: str) -> Sequence[int]:
    several = config.seeds if is_trained(model, benchmark) else 1
    return range(benchmark.seed, benchmark.seed + several)


def _train(
    planned: PlannedRun,
    treatment: Treatment,
    benchmark: BenchmarkConfig,
    split: Split,
    out: Path,
    *,
    resume: bool,
) -> Run:
    fit = benchmark.fit.model_copy(update={"imbalance": treatment.way})
    train = train_config(planned, benchmark.model_copy(update={"fit": fit}), split)
    if treatment.sample is not None:
        sample = str(treatment.sample.resolve())
        added = AugmentConfig(sample=sample, ratio=1.0, insist=True)
        train = train.model_copy(update={"augment": added})
    folder = out / "runs" / f"{planned.folder}-{treatment.name}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    train_run(train, folder, split=split, resume=resume or folder.exists())
    return Run.open(folder)


def _write_tables(cells: dict[tuple[str, str], Judged], split: Split, out: Path) -> None:
    scores: list[dict[str, Any]] = []
    to_none: list[dict[str, Any]] = []
    to_control: list[dict[str, Any]] = []
    for (model, name), one in cells.items():
        scores += score_rows(one, split)
        if name != NONE:
            to_none += difference_rows(one, cells[model, NONE], split)
        if one.gate and name != SHUFFLES and (model, SHUFFLES) in cells:
            to_control += difference_rows(one, cells[model, SHUFFLES], split)
    _store(pd.DataFrame(scores, columns=list(SCORES)), out / "table.tsv")
    if to_control:
        _store(pd.DataFrame(to_control, columns=list(DIFFERENCES)), out / "against_shuffles.tsv")
    _store(pd.DataFrame(to_none, columns=list(DIFFERENCES)), out / "paired.tsv")


def _store(table: pd.DataFrame, path: Path) -> None:
    with atomic_file(path) as partial:
        table.to_csv(partial, sep="\t", index=False)
