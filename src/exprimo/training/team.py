"""Who shares the work of a step: one process alone, or several that average their gradients."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast

import torch
from torch import nn

from exprimo.core.errors import ConfigError

T = TypeVar("T")


class Team(Protocol):
    """The processes that train one member; each takes its share of every batch."""

    rank: int
    size: int

    def wrap(self, module: nn.Module) -> nn.Module:
        """Make the module whose backward pass averages gradients over the team."""

    def from_first(self, value: T) -> T:
        """Give every process what the first one has."""


class Alone:
    """A single process."""

    rank = 0
    size = 1

    def wrap(self, module: nn.Module) -> nn.Module:
        return module

    def from_first(self, value: T) -> T:
        return value


class FabricTeam:
    """Processes that Lightning Fabric has started, one per device."""

    def __init__(self, fabric: Any) -> None:
        self._fabric = fabric
        self.rank = int(fabric.global_rank)
        self.size = int(fabric.world_size)

    def wrap(self, module: nn.Module) -> nn.Module:
        wrapped: nn.Module = self._fabric.setup_module(module, move_to_device=False)
        return wrapped

    def from_first(self, value: T) -> T:
        shared: T = self._fabric.broadcast(value, src=0)
        return shared


def launch(devices: list[torch.device], work: Callable[..., None], *arguments: Any) -> None:
    """Start one process per device and run ``work(fabric, *arguments)`` in each.

    Parameters
    ----------
    devices
        All of one type; ``cpu`` may stand several times.
    work
        A function of a module (it is found by name in the new processes), with plain arguments.
    """
    try:
        from lightning_fabric import Fabric
    except ImportError:
        raise ConfigError(
            "several devices need Lightning Fabric, which is not installed",
            found=", ".join(map(str, devices)),
            remedy="Install it with: pip install 'exprimo[scale]'; or name one device",
        ) from None
    # Fabric announces each process on standard error; a library stays silent.
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    kinds = {device.type for device in devices}
    if len(kinds) > 1:
        raise ConfigError("devices of several types", found=", ".join(sorted(kinds)))
    kind = kinds.pop()
    chosen = len(devices) if kind == "cpu" else [device.index or 0 for device in devices]
    fabric = Fabric(accelerator=kind, devices=chosen, strategy="ddp_spawn")
    fabric.launch(cast(Callable[[Any], Any], _work_and_part), work, *arguments)


def _work_and_part(fabric: Any, work: Callable[..., None], *arguments: Any) -> None:
    """Run ``work`` and take leave of the others before the interpreter goes down.

    Fabric leaves the process group to the exit handlers; its threads are then sometimes still
    running when the C++ runtime tears them down, which aborts a process whose work is done.
    """
    work(fabric, *arguments)
    if torch.distributed.is_initialized():
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()
