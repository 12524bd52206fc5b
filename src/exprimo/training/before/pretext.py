"""The part of a network that learns first, without labels, from training examples only."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import torch
from torch import nn

from exprimo.core.dataset import Dataset
from exprimo.core.errors import TrainingError
from exprimo.core.progress import task as progress_task
from exprimo.models.network import one_hot_table, to_tensors
from exprimo.models.pretext import HasPretext, Pretext
from exprimo.training.batches import Rows, epoch_batches
from exprimo.training.state import Progress, load_state, save_state

# Keeps its random numbers apart from those of the epochs behind it.
_STREAM = 31


def pretext_of(network: nn.Module) -> Pretext | None:
    """Give what a network wants to learn first, if anything."""
    return network.pretext() if isinstance(network, HasPretext) else None


def learned_first(network: nn.Module) -> tuple[str, ...]:
    """Name what a network takes from the training part before its first epoch."""
    scalers = ("input scaler",) if hasattr(network, "standardise") else ()
    pretext = pretext_of(network)
    return scalers if pretext is None else (*scalers, pretext.name)


def freeze_pretext(network: nn.Module) -> None:
    """Keep what was learned first as it is: the loop does not change it."""
    pretext = pretext_of(network)
    if pretext is not None:
        pretext.module.requires_grad_(False)


def learn_pretext(
    network: nn.Module,
    dataset: Dataset,
    rows: Rows,
    *,
    seed: int,
    member: int,
    state_path: Path,
    epochs: int | None = None,
) -> list[dict[str, float]]:
    """Let the network's first part learn from ``rows``, and give the loss of each epoch.

    ``epochs`` stands in place of the pretext's own. A killed run goes on from ``state_path``,
    written after each epoch, and ends the same.
    """
    pretext = pretext_of(network)
    if pretext is None:
        return []
    rows = _told_apart(dataset, pretext.inputs, rows)
    wanted = epochs or pretext.epochs
    device = next(network.parameters()).device
    pretext.module.requires_grad_(True)
    parameters = list(pretext.module.parameters())
    optimizer = torch.optim.Adam(parameters, lr=pretext.learning_rate, fused=True)
    progress = Progress()
    if state_path.exists():
        progress, _ = load_state(
            state_path, pretext.module, copy.deepcopy(pretext.module), optimizer
        )
    table = one_hot_table(device)
    size = min(pretext.batch_size, len(rows))
    pretext.module.train()
    with progress_task(f"Learning the {pretext.name}", wanted) as bar:
        bar.advance(progress.epoch)
        while progress.epoch < wanted:
            key = [seed, member, progress.epoch, _STREAM]
            generator = np.random.default_rng(key)
            drawn = torch.Generator().manual_seed(int(generator.integers(2**62)))
            torch.manual_seed(int(generator.integers(2**62)))
            losses = []
            for chosen in epoch_batches(rows, size, generator):
                batch = to_tensors(dataset.batch(pretext.inputs, chosen), table)
                loss = pretext.loss(batch, drawn)
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
                optimizer.step()
                losses.append(loss.detach())
            mean = float(torch.stack(losses).mean())
            _refuse_infinite(mean, pretext, progress.epoch)
            progress.epoch += 1
            progress.history.append({"epoch": progress.epoch, "loss": mean})
            module = pretext.module
            save_state(state_path, progress, module, module, module.state_dict(), optimizer)
            bar.advance(1, note=f"loss {mean:.3g}")
    pretext.module.requires_grad_(False).eval()
    return progress.history


def _told_apart(dataset: Dataset, names: tuple[str, ...], rows: Rows) -> Rows:
    """Keep one example of those that share all that is read: cell types share their promoters."""
    indexes = np.stack([dataset.index(name)[rows] for name in names])
    first = np.unique(indexes, axis=1, return_index=True)[1]
    return rows[np.sort(first)]


def _refuse_infinite(loss: float, pretext: Pretext, epoch: int) -> None:
    if not np.isfinite(loss):
        raise TrainingError(
            f"the loss of the {pretext.name} is not finite",
            record=f"epoch {epoch + 1}",
            remedy="Lower its rate; look for extreme values among the inputs",
        )
