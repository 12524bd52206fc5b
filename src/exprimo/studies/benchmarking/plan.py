"""Which runs a benchmark consists of: pure planning, apart from doing it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any, Literal, NamedTuple

from exprimo.core.dataset import Dataset
from exprimo.core.errors import ConfigError
from exprimo.core.split import Split
from exprimo.models import Task, default_baselines, get_spec
from exprimo.models.zoo import Imbalance, find_preset, trained_network
from exprimo.report.wording import strictness
from exprimo.splits import HomologyGroups, make_split
from exprimo.splits.names import parse_strategy
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
    for the setting are fitted to the classes as they are. So is a row that learns from generated
    positives: these are its treatment.
    """
    if model in config.augment:
        return "none"
    way, spec = config.fit.imbalance, get_spec(config.entry(model))
    if way is None:
        own: Imbalance = find_preset(spec, config.presets.get(model)).fit.get("imbalance", "none")
        return own
    if model in config.models or is_trained(model, config) or way in spec.imbalance:
        return way
    return "none"


def all_models(
    config: BenchmarkConfig, task: Task, held: Collection[str] | None = None
) -> list[str]:
    """List the models, baselines first, each once.

    Of the baselines that nobody asked for, those that read what the dataset does not hold are
    left out: genes without sequence have no GC content. ``held`` names its inputs; None: all.
    """
    unasked = [
        name
        for name in default_baselines(task)
        if held is None or set(get_spec(name).inputs) <= set(held)
    ]
    names = list(dict.fromkeys([*unasked, *config.models]))
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
    for key in ("presets", "variants", "rivals", "options", "augment"):
        for name in getattr(config, key):
            if name not in names:
                raise ConfigError(
                    f"{key} of a model that is not compared",
                    record=key,
                    found=name,
                    expected=", ".join(names),
                )


def plan_runs(
    config: BenchmarkConfig, task: Task, held: Collection[str] | None = None
) -> list[PlannedRun]:
    """List every run, cheap ones first, so that a mistake shows early.

    Baselines give the same from every seed and run once. ``held`` is as in `all_models`.
    """
    models = all_models(config, task, held)
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


def _members(row: str, config: BenchmarkConfig) -> Literal["seeds", "folds"]:
    """Give folds to networks alone: baselines have no members, and hybrids fit trees behind."""
    network = get_spec(config.entry(row)).kind == "network" and config.ensemble > 1
    return config.members if network else "seeds"


def named_values(config: BenchmarkConfig, strategy: str) -> dict[str, Any]:
    """Give the named chromosomes and cell types to a split that uses them, and to no other.

    Examples
    --------
    >>> config = BenchmarkConfig(dataset="D.h5", test_cells=("C7", "C8"))
    >>> named_values(config, "gene*cell"), named_values(config, "gene")
    ({'test_cells': ('C7', 'C8'), 'val_cells': ()}, {})
    """
    kinds = {factor.kind for factor in parse_strategy(strategy)} if strategy != "auto" else set()
    named: dict[str, Any] = {}
    if "chromosome" in kinds:
        named |= {"test_chroms": config.test_chroms, "val_chroms": config.val_chroms}
    if "cell" in kinds:
        named |= {"test_cells": config.test_cells, "val_cells": config.val_cells}
    return named


def _reads_embeddings(row: str, config: BenchmarkConfig) -> bool:
    spec = get_spec(config.entry(row))
    preset = find_preset(spec, config.presets.get(row))
    options = filled_options(preset.options, config.options.get(row, {}))
    network, inner = trained_network(spec, spec.config.checked(options))
    return "embedding" in network.inputs_read(inner)


def planned_splits(
    dataset: Dataset, config: BenchmarkConfig, groups: HomologyGroups | None
) -> dict[str, Split]:
    """Make each split of a benchmark once; ``auto`` becomes what the dataset allows."""
    made = [
        make_split(
            dataset,
            None if strategy == "auto" else strategy,
            seed=config.seed,
            **named_values(config, strategy),
            groups=groups,
        )
        for strategy in dict.fromkeys(config.splits)
    ]
    return {split.strategy: split for split in made}


def train_config(planned: PlannedRun, config: BenchmarkConfig, split: Split) -> TrainConfig:
    """Give the settings of one planned run."""
    way = own_imbalance(planned.model, config)
    fit = config.fit.model_copy(update={"fraction": planned.fraction, "imbalance": way})
    if way != "focal":
        fit = fit.model_copy(update={"focal_gamma": FitConfig().focal_gamma})
    return TrainConfig(
        dataset=config.dataset,
        embeddings=config.embeddings if _reads_embeddings(planned.model, config) else None,
        model=config.entry(planned.model),
        preset=config.presets.get(planned.model),
        target=config.target,
        above=config.above,
        seed=planned.seed,
        ensemble=config.ensemble if is_trained(planned.model, config) else 1,
        members=_members(planned.model, config),
        split=SplitConfig(
            strategy=split.strategy,
            seed=split.seed,
            **named_values(config, split.strategy),
        ),
        fit=fit,
        augment=config.augment_of(planned.model),
        machine=config.machine,
        options=config.options.get(planned.model, {}),
    )


def answer_split(splits: Iterable[str]) -> str:
    """Give the split that answers the question: the strictest, as in the report.

    Examples
    --------
    >>> answer_split(["column:part", "homology", "random"])
    'homology'
    >>> answer_split(["example", "gene", "gene*cell"])
    'gene*cell'
    """
    return min(map(str, dict.fromkeys(splits)), key=strictness)
