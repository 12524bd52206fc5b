"""The moving average of a generator's weights, which is what samples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from exprimo.generate.family import Rehearses

Weights = dict[str, Tensor]


def copied(module: nn.Module) -> Weights:
    """Copy the weights and buffers of a module."""
    return {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}


@torch.no_grad()
def update_average(average: Weights, module: nn.Module, decay: float, step: int) -> None:
    """Move an average towards the weights of ``module`` after ``step`` steps.

    Early on it must forget the random start: the decay is at most (1 + t) / (10 + t).

    Examples
    --------
    >>> line = nn.Linear(1, 1)
    >>> average = copied(line)
    >>> _ = line.weight.data.add_(1.0)
    >>> update_average(average, line, 0.0, 1)
    >>> bool(torch.equal(average["weight"], line.weight))
    True
    """
    weight = 1 - min(decay, (1 + step) / (10 + step))
    state = module.state_dict()
    smooth = [name for name, tensor in average.items() if tensor.is_floating_point()]
    torch._foreach_lerp_([average[name] for name in smooth], [state[n] for n in smooth], weight)
    for name in average.keys() - set(smooth):
        average[name].copy_(state[name])


@contextmanager
def lent(weights: Weights, module: nn.Module) -> Iterator[None]:
    """Let a module have other weights inside the block."""
    own = copied(module)
    module.load_state_dict(weights)
    try:
        yield
    finally:
        module.load_state_dict(own)


def with_own_statistics(
    weights: Weights,
    family: Rehearses,
    module: nn.Module,
    conditions: Iterable[Tensor | None],
    n: int,
) -> Weights:
    """Give averaged weights with the batch-norm statistics of what they themselves make.

    The average of statistics fits no weights at all: it lags behind, and layers that read
    averaged layers read other numbers (Izmailov et al. 2018, section 3.2).

    Parameters
    ----------
    conditions
        What each pass of ``n`` sequences is asked for; the mean over passes counts.
    """
    norms = [one for one in module.modules() if isinstance(one, _BatchNorm)]
    momenta = [one.momentum for one in norms]
    with lent(weights, module):
        for one in norms:
            one.reset_running_stats()
            one.momentum = None  # the plain mean over passes
        for condition in conditions:
            family.rehearse(n, condition)
        fitted = copied(module)
    for one, momentum in zip(norms, momenta, strict=True):
        one.momentum = momentum
    return fitted
