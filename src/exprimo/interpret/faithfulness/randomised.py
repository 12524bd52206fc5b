"""Networks that have lost what they learned, layer by layer.

Adebayo et al. 2018 ("Sanity checks for saliency maps"): an explanation that looks the same of an
untrained network does not explain what was learned. Weights are permuted within each tensor, which
keeps their sizes and with them the scale of what layers give.
"""

from __future__ import annotations

import copy
from typing import Literal

import torch
from torch import nn

from exprimo.models.network import NetworkPredictor

Stage = Literal["last layer", "upper half", "all layers"]
STAGES: tuple[Stage, ...] = ("last layer", "upper half", "all layers")


def randomised(network: NetworkPredictor, stage: Stage, seed: int) -> NetworkPredictor:
    """Give a copy of a network whose weights are permuted from the last layer down.

    Parameters
    ----------
    stage
        How many layers, from the last one down; layers follow one another as the network's
        modules are named.
    seed
        Of the permutations.

    Examples
    --------
    >>> from exprimo.models.zoo import Shapes
    >>> net = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 1))
    >>> before = NetworkPredictor([net], Shapes({"halflife": (8,)}, "regression"))
    >>> after = randomised(before, "last layer", 0).members[0]
    >>> [torch.equal(a.weight, b.weight) for a, b in zip(net, after)]
    [True, False]
    """
    draw = torch.Generator().manual_seed(seed)
    members = []
    for member in network.members:
        lost = copy.deepcopy(member)
        _lose(lost, stage, draw)
        members.append(lost)
    return with_members(network, members)


def with_members(network: NetworkPredictor, members: list[nn.Module]) -> NetworkPredictor:
    """Give a network with other members."""
    return NetworkPredictor(
        members,
        network.shapes,
        center=network.center,
        scale=network.scale,
        both_strands=network.both_strands,
        device=network.device,
        precision=network.precision,
    )


def _lose(member: nn.Module, stage: Stage, draw: torch.Generator) -> None:
    layers = [m for m in member.modules() if any(p.dim() > 1 for p in m.parameters(recurse=False))]
    n = {"last layer": 1, "upper half": (len(layers) + 1) // 2, "all layers": len(layers)}[stage]
    lost = layers[-n:]
    if stage == "all layers":
        lost = list(member.modules())
    with torch.no_grad():
        for layer in lost:
            for weight in layer.parameters(recurse=False):
                order = torch.randperm(weight.numel(), generator=draw).to(weight.device)
                weight.copy_(weight.flatten()[order].view_as(weight))
