"""The loop: fit one member of an ensemble, epoch by epoch, resumable after each."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

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
from exprimo.models.zoo import ModelSpec, Shapes
from exprimo.training.batches import Rows, epoch_batches, epoch_generator, load_batch
from exprimo.training.config import FitConfig
from exprimo.training.predicting import predict_rows
from exprimo.training.state import Progress, load_state, save_state
from exprimo.training.team import Alone, Team

_WARM_UP = 0.2
_START_FACTOR, _END_FACTOR = 1 / 25, 1e-4


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
    score: Callable[[npt.NDArray[Any], npt.NDArray[Any]], float]


def learning_rate(step: int, steps: int, fit: FitConfig) -> float:
    """Give the rate of a step: a pure function, so that resuming needs no scheduler state.

    One-cycle (Smith & Topin 2019) rises along a cosine over the first fifth and falls along a
    cosine; ``cosine`` only falls.

    Examples
    --------
    >>> learning_rate(20, 100, FitConfig(learning_rate=1.0))
    1.0
    """
    peak = fit.learning_rate or 0.0
    start = _WARM_UP * steps if fit.schedule == "one-cycle" else 0.0
    if step < start:
        rise = 0.5 - 0.5 * math.cos(math.pi * step / start)
        return peak * (_START_FACTOR + (1 - _START_FACTOR) * rise)
    fall = 0.5 + 0.5 * math.cos(math.pi * (step - start) / max(1.0, steps - start))
    return peak * (_END_FACTOR + (1 - _END_FACTOR) * fall)


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
    module, average, optimizer = _begin(recipe)
    progress, best = Progress(), copy.deepcopy(average.state_dict())
    if state_path.exists():
        progress, best = load_state(state_path, module, average, optimizer)
        bar.advance(progress.epoch)
    shared = team.wrap(module)
    while not progress.finished:
        started = time.perf_counter()
        loss = _epoch(recipe, train, module, shared, average, optimizer, progress, team)
        if team.rank == 0:
            kept = average if recipe.fit.average else module
            if _validate(recipe, val, kept, loss, started, optimizer, progress):
                best = copy.deepcopy(kept.state_dict())
            save_state(state_path, progress, module, average, best, optimizer)
            bar.advance(1, note=f"validation {progress.history[-1]['val_score']:.3f}")
        progress = team.from_first(progress)
    bar.advance(recipe.epochs - progress.epoch)
    module.load_state_dict(best)
    return module.eval(), progress


def read_member(recipe: Recipe, state_path: Path) -> tuple[nn.Module, Progress]:
    """Read a finished member back from its state, at its best epoch."""
    module, average, optimizer = _begin(recipe)
    progress, best = load_state(state_path, module, average, optimizer)
    module.load_state_dict(best)
    return module.eval(), progress


def _validate(
    recipe: Recipe,
    val: Examples,
    kept: nn.Module,
    loss: float,
    started: float,
    optimizer: torch.optim.Optimizer,
    progress: Progress,
) -> bool:
    """Close an epoch: score it, note it, decide whether to go on; tell whether it is the best."""
    predicted = predict_rows(make_predictor(recipe, [kept]), val.dataset, val.rows).mean[:, 0]
    score = recipe.score(val.target, predicted)
    progress.epoch += 1
    improved = score > progress.best_score or progress.epoch == 1
    if improved:
        progress.best_score, progress.best_epoch = score, progress.epoch
    progress.history.append(
        {
            "member": recipe.member,
            "epoch": progress.epoch,
            "train_loss": loss,
            "val_loss": _validation_loss(recipe, val.target, predicted),
            "val_score": score,
            "lr": optimizer.param_groups[0]["lr"],
            "seconds": time.perf_counter() - started,
        }
    )
    waited = progress.epoch - progress.best_epoch
    progress.finished = progress.epoch >= recipe.epochs or waited >= recipe.fit.patience
    return improved


def _begin(recipe: Recipe) -> tuple[nn.Module, nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(
        int(np.random.SeedSequence([recipe.seed, recipe.member]).generate_state(1)[0])
    )
    module: nn.Module = recipe.spec.build(recipe.options, recipe.shapes).to(recipe.device)
    average = copy.deepcopy(module).requires_grad_(False)
    decayed = [p for p in module.parameters() if p.ndim > 1]
    free = [p for p in module.parameters() if p.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [
            {"params": decayed, "weight_decay": recipe.fit.weight_decay},
            {"params": free, "weight_decay": 0.0},
        ],
        lr=recipe.fit.learning_rate or 0.0,
        betas=(0.9, 0.99),
    )
    return module, average, optimizer


def _epoch(
    recipe: Recipe,
    train: Examples,
    module: nn.Module,
    shared: nn.Module,
    average: nn.Module,
    optimizer: torch.optim.Optimizer,
    progress: Progress,
    team: Team,
) -> float:
    fit, names = recipe.fit, tuple(recipe.shapes.inputs)
    generator = epoch_generator(recipe.seed, recipe.member, progress.epoch)
    # Dropout draws from torch's generator; seeding it here makes the epoch independent of history.
    torch.manual_seed(int(generator.integers(2**62)) + team.rank)
    table = one_hot_table(recipe.device)
    # Targets are looked up by position in the part, rows by position in the dataset.
    positions = np.arange(len(train.rows))
    steps = recipe.epochs * (len(positions) // recipe.batch_size)
    module.train()
    total, count = 0.0, 0
    for whole in epoch_batches(positions, recipe.batch_size, generator):
        chosen = whole[team.rank :: team.size]
        batch = load_batch(train.dataset, names, train.rows[chosen], fit, generator)
        wanted = torch.from_numpy(train.target[chosen]).to(recipe.device)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(progress.step, steps, fit)
        with autocast(recipe.device, recipe.precision):
            raw = shared(to_tensors(batch, table))
        loss = _loss(recipe, raw.float()[:, 0], wanted)
        if not torch.isfinite(loss):
            raise TrainingError(
                "the loss is not finite",
                record=f"epoch {progress.epoch + 1}, step {progress.step + 1}",
                remedy="Lower the rate (--set fit.learning_rate=0.001); look for extreme targets",
            )
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        nn.utils.clip_grad_norm_(module.parameters(), fit.clip)
        optimizer.step()
        progress.step += 1
        _update_average(average, module, fit.average, progress.step)
        total, count = total + float(loss.detach()), count + 1
    return total / max(1, count)


def _loss(recipe: Recipe, raw: Tensor, wanted: Tensor) -> Tensor:
    if recipe.shapes.task == "classification":
        return nn.functional.binary_cross_entropy_with_logits(raw, wanted)
    standard = (wanted - recipe.scaler.center) / recipe.scaler.scale
    if recipe.fit.loss == "huber":
        return nn.functional.huber_loss(raw, standard)
    return nn.functional.mse_loss(raw, standard)


def _validation_loss(
    recipe: Recipe, target: npt.NDArray[np.float32], predicted: npt.NDArray[np.float32]
) -> float:
    # On the same scale as the training loss, so that the two curves can be compared.
    if recipe.shapes.task == "classification":
        p = np.clip(predicted.astype(np.float64), 1e-7, 1 - 1e-7)
        return float(-np.mean(target * np.log(p) + (1 - target) * np.log(1 - p)))
    error = np.abs(target - predicted) / recipe.scaler.scale
    if recipe.fit.loss == "huber":
        return float(np.mean(np.where(error < 1, 0.5 * error**2, error - 0.5)))
    return float(np.mean(error**2))


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
