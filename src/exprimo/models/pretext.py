"""A task without labels that part of a network learns before the network itself is trained."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor, nn


class Pretext(NamedTuple):
    """What is learned first, and how; afterwards it is frozen.

    Attributes
    ----------
    name
        For progress and the ledger.
    module
        The part that learns.
    inputs
        Names of the inputs that the loss reads.
    loss
        (inputs as tensors, generator of its random numbers) -> a loss.
    epochs, batch_size, learning_rate
        Passes through the training part, examples per step, rate of Adam.
    """

    name: str
    module: nn.Module
    inputs: tuple[str, ...]
    loss: Callable[[dict[str, Tensor], torch.Generator], Tensor]
    epochs: int
    batch_size: int
    learning_rate: float


@runtime_checkable
class HasPretext(Protocol):
    """A network with a part that learns first."""

    def pretext(self) -> Pretext | None:
        """Give what is to be learned first; None where the options ask for nothing."""
