"""The loop: fit one member of an ensemble, epoch by epoch, resumable after each."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from exprimo.core.config import Config
from exprimo.core.dataset import Dataset
from exprimo.core.errors import TrainingError
from exprimo.core.progress import Task as ProgressTask
from exprimo.models.network import (
    NetworkPredictor,
    Precision,
    autocast,
    one_hot_table,
    to_tensors,
)
from exprimo.models.standardise import learn_statistics
from exprimo.models.zoo import ModelSpec, Shapes
from exprimo.training.batches import Rows, epoch_batches, epoch_generator, load_batch
from exprimo.training.before import freeze_pretext, input_statistics, learn_pretext
from exprimo.training.config import FitConfig
from exprimo.training.objective import Balance, Objective
from exprimo.training.objective.imbalance import epoch_rows
from exprimo.training.predicting import predict_rows
from exprimo.training.state import Progress, load_state, save_state
from exprimo.training.team import Alone, Team

_WARM_UP = 0.2
_START_FACTOR, _END_FACTOR = 1 / 25, 1e-4
_PLATEAU_PATIENCE, _PLATEAU_FACTOR = 2, 0.5
_EVALUATED = 20_000
# Scores of two epochs that differ by less are rounding errors of one ranking.
_TIE = 1e-6


class Examples(NamedTuple):
    """Rows of a dataset with their target, (rows,), NaN excluded."""

    dataset: Dataset
    rows: Rows
    target: npt.NDArray[np.float32]


class Scaler(NamedTuple):
    """Training mean and standard deviation of the target."""

    center: float
    scale: float


class Recipe(NamedTuple):
    """All that one member's training depends on besides the examples."""

    spec: ModelSpec
    options: Config
    shapes: Shapes
    fit: FitConfig
    epochs: int
    batch_size: int
    seed: int
    member: int
    device: torch.device
    precision: Precision
    scaler: Scaler
    objective: Objective
    balance: Balance
    score: Callable[[npt.NDArray[Any], npt.NDArray[Any]], float]


def learning_rate(step: int, steps: int, fit: FitConfig) -> float:
    """Give the rate of a step: a pure function, so that resuming needs no scheduler state.

    One-cycle (Smith & Topin 2019), also where no schedule is set, rises along a cosine over the
    first fifth and falls along a cosine; ``cosine`` only falls. ``constant`` stays, and so does
    ``plateau`` within an epoch: see `plateau_factor`.

    Examples
    --------
    >>> learning_rate(20, 100, FitConfig(learning_rate=1.0))
    1.0
    """
    peak = fit.learning_rate or 0.0
    if fit.schedule in ("constant", "plateau"):
        return peak
    start = 0.0 if fit.schedule == "cosine" else _WARM_UP * steps
    if step < start:
        rise = 0.5 - 0.5 * math.cos(math.pi * step / start)
        return peak * (_START_FACTOR + (1 - _START_FACTOR) * rise)
    fall = 0.5 + 0.5 * math.cos(math.pi * (step - start) / max(1.0, steps - start))
    return peak * (_END_FACTOR + (1 - _END_FACTOR) * fall)


def plateau_factor(history: Sequence[Mapping[str, float]]) -> float:
    """Give the share of the rate that is left: halved after three epochs that were no better.

    Judged by validation accuracy, or by the score where there are no classes. Computed from the
    history each time, so that resuming needs no scheduler state.

    Examples
    --------
    >>> plateau_factor([{"val_accuracy": 0.6}, *3 * [{"val_accuracy": 0.5}]])
    0.5
    """
    best, waited, factor = float("-inf"), 0, 1.0
    for epoch in history:
        value = epoch.get("val_accuracy", epoch.get("val_score", 0.0))
        best, waited = (value, 0) if value > best else (best, waited + 1)
        if waited > _PLATEAU_PATIENCE:
            factor, waited = factor * _PLATEAU_FACTOR, 0
    return factor


