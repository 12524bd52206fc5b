"""Train one model into a Run: fitted, judged, recorded, whole or resumable."""

from __future__ import annotations

import csv
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from exprimo.core.config import Config
from exprimo.core.dataset import Dataset
from exprimo.core.errors import InputError, MismatchError
from exprimo.core.files.atomic import (
    atomic_directory,
    atomic_file,
    being_written,
    is_being_written,
    partial_path,
    refuse_existing,
)
from exprimo.core.files.provenance import describe_origin
from exprimo.core.files.versions import RUN_FORMAT
from exprimo.core.predictor import Prediction
from exprimo.core.run import Run, write_json, write_predictions
from exprimo.core.split import Part, Split
from exprimo.features.embeddings import embedding_facts
from exprimo.models.network import Precision
from exprimo.models.stored import save_model
from exprimo.splits import make_split
from exprimo.splits.novelty import outside_training
from exprimo.training.config import AugmentConfig, TrainConfig
from exprimo.training.fitting import (
    complete_options,
    filled_options,
    fit_model,
    settled_fit,
    with_preset,
)
from exprimo.training.judging import Judged, check_leaks, judge_parts, leak_facts
from exprimo.training.machine import prepare
from exprimo.training.material import Fitted, Material, gather, open_examples
from exprimo.training.predicting import predict_rows, prediction_columns
from exprimo.training.recorded import ledger_of, with_first

HISTORY_COLUMNS = (
    "member",
    "epoch",
    "train_loss",
    "train_loss_evaluated",
    "val_loss",
    "train_accuracy",
    "val_accuracy",
    "val_score",
    "lr",
    "seconds",
)


def train_run(
    config: TrainConfig,
    out: str | Path,
    *,
    split: Split | None = None,
    resume: bool = False,
    allow_leak: bool = False,
    on_complete: Callable[[Path], None] | None = None,
) -> Run:
    """Train a model and write its Run.

    Parameters
    ----------
    config
        Everything that decides the result; stored completely in the Run.
    out
        The new folder. While training it grows as a hidden sibling.
    split
        Use this split instead of making one from ``config.split``.
    resume
        Go on with what a killed run left; the result equals that of an unbroken one.
    allow_leak
        Leave training examples that equal test ones where the split put them, judge the model
        in spite of it, and stamp the Run. Otherwise they are set aside.
    on_complete
        Called with the folder before it takes its final name (a report, for instance).
    """
    target = Path(out)
    if resume and target.is_dir():
        finished = Run.open(target)
        before = TrainConfig.load(finished.config_path)
        _refuse_other_settings(_filled_from(before, config), before, finished.config_path)
        return finished
    config = with_preset(config)
    _check_partial(target, resume)
    with open_examples(config) as dataset, _run_folder(target) as folder:
        started = time.perf_counter()
        used = _split(dataset, config, split, folder, purge=not allow_leak)
        # Behind the split: from here on freed memory is kept, and homology search needs much.
        devices, precision, threads = prepare(config.machine)
        material = gather(dataset, config, used)
        complete = _complete(config, material, used, precision)
        _store_config(complete, folder)
        ledger = ledger_of(material)
        held = check_leaks(ledger, dataset, material.parts["test"], used.held_out, allow=allow_leak)
        ledger.save(folder / "ledger.parquet")
        fitted = fit_model(material, complete, folder)
        seconds = time.perf_counter() - started
        with_first(ledger, fitted).save(folder / "ledger.parquet")
        save_model(
            folder / "model.safetensors",
            fitted.predictor,
            model=material.spec.name,
            options=complete_options(material.options),
            task=material.task,
        )
        judged = _predict_parts(material, fitted)
        _store_predictions(material, judged, folder)
        _store_history(fitted, folder)
        metrics = {
            **_facts(material, fitted),
            **_judgement(material, judged, used, config),
            "outside": _outside(dataset, used, split),
            "leaks": leak_facts(held),
            "allow_leak": allow_leak,
            "train_seconds": seconds,
        }
        write_json(folder / "metrics.json", metrics)
        names = [str(device) for device in devices]
        machine = {"devices": names, "precision": precision, "threads": threads}
        write_json(folder / "provenance.json", _provenance(material, used, complete, machine))
        for state in folder.glob("state-*.safetensors"):
            state.unlink()
        if on_complete is not None:
            on_complete(folder)
    return Run.open(target)


