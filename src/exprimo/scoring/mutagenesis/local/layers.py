"""Layers whose output at a position depends on few positions before it.

Each reads a reference, (length, channels), and gives its output and what turns a patch of its
input into the patch of its output. A linear layer maps differences to differences, whatever the
reference is; any other needs the reference's activations about the patch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from exprimo.scoring.mutagenesis.local.patch import Patch, at_reference

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
        reach = (self.weight.shape[2] - 1) * self.dilation
        padded = functional.pad(x.T[None], (self.before, self.after))
        y = functional.conv1d(padded, self.weight, self.bias, dilation=self.dilation)[0].T
        length = len(y)

        def change(patch: Patch) -> Patch:
            found = Patch(patch.start + self.before - reach, self._spread(patch.values))
            return found.no_wider_than(length).inside(length)

        return y.contiguous(), change

    def _spread(self, values: Tensor) -> Tensor:
        """Convolve differences, (n, width, inputs), into all positions that they reach."""
        outputs, inputs, taps = self.weight.shape
        n, width, _ = values.shape
        reach = (taps - 1) * self.dilation
        if width > taps:
            # Height 1 and channels last: on a CPU the fastest form.
            image = values.transpose(1, 2).unsqueeze(2)
            weight = self.weight.unsqueeze(2).contiguous(memory_format=torch.channels_last)
            found = functional.conv2d(image, weight, None, 1, (0, reach), (1, self.dilation))
            return found.squeeze(2).transpose(1, 2)
        # A product with all taps at once, laid one over the other: of a narrow stretch in the
        # midst of nothing, a convolution would multiply mostly zeros.
        matrix = self.weight.permute(1, 2, 0).reshape(inputs, taps * outputs)
        each = (values.reshape(n * width, inputs) @ matrix).view(n, width, taps, outputs)
        if width == 1 and self.dilation == 1:
            return each[:, 0].flip(1)
        out = values.new_zeros(n, width + reach, outputs)
        for tap in range(taps):
            at = reach - tap * self.dilation
            out[:, at : at + width] += each[:, :, tap]
        return out


@dataclass(frozen=True)
class Pointwise:
    """Anything that treats every position alone: (..., inputs) to (..., outputs)."""

    function: Callable[[Tensor], Tensor]

    def read(self, x: Tensor) -> tuple[Tensor, Change]:
        y = self.function(x)

        def change(patch: Patch) -> Patch:
            at = patch.positions()
            new = self.function(at_reference(x, at) + patch.values)
            return Patch(patch.start, new - at_reference(y, at)).inside(len(y))

        return y, change


@dataclass(frozen=True)
class Residual:
    """The sum of the input and of what inner layers of the same length make of it."""

    inner: Sequence[Layer]

    def read(self, x: Tensor) -> tuple[Tensor, Change]:
        y, changes = read_all(self.inner, x)

        def change(patch: Patch) -> Patch:
            found = through(changes, patch)
            beside = patch.moved(found.start, found.width)
            return Patch(found.start, found.values + beside.values)

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
        before = binned.cummax(1).values.view_as(filled)
        behind = binned.flip(1).cummax(1).values.flip(1).view_as(filled)

        def change(patch: Patch) -> Patch:
            first, count = _bins(patch, size, len(y))
            if size <= patch.width:
                wide = patch.moved(first * size, count * size)
                new = at_reference(filled, wide.positions()) + wide.values
                best = new.view(len(new), count, size, -1).amax(2)
            else:
                new = at_reference(filled, patch.positions()) + patch.values
                found = [
                    _best(patch, new, first + bin, size, before, behind) for bin in range(count)
                ]
                best = torch.stack(found, 1)
            here = Patch(first, best)
            return here._replace(values=best - at_reference(y, here.positions())).inside(len(y))

        return y, change


def _best(
    patch: Patch, new: Tensor, bin: Tensor, size: int, before: Tensor, behind: Tensor
) -> Tensor:
    """Give the maximum of one bin per mutant, (n, channels).

    Of what the patch changed in it, of what stands before, and of what stands behind; the
    reference's maxima up to and from each position of a bin are known.
    """
    low, high = bin * size, (bin + 1) * size
    start = torch.clamp(patch.start, low, high)
    end = torch.clamp(patch.start + patch.width, low, high)
    at = patch.positions()
    elsewhere = (at < start[:, None]) | (at >= end[:, None])
    best = new.masked_fill(elsewhere[..., None], float("-inf")).amax(1)
    left = at_reference(before, start - 1)
    best = torch.where((start > low)[:, None], torch.maximum(best, left), best)
    right = at_reference(behind, end)
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
            total = wide.values.view(len(first), count, size, -1).sum(2)
            here = Patch(first, total)
            return here._replace(values=total / at_reference(counts, here.positions())).inside(
                n_bins
            )

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
        y = self._pooled(filled.view(-1, 2, x.shape[1]))

        def change(patch: Patch) -> Patch:
            first, count = _bins(patch, 2, len(y))
            wide = patch.moved(first * 2, count * 2)
            new = at_reference(filled, wide.positions()) + wide.values
            pooled = self._pooled(new.view(len(new), count, 2, -1))
            here = Patch(first, pooled)
            return here._replace(values=pooled - at_reference(y, here.positions())).inside(len(y))

        return y, change

    def _pooled(self, pairs: Tensor) -> Tensor:
        first, second = pairs.unbind(-2)
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
