"""The loop: update a family step by step, average its weights, stop in time, resume."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from exprimo.core.errors import TrainingError
from exprimo.core.progress import Task
from exprimo.generate.config import USUAL_MINUTES, GeneratorFit
from exprimo.generate.family import Family, HasLoss, Rehearses
from exprimo.generate.fitting.average import (
    Weights,
    copied,
    lent,
    update_average,
    with_own_statistics,
)
from exprimo.generate.fitting.state import Progress, load_state, save_state
from exprimo.generate.material import Rows, TrainingSequences

# Time is told by the clock of the process's life; tests put another in its place.
Clock = Callable[[], float]

_DECAYED = 5  # the last fifth
# A little less than four fifths of the time: the rest may go slower, and files are written, too.
_SETTLED = 0.78
_FIRST_STEPS = 10
_CHECKPOINT_SECONDS, _CHECKPOINTS = 20.0, 20
_MOST_WATCHED = 256
_ORDER, _NOISE, _WATCHED, _REHEARSED = 1, 2, 3, 4
_REHEARSALS = 50


def fit_family(
    family: Family,
    sequences: TrainingSequences,
    fit: GeneratorFit,
    *,
    seed: int,
    device: torch.device,
    state_path: Path,
    bar: Task,
    clock: Clock = time.monotonic,
) -> tuple[Weights, Progress]:
    """Fit a family, and give the averaged weights that sample.

    Those are the ones with the lowest loss of the watched examples, or the last ones where
    nothing is watched. The state is written to ``state_path`` at each checkpoint; if it exists,
    fitting goes on from it. A budget in steps then ends the same as if it had never stopped.

    Parameters
    ----------
    fit
        With every setting filled but the budget and ``every``.
    """
    average, best = copied(family.module), copied(family.module)
    progress = Progress(steps=fit.steps, every=fit.every)
    rates = [[group["lr"] for group in o.param_groups] for o in family.optimizers]
    if state_path.exists():
        progress, average, best = load_state(state_path, family)
        _advance(bar, fit, progress, progress.step, progress.seconds, "")
    batches = _Batches(sequences, fit.batch_size or 1, seed, device)
    noted: list[dict[str, float]] = []
    began = clock() - progress.seconds
    while not _finished(progress):
        before = progress.seconds
        _set_rates(family, rates, _factor(progress, fit))
        torch.manual_seed(_seed_of(seed, _NOISE, progress.step))
        losses = family.update(*batches.of_step(progress.step))
        _refuse_divergence(losses, progress.step)
        noted.append(losses)
        progress.step += 1
        update_average(average, family.module, fit.average or 0.0, progress.step)
        progress.seconds = clock() - began
        _settle(progress, fit)
        if progress.step % (progress.every or math.inf) == 0 or _finished(progress):
            if _checkpoint(family, average, batches, noted, progress):
                best = {name: tensor.clone() for name, tensor in average.items()}
            progress.seconds = clock() - began
            save_state(state_path, progress, family, average, best)
            noted = []
        note = ", ".join(f"{name} {value:.3f}" for name, value in losses.items())
        _advance(bar, fit, progress, 1, progress.seconds - before, note)
    if isinstance(family, Rehearses):
        # The same noise whenever it is done, as after a kill behind the last step.
        torch.manual_seed(_seed_of(seed, _REHEARSED, 0))
        conditions = [batches.of_step(step)[1] for step in range(_REHEARSALS)]
        best = with_own_statistics(best, family, family.module, conditions, batches.size)
    return best, progress


def _finished(progress: Progress) -> bool:
    return progress.steps is not None and progress.step >= progress.steps


def _settle(progress: Progress, fit: GeneratorFit) -> None:
    """Turn minutes into steps when most are gone, so that the rest is the last fifth.

    From then on the steps say when to end, and the same number of them asked for outright gives
    the same weights.
    """
    seconds = 60 * (fit.minutes or USUAL_MINUTES)
    if progress.every is None and progress.step == _FIRST_STEPS:
        pace = max(progress.seconds / progress.step, 1e-6)
        wanted = min(_CHECKPOINT_SECONDS, seconds / _CHECKPOINTS)
        progress.every = max(_FIRST_STEPS, min(1000, round(wanted / pace)))
    if progress.steps is None and progress.seconds >= seconds * _SETTLED:
        progress.steps = progress.step + progress.step // (_DECAYED - 1)


def _factor(progress: Progress, fit: GeneratorFit) -> float:
    """Give the share of the rate at a step: up, level, and down over the last fifth.

    A pure function of the step and of the steps in all, which only the last fifth asks for.
    """
    warm_up = fit.warm_up or 0
    rise = min(1.0, (progress.step + 1) / warm_up) if warm_up else 1.0
    if fit.schedule == "constant" or progress.steps is None:
        return rise
    fall = progress.steps // _DECAYED
    left = progress.steps - progress.step
    return rise * (min(1.0, left / fall) if fall else 1.0)


def _set_rates(family: Family, rates: list[list[float]], factor: float) -> None:
    for optimizer, own in zip(family.optimizers, rates, strict=True):
        for group, rate in zip(optimizer.param_groups, own, strict=True):
            group["lr"] = rate * factor


def _checkpoint(
    family: Family,
    average: Weights,
    batches: _Batches,
    noted: list[dict[str, float]],
    progress: Progress,
) -> bool:
    """Note how it goes; tell whether the averaged weights are the best so far."""
    means = {name: float(np.mean([one[name] for one in noted])) for name in noted[0]}
    row = {"step": progress.step, **means}
    improved = True
    if isinstance(family, HasLoss) and batches.n_watched:
        with lent(average, family.module):
            watched = _watched_loss(family, batches)
        row["watched_loss"] = watched
        improved = progress.best_loss is None or watched < progress.best_loss
        if improved:
            progress.best_loss = watched
    if improved:
        progress.best_step = progress.step
    progress.history.append(row | {"seconds": progress.seconds})
    return improved


def _watched_loss(family: HasLoss, batches: _Batches) -> float:
    # The same noise each time, so that two checkpoints differ by their weights alone.
    torch.manual_seed(_seed_of(batches.seed, _WATCHED, 0))
    losses = [family.loss(*batch).cpu() for batch in batches.watched()]
    return float(torch.cat(losses).mean())


def _refuse_divergence(losses: dict[str, float], step: int) -> None:
    if not all(math.isfinite(loss) for loss in losses.values()):
        raise TrainingError(
            "the loss is not finite",
            record=f"step {step + 1}",
            remedy="Lower the rate, such as --set fit.learning_rate=0.0002",
        )


def _advance(
    bar: Task, fit: GeneratorFit, progress: Progress, steps: int, seconds: float, note: str
) -> None:
    """Move the bar, which counts steps, or seconds where the budget is time."""
    if fit.steps is not None:
        bar.advance(steps, note=note)
        return
    whole = int(progress.seconds) - int(progress.seconds - seconds)
    bar.advance(whole, note=f"step {progress.step:,}, {note}")


def _seed_of(seed: int, use: int, number: int) -> int:
    return int(np.random.SeedSequence([seed, use, number]).generate_state(1)[0])


class _Batches:
    """The sequences of a step: a pure function of its number."""

    def __init__(
        self, sequences: TrainingSequences, size: int, seed: int, device: torch.device
    ) -> None:
        self.seed = seed
        self._sequences, self._device = sequences, device
        self._learned = sequences.learned
        self.size = min(size, len(self._learned))
        self._per_epoch = len(self._learned) // self.size
        self._epoch, self._order = -1, self._learned
        rng = np.random.default_rng([seed, _WATCHED])
        watched = sequences.watched
        if len(watched) > _MOST_WATCHED:
            watched = np.sort(rng.choice(watched, _MOST_WATCHED, replace=False))
        self._watched = watched

    @property
    def n_watched(self) -> int:
        return len(self._watched)

    def of_step(self, step: int) -> tuple[Tensor, Tensor | None]:
        """Give codes (batch, length) and conditions (batch,) of a step; epochs are shuffled."""
        epoch, place = divmod(step, self._per_epoch)
        if epoch != self._epoch:
            rng = np.random.default_rng([self.seed, _ORDER, epoch])
            self._epoch, self._order = epoch, rng.permutation(self._learned)
        return self._at(self._order[place * self.size : (place + 1) * self.size])

    def watched(self) -> list[tuple[Tensor, Tensor | None]]:
        """Give the watched examples, in batches."""
        starts = range(0, len(self._watched), self.size)
        return [self._at(self._watched[start : start + self.size]) for start in starts]

    def _at(self, positions: Rows) -> tuple[Tensor, Tensor | None]:
        held = self._sequences
        codes = torch.from_numpy(held.codes[held.sequence_of[positions]]).to(self._device)
        if held.values is None:
            return codes, None
        condition = held.conditioning.coded(held.values[positions])
        return codes, torch.from_numpy(condition).to(self._device)