def _outside(dataset: Dataset, used: Split, given: Split | None) -> list[dict[str, Any]]:
    """Count test examples unlike training; who gave the split did so once for all its runs."""
    return [] if given else [one._asdict() for one in outside_training(dataset, used)]


def _judgement(
    material: Material, judged: dict[Part, Judged], split: Split, config: TrainConfig
) -> dict[str, Any]:
    return judge_parts(
        judged,
        split,
        material.task,
        level=config.level,
        members=config.ensemble,
        classes=material.classes,
    )


def dataset_facts(dataset: Dataset) -> dict[str, Any]:
    """Describe a dataset for provenance."""
    return {
        "path": str(dataset.path.resolve()),
        "sha256": dataset.sha256,
        "n_examples": len(dataset),
        "inputs": {
            name: {
                "shape": info.shape,
                "n_distinct": info.n_distinct,
                "dtype": str(info.dtype),
                "labels": list(info.labels),
            }
            for name, info in dataset.inputs.items()
        },
        "provenance": dataset.provenance,
    }


def _check_partial(target: Path, resume: bool) -> None:
    refuse_existing(target)
    if is_being_written(target):
        raise being_written(target)
    if partial_path(target).is_dir() and not resume:
        raise InputError(
            "an unfinished run stands here",
            file=target,
            found=partial_path(target).name,
            remedy="Go on with it: add --resume. Or remove that folder to start anew",
        )


