"""The state of an unfinished member: one safetensors file per epoch, replaced atomically."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from exprimo.models.stored import read_tensors, write_tensors

_MOMENTS = ("step", "exp_avg", "exp_avg_sq")


@dataclass
class Progress:
    """How far a member has come; everything else about an epoch follows from its number."""

    epoch: int = 0
    step: int = 0
    best_score: float = float("-inf")
    best_epoch: int = 0
    finished: bool = False
    history: list[dict[str, float]] = field(default_factory=list)
    before: list[dict[str, float]] = field(default_factory=list)
    """The loss of each epoch of what the network learned before, without labels."""


def save_state(
    path: Path,
    progress: Progress,
    module: nn.Module,
    average: nn.Module,
    best: dict[str, Tensor],
    optimizer: torch.optim.Optimizer,
) -> None:
    """Write weights, their average, the best so far, and AdamW's moments."""
    tensors = {f"weights/{k}": v for k, v in module.state_dict().items()}
    tensors |= {f"average/{k}": v for k, v in average.state_dict().items()}
    tensors |= {f"best/{k}": v for k, v in best.items()}
    for i, parameter in enumerate(_parameters(optimizer)):
        state = optimizer.state.get(parameter, {})
        tensors |= {f"moments/{i}/{name}": state[name] for name in _MOMENTS if name in state}
    # save_file refuses tensors that share memory (best may be the average itself): copy.
    copies = {name: t.detach().cpu().contiguous().clone() for name, t in tensors.items()}
    write_tensors(path, copies, vars(progress))


def load_state(
    path: Path, module: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer
) -> tuple[Progress, dict[str, Tensor]]:
    """Put a saved state back into place; return the progress and the best weights."""
    tensors, facts = read_tensors(path)
    module.load_state_dict(_under(tensors, "weights/"))
    average.load_state_dict(_under(tensors, "average/"))
    for i, parameter in enumerate(_parameters(optimizer)):
        found = _under(tensors, f"moments/{i}/")
        if found:
            optimizer.state[parameter] = {
                name: t if name == "step" else _like(t, parameter) for name, t in found.items()
            }
    return Progress(**_plain(facts)), _under(tensors, "best/")


def _like(values: Tensor, parameter: Tensor) -> Tensor:
    # Same memory layout as the parameter, or the fused update would round in another order.
    return torch.empty_like(parameter).copy_(values)


def _parameters(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    return [p for group in optimizer.param_groups for p in group["params"]]


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _plain(facts: dict[str, Any]) -> dict[str, Any]:
    score = facts["best_score"]
    return {**facts, "best_score": float("-inf") if score is None else score}
