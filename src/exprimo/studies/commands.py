"""The public functions that are composed from several floors: train, benchmark, init, run."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from exprimo.core.config import Config, apply_override, read_toml
from exprimo.core.dataset import Dataset
from exprimo.core.errors import ConfigError
from exprimo.core.files.atomic import atomic_file, refuse_existing
from exprimo.core.run import Run
from exprimo.report import build_report
from exprimo.studies.benchmarking import BenchmarkConfig, Benchmarked, run_benchmark
from exprimo.studies.chromatin import ChromatinResult, ChromatinStudy, run_chromatin_study
from exprimo.studies.differential import (
    DifferentialResult,
    DifferentialStudy,
    run_differential_study,
)
from exprimo.studies.halflife import HalflifeResult, HalflifeStudy, run_halflife_study
from exprimo.studies.individual import IndividualResult, IndividualStudy, run_individual_study
from exprimo.studies.sequence import SequenceStudy, run_sequence_study
from exprimo.studies.templates import (
    chromatin_template,
    differential_template,
    halflife_template,
    individual_template,
    sequence_template,
)
from exprimo.training import TrainConfig, train_run
from exprimo.training.recorded import stated, train_like

KINDS: dict[str, type[Config]] = {
    "sequence": SequenceStudy,
    "differential-promoter": DifferentialStudy,
    "promoter-halflife": HalflifeStudy,
    "chromatin": ChromatinStudy,
    "individual": IndividualStudy,
    "benchmark": BenchmarkConfig,
    "train": TrainConfig,
}

TEMPLATES = {
    "sequence": sequence_template,
    "differential-promoter": differential_template,
    "promoter-halflife": halflife_template,
    "chromatin": chromatin_template,
    "individual": individual_template,
}


def train(
    dataset: str | Path,
    out: str | Path,
    *,
    model: str | None = None,
    like: str | Path | None = None,
    resume: bool = False,
    allow_leak: bool = False,
    **settings: Any,
) -> Run:
    """Train one model into a Run with its report.

    Parameters
    ----------
    dataset
        An ``.h5`` file.
    out
        The Run's folder, which must not exist.
    model
        A name from `models`; unset: ``histone_fcn`` where the dataset holds signal, else ``cnn``.
    like
        An earlier Run of the same dataset: its split as it stands, target, seed, model, options
        and all other settings but the machine. What is given beside it wins; another ``model``
        brings its own options and fit.
    resume
        Go on with what a killed run left; the result equals that of an unbroken one.
    allow_leak
        Judge the model even on what it learned from, and stamp the report.
    settings
        Fields of `TrainConfig`: ``target``, ``seed``, ``ensemble``, ``split={"strategy": ...}``,
        ``fit={"epochs": ...}``, ``augment={"sample": ...}``, ``machine={"threads": ...}``,
        ``options={...}``. None stands for what is not given.

    Examples
    --------
    >>> exprimo.train("D.h5", "RUN", split={"strategy": "chromosome"})    # doctest: +SKIP
    >>> exprimo.train("D.h5", "AGAIN", like="RUN", seed=1)                # doctest: +SKIP
    """
    values = stated({"dataset": str(dataset), "model": model, **settings})
    split = None
    if like is None:
        config = TrainConfig.checked({"model": model or _usual_model(dataset), **values})
    else:
        config, split = train_like(like, values)
    return train_run(
        config,
        out,
        split=split,
        resume=resume,
        allow_leak=allow_leak,
        on_complete=_write_report,
    )


def _usual_model(dataset: str | Path) -> str:
    """Choose a network by what a dataset holds; one of sequences would pass over its signal."""
    with Dataset.open(dataset) as data:
        return "histone_fcn" if "signal" in data.inputs else "cnn"


def benchmark(
    dataset: str | Path,
    out: str | Path,
    *,
    models: Sequence[str] = ("cnn",),
    splits: Sequence[str] = ("auto",),
    resume: bool = False,
    **settings: Any,
) -> Benchmarked:
    """Compare models under splits, with the baselines, paired intervals and counted overlaps.

    Parameters
    ----------
    dataset
        An ``.h5`` file.
    out
        The folder to write, which must not exist.
    models, splits
        Names from `models`; split strategies.
    resume
        Keep what an interrupted benchmark has finished.
    settings
        Fields of `BenchmarkConfig`: ``seeds``, ``fractions``, ``fit={...}``, ...

    Examples
    --------
    >>> exprimo.benchmark("D.h5", "B", splits=["random", "homology"])     # doctest: +SKIP
    """
    values: Mapping[str, Any] = {
        "dataset": str(dataset),
        "models": tuple(models),
        "splits": tuple(splits),
        **settings,
    }
    return run_benchmark(BenchmarkConfig.checked(values), out, resume=resume)


def init(kind: str, out: str | Path = "study.toml") -> Path:
    """Write a commented study file to fill in.

    Parameters
    ----------
    kind
        ``sequence``, ``differential-promoter``, ``promoter-halflife``, ``chromatin`` or
        ``individual``.
    out
        The TOML file, which must not exist.
    """
    if kind not in TEMPLATES:
        raise ConfigError("no such kind of study", found=kind, expected=" or ".join(TEMPLATES))
    refuse_existing(out)
    with atomic_file(out) as partial:
        partial.write_text(TEMPLATES[kind](), encoding="utf-8")
    return Path(out)


def run(
    study: str | Path,
    *,
    out: str | Path | None = None,
    overrides: Iterable[str] = (),
    resume: bool = False,
) -> Benchmarked | ChromatinResult | DifferentialResult | HalflifeResult | IndividualResult | Run:
    """Run a study file, or replay the ``config.toml`` of a Run or a benchmark.

    Parameters
    ----------
    study
        A TOML file with a ``kind``.
    out
        Where to write; a study has its own ``out``.
    overrides
        ``key.sub=value``, applied over the file.
    resume
        Go on with what an interrupted run has left.
    """
    values = read_toml(study)
    for override in overrides:
        apply_override(values, override)
    kind = values.get("kind")
    if kind not in KINDS:
        near = difflib.get_close_matches(str(kind), KINDS, n=1)
        raise ConfigError(
            "unknown kind of study",
            file=study,
            record="kind",
            found=kind,
            expected=", ".join(KINDS),
            remedy=f"Did you mean {near[0]}?" if near else None,
        )
    config = KINDS[kind].checked(values, file=study)
    if isinstance(config, SequenceStudy):
        return run_sequence_study(config, Path(study).parent, out=out, resume=resume)
    if isinstance(config, DifferentialStudy):
        return run_differential_study(config, Path(study).parent, out=out, resume=resume)
    if isinstance(config, HalflifeStudy):
        return run_halflife_study(config, Path(study).parent, out=out, resume=resume)
    if isinstance(config, ChromatinStudy):
        return run_chromatin_study(config, Path(study).parent, out=out, resume=resume)
    if isinstance(config, IndividualStudy):
        return run_individual_study(config, Path(study).parent, out=out, resume=resume)
    if out is None:
        raise ConfigError(f"say where to write this {kind}", file=study, remedy="Add -o FOLDER")
    if isinstance(config, BenchmarkConfig):
        return run_benchmark(config, out, resume=resume)
    assert isinstance(config, TrainConfig)
    return train_run(config, out, resume=resume, on_complete=_write_report)


def _write_report(folder: Path) -> None:
    build_report(folder)
