"""Low-rank changes of the attention's matrices (Hu et al. 2022, LoRA)."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.func import functional_call

from exprimo.models.pretrained.enformer.config import EnformerConfig
from exprimo.models.pretrained.enformer.layers import TransformerBlock
from exprimo.models.pretrained.enformer.network import EnformerNetwork

_CHANGED = ("to_q", "to_k", "to_v", "to_out")
_PLACE = "0.fn.1.{}.weight"


class LowRank(nn.Module):
    """What is added to the matrices of queries, keys, values and outputs of every layer.

    Each change is ``up @ down``; ``up`` begins as zeros, hence the network as it was.

    Parameters
    ----------
    config
        Of the network that is changed.
    rank
        Rows of ``down``, columns of ``up``.
    """

    def __init__(self, config: EnformerConfig, rank: int) -> None:
        super().__init__()
        keys, values = config.heads * config.key, config.heads * config.value
        shapes = {
            "to_q": (keys, config.dim),
            "to_k": (keys, config.dim),
            "to_v": (values, config.dim),
            "to_out": (config.dim, values),
        }
        layers = range(config.depth)
        self.down = nn.ParameterDict(
            {
                f"{layer}_{name}": nn.Parameter(torch.randn(rank, shapes[name][1]) / rank)
                for layer in layers
                for name in _CHANGED
            }
        )
        self.up = nn.ParameterDict(
            {
                f"{layer}_{name}": nn.Parameter(torch.zeros(shapes[name][0], rank))
                for layer in layers
                for name in _CHANGED
            }
        )

    def change(self, number: int, name: str) -> Tensor:
        """Give what is added to one matrix of a layer."""
        key = f"{number}_{name}"
        product: Tensor = self.up[key] @ self.down[key]
        return product

    def run(self, number: int, layer: TransformerBlock, x: Tensor, described: Tensor) -> Tensor:
        """Run a layer with its matrices changed."""
        with torch.autocast(x.device.type, enabled=False):
            changed = {
                _PLACE.format(name): _matrix(layer, name) + self.change(number, name)
                for name in _CHANGED
            }
        out: Tensor = functional_call(layer, changed, (x, described))
        return out

    def merged(self, network: EnformerNetwork) -> EnformerNetwork:
        """Give a copy of the network with the changes in its own matrices."""
        own = copy.deepcopy(network)
        with torch.no_grad():
            for number, layer in enumerate(own.layers):
                for name in _CHANGED:
                    _matrix(layer, name).add_(self.change(number, name))
        return own


def _matrix(layer: TransformerBlock, name: str) -> Tensor:
    return layer.get_parameter(_PLACE.format(name))
