"""Fit a generator on the training part of a dataset's split into a folder GEN."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from exprimo.core.config import Config
from exprimo.core.dataset import Dataset
from exprimo.core.errors import ConfigError, InputError, MismatchError
from exprimo.core.files.atomic import (
    atomic_directory,
    atomic_file,
    being_written,
    is_being_written,
    partial_path,
    refuse_existing,
)
from exprimo.core.files.provenance import describe_origin, sha256_file
from exprimo.core.progress import task as progress_task
from exprimo.core.run import write_json
from exprimo.core.split import Split
from exprimo.generate.config import USUAL_MINUTES, USUAL_WATCH, GenerateConfig, GeneratorFit
from exprimo.generate.family import Family, FamilySpec, Layout
from exprimo.generate.fitting.baseline import loss_notes, random_loss
from exprimo.generate.fitting.loop import fit_family
from exprimo.generate.fitting.state import Progress
from exprimo.generate.folder import BOUND_FILES, GENERATOR_FORMAT, Generator
from exprimo.generate.material import (
    TrainingSequences,
    find_split,
    gather,
    ledger_of,
    refuse_leaks,
)
from exprimo.generate.registry import get_family
from exprimo.generate.stored import one_device, save_generator
from exprimo.training.machine import prepare

_STATE = "state.safetensors"
_FEWEST_PER_STEP, _MOST_PER_STEP = 8, 128


def generate_fit(
    dataset: str | Path,
    out: str | Path,
    *,
    generator: str = "diffusion",
    label: str | None = None,
    condition: str | None = None,
    target: str | None = None,
    like: str | Path | None = None,
    resume: bool = False,
    **settings: Any,
) -> Generator:
    """Fit a generator of sequences on the training part of a split.

    Parameters
    ----------
    dataset
        An ``.h5`` file with sequences of one length.
    out
        The generator's folder, which must not exist. While fitting it grows as a hidden sibling.
    generator
        The family: ``diffusion``, ``gan``, ``diffusion-published`` or ``gan-published``.
    label
        Learn from examples of this class only, such as ``1``; ``target`` says of what.
    condition
        A target to ask sequences by, a class or a value. Not together with ``label``.
    like
        A Run whose split says what may be learned from; unset: a split as `train` makes it.
    resume
        Go on with what a killed fit left; with a budget in steps the result equals that of an
        unbroken one.
    settings
        Fields of `GenerateConfig`: ``seed``, ``split={"strategy": ...}``,
        ``fit={"minutes": 10}``, ``machine={"threads": 1}``, ``options={...}``.

    Examples
    --------
    >>> import exprimo
    >>> exprimo.generate_fit("D.h5", "GEN", condition="y", fit={"minutes": 30})  # doctest: +SKIP
    """
    config = GenerateConfig.checked(
        {
            "dataset": str(Path(dataset).resolve()),
            "generator": generator,
            "label": label,
            "condition": condition,
            "target": target,
            "like": None if like is None else str(Path(like).resolve()),
            **settings,
        }
    )
    return fit_generator(config, out, resume=resume)


def fit_generator(config: GenerateConfig, out: str | Path, *, resume: bool = False) -> Generator:
    """Fit what a config describes; see `generate_fit`."""
    target = Path(out)
    spec = get_family(config.generator)
    config = config.model_copy(
        update={
            "options": spec.options.checked(config.options).model_dump(mode="json"),
            "fit": config.fit.model_copy(update={"watch": _watched_share(config.fit, spec)}),
        }
    )
    if resume and target.is_dir():
        finished = Generator.open(target)
        _refuse_other_settings(config, finished.config, finished.path, budget=False)
        return finished
    _check_partial(target, resume)
    try:
        with Dataset.open(config.dataset) as data, atomic_directory(target, resume=True) as folder:
            _fit_into(folder, config, spec, data)
    finally:
        partial = partial_path(target)
        if partial.is_dir() and not (partial / _STATE).exists() and not is_being_written(target):
            shutil.rmtree(partial)
    return Generator.open(target)


def _watched_share(fit: GeneratorFit, spec: FamilySpec) -> float:
    usual = float(spec.fit.get("watch", USUAL_WATCH))
    if fit.watch and not usual:
        raise ConfigError(
            f"{spec.name} cannot tell how well it fits what it has not learned from",
            record="fit.watch",
            found=fit.watch,
            expected="0",
            remedy="Leave it out: this family learns from all training examples",
        )
    return usual if fit.watch is None else fit.watch


def _fit_into(folder: Path, config: GenerateConfig, spec: FamilySpec, data: Dataset) -> None:
    split = _split(data, config, folder)
    # Behind the split: from here on freed memory is kept, and homology search needs much.
    devices, precision, threads = prepare(config.machine)
    device = one_device(devices)
    sequences = gather(data, config, split)
    config = _complete(config, spec, sequences, precision)
    _store_config(config, folder)
    ledger = ledger_of(data, sequences)
    refuse_leaks(ledger, data, split)
    ledger.save(folder / "ledger.parquet")
    layout = Layout(sequences.codes.shape[1], sequences.conditioning, device, precision)
    torch.manual_seed(config.seed)
    family = spec.build(spec.options.checked(config.options), layout)
    _set_rate(family, config.fit)
    minutes = config.fit.minutes
    total = config.fit.steps if minutes is None else int(60 * minutes)
    counted = "steps" if minutes is None else "seconds"
    with progress_task(f"Fitting {spec.name}, {counted}", total=total) as bar:
        weights, progress = fit_family(
            family,
            sequences,
            config.fit,
            seed=config.seed,
            device=device,
            state_path=folder / _STATE,
            bar=bar,
        )
    save_generator(folder / "model.safetensors", weights, spec, config, layout, sequences.label)
    _settled(config, progress).save(folder / "config.toml")
    _store_history(progress.history, folder)
    facts = {
        "machine": {"device": str(device), "precision": precision, "threads": threads},
        "budget": {"steps": config.fit.steps, "minutes": minutes},
        "files": {name: sha256_file(folder / name) for name in BOUND_FILES},
        **_fitted_facts(spec, family, sequences, progress),
    }
    write_json(folder / "provenance.json", _origin(data, split, facts))
    (folder / _STATE).unlink()


def _split(data: Dataset, config: GenerateConfig, folder: Path) -> Split:
    path = folder / "split.parquet"
    if path.exists():
        split = Split.load(path)
        split.check_dataset(data.sha256, file=data.path)
        return split
    split = find_split(data, config)
    split.save(path)
    return split


def _complete(
    config: GenerateConfig, spec: FamilySpec, sequences: TrainingSequences, precision: str
) -> GenerateConfig:
    """Fill what is unset from the family, the length and the number of sequences."""
    length = sequences.codes.shape[1]
    usual: dict[str, Any] = {
        "batch_size": max(_FEWEST_PER_STEP, min(_MOST_PER_STEP, spec.bases // length)),
        "schedule": "decay",
        "warm_up": 100,
        "average": 0.999,
        **spec.fit,
    }
    fit = config.fit
    if fit.steps is None and fit.minutes is None:
        fit = fit.model_copy(update={"minutes": USUAL_MINUTES})
    if fit.steps is not None:
        usual["every"] = max(10, min(1000, fit.steps // 20))
    filled = {name: value for name, value in usual.items() if getattr(fit, name) is None}
    return config.model_copy(
        update={
            "fit": fit.model_copy(update=filled),
            "machine": config.machine.model_copy(update={"precision": precision}),
        }
    )


def _settled(config: GenerateConfig, progress: Progress) -> GenerateConfig:
    """Write down the steps that were made, so that a replay needs no clock."""
    update = {"steps": progress.steps, "every": progress.every, "minutes": None}
    return config.model_copy(update={"fit": config.fit.model_copy(update=update)})


def _set_rate(family: Family, fit: GeneratorFit) -> None:
    if fit.learning_rate is not None:
        for optimizer in family.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = fit.learning_rate


def _fitted_facts(
    spec: FamilySpec, family: Family, sequences: TrainingSequences, progress: Progress
) -> dict[str, Any]:
    by_chance = random_loss(sequences) if spec.in_nats else None
    notes = [*sequences.notes.get("notes", ()), *loss_notes(progress.best_loss, by_chance)]
    return {
        "generator": spec.name,
        "length": sequences.codes.shape[1],
        "n_learned": len(sequences.learned),
        "n_watched": len(sequences.watched),
        **sequences.notes,
        "notes": notes,
        "condition": sequences.conditioning._asdict(),
        "label": None if sequences.label is None else sequences.label._asdict(),
        "n_parameters": sum(p.numel() for p in family.module.parameters()),
        "steps": progress.step,
        "kept_step": progress.best_step,
        "watched_loss": progress.best_loss,
        "random_loss": by_chance,
        "fit_seconds": progress.seconds,
    }


def _origin(data: Dataset, split: Split, facts: dict[str, Any]) -> dict[str, Any]:
    return describe_origin(
        [data.path],
        format_version=GENERATOR_FORMAT,
        dataset={"path": str(data.path.resolve()), "sha256": data.sha256},
        split={
            "strategy": split.strategy,
            "seed": split.seed,
            "counts": split.counts(),
            "held_out": list(split.held_out),
        },
        **facts,
    )


def _store_history(history: Sequence[dict[str, float]], folder: Path) -> None:
    names = dict.fromkeys(name for row in history for name in row)
    with (
        atomic_file(folder / "history.csv") as partial,
        open(partial, "w", newline="", encoding="utf-8") as handle,
    ):
        writer = csv.DictWriter(handle, list(names))
        writer.writeheader()
        writer.writerows(history)


def _check_partial(target: Path, resume: bool) -> None:
    refuse_existing(target)
    if is_being_written(target):
        raise being_written(target)
    if partial_path(target).is_dir() and not resume:
        raise InputError(
            "an unfinished generator stands here",
            file=target,
            found=partial_path(target).name,
            remedy="Go on with it: add --resume. Or remove that folder to start anew",
        )


def _store_config(config: GenerateConfig, folder: Path) -> None:
    path = folder / "config.toml"
    if path.exists():
        _refuse_other_settings(config, GenerateConfig.load(path), path, budget=True)
    else:
        config.save(path)


def _refuse_other_settings(
    config: GenerateConfig, before: GenerateConfig, path: Path, *, budget: bool
) -> None:
    """Refuse to resume what was begun otherwise; what was left open has been filled since."""
    filled = ("fit.", "machine.")
    changed = [
        f"{name}: {ours!r} instead of {theirs!r}"
        for name, ours, theirs in _flat_pairs(config, before)
        if ours != theirs
        and not (ours is None and name.startswith(filled))
        and (ours, name) not in (("auto", "machine.precision"), ("auto", "split.strategy"))
        and (budget or name not in ("fit.steps", "fit.minutes"))
    ]
    if changed:
        raise MismatchError(
            "the generator that stands here was begun with other settings",
            file=path,
            found="; ".join(changed),
            remedy="Resume with the same command, or choose another -o",
        )


def _flat_pairs(one: Config, other: Config, prefix: str = "") -> list[tuple[str, Any, Any]]:
    pairs: list[tuple[str, Any, Any]] = []
    for name in type(one).model_fields:
        ours, theirs = getattr(one, name), getattr(other, name)
        if isinstance(ours, Config):
            pairs += _flat_pairs(ours, theirs, f"{prefix}{name}.")
        else:
            pairs.append((f"{prefix}{name}", ours, theirs))
    return pairs
