"""Folds of the training part: each member of an ensemble stops by its own."""

from __future__ import annotations

import numpy as np

from exprimo.core.dataset import Dataset
from exprimo.core.errors import ConfigError, InputError
from exprimo.core.split import Split
from exprimo.models import ModelSpec
from exprimo.splits.allotment import allot
from exprimo.splits.atoms import group_keys
from exprimo.training.batches import Rows
from exprimo.training.config import TrainConfig


def deal_folds(
    dataset: Dataset, split: Split, rows: Rows, config: TrainConfig, spec: ModelSpec
) -> tuple[Rows, ...]:
    """Deal the training rows into one fold per member; nothing where members differ by seed.

    What the split holds out decides what is dealt: whole cell types where it holds those out
    and enough of them train, else whole groups. A member that stops by cell types it has not
    seen stops for the right reason.
    """
    if config.members != "folds":
        return ()
    if spec.kind != "network":
        raise ConfigError(
            "only the members of a network can have folds of their own",
            record="members",
            found=f"{spec.name}, a {spec.kind}",
            remedy="Set members to seeds, or choose a network",
        )
    labels = np.arange(len(rows)).astype(str) if split.group is None else split.group[rows]
    if "cell_type" in split.held_out:
        cells = dataset.column("cell_type")[rows]
        if len(np.unique(cells)) >= config.ensemble:
            labels = cells
    _, group = np.unique(labels, return_inverse=True)
    sizes = np.bincount(group)
    if len(sizes) < config.ensemble:
        raise InputError(
            "too few groups for a fold per member",
            file=dataset.path,
            found=f"{len(sizes)} groups in the training part",
            expected=f"at least {config.ensemble}",
            remedy="Use fewer members, or members that differ by seed",
        )
    ids = dataset.column("example_id").astype(str)[rows]
    shares = np.full(config.ensemble, 1 / config.ensemble)
    fold = allot(sizes, group_keys(ids, group), shares, seed=config.seed)[group]
    return tuple(rows[fold == member] for member in range(config.ensemble))
