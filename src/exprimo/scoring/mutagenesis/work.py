"""Mutagenesis as work in shards: stretches of windows, each done alone."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from typing import Any, NamedTuple

import pandas as pd
import torch

from exprimo.core.dataset import Dataset
from exprimo.core.errors import InputError
from exprimo.scoring.mutagenesis.config import MutagenesisConfig
from exprimo.scoring.mutagenesis.opening import Found, Opened, find_model, open_model
from exprimo.scoring.mutagenesis.substitutions import Effects, Substitutions
from exprimo.scoring.mutagenesis.table import effect_rows
from exprimo.scoring.mutagenesis.ways import check_same
from exprimo.scoring.mutagenesis.windows import (
    Windows,
    cut_around_genes,
    open_dataset,
    stored_windows,
)

# Positions in a shard: a stop loses a few seconds of the local way, and of the other as much as
# reading so many bases takes.
_LOCAL_POSITIONS, _WHOLE_BASES = 1 << 15, 1 << 24
_SUBSTITUTIONS = 3


class Stretch(NamedTuple):
    """Positions ``low`` to ``high`` (outside) of an example's window."""

    example: int
    low: int
    high: int


class MutagenesisWork:
    """All substitutions of some windows; see `exprimo.scoring.shards.Worker`."""

    def __init__(self, model: Opened, windows: Windows, config: MutagenesisConfig) -> None:
        self.model, self.windows, self.name = model, windows, config.model
        low, high = _positions(windows, config)
        self.low, self.high = low, high
        length = windows.upstream + windows.downstream
        whole = max(1, _WHOLE_BASES // (_SUBSTITUTIONS * length))
        size = _LOCAL_POSITIONS if model.is_local else whole
        self.shards = list(_shards(len(windows), low, high, size))
        self.n_shards = len(self.shards)
        self.shard_items = [
            sum(_SUBSTITUTIONS * (part.high - part.low) for part in parts) for parts in self.shards
        ]
        self.digests: Mapping[str, str] = {config.model: model.digest, **windows.digests}

    def run(self, shard: int) -> pd.DataFrame:
        """Do one shard: a row per example, track and position; see `table.effect_rows`."""
        found = [self._rows(part) for part in self.shards[shard]]
        return pd.concat(found, ignore_index=True)

    def effects(self, part: Stretch) -> Effects:
        """Compute all substitutions in a stretch."""
        batch = self.windows.batch(part.example, self.model.inputs)
        codes = batch["sequence"][0]
        wanted = Substitutions.within(codes, part.low, part.high)
        with _full_precision():
            reference, mutants = self.model.way.outputs(batch, wanted)
        return Effects.of(codes, part.low, part.high, wanted, reference, mutants)

    def check(self) -> None:
        """Compare the local way with the network itself, on a few mutants of the first window."""
        if not self.model.is_local:
            return
        batch = self.windows.batch(0, self.model.inputs)
        among = Substitutions.within(batch["sequence"][0], self.low, self.high)
        with _full_precision():
            check_same(self.model.way, self.model.whole, batch, among, self.name)

    def _rows(self, part: Stretch) -> pd.DataFrame:
        return effect_rows(self.effects(part), self.windows, part.example, self.model.tracks)


def _full_precision() -> AbstractContextManager[None]:
    """Keep a GPU from reduced precision, which would blur effects of single bases."""
    flags: AbstractContextManager[None] = torch.backends.cudnn.flags(enabled=True, allow_tf32=False)
    return flags


def _positions(windows: Windows, config: MutagenesisConfig) -> tuple[int, int]:
    """Turn positions relative to the TSS into indices of the window."""
    tss, length = windows.upstream, windows.upstream + windows.downstream
    if config.around is not None and tss - config.around < length:
        return max(0, tss - config.around), min(length, tss + config.around + 1)
    if config.positions is None:
        return 0, length
    low, high = (windows.upstream + position for position in config.positions)
    if low < 0 or high > length:
        raise InputError(
            "these positions lie outside of the model's window",
            found=f"{config.positions[0]}:{config.positions[1]}",
            expected=f"within {-windows.upstream}:{windows.downstream}, relative to the TSS",
        )
    return low, high


def _shards(n: int, low: int, high: int, size: int) -> Iterator[list[Stretch]]:
    """Cut windows into stretches, and gather those until they are ``size`` positions."""
    held: list[Stretch] = []
    room = size
    for example in range(n):
        for start in range(low, high, size):
            part = Stretch(example, start, min(start + size, high))
            if held and part.high - part.low > room:
                yield held
                held, room = [], size
            held.append(part)
            room -= part.high - part.low
    if held:
        yield held


def open_mutagenesis(settings: dict[str, Any]) -> MutagenesisWork:
    """Open the work that settings describe; see `exprimo.scoring.shards.register_work`."""
    config = MutagenesisConfig.checked(settings)
    stack = ExitStack()
    try:
        work = _open(config, stack)
    except BaseException:
        stack.close()
        raise
    # The files stay open as long as the work is in use.
    weakref.finalize(work, stack.close)
    return work


def _open(config: MutagenesisConfig, stack: ExitStack) -> MutagenesisWork:
    found = find_model(config)
    if config.dataset is not None:
        data = stack.enter_context(open_dataset(config.dataset, found.run))
        model = open_model(found, config, data)
        windows = stored_windows(data, _with_upstream(config, found, data), model.inputs)
    else:
        window = found.window(config.upstream)
        model = open_model(found, config, None)
        windows = stack.enter_context(cut_around_genes(config, window))
    if not len(windows):
        raise InputError(
            "no gene whose bases could be changed", file=config.dataset or config.genes
        )
    work = MutagenesisWork(model, windows, config)
    work.check()
    return work


def _with_upstream(config: MutagenesisConfig, found: Found, data: Dataset) -> MutagenesisConfig:
    """Fill in where the TSS is in windows of a dataset that does not say it, if the model does."""
    if config.upstream is not None or "tss" in data.columns:
        return config
    return config.model_copy(update={"upstream": found.upstream()})