def train_member(
    recipe: Recipe,
    train: Examples,
    val: Examples,
    state_path: Path,
    bar: ProgressTask,
    team: Team | None = None,
) -> tuple[nn.Module, Progress]:
    """Fit one member and return it at its best epoch (by validation score).

    The state is written to ``state_path`` after each epoch; if it exists, training goes on
    from it and ends the same as if it had never stopped. In a ``team`` every process calls
    this; the first one validates, decides and writes.
    """
    team = team or Alone()
    begun = state_path.exists()
    progress = Progress(finished=recipe.epochs == 0)
    module = _build(recipe)
    if not begun:
        progress.before = _learn_before(recipe, module, train, state_path)
    average, optimizer = copy.deepcopy(module).requires_grad_(False), _optimizer(recipe, module)
    best = copy.deepcopy(average.state_dict())
    if begun:
        progress, best = load_state(state_path, module, average, optimizer)
        bar.advance(progress.epoch)
    shared = team.wrap(module)
    while not progress.finished:
        started = time.perf_counter()
        learned = _epoch(recipe, train, module, shared, average, optimizer, progress, team)
        if team.rank == 0:
            kept = average if recipe.fit.average else module
            learned |= _evaluated(recipe, train, kept)
            if _validate(recipe, val, kept, learned, started, optimizer, progress):
                best = copy.deepcopy(kept.state_dict())
            save_state(state_path, progress, module, average, best, optimizer)
            bar.advance(1, note=f"validation {progress.history[-1]['val_score']:.3f}")
        progress = team.from_first(progress)
    bar.advance(recipe.epochs - progress.epoch)
    module.load_state_dict(best)
    return module.eval(), progress


def read_member(recipe: Recipe, state_path: Path) -> tuple[nn.Module, Progress]:
    """Read a finished member back from its state, at its best epoch."""
    module = _build(recipe)
    average, optimizer = copy.deepcopy(module), _optimizer(recipe, module)
    progress, best = load_state(state_path, module, average, optimizer)
    module.load_state_dict(best)
    return module.eval(), progress


def _evaluated(recipe: Recipe, train: Examples, kept: nn.Module) -> dict[str, float]:
    """Give the training loss in evaluation mode, where it was asked for."""
    if not recipe.fit.evaluate_train:
        return {}
    shown = np.arange(len(train.rows))
    if len(shown) > _EVALUATED:
        chosen = np.random.default_rng([recipe.seed, recipe.member, 53])
        shown = np.sort(chosen.choice(len(train.rows), _EVALUATED, replace=False))
    outputs = predict_rows(make_predictor(recipe, [kept]), train.dataset, train.rows[shown]).mean
    return {"train_loss_evaluated": recipe.objective.validation_loss(train.target[shown], outputs)}


def _validate(
    recipe: Recipe,
    val: Examples,
    kept: nn.Module,
    learned: dict[str, float],
    started: float,
    optimizer: torch.optim.Optimizer,
    progress: Progress,
) -> bool:
    """Close an epoch: score it, note it, decide whether to go on; tell whether it is the best."""
    outputs = predict_rows(make_predictor(recipe, [kept]), val.dataset, val.rows).mean
    several = recipe.shapes.task == "multiclass"
    score = recipe.score(val.target, outputs if several else outputs[:, 0])
    loss = recipe.objective.validation_loss(val.target, outputs)
    progress.epoch += 1
    improved = _better(score, loss, progress)
    if improved:
        progress.best_score, progress.best_epoch = score, progress.epoch
    progress.history.append(
        {
            "member": recipe.member,
            "epoch": progress.epoch,
            **learned,
            "val_loss": loss,
            **_accuracy("val_accuracy", recipe, outputs, val.target, 0.5),
            "val_score": score,
            "lr": optimizer.param_groups[0]["lr"],
            "seconds": time.perf_counter() - started,
        }
    )
    waited = progress.epoch - progress.best_epoch
    progress.finished = progress.epoch >= recipe.epochs or waited >= (
        recipe.fit.patience or recipe.epochs
    )
    return improved


def _better(score: float, loss: float, progress: Progress) -> bool:
    """Tell whether an epoch beats the best before it: by score, and of equal scores by loss.

    A network of few weights ranks alike in every epoch, and only the loss tells how far it has
    come.
    """
    if progress.epoch == 1:
        return True
    before = progress.history[progress.best_epoch - 1]["val_loss"]
    if abs(score - progress.best_score) <= _TIE:
        return loss < before
    return score > progress.best_score


def _build(recipe: Recipe) -> nn.Module:
    torch.manual_seed(
        int(np.random.SeedSequence([recipe.seed, recipe.member]).generate_state(1)[0])
    )
    module: nn.Module = recipe.spec.build(recipe.options, recipe.shapes).to(recipe.device)
    freeze_pretext(module)
    return module


def _learn_before(
    recipe: Recipe, module: nn.Module, train: Examples, state_path: Path
) -> list[dict[str, float]]:
    """Standardise inputs by the training part, and let a first part of the network learn."""
    names = getattr(module, "standardise", {})
    learn_statistics(module, input_statistics(train.dataset, names, train.rows))
    return learn_pretext(
        module,
        train.dataset,
        train.rows,
        seed=recipe.seed,
        member=recipe.member,
        state_path=state_path.with_name(f"{state_path.stem}-first.safetensors"),
        epochs=recipe.fit.epochs if recipe.spec.unlabelled else None,
    )


