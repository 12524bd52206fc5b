"""Fit one model, network or baseline, on the training part of a split."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from exprimo.core.config import Config
from exprimo.core.progress import task as progress_task
from exprimo.core.split import Split
from exprimo.evaluate.intervals import find_metric
from exprimo.models import Shapes, Task, get_spec
from exprimo.models.network import Precision
from exprimo.models.zoo import find_preset, trained_network
from exprimo.training.before import learned_first
from exprimo.training.config import FitConfig, TrainConfig
from exprimo.training.judging import HEADLINE
from exprimo.training.kinds import fit_baseline, fit_hybrid, shown_rows, stream_of
from exprimo.training.loop import (
    Examples,
    Recipe,
    Scaler,
    make_predictor,
    read_member,
    train_member,
)
from exprimo.training.machine import prepare
from exprimo.training.material import Fitted, Material, gather, open_examples, window_of
from exprimo.training.objective import Objective
from exprimo.training.team import FabricTeam, launch

_PRESENTATIONS = 400_000
_EPOCHS = (8, 20)
_BATCHES_PER_EPOCH = 50
_FEW_EXAMPLES, _FEW_RATE, _RATE = 10_000, 6e-3, 3e-3
_SHIFTED_WINDOW, _SHIFT = 200, 8
_BATCH_SIZES = (32, 256)
_FOR_ALL: dict[str, Any] = {
    "optimizer": "adamw",
    "weight_decay": 1e-2,
    "beta2": 0.99,
    "schedule": "one-cycle",
    "clip": 1.0,
    "average": 0.995,
    "patience": 8,
}


def fit_model(material: Material, config: TrainConfig, folder: Path) -> Fitted:
    """Fit the model; unfinished members leave their state in ``folder``."""
    if material.spec.kind == "baseline":
        return fit_baseline(material, config.seed)
    return _fit_network(material, config, folder)


def settled_fit(material: Material, config: TrainConfig) -> FitConfig:
    """Replace what was left to be chosen by the examples that the model learns from."""
    balance = material.balance
    # Rate and shift follow from real examples, epochs and batches from what an epoch shows.
    n_real = balance.learned(len(material.parts["train"]))
    n_shown = balance.shown(len(material.learned))
    settled = resolve_fit(config.fit, n_real, window_of(material.dataset), n_shown)
    if trained_network(material.spec, material.options)[0].unlabelled:
        # Epochs that were asked for are those of what is learned without labels; else it has
        # its own.
        return settled.model_copy(update={"epochs": config.fit.epochs})
    return settled


def with_preset(config: TrainConfig) -> TrainConfig:
    """Fill what is open from the preset, then from what suits the model.

    Examples
    --------
    >>> config = TrainConfig(dataset="D.h5", model="cnn2d", preset="published")
    >>> with_preset(config).fit.schedule, with_preset(config).options["pool"]
    ('constant', 2)
    """
    spec = get_spec(config.model)
    preset = find_preset(spec, config.preset)
    options = filled_options(preset.options, config.options)
    suited = spec.fit
    if spec.network is not None:
        suited = spec.network(spec.config.checked(options))[0].fit
    defaults = FitConfig()
    own = {name: value for name, value in config.fit if value != getattr(defaults, name)}
    return config.model_copy(
        update={
            "fit": FitConfig.checked({"imbalance": "none", **suited, **preset.fit, **own}),
            "options": options,
        }
    )


def filled_options(wanted: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Fill what is not given, also among the options of a network inside.

    Examples
    --------
    >>> filled_options({"net": "cnn", "net_options": {"kernel": 3}}, {"net_options": {"grid": 8}})
    {'net': 'cnn', 'net_options': {'kernel': 3, 'grid': 8}}
    """
    inner = {
        name: filled_options(wanted[name], value)
        for name, value in given.items()
        if isinstance(value, Mapping) and isinstance(wanted.get(name), Mapping)
    }
    return {**wanted, **given, **inner}


