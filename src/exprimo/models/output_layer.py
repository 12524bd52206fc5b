"""The last layer of a network, in float32 whatever the precision before it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from exprimo.models.zoo import Shapes


class OutputLayer(nn.Module):
    """Map (batch, features) to (batch, outputs).

    Parameters
    ----------
    pair
        Compute the one output of a classification as the difference of two logits. The softmax
        of a pair is the sigmoid of their difference, so a network that was described with two
        logits and a cross-entropy over both is this network.

    Examples
    --------
    >>> layer = OutputLayer(3, Shapes({"sequence": (80,)}, "classification"), pair=True)
    >>> layer(torch.zeros(2, 3)).shape, layer.linear.weight.shape
    (torch.Size([2, 1]), torch.Size([2, 3]))
    """

    def __init__(self, features: int, shapes: Shapes, *, pair: bool = False) -> None:
        super().__init__()
        self.pair = pair and shapes.task == "classification"
        self.linear = nn.Linear(features, 2 if self.pair else shapes.n_outputs)

    def forward(self, features: Tensor) -> Tensor:
        # bf16 has eight bits: predictions would come in steps as wide as a weak variant's effect.
        with torch.autocast(features.device.type, enabled=False):
            outputs: Tensor = self.linear(features.float())
        return outputs[:, 1:] - outputs[:, :1] if self.pair else outputs