class _run_folder:  # noqa: N801 -- used like a function, as contextlib's own classes are
    """The growing folder: kept after an error only if there is training to go on with."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._whole = atomic_directory(target, resume=True)

    def __enter__(self) -> Path:
        return self._whole.__enter__()

    def __exit__(self, *error: Any) -> bool | None:
        try:
            return self._whole.__exit__(*error)
        finally:
            if not any((partial := partial_path(self._target)).glob("state-*.safetensors")):
                shutil.rmtree(partial, ignore_errors=True)


def _split(
    dataset: Dataset, config: TrainConfig, given: Split | None, folder: Path, *, purge: bool
) -> Split:
    path = folder / "split.parquet"
    if path.exists():
        split = Split.load(path)
    elif given is not None:
        split = given
    else:
        wanted = config.split
        split = make_split(
            dataset,
            None if wanted.strategy == "auto" else wanted.strategy,
            seed=wanted.seed,
            fractions=wanted.fractions,
            test_chroms=wanted.test_chroms,
            val_chroms=wanted.val_chroms,
            test_cells=wanted.test_cells,
            val_cells=wanted.val_cells,
            purge=purge,
        )
    split.check_dataset(dataset.sha256, file=dataset.path)
    if not path.exists():
        split.save(path)
    return split


def _facts(material: Material, fitted: Fitted) -> dict[str, Any]:
    return {
        "task": material.task,
        "target": material.target,
        "units": material.dataset.targets[material.target].units if material.cut is None else "",
        "above": None if material.cut is None else material.cut.facts(),
        "model": material.spec.name,
        "role": material.spec.role,
        "inputs": list(material.inputs),
        "classes": list(material.classes) or None,
        "n_train": len(material.parts["train"]),
        "augment": None if material.added is None else dict(material.added.facts),
        "n_parameters": fitted.n_parameters,
        "chosen": fitted.chosen,
    }


def _complete(
    config: TrainConfig, material: Material, split: Split, precision: Precision
) -> TrainConfig:
    fit = config.fit if material.spec.kind == "baseline" else settled_fit(material, config)
    return config.model_copy(
        update={
            "dataset": str(material.dataset.path.resolve()),
            "embeddings": _resolved(config.embeddings),
            "split": config.split.model_copy(update={"strategy": split.strategy}),
            "fit": fit,
            "augment": _settled_augment(
                config.augment, None if material.added is None else material.added.facts["sha256"]
            ),
            "machine": config.machine.model_copy(update={"precision": precision}),
            "target": material.target,
            "options": complete_options(material.options),
        }
    )


def _resolved(path: str | None) -> str | None:
    return None if path is None else str(Path(path).resolve())


def _settled_augment(wanted: AugmentConfig, sha256: str | None) -> AugmentConfig:
    return wanted.model_copy(update={"sample": _resolved(wanted.sample), "sha256": sha256})


def _store_config(config: TrainConfig, folder: Path) -> None:
    path = folder / "config.toml"
    if path.exists():
        _refuse_other_settings(config, TrainConfig.load(path), path)
    else:
        config.save(path)


def _filled_from(before: TrainConfig, config: TrainConfig) -> TrainConfig:
    """Fill what was left to be chosen with what the finished run chose."""
    fit = {name: value for name, value in before.fit if getattr(config.fit, name) is None}
    split = {"strategy": before.split.strategy} if config.split.strategy == "auto" else {}
    machine = {"precision": before.machine.precision} if config.machine.precision == "auto" else {}
    return config.model_copy(
        update={
            "dataset": str(Path(config.dataset).resolve()),
            "embeddings": _resolved(config.embeddings),
            "fit": config.fit.model_copy(update=fit),
            "augment": _settled_augment(
                config.augment, config.augment.sha256 or before.augment.sha256
            ),
            "split": config.split.model_copy(update=split),
            "machine": config.machine.model_copy(update=machine),
            "target": config.target or before.target,
            "options": filled_options(before.options, config.options),
        }
    )


def _refuse_other_settings(config: TrainConfig, before: TrainConfig, path: Path) -> None:
    fields = TrainConfig.model_fields
    changed = [name for name in fields if getattr(before, name) != getattr(config, name)]
    if changed:
        raise MismatchError(
            "the run that stands here was started with other settings",
            file=path,
            record=", ".join(changed),
            found=_differences(config, before, changed),
            expected=_differences(before, config, changed),
            remedy="Resume with the same command, or choose another -o",
        )


def _differences(one: TrainConfig, other: TrainConfig, changed: list[str]) -> str:
    """Write only what differs, such as ``fit.epochs = 3``."""
    told = []
    for name in changed:
        ours, theirs = getattr(one, name), getattr(other, name)
        if isinstance(ours, Config):
            inner = type(ours).model_fields
            told += [
                f"{name}.{key} = {getattr(ours, key)}"
                for key in inner
                if getattr(ours, key) != getattr(theirs, key)
            ]
        else:
            told.append(f"{name} = {ours}")
    return ", ".join(told)


def _predict_parts(material: Material, fitted: Fitted) -> dict[Part, Judged]:
    judged: dict[Part, Judged] = {}
    for part, rows in material.parts.items():
        prediction = predict_rows(
            fitted.predictor, material.dataset, rows, description=f"Predicting {part}"
        )
        judged[part] = Judged(rows, material.values[rows], prediction)
    return judged


def _store_predictions(material: Material, judged: dict[Part, Judged], folder: Path) -> None:
    rows = np.concatenate([j.rows for j in judged.values()])
    order = np.argsort(rows)
    means, sds = zip(*(j.prediction for j in judged.values()), strict=True)
    prediction = Prediction(np.concatenate(means)[order], np.concatenate(sds)[order])
    table = pd.DataFrame(
        {
            "example_id": material.dataset.column("example_id")[rows[order]],
            "target": np.concatenate([j.observed for j in judged.values()])[order],
            **prediction_columns(prediction, material.classes),
        }
    )
    write_predictions(folder / "predictions.parquet", table)


def _store_history(fitted: Fitted, folder: Path) -> None:
    with (
        atomic_file(folder / "history.csv") as partial,
        open(partial, "w", newline="", encoding="utf-8") as handle,
    ):
        writer = csv.DictWriter(handle, HISTORY_COLUMNS)
        writer.writeheader()
        writer.writerows(fitted.history)


def _provenance(
    material: Material, split: Split, config: TrainConfig, machine: dict[str, Any]
) -> dict[str, Any]:
    dataset, sources = material.dataset, [material.dataset.path]
    if material.added is not None:
        sources.append(Path(material.added.facts["sample"]))
        told = {**material.added.facts, "generator": dict(material.added.generator)}
        machine = {"augment": told, **machine}
    if config.embeddings is not None:
        machine = {"embeddings": embedding_facts(config.embeddings), **machine}
    return describe_origin(
        sources,
        format_version=RUN_FORMAT,
        dataset=dataset_facts(dataset),
        split={
            "strategy": split.strategy,
            "seed": split.seed,
            "counts": split.counts(),
            "notes": dict(split.notes),
            "held_out": list(split.held_out),
        },
        **machine,
    )
