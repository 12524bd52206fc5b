"""Which benchmarks a study consists of: pure planning, apart from doing it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from exprimo.models import Task, default_baselines
from exprimo.studies.benchmarking import BenchmarkConfig
from exprimo.studies.differential.config import DifferentialStudy, OtherTarget
from exprimo.training import FitConfig

TASKS: dict[OtherTarget, Task] = {
    "direction": "classification",
    "three_way": "multiclass",
    "lfc": "regression",
}

# Baselines of every benchmark of classes; a regression has the mean for the majority class.
_UNASKED = default_baselines("classification")

# What a benchmark says of single rows of its table, by the row's name.
OF_ROWS = ("options", "presets", "variants")

_QUESTIONS: dict[OtherTarget, str] = {
    "direction": "Among changed genes: can promoters tell up from down?",
    "three_way": "Can promoters tell down, unchanged and up apart?",
    "lfc": "How much of the shrunken log2 fold change can be read from promoters?",
}


def study_question(study: DifferentialStudy, contrast: str) -> str:
    """Give the question of a study, made from the contrast where none is set."""
    return study.question or f"Can promoters tell which genes change ({contrast})?"


def main_benchmark(
    study: DifferentialStudy, dataset: str | Path, contrast: str = ""
) -> BenchmarkConfig:
    """Plan the benchmark of changed against unchanged genes; mean expression comes unasked."""
    values = study.benchmark.model_dump()
    values |= _compared(study, study.benchmark.models)
    values["dataset"] = str(dataset)
    values["question"] = values["question"] or study_question(study, contrast)
    return BenchmarkConfig.checked(values)


def other_benchmark(
    study: DifferentialStudy, name: OtherTarget, dataset: str | Path
) -> BenchmarkConfig:
    """Plan the benchmark of another target, under the first split alone.

    A regression has no classes, so what is done about unequal ones is left out of it.
    """
    main = study.benchmark
    values = main.model_dump(
        exclude={"models", "splits", "target", "above", "question", "ceiling", "ceiling_source"}
    )
    if TASKS[name] == "regression":
        values["fit"] |= {"imbalance": "none", "focal_gamma": FitConfig().focal_gamma}
    values |= _compared(study, study.targets.models)
    values |= {
        "dataset": str(dataset),
        "splits": main.splits[:1],
        "target": name,
        "question": _QUESTIONS[name],
    }
    return BenchmarkConfig.checked(values)


def settled_models(study: DifferentialStudy) -> tuple[str, ...]:
    """List every model that some benchmark of the study trains, each once."""
    asked = (*study.benchmark.models, *study.targets.models)
    return tuple(dict.fromkeys((*_UNASKED, "mean_expression", *asked)))


def _compared(study: DifferentialStudy, models: tuple[str, ...]) -> dict[str, Any]:
    """Give models, with what the study says of them and of no others."""
    names = ("mean_expression", *models)
    known = {*_UNASKED, *names}
    main = study.benchmark
    return {
        "models": names,
        "rivals": tuple(name for name in main.rivals if name in known),
        **{
            key: {name: value for name, value in getattr(main, key).items() if name in known}
            for key in OF_ROWS
        },
    }
