"""Inputs of numbers, standardised inside the network by what the training part has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn


class InputStatistics(NamedTuple):
    """Mean and standard deviation over the training part, each of the shape of one row."""

    mean: npt.NDArray[np.float32]
    sd: npt.NDArray[np.float32]


class Standardise(nn.Module):
    """Subtract the training mean and divide by the training standard deviation.

    Both are buffers, so they travel with the weights. A missing value (NaN) becomes 0, the
    training mean; a column that does not vary becomes 0 too.

    Parameters
    ----------
    shape
        Shape of one row of the input.

    Examples
    --------
    >>> layer = Standardise((2,))
    >>> layer.learn(InputStatistics(np.float32([1, 5]), np.float32([2, 0])))
    >>> layer(torch.tensor([[3.0, 7.0], [float("nan"), 5.0]])).tolist()
    [[1.0, 0.0], [0.0, 0.0]]
    """

    center: Tensor
    factor: Tensor

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.register_buffer("center", torch.zeros(shape))
        self.register_buffer("factor", torch.ones(shape))

    def learn(self, statistics: InputStatistics) -> None:
        """Take the statistics of the training part."""
        varies = statistics.sd > 0
        factor = np.where(varies, 1 / np.where(varies, statistics.sd, 1), 0)
        self.center.copy_(torch.from_numpy(np.asarray(statistics.mean, dtype=np.float32)))
        self.factor.copy_(torch.from_numpy(factor.astype(np.float32)))

    def forward(self, x: Tensor) -> Tensor:
        return torch.nan_to_num((x.float() - self.center) * self.factor, nan=0.0)


def learn_statistics(network: nn.Module, statistics: Mapping[str, InputStatistics]) -> None:
    """Hand every `Standardise` of a network the statistics of the input it is named after.

    A network keeps them in a ``ModuleDict`` called ``standardise``, by the name of the input.
    """
    layers = getattr(network, "standardise", {})
    for name in layers:
        layers[name].learn(statistics[name])
