"""Which runs a benchmark consists of: pure planning, apart from doing it."""

from __future__ import annotations

import re
from typing import NamedTuple

from exprimo.core.errors import ConfigError
from exprimo.core.split import Split
from exprimo.models import Task, default_baselines, get_spec
from exprimo.models.zoo import Imbalance, find_preset, trained_network
from exprimo.studies.benchmarking.config import BenchmarkConfig, ComparisonConfig
from exprimo.training import FitConfig, SplitConfig, TrainConfig
from exprimo.training.fitting import filled_options
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
        return f"{slug(self.model)}-{slug(self.split)}-s{self.seed}{share}"


def slug(strategy: str) -> str:
    """Make a file name of a strategy or of a row of the table.

    Examples
    --------
    >>> slug("gene*cell"), slug("column:batch")
    ('gene-x-cell', 'column-batch')
    """
    return re.sub(r"[:/\s]+", "-", strategy.replace("*", "-x-"))


def is_trained(row: str, config: ComparisonConfig) -> bool:
    """Tell whether a row's model is trained by the loop, and so differs from seed to seed."""
    return get_spec(config.entry(row)).kind != "baseline"


def own_imbalance(model: str, config: BenchmarkConfig) -> Imbalance:
    """Give what a model of a benchmark does about unequal classes.

    The baselines that every benchmark carries come without being asked, so those that have no use
    for the setting are fitted to the classes as they are.
    """
    way, spec = config.fit.imbalance, get_spec(config.entry(model))
    if way is None:
        own: Imbalance = find_preset(spec, config.presets.get(model)).fit.get("imbalance", "none")
        return own
    if model in config.models or is_trained(model, config) or way in spec.imbalance:
        return way
    return "none"


def all_models(config: BenchmarkConfig, task: Task) -> list[str]:
    """List the models, baselines first, each once."""
    names = list(dict.fromkeys([*default_baselines(task), *config.models]))
    _refuse_unlisted(config, names)
    for name in names:
        spec = get_spec(config.entry(name))
        if task not in spec.tasks:
            raise ConfigError(
                f"{name} is not made for this kind of target",
                found=task,
                expected=" or ".join(spec.tasks),
            )
        check_imbalance(own_imbalance(name, config), spec, task)
    return names


def _refuse_unlisted(config: BenchmarkConfig, names: list[str]) -> None:
    """Refuse settings of a row that is not in the table: a misspelt name would do nothing."""
    for key in ("presets", "variants", "rivals", "options"):
        for name in getattr(config, key):
            if name not in names:
                raise ConfigError(
                    f"{key} of a model that is not compared",
                    record=key,
                    found=name,
                    expected=", ".join(names),
                )


def plan_runs(config: BenchmarkConfig, task: Task) -> list[PlannedRun]:
    """List every run, cheap ones first, so that a mistake shows early.

    Baselines give the same from every seed and run once.
    """
    models = all_models(config, task)
    runs = []
    for split in dict.fromkeys(config.splits):
        for model in models:
            seeds = config.seeds if is_trained(model, config) else 1
            runs += [PlannedRun(model, split, config.seed + s, 1.0) for s in range(seeds)]
    last = models[-1]
    for fraction in sorted(set(config.fractions) - {1.0}):
        if not 0 < fraction < 1:
            raise ConfigError(
                "not a share of the training part", found=fraction, expected="between 0 and 1"
            )
        seeds = config.seeds if is_trained(last, config) else 1
        runs += [
            PlannedRun(last, config.splits[0], config.seed + s, fraction) for s in range(seeds)
        ]
    return sorted(runs, key=lambda run: is_trained(run.model, config))


def _reads_embeddings(row: str, config: BenchmarkConfig) -> bool:
    spec = get_spec(config.entry(row))
    preset = find_preset(spec, config.presets.get(row))
    options = filled_options(preset.options, config.options.get(row, {}))
    network, inner = trained_network(spec, spec.config.checked(options))
    return "embedding" in network.inputs_read(inner)


def train_config(planned: PlannedRun, config: BenchmarkConfig, split: Split) -> TrainConfig:
    """Give the settings of one planned run."""
    way = own_imbalance(planned.model, config)
    fit = config.fit.model_copy(update={"fraction": planned.fraction, "imbalance": way})
    if way != "focal":
        fit = fit.model_copy(update={"focal_gamma": FitConfig().focal_gamma})
    # The named chromosomes belong to the split that uses them, and to no other.
    named = split.strategy == "chromosome"
    return TrainConfig(
        dataset=config.dataset,
        embeddings=config.embeddings if _reads_embeddings(planned.model, config) else None,
        model=config.entry(planned.model),
        preset=config.presets.get(planned.model),
        target=config.target,
        above=config.above,
        seed=planned.seed,
        ensemble=config.ensemble if is_trained(planned.model, config) else 1,
        split=SplitConfig(
            strategy=split.strategy,
            seed=split.seed,
            test_chroms=config.test_chroms if named else (),
            val_chroms=config.val_chroms if named else (),
        ),
        fit=fit,
        machine=config.machine,
        options=config.options.get(planned.model, {}),
    )
