"""Does treating the rarer class help? Each way against doing nothing, at true prevalence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from exprimo.core.files.atomic import atomic_file
from exprimo.core.progress import track
from exprimo.core.run import Run
from exprimo.core.split import Split
from exprimo.evaluate import paired_difference
from exprimo.models import get_spec
from exprimo.studies.benchmarking import BenchmarkConfig
from exprimo.studies.benchmarking.plan import PlannedRun, slug
from exprimo.studies.benchmarking.run import train_planned
from exprimo.studies.differential.config import ImbalanceComparison, Strategy

METRICS = ("auprc", "mcc", "auroc")
_DIFFERENCE = ("strategy", "model", "metric", "difference", "low", "high", "p")
_NONE = "none"


def compare_imbalance(
    config: ImbalanceComparison, benchmark: BenchmarkConfig, done: Path, out: Path, *, resume: bool
) -> None:
    """Train each model with each strategy on the benchmark's first split, and write the tables.

    Resampling and weights touch the training part only: validation and test keep the prevalence
    they have. The runs without a strategy are those of the benchmark. A baseline that has no use
    for a strategy (focal loss, where there is no loss to focus) has no row for it.
    """
    split_name = benchmark.splits[0]
    split = Split.load(done / "splits" / f"{slug(split_name)}.parquet")
    scores, differences = [], []
    plans = [
        (row, strategy)
        for row in config.models
        for strategy in config.strategies
        if heeds(benchmark.entry(row), strategy)
    ]
    for model in config.models:
        plain = Run.open(done / "runs" / PlannedRun(model, split_name, benchmark.seed, 1.0).folder)
        scores += _scores(plain, _NONE, model, split_name)
    for model, strategy in track(plans, "Treating imbalance"):
        fit = benchmark.fit.model_copy(update={"imbalance": strategy})
        planned = PlannedRun(model, split_name, benchmark.seed, 1.0)
        folder = out / "runs" / f"{planned.folder}-{strategy}"
        train_planned(
            planned, benchmark.model_copy(update={"fit": fit}), split, folder, resume=resume
        )
        treated = Run.open(folder)
        plain = Run.open(done / "runs" / planned.folder)
        scores += _scores(treated, strategy, model, split_name)
        differences += [_difference(treated, plain, strategy, model, m, split) for m in METRICS]
    _store(pd.DataFrame(scores), out / "table.tsv")
    _store(pd.DataFrame(differences, columns=list(_DIFFERENCE)), out / "paired.tsv")


def heeds(model: str, strategy: Strategy) -> bool:
    """Tell whether a model has a use for a strategy; the loop sees to all of them for networks.

    Examples
    --------
    >>> heeds("cnn", "focal"), heeds("kmer_linear", "focal"), heeds("kmer_linear", "oversample")
    (True, False, True)
    """
    spec = get_spec(model)
    return spec.kind != "baseline" or strategy in spec.imbalance


def _scores(run: Run, strategy: str, model: str, split: str) -> list[dict[str, Any]]:
    test = run.metrics["parts"]["test"]
    named = {"strategy": strategy, "model": model, "split": split}
    return [{**named, "metric": metric, **test[metric]} for metric in METRICS]


def _difference(
    treated: Run, plain: Run, strategy: str, model: str, metric: str, split: Split
) -> dict[str, Any]:
    rows = split.rows("test")
    ours = treated.predictions().set_index("example_id")
    wanted = pd.Index(split.example_id[rows])
    present = wanted.isin(ours.index)
    ids = wanted[present]
    theirs = plain.predictions().set_index("example_id").loc[ids]
    ours = ours.loc[ids]
    groups = (split.example_id if split.group is None else split.group)[rows][present]
    needs_threshold = metric == "mcc"
    found = paired_difference(
        ours["target"].to_numpy(np.float64),
        ours["prediction"].to_numpy(np.float64),
        theirs["prediction"].to_numpy(np.float64),
        groups,
        metric,
        threshold_a=treated.metrics["threshold"]["value"] if needs_threshold else None,
        threshold_b=plain.metrics["threshold"]["value"] if needs_threshold else None,
        unit=split.unit,
    )
    return {
        "strategy": strategy,
        "model": model,
        "metric": metric,
        "difference": found.value,
        "low": found.low,
        "high": found.high,
        "p": found.p,
    }


def _store(table: pd.DataFrame, path: Path) -> None:
    with atomic_file(path) as partial:
        table.to_csv(partial, sep="\t", index=False)
