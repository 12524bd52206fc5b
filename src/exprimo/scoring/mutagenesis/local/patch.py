"""Where a mutant's activations differ from the reference's, and by how much."""

from __future__ import annotations

from typing import NamedTuple, Self

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
        Mutant minus reference, (n, width, channels). In memory the positions come first (see
        `slab`): so each tap of a filter reads one block of numbers, and writes one.
    """

    start: Tensor
    values: Tensor

    @classmethod
    def of_slab(cls, start: Tensor, slab: Tensor) -> Self:
        """Make a patch of differences (width, n, channels).

        Examples
        --------
        >>> Patch.of_slab(torch.tensor([2, 5]), torch.zeros(3, 2, 1)).values.shape
        torch.Size([2, 3, 1])
        """
        return cls(start, slab.transpose(0, 1))

    @classmethod
    def kept(cls, start: Tensor, slab: Tensor, length: int) -> Self:
        """Make a patch of differences, of which those outside of the layer are set to 0.

        Parameters
        ----------
        slab
            (width, n, channels), one behind the other; it is changed.
        length
            Positions of the layer.
        """
        width = len(slab)
        first, last = torch.aminmax(start)
        if int(first) < 0 or int(last) + width > length:
            at = _positions(start, width)
            outside = ((at < 0) | (at >= length)).flatten().nonzero()[:, 0]
            # Whole rows: to mask every number takes longer than to compute it.
            slab.flatten(0, 1).index_fill_(0, outside, 0)
        return cls.of_slab(start, slab)

    @property
    def slab(self) -> Tensor:
        """The differences with positions first, (width, n, channels), one behind the other."""
        return self.values.transpose(0, 1).contiguous()

    @property
    def width(self) -> int:
        return self.values.shape[1]

    def inside(self, length: int) -> Patch:
        """Set to 0 what lies outside of a layer of this length.

        Examples
        --------
        >>> patch = Patch(torch.tensor([-1]), torch.ones(1, 3, 1))
        >>> patch.inside(1).values.flatten().tolist()
        [0.0, 1.0, 0.0]
        """
        return Patch.kept(self.start, self.slab.clone(), length)

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
        first, last = (int(end) for end in torch.aminmax(behind))
        if first == last:
            return Patch.of_slab(start, _shifted(self.slab, first, width))
        n = len(start)
        source = _positions(behind, width)
        # What a stretch does not cover is read from a row of zeros behind all others.
        rows = source * n + torch.arange(n, device=start.device)
        rows = rows.where((source >= 0) & (source < self.width), n * self.width)
        flat = self.slab.flatten(0, 1)
        padded = torch.cat([flat, flat.new_zeros(1, flat.shape[1])])
        return Patch.of_slab(start, padded.index_select(0, rows.flatten()).view(width, n, -1))

    def plus(self, other: Patch) -> Patch:
        """Add the differences that another patch, of the same mutants, has in this stretch.

        Examples
        --------
        >>> wide = Patch(torch.tensor([3]), torch.ones(1, 3, 1))
        >>> wide.plus(Patch(torch.tensor([4]), torch.ones(1, 1, 1))).values.flatten().tolist()
        [1.0, 2.0, 1.0]
        """
        first, last = (int(end) for end in torch.aminmax(other.start - self.start))
        if first != last or first < 0 or first + other.width > self.width:
            return Patch.of_slab(self.start, self.slab + other.moved(self.start, self.width).slab)
        total = self.slab.clone()
        total[first : first + other.width] += other.slab
        return Patch.of_slab(self.start, total)

    def no_wider_than(self, length: int) -> Patch:
        """Cut a stretch that is wider than its layer to the whole layer."""
        if self.width <= length:
            return self
        return self.moved(torch.zeros_like(self.start), length)


def _positions(start: Tensor, width: int) -> Tensor:
    """Give the positions that stretches cover, (width, n)."""
    return torch.arange(width, device=start.device)[:, None] + start


def _shifted(slab: Tensor, first: int, width: int) -> Tensor:
    """Give positions ``first`` to ``first + width`` of each stretch, 0 where it has none."""
    had, n, channels = slab.shape
    low, high = max(first, 0), min(first + width, had)
    if high - low == width:
        return slab[low:high]
    out = slab.new_zeros(width, n, channels)
    if low < high:
        out[low - first : high - first] = slab[low:high]
    return out


def rows_beside(start: Tensor, width: int, length: int) -> Tensor:
    """Number the positions of a layer that stretches cover, in the order of a slab, (width · n,).

    Beyond the ends stands the last position: whoever reads it throws it away.
    """
    return _positions(start, width).clamp_(0, length - 1).flatten()


def at_reference(x: Tensor, rows: Tensor, n: int) -> Tensor:
    """Give the reference's activations at positions that `rows_beside` numbered, a slab."""
    return x.index_select(0, rows).view(-1, n, x.shape[1])
