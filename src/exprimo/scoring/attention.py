"""Where a network with attention looks, per example."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from exprimo.core.dataset import Dataset
from exprimo.core.errors import ConfigError
from exprimo.core.predictor import Floats
from exprimo.core.progress import task
from exprimo.models.network import NetworkPredictor, one_hot_table, to_tensors
from exprimo.training.batches import Rows

_BLOCK = 256


@runtime_checkable
class HasAttention(Protocol):
    """A network that shows its weights of attention."""

    def attention(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Give level -> weights, (batch, ...); of each example and level they sum to 1."""


class Attention(NamedTuple):
    """Weights of some examples: ``rows`` of the dataset, and level -> (n, ...)."""

    rows: Rows
    by_level: dict[str, Floats]


def attends(predictor: NetworkPredictor) -> bool:
    """Tell whether a network shows attention."""
    return all(isinstance(member, HasAttention) for member in predictor.members)


def attention_blocks(
    predictor: NetworkPredictor,
    dataset: Dataset,
    rows: Rows,
    *,
    description: str | None = None,
) -> Iterator[Attention]:
    """Go through examples and give the weights of each, the mean over an ensemble's members.

    Parameters
    ----------
    description
        Shows progress under this name; None is silent.

    Raises
    ------
    ConfigError
        The network has no attention.
    """
    if not attends(predictor):
        raise ConfigError(
            "this network has no attention to look at",
            found=", ".join({type(member).__name__ for member in predictor.members}),
            expected="such as attentive_chrome",
        )
    table = one_hot_table(predictor.device)
    with task(description or "", len(rows) if description else 0) as bar:
        for start in range(0, len(rows), _BLOCK):
            part = rows[start : start + _BLOCK]
            inputs = to_tensors(dataset.batch(predictor.inputs, part), table)
            with torch.inference_mode():
                found = [_weights(member, inputs) for member in predictor.members]
            levels = {
                level: np.mean([one[level] for one in found], axis=0).astype(np.float32)
                for level in found[0]
            }
            yield Attention(part, levels)
            if description:
                bar.advance(len(part))


def _weights(member: torch.nn.Module, inputs: dict[str, Tensor]) -> dict[str, Floats]:
    assert isinstance(member, HasAttention)
    return {level: w.float().cpu().numpy() for level, w in member.attention(inputs).items()}
