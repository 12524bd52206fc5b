"""Fit one model, network or baseline, on the training part of a split."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from exprimo.core.config import Config
from exprimo.core.dataset import Dataset
from exprimo.core.errors import ConfigError, InputError, MismatchError
from exprimo.core.predictor import Batch, Predictor
from exprimo.core.progress import task as progress_task
from exprimo.core.split import Part, Split
from exprimo.evaluate.intervals import find_metric
from exprimo.models import ModelSpec, Shapes, Task, get_spec
from exprimo.models.baselines.baseline import Floats, Stream
from exprimo.models.network import Precision
from exprimo.training.batches import Rows
from exprimo.training.config import FitConfig, TrainConfig
from exprimo.training.judging import HEADLINE
from exprimo.training.loop import (
    Examples,
    Recipe,
    Scaler,
    make_predictor,
    read_member,
    train_member,
)
from exprimo.training.machine import prepare
from exprimo.training.predicting import batch_rows
from exprimo.training.team import FabricTeam, launch

_PRESENTATIONS = 400_000
_EPOCHS = (8, 20)
_BATCHES_PER_EPOCH = 50
_FEW_EXAMPLES, _FEW_RATE, _RATE = 10_000, 6e-3, 3e-3
_SHIFTED_WINDOW, _SHIFT = 200, 8
_BATCH_SIZES = (32, 256)


class Material(NamedTuple):
    """What a model learns from and is judged on; rows without a target are left out."""

    dataset: Dataset
    spec: ModelSpec
    options: Config
    target: str
    task: Task
    values: npt.NDArray[np.float32]
    parts: dict[Part, Rows]


class Fitted(NamedTuple):
    """A fitted model and what its fitting tells."""

    predictor: Predictor
    history: list[dict[str, float]]
    n_parameters: int


def gather(dataset: Dataset, config: TrainConfig, split: Split) -> Material:
    """Check that model, dataset, target and split fit one another, before any work is done."""
    spec = get_spec(config.model)
    options = spec.config.checked(config.options)
    missing = [name for name in spec.inputs if name not in dataset.inputs]
    if missing:
        raise MismatchError(
            f"{spec.name} reads inputs that the dataset does not hold",
            file=dataset.path,
            found=", ".join(dataset.inputs),
            expected=", ".join(spec.inputs),
            remedy="Build the dataset with them, or choose another model",
        )
    target = dataset.the_target(config.target)
    if target.kind not in spec.tasks:
        raise ConfigError(
            f"{spec.name} is not made for this kind of target",
            record=target.name,
            found=target.kind,
            expected=" or ".join(spec.tasks),
        )
    values = dataset.target(target.name)
    parts: dict[Part, Rows] = {}
    for part in ("train", "val", "test"):
        rows = split.rows(part)
        parts[part] = rows[~np.isnan(values[rows])]
        if not len(parts[part]):
            raise InputError(
                f"no example of the {part} part has a value of {target.name}",
                file=dataset.path,
                remedy="Choose other fractions, chromosomes or another strategy",
            )
        if target.kind == "classification" and part != "test" and len(set(values[parts[part]])) < 2:
            raise InputError(
                f"the {part} part holds one class only",
                file=dataset.path,
                record=target.name,
                found=f"{len(parts[part])} examples of class {values[parts[part]][0]:g}",
                remedy="Choose another split or seed, or bring examples of both classes",
            )
    parts["train"] = thin(parts["train"], split, config.fit.fraction, config.seed)
    if spec.adapt is not None:
        options = spec.adapt(options, len(parts["train"]))
    return Material(dataset, spec, options, target.name, target.kind, values, parts)


def thin(rows: Rows, split: Split, fraction: float, seed: int) -> Rows:
    """Keep a share of the training rows, whole groups, the smaller share within the larger.

    Examples
    --------
    >>> import numpy as np
    >>> split = Split(np.array(list("abcd")), np.array(["train"] * 4), "random", 0, "", ())
    >>> len(thin(np.arange(4), split, 0.5, 0))
    2
    """
    if fraction >= 1:
        return rows
    groups = rows if split.group is None else split.group[rows]
    names, codes = np.unique(groups, return_inverse=True)
    rank = np.random.default_rng([seed, 77]).permutation(len(names))[codes]
    order = np.argsort(rank, kind="stable")
    kept = max(2, round(fraction * len(rows)))
    return np.sort(rows[order[:kept]])


def fit_model(material: Material, config: TrainConfig, folder: Path) -> Fitted:
    """Fit the model; unfinished members leave their state in ``folder``."""
    if material.spec.kind == "baseline":
        return _fit_baseline(material)
    return _fit_network(material, config, folder)


def resolve_fit(fit: FitConfig, n_train: int, window: int = 0) -> FitConfig:
    """Replace what was left to be chosen by the number of examples and the window.

    Examples
    --------
    >>> resolve_fit(FitConfig(), 3000).batch_size
    60
    """
    batch = fit.batch_size or int(np.clip(n_train // _BATCHES_PER_EPOCH, *_BATCH_SIZES))
    epochs = fit.epochs or int(np.clip(round(_PRESENTATIONS / n_train), *_EPOCHS))
    few = n_train < _FEW_EXAMPLES
    rate, shift = fit.learning_rate, fit.shift
    if rate is None:
        rate = _FEW_RATE if few else _RATE
    if shift is None:
        shift = _SHIFT if few and window >= _SHIFTED_WINDOW else 0
    return fit.model_copy(
        update={
            "batch_size": min(batch, n_train),
            "epochs": epochs,
            "learning_rate": rate,
            "shift": shift,
        }
    )


def window_of(dataset: Dataset) -> int:
    """Give the length of ``sequence``, 0 where there is none."""
    return dataset.inputs["sequence"].shape[0] if "sequence" in dataset.inputs else 0


def _fit_baseline(material: Material) -> Fitted:
    baseline = material.spec.build(material.options, material.task)
    baseline.fit(_stream(material, "train"), _stream(material, "val"))
    return Fitted(baseline, [], sum(values.size for values in baseline.state().values()))


def _stream(material: Material, part: Part) -> Stream:
    rows, size = material.parts[part], batch_rows(material.dataset)
    names = material.spec.inputs or tuple(material.dataset.inputs)[:1]

    def batches() -> Iterator[tuple[Batch, Floats]]:
        for start in range(0, len(rows), size):
            chosen = rows[start : start + size]
            yield material.dataset.batch(names, chosen), material.values[chosen].astype(float)

    return batches


def _fit_network(material: Material, config: TrainConfig, folder: Path) -> Fitted:
    devices, precision, _ = prepare(config.machine)
    recipe = _recipe(material, config, devices, precision)
    train, val = _examples(material, "train"), _examples(material, "val")
    members, history = [], []
    with progress_task(f"Training {material.spec.name}", config.ensemble * recipe.epochs) as bar:
        for member in range(config.ensemble):
            own = recipe._replace(member=member)
            state = _state_path(folder, member)
            if len(devices) > 1:
                launch(devices, _train_in_team, config.model_dump(), str(folder), member)
                module, progress = read_member(own, state)
                bar.advance(recipe.epochs)
            else:
                module, progress = train_member(own, train, val, state, bar)
            members.append(module)
            history += progress.history
    n_parameters = sum(p.numel() for member in members for p in member.parameters())
    return Fitted(make_predictor(recipe, members), history, n_parameters)


def _state_path(folder: Path, member: int) -> Path:
    return folder / f"state-{member}.safetensors"


def _train_in_team(fabric: Any, values: dict[str, Any], folder: str, member: int) -> None:
    """Train one member in one of several processes; the first leaves the state."""
    config = TrainConfig.checked(values)
    split = Split.load(Path(folder) / "split.parquet")
    with Dataset.open(config.dataset) as dataset:
        material = gather(dataset, config, split)
        _, precision, _ = prepare(config.machine)
        recipe = _recipe(material, config, [fabric.device], precision)
        with progress_task("", 0) as bar:
            train_member(
                recipe._replace(member=member),
                _examples(material, "train"),
                _examples(material, "val"),
                _state_path(Path(folder), member),
                bar,
                FabricTeam(fabric),
            )


def _recipe(
    material: Material, config: TrainConfig, devices: list[torch.device], precision: Precision
) -> Recipe:
    target = material.values[material.parts["train"]]
    fit = resolve_fit(config.fit, len(target), window_of(material.dataset))
    return Recipe(
        spec=material.spec,
        options=material.options,
        shapes=Shapes(
            {name: material.dataset.inputs[name].shape for name in material.spec.inputs},
            material.task,
        ),
        fit=fit,
        epochs=fit.epochs or 1,
        batch_size=fit.batch_size or len(target),
        seed=config.seed,
        member=0,
        device=devices[0],
        precision=precision,
        scaler=_scaler(target, material.task),
        score=find_metric(HEADLINE[material.task]).function,
    )


def _examples(material: Material, part: Part) -> Examples:
    rows = material.parts[part]
    return Examples(material.dataset, rows, material.values[rows])


def _scaler(target: npt.NDArray[np.float32], task: Task) -> Scaler:
    if task == "classification":
        return Scaler(0.0, 1.0)
    spread = float(target.std(dtype=np.float64))
    return Scaler(float(target.mean(dtype=np.float64)), spread if spread > 0 else 1.0)


def complete_options(options: Config) -> dict[str, Any]:
    """Give every option with its value, as it is stored."""
    return options.model_dump(mode="json")
