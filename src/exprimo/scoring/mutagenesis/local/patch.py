"""Where a mutant's activations differ from the reference's, and by how much."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Patch(NamedTuple):
    """A stretch of one layer in each of some mutants, as differences from the reference.

    All stretches of a patch are equally wide, so that mutants at different positions share one
    array. A stretch may jut out of the layer; there, and in all that it does not cover, the
    difference is 0.

    Attributes
    ----------
    start
        First position of each mutant's stretch, (n,) int64; may be below 0.
    values
        Mutant minus reference, (n, width, channels).
    """

    start: Tensor
    values: Tensor

    @property
    def width(self) -> int:
        return self.values.shape[1]

    def positions(self) -> Tensor:
        """Give the positions that are covered, (n, width)."""
        steps = torch.arange(self.width, device=self.start.device)
        return self.start[:, None] + steps

    def inside(self, length: int) -> Patch:
        """Set to 0 what lies outside of a layer of this length.

        Examples
        --------
        >>> patch = Patch(torch.tensor([-1]), torch.ones(1, 3, 1))
        >>> patch.inside(1).values.flatten().tolist()
        [0.0, 1.0, 0.0]
        """
        if int(self.start.min()) >= 0 and int(self.start.max()) + self.width <= length:
            return self
        at = self.positions()
        outside = (at < 0) | (at >= length)
        return self._replace(values=self.values.masked_fill(outside[..., None], 0))

    def moved(self, start: Tensor, width: int) -> Patch:
        """Give the differences in another stretch of the same layer.

        Parameters
        ----------
        start
            Its first position in each mutant, (n,).

        Examples
        --------
        >>> patch = Patch(torch.tensor([4]), torch.tensor([[[1.0], [2.0]]]))
        >>> patch.moved(torch.tensor([3]), 4).values.flatten().tolist()
        [0.0, 1.0, 2.0, 0.0]
        """
        behind = start - self.start
        first = int(behind[0])
        if bool((behind == first).all()):
            return Patch(start, _shifted(self.values, first, width))
        source = behind[:, None] + torch.arange(width, device=start.device)
        outside = (source < 0) | (source >= self.width)
        source = source.clamp(0, self.width - 1)
        rows = torch.arange(len(start), device=start.device)[:, None]
        return Patch(start, self.values[rows, source].masked_fill_(outside[..., None], 0))

    def no_wider_than(self, length: int) -> Patch:
        """Cut a stretch that is wider than its layer to the whole layer."""
        if self.width <= length:
            return self
        return self.moved(torch.zeros_like(self.start), length)


def _shifted(values: Tensor, first: int, width: int) -> Tensor:
    """Give positions ``first`` to ``first + width`` of each stretch, 0 where it has none."""
    n, had, channels = values.shape
    if first == 0 and width == had:
        return values
    low, high = max(first, 0), min(first + width, had)
    if low - first == 0 and high - low == width:
        return values[:, low:high]
    out = values.new_zeros(n, width, channels)
    if low < high:
        out[:, low - first : high - first] = values[:, low:high]
    return out


def at_reference(x: Tensor, positions: Tensor) -> Tensor:
    """Give the reference's activations at some positions, (n, width, channels).

    Beyond the ends stand those of the last position: whoever reads them throws them away.
    """
    return x[positions.clamp(0, len(x) - 1)]
