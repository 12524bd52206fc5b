"""Which runs a benchmark consists of: pure planning, apart from doing it."""

from __future__ import annotations

from typing import NamedTuple

from exprimo.core.errors import ConfigError
from exprimo.models import Task, default_baselines, get_spec
from exprimo.models.zoo import Imbalance
from exprimo.studies.benchmarking.config import BenchmarkConfig
from exprimo.training.objective import check_imbalance


class PlannedRun(NamedTuple):
    """One cell of the table: a model under a split from a seed on a share of the training part."""

    model: str
    split: str
    seed: int
    fraction: float

    @property
    def folder(self) -> str:
        share = "" if self.fraction >= 1 else f"-f{self.fraction:g}"
        return f"{self.model}-{slug(self.split)}-s{self.seed}{share}"


def slug(strategy: str) -> str:
    """Make a file name of a strategy.

    Examples
    --------
    >>> slug("gene*cell"), slug("column:batch")
    ('gene-x-cell', 'column-batch')
    """
    return strategy.replace("*", "-x-").replace(":", "-").replace("/", "-")


def is_trained(model: str) -> bool:
    """Tell whether a model is trained by the loop, and so differs from seed to seed."""
    return get_spec(model).kind != "baseline"


def own_imbalance(model: str, config: BenchmarkConfig) -> Imbalance:
    """Give what a model of a benchmark does about unequal classes.

    The baselines that every benchmark carries come without being asked, so those that have no use
    for the setting are fitted to the classes as they are.
    """
    way, spec = config.fit.imbalance, get_spec(model)
    if model in config.models or is_trained(model) or way in spec.imbalance:
        return way
    return "none"


def all_models(config: BenchmarkConfig, task: Task) -> list[str]:
    """List the models, baselines first, each once."""
    names = list(dict.fromkeys([*default_baselines(task), *config.models]))
    for name in names:
        spec = get_spec(name)
        if task not in spec.tasks:
            raise ConfigError(
                f"{name} is not made for this kind of target",
                found=task,
                expected=" or ".join(spec.tasks),
            )
        check_imbalance(own_imbalance(name, config), spec, task)
    return names


def plan_runs(config: BenchmarkConfig, task: Task) -> list[PlannedRun]:
    """List every run, cheap ones first, so that a mistake shows early.

    Baselines give the same from every seed and run once.
    """
    models = all_models(config, task)
    runs = []
    for split in dict.fromkeys(config.splits):
        for model in models:
            seeds = config.seeds if is_trained(model) else 1
            runs += [PlannedRun(model, split, config.seed + s, 1.0) for s in range(seeds)]
    last = models[-1]
    for fraction in sorted(set(config.fractions) - {1.0}):
        if not 0 < fraction < 1:
            raise ConfigError(
                "not a share of the training part", found=fraction, expected="between 0 and 1"
            )
        seeds = config.seeds if is_trained(last) else 1
        runs += [
            PlannedRun(last, config.splits[0], config.seed + s, fraction) for s in range(seeds)
        ]
    return sorted(runs, key=lambda run: is_trained(run.model))