def _optimizer(recipe: Recipe, module: nn.Module) -> torch.optim.Optimizer:
    learning = [p for p in module.parameters() if p.requires_grad]
    decayed = [p for p in learning if p.ndim > 1]
    free = [p for p in learning if p.ndim <= 1]
    fit = recipe.fit
    kind = torch.optim.Adam if fit.optimizer == "adam" else torch.optim.AdamW
    return kind(
        [
            {"params": decayed, "weight_decay": fit.weight_decay or 0.0},
            {"params": free, "weight_decay": 0.0},
        ],
        lr=fit.learning_rate or 0.0,
        betas=(0.9, fit.beta2 or 0.0),
    )


def _epoch(
    recipe: Recipe,
    train: Examples,
    module: nn.Module,
    shared: nn.Module,
    average: nn.Module,
    optimizer: torch.optim.Optimizer,
    progress: Progress,
    team: Team,
) -> dict[str, float]:
    fit, names = recipe.fit, tuple(recipe.shapes.inputs)
    generator = epoch_generator(recipe.seed, recipe.member, progress.epoch)
    # Dropout draws from torch's generator; seeding it here makes the epoch independent of history.
    torch.manual_seed(int(generator.integers(2**62)) + team.rank)
    table = one_hot_table(recipe.device)
    # Targets are looked up by position in the part, rows by position in the dataset.
    positions = epoch_rows(recipe.balance, train.target, generator, recipe.seed, recipe.member)
    steps = recipe.epochs * (len(positions) // recipe.batch_size)
    module.train()
    noted: list[dict[str, float]] = []
    left = plateau_factor(progress.history) if fit.schedule == "plateau" else 1.0
    for whole in epoch_batches(positions, recipe.batch_size, generator):
        chosen = whole[team.rank :: team.size]
        batch = load_batch(train.dataset, names, train.rows[chosen], fit, generator)
        wanted = torch.from_numpy(train.target[chosen]).to(recipe.device)
        for group in optimizer.param_groups:
            group["lr"] = left * learning_rate(progress.step, steps, fit)
        with autocast(recipe.device, recipe.precision):
            raw = shared(to_tensors(batch, table))
        loss = recipe.objective.loss(raw.float(), wanted)
        if not torch.isfinite(loss):
            raise TrainingError(
                "the loss is not finite",
                record=f"epoch {progress.epoch + 1}, step {progress.step + 1}",
                remedy="Lower the rate (--set fit.learning_rate=0.001); look for extreme targets",
            )
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        if fit.clip:
            nn.utils.clip_grad_norm_(module.parameters(), fit.clip)
        optimizer.step()
        progress.step += 1
        _update_average(average, module, fit.average or 0.0, progress.step)
        shown = raw.detach().float().cpu().numpy()
        accuracy = _accuracy("train_accuracy", recipe, shown, train.target[chosen], 0.0)
        noted.append({"train_loss": float(loss.detach()), **accuracy})
    return {name: sum(each[name] for each in noted) / len(noted) for name in noted[0]}


def _accuracy(
    name: str,
    recipe: Recipe,
    outputs: npt.NDArray[np.float32],
    target: npt.NDArray[np.float32],
    limit: float,
) -> dict[str, float]:
    """Give the share of right calls under a name, nothing where there are no classes."""
    if recipe.shapes.task == "regression":
        return {}
    called = outputs.argmax(1) if outputs.shape[1] > 1 else outputs[:, 0] > limit
    return {name: float((called == target).mean())}


@torch.no_grad()
def _update_average(average: nn.Module, module: nn.Module, decay: float, step: int) -> None:
    if not decay:
        return
    # Early on the average must forget the random start: (1 + t) / (10 + t), as in TensorFlow.
    weight = 1 - min(decay, (1 + step) / (10 + step))
    torch._foreach_lerp_(list(average.parameters()), list(module.parameters()), weight)
    for kept, new in zip(average.buffers(), module.buffers(), strict=True):
        if kept.is_floating_point():
            kept.lerp_(new, weight)
        else:
            kept.copy_(new)


def make_predictor(recipe: Recipe, members: list[nn.Module]) -> NetworkPredictor:
    """Turn trained members into the predictor that is stored."""
    return NetworkPredictor(
        members,
        recipe.shapes,
        center=recipe.scaler.center,
        scale=recipe.scaler.scale,
        both_strands=recipe.fit.reverse_complement in ("average", "both"),
        device=recipe.device,
        precision=recipe.precision,
    )