def resolve_fit(
    fit: FitConfig, n_train: int, window: int = 0, n_shown: int | None = None
) -> FitConfig:
    """Replace what was left to be chosen by the number of examples and the window.

    ``n_shown`` is what one epoch shows, where that differs from the examples that there are.

    Examples
    --------
    >>> resolve_fit(FitConfig(), 3000).batch_size
    60
    """
    n_shown = n_shown or n_train
    batch = fit.batch_size or int(np.clip(n_shown // _BATCHES_PER_EPOCH, *_BATCH_SIZES))
    epochs = fit.epochs or int(np.clip(round(_PRESENTATIONS / n_shown), *_EPOCHS))
    few = n_train < _FEW_EXAMPLES
    rate, shift = fit.learning_rate, fit.shift
    if rate is None:
        rate = _FEW_RATE if few else _RATE
    if shift is None:
        shift = _SHIFT if few and window >= _SHIFTED_WINDOW else 0
    settled = {name: value for name, value in _FOR_ALL.items() if getattr(fit, name) is None}
    return fit.model_copy(
        update={
            **settled,
            "batch_size": min(batch, n_shown),
            "epochs": epochs,
            "learning_rate": rate,
            "shift": shift,
        }
    )


def _fit_network(material: Material, config: TrainConfig, folder: Path) -> Fitted:
    devices, precision, _ = prepare(config.machine)
    recipe = _recipe(material, config, devices, precision)
    members, history, before = [], [], []
    with progress_task(f"Training {material.spec.name}", config.ensemble * recipe.epochs) as bar:
        for member in range(config.ensemble):
            own = recipe._replace(member=member)
            state = _state_path(folder, member)
            train, val = _examples(material, member)
            if len(devices) > 1:
                launch(devices, _train_in_team, config.model_dump(), str(folder), member)
                module, progress = read_member(own, state)
                bar.advance(recipe.epochs)
            else:
                module, progress = train_member(own, train, val, state, bar)
            members.append(module)
            history += progress.history
            before.append(progress.before)
    # The loss of what each member learned without labels, epoch by epoch.
    losses = {"before": before} if any(before) else {}
    first = learned_first(members[0])
    if material.spec.kind == "hybrid":
        hybrid, chosen = fit_hybrid(
            recipe,
            material.options,
            members,
            lambda member: stream_of(material, shown_rows(material, config.seed, member)),
            stream_of(material, material.parts["val"]),
        )
        return Fitted(hybrid, history, hybrid.n_parameters, {**chosen, **losses}, first)
    n_parameters = sum(p.numel() for member in members for p in member.parameters())
    return Fitted(make_predictor(recipe, members), history, n_parameters, losses, first)


def _state_path(folder: Path, member: int) -> Path:
    return folder / f"state-{member}.safetensors"


def _train_in_team(fabric: Any, values: dict[str, Any], folder: str, member: int) -> None:
    """Train one member in one of several processes; the first leaves the state."""
    config = TrainConfig.checked(values)
    split = Split.load(Path(folder) / "split.parquet")
    with open_examples(config) as dataset:
        material = gather(dataset, config, split)
        _, precision, _ = prepare(config.machine)
        recipe = _recipe(material, config, [fabric.device], precision)
        with progress_task("", 0) as bar:
            train_member(
                recipe._replace(member=member),
                *_examples(material, member),
                _state_path(Path(folder), member),
                bar,
                FabricTeam(fabric),
            )


def _recipe(
    material: Material, config: TrainConfig, devices: list[torch.device], precision: Precision
) -> Recipe:
    target = material.values[material.learned]
    fit = settled_fit(material, config)
    spec, options = trained_network(material.spec, material.options)
    scaler, balance = _scaler(target, material.task), material.balance
    return Recipe(
        spec=spec,
        options=options,
        shapes=Shapes(
            {name: material.dataset.inputs[name].shape for name in spec.inputs_read(options)},
            material.task,
            len(material.classes) or 1,
            material.classes,
        ),
        fit=fit,
        epochs=0 if spec.unlabelled else fit.epochs or 1,
        batch_size=fit.batch_size or len(target),
        seed=config.seed,
        member=0,
        device=devices[0],
        precision=precision,
        scaler=scaler,
        objective=Objective(
            material.task,
            fit.loss == "huber",
            *scaler,
            balance.loss_weights,
            balance.validation_weights,
            balance.focus,
        ),
        balance=balance,
        score=find_metric(HEADLINE[material.task]).function,
    )


def _examples(material: Material, member: int) -> tuple[Examples, Examples]:
    """Give what a member learns from, and what it stops by."""
    train, val = material.learned, material.parts["val"]
    if material.folds:
        val = material.folds[member]
        train = train[~np.isin(train, val)]
    return tuple(  # type: ignore[return-value]  # of two
        Examples(material.dataset, rows, material.values[rows]) for rows in (train, val)
    )


def _scaler(target: npt.NDArray[np.float32], task: Task) -> Scaler:
    if task != "regression":
        return Scaler(0.0, 1.0)
    spread = float(target.std(dtype=np.float64))
    return Scaler(float(target.mean(dtype=np.float64)), spread if spread > 0 else 1.0)


def complete_options(options: Config) -> dict[str, Any]:
    """Give every option with its value, as it is stored."""
    return options.model_dump(mode="json")
