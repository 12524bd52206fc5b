"""The state of an unfinished generator: one safetensors file, replaced at each checkpoint."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from exprimo.core.errors import MismatchError
from exprimo.generate.family import Family
from exprimo.generate.fitting.average import Weights
from exprimo.models.stored import read_tensors, write_tensors

_MOMENTS = ("step", "exp_avg", "exp_avg_sq")


@dataclass
class Progress:
    """How far a generator has come; everything else about a step follows from its number."""

    step: int = 0
    seconds: float = 0.0
    steps: int | None = None
    """Steps in all, once they are settled."""
    every: int | None = None
    """Steps between checkpoints, once they are settled."""
    best_loss: float | None = None
    """Lowest loss of the watched examples."""
    best_step: int = 0
    history: list[dict[str, float]] = field(default_factory=list)


def save_state(
    path: Path, progress: Progress, family: Family, average: Weights, best: Weights
) -> None:
    """Write weights, their average, the best average, and the optimisers' moments."""
    tensors = {f"weights/{k}": v for k, v in family.module.state_dict().items()}
    tensors |= {f"average/{k}": v for k, v in average.items()}
    tensors |= {f"best/{k}": v for k, v in best.items()}
    for place, parameter, optimizer in _parameters(family):
        state = optimizer.state.get(parameter, {})
        tensors |= {f"moments/{place}/{name}": state[name] for name in _MOMENTS if name in state}
    # save_file refuses tensors that share memory: copy.
    copies = {name: t.detach().cpu().contiguous().clone() for name, t in tensors.items()}
    write_tensors(path, copies, asdict(progress))


def load_state(path: Path, family: Family) -> tuple[Progress, Weights, Weights]:
    """Put a saved state back into place; give the progress, the average and the best average."""
    tensors, facts = read_tensors(path)
    own = family.module.state_dict()
    try:
        family.module.load_state_dict(_under(tensors, "weights/"))
    except RuntimeError as error:
        raise MismatchError(
            "the state of another network", file=path, found=str(error)[:300]
        ) from error
    for place, parameter, optimizer in _parameters(family):
        found = _under(tensors, f"moments/{place}/")
        if found:
            optimizer.state[parameter] = {
                name: t if name == "step" else _like(t, parameter) for name, t in found.items()
            }
    average, best = (
        {name: _like(t, own[name]) for name, t in _under(tensors, prefix).items()}
        for prefix in ("average/", "best/")
    )
    return Progress(**facts), average, best


def _like(values: Tensor, model: Tensor) -> Tensor:
    # Same memory layout, or the update would round in another order.
    return torch.empty_like(model).copy_(values)


def _parameters(family: Family) -> Iterator[tuple[str, Tensor, torch.optim.Optimizer]]:
    for i, optimizer in enumerate(family.optimizers):
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        for j, parameter in enumerate(parameters):
            yield f"{i}.{j}", parameter, optimizer


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
