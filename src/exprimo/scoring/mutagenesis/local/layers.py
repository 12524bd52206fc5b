"""Layers whose output at a position depends on few positions before it.

Each reads a reference, (length, channels), and gives its output and what turns a patch of its
input into the patch of its output. A linear layer maps differences to differences, whatever the
reference is; any other needs the reference's activations about the patch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from exprimo.scoring.mutagenesis.local.patch import Patch, at_reference, rows_beside

Change = Callable[[Patch], Patch]


class Layer(Protocol):
    """A layer of a chain."""

    def read(self, x: Tensor) -> tuple[Tensor, Change]:
        """Give the output for a reference (length, channels), and how patches go through."""


@dataclass(frozen=True)
class Convolution:
    """A convolution of stride 1, with a constant added to each channel.

    Parameters
    ----------
    weight
        (outputs, inputs, width).
    bias
        (outputs,), or None.
    before, after
        Zeros in front of the first position and behind the last.
    dilation
        Positions from one tap to the next.
    """

    weight: Tensor
    bias: Tensor | None
    before: int
    after: int
    dilation: int = 1

    def read(self, x: Tensor) -> tuple[Tensor, Change]:
        padded = functional.pad(x.T[None], (self.before, self.after))
        y = functional.conv1d(padded, self.weight, self.bias, dilation=self.dilation)[0].T
        length = len(y)
        taps = self.taps()

        def change(patch: Patch) -> Patch:
            start = patch.start + self.before - self.reach
            found = Patch.of_slab(start, _spread(patch.slab, taps, self.dilation))
            found = found.no_wider_than(length)
            return Patch.kept(found.start, found.slab, length)

        return y.contiguous(), change

    @property
    def reach(self) -> int:
        """Positions from the first tap to the last."""
        return (self.weight.shape[2] - 1) * self.dilation

    def taps(self) -> Tensor:
        """Give the weights of each tap, (taps, inputs, outputs), the last first.

        A change reaches the positions before it by the last taps.
        """
        return self.weight.flip(2).permute(2, 1, 0).contiguous()


def _spread(slab: Tensor, taps: Tensor, dilation: int) -> Tensor:
    """Convolve differences (width, n, inputs) into all positions that they reach.

    One product a tap (taps, inputs, outputs), laid one over the other: of a stretch in the midst
    of nothing a convolution would multiply many zeros.
    """
    width, n, inputs = slab.shape
    n_taps, _, outputs = taps.shape
    if width == 1 and dilation == 1:
        return torch.bmm(slab.expand(n_taps, n, inputs), taps)
    out = slab.new_zeros(width + (n_taps - 1) * dilation, n, outputs)
    return spread_onto(out, slab, taps, dilation)


def spread_onto(out: Tensor, slab: Tensor, taps: Tensor, dilation: int) -> Tensor:
    """Add convolved differences to what stands in ``out``, (all that they reach, n, outputs)."""
    width, flat = len(slab), slab.flatten(0, 1)
    for number, tap in enumerate(taps):
        at = number * dilation
        out[at : at + width].flatten(0, 1).addmm_(flat, tap)
    return out


@dataclass(frozen=True)
class Pointwise:
    """Anything that treats every position alone: (..., inputs) to (..., outputs).

    Parameters
    ----------
    rises
        Of each channel one number is made, and of a greater number none that is smaller.
    """

    function: Callable[[Tensor], Tensor]
    rises: bool = False

    def read(self, x: Tensor) -> tuple[Tensor, Change]:
        y = self.function(x)

        def change(patch: Patch) -> Patch:
            rows, n = rows_beside(patch.start, patch.width, len(x)), len(patch.start)
            new = self.function(at_reference(x, rows, n).add_(patch.slab))
            return Patch.kept(patch.start, new.sub_(at_reference(y, rows, n)), len(y))

        return y, change


@dataclass(frozen=True)
class Residual:
    """The sum of the input and of what inner layers of the same length make of it."""

    inner: Sequence[Layer]

    def read(self, x: Tensor) -> tuple[Tensor, Change]:
        y, changes = read_all(self.inner, x)

        def change(patch: Patch) -> Patch:
            found = through(changes, patch)
            return found.plus(patch)

        return x + y, change


@dataclass(frozen=True)
class MaxPool:
    """Maximum over ``size`` neighbours, without overlap.

    Parameters
    ----------
    size
        None: over all positions.
    whole_bins
        Drop an incomplete last bin; else it is kept.
    """

    size: int | None
    whole_bins: bool = True

    def read(self, x: Tensor) -> tuple[Tensor, Change]:
        size = self.size or max(1, len(x))
        filled = _in_bins(x, size, self.whole_bins, float("-inf"))
        binned = filled.view(-1, size, x.shape[1])
        y = binned.amax(1)

        @cache
        def greatest() -> tuple[Tensor, Tensor]:
            before = binned.cummax(1).values.view_as(filled)
            return before, binned.flip(1).cummax(1).values.flip(1).view_as(filled)

        def change(patch: Patch) -> Patch:
            first, count = _bins(patch, size, len(y))
            n = len(first)
            if size <= patch.width:
                wide = patch.moved(first * size, count * size)
                rows = rows_beside(wide.start, wide.width, len(filled))
                new = at_reference(filled, rows, n).add_(wide.slab)
                best = new.view(count, size, n, -1).amax(1)
            else:
                rows = rows_beside(patch.start, patch.width, len(filled))
                new = at_reference(filled, rows, n).add_(patch.slab)
                bins = [_best(patch, new, first + bin, size, *greatest()) for bin in range(count)]
                best = torch.stack(bins)
            best -= at_reference(y, rows_beside(first, count, len(y)), n)
            return Patch.kept(first, best, len(y))

        return y, change


def _best(
    patch: Patch, new: Tensor, bin: Tensor, size: int, before: Tensor, behind: Tensor
) -> Tensor:
    """Give the maximum of one bin per mutant, (n, channels).

    Of what the patch changed in it (width, n, channels), of what stands before, and of what stands
    behind; the reference's maxima up to and from each position of a bin are known.
    """
    low, high = bin * size, (bin + 1) * size
    start = torch.clamp(patch.start, low, high)
    end = torch.clamp(patch.start + patch.width, low, high)
    at = patch.start + torch.arange(patch.width, device=patch.start.device)[:, None]
    elsewhere = (at < start) | (at >= end)
    # Added, not masked: to mask every number takes longer.
    nothing = torch.zeros_like(elsewhere, dtype=new.dtype).masked_fill_(elsewhere, float("-inf"))
    best = (new + nothing[..., None]).amax(0)
    left = before.index_select(0, (start - 1).clamp_(0, len(before) - 1))
    best = torch.where((start > low)[:, None], torch.maximum(best, left), best)
    right = behind.index_select(0, end.clamp(0, len(behind) - 1))
    return torch.where((end < high)[:, None], torch.maximum(best, right), best)


@dataclass(frozen=True)
class AveragePool:
    """Mean over ``size`` neighbours, without overlap; an incomplete last bin is kept."""

    size: int

    def read(self, x: Tensor) -> tuple[Tensor, Change]:
        size = self.size
        filled = _in_bins(x, size, False, 0.0)
        n_bins = len(filled) // size
        full = torch.arange(1, n_bins + 1, device=x.device) * size
        counts = (size - (full - len(x)).clamp(min=0)).to(x.dtype)[:, None]
        y = filled.view(n_bins, size, -1).sum(1) / counts

        def change(patch: Patch) -> Patch:
            first, count = _bins(patch, size, n_bins)
            wide = patch.moved(first * size, count * size)
            n = len(first)
            total = wide.slab.view(count, size, n, -1).sum(1)
            total /= at_reference(counts, rows_beside(first, count, n_bins), n)
            return Patch.kept(first, total, n_bins)

        return y, change


@dataclass(frozen=True)
class PairAttention:
    """Neighbours weighted by a learned softmax (Avsec et al. 2021); an odd last one is dropped.

    Parameters
    ----------
    weight
        Of the logits, (channels, channels).
    """

    weight: Tensor

    def read(self, x: Tensor) -> tuple[Tensor, Change]:
        filled = _in_bins(x, 2, True, 0.0)
        y = self._pooled(*filled.view(-1, 2, x.shape[1]).unbind(1))

        def change(patch: Patch) -> Patch:
            first, count = _bins(patch, 2, len(y))
            wide = patch.moved(first * 2, count * 2)
            n = len(first)
            rows = rows_beside(wide.start, wide.width, len(filled))
            new = at_reference(filled, rows, n).add_(wide.slab)
            pooled = self._pooled(*new.view(count, 2, n, -1).unbind(1))
            pooled -= at_reference(y, rows_beside(first, count, len(y)), n)
            return Patch.kept(first, pooled, len(y))

        return y, change

    def _pooled(self, first: Tensor, second: Tensor) -> Tensor:
        # A softmax over two is a sigmoid of the difference.
        weight = torch.sigmoid((first - second) @ self.weight.T)
        return second + weight * (first - second)


def _in_bins(x: Tensor, size: int, whole_bins: bool, filling: float) -> Tensor:
    """Cut a reference to whole bins, or fill its last bin up."""
    n_bins = len(x) // size if whole_bins else -(-len(x) // size)
    lacking = n_bins * size - len(x)
    if lacking <= 0:
        return x[: n_bins * size].contiguous()
    return functional.pad(x, (0, 0, 0, lacking), value=filling)


def _bins(patch: Patch, size: int, n_bins: int) -> tuple[Tensor, int]:
    """Give the first bin that each stretch may touch, and how many, the same for all."""
    count = (patch.width + size - 2) // size + 1
    if count >= n_bins:
        return torch.zeros_like(patch.start), n_bins
    return torch.div(patch.start, size, rounding_mode="floor"), count


def read_all(layers: Sequence[Layer], x: Tensor) -> tuple[Tensor, list[Change]]:
    """Take a reference through layers, one behind the other."""
    changes = []
    for layer in layers:
        x, change = layer.read(x)
        changes.append(change)
    return x, changes


def through(changes: Sequence[Change], patch: Patch) -> Patch:
    """Take a patch through what `read_all` gave."""
    for change in changes:
        patch = change(patch)
    return patch
