"""Convolve bases and keep the best match of each bin, without ever holding every position.

A first convolution over 20 kb gives a hundred channels at each base, of which the maximum then
keeps one position in a hundred. Written as two layers, all of it is stored for the gradient: for
a batch of 128 more than a gigabyte, and as much again for its gradient. Here a few examples at a
time are convolved, reduced, and forgotten; what is kept is the place of each best match.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

# Numbers that are held at once: of this size they stay in a core's cache.
_HELD = 1 << 21
# Matrix units take rows of this many numbers; a shorter row is filled up with zeros.
_ROW = 32
_BASES = 4


def best_match(
    x: Tensor, weight: Tensor, before: int, bin: int, *, ceil_mode: bool = False
) -> Tensor:
    """Give the greatest value of a convolution in each bin.

    Equals ``max_pool1d(conv1d(pad(x), weight), bin)``, where ``x`` is padded to keep its length.
    Where the gradient of ``x`` is asked for, and on a GPU, it is computed just so.

    Parameters
    ----------
    x
        Bases, (batch, 4, length).
    weight
        Filters, (channels, 4, width).
    before
        Zeros in front of the first base; behind the last one stand the rest of ``width - 1``.
    bin
        Positions in a bin.
    ceil_mode
        Keep an incomplete last bin.

    Returns
    -------
    Tensor
        (batch, channels, bins); in memory, bins before channels.

    Examples
    --------
    >>> x = torch.eye(4).unsqueeze(0)
    >>> best_match(x, torch.tensor([[[1.0], [2.0], [3.0], [4.0]]]), 0, 2).tolist()
    [[[2.0, 4.0]]]
    """
    if torch.is_autocast_enabled(x.device.type):
        dtype = torch.get_autocast_dtype(x.device.type)
        x, weight = x.to(dtype), weight.to(dtype)
    width = weight.shape[2]
    if x.requires_grad or x.device.type != "cpu":
        padded = functional.pad(x, (before, width - 1 - before))
        return functional.max_pool1d(functional.conv1d(padded, weight), bin, ceil_mode=ceil_mode)
    plan = _Plan.of(x.shape[2], width, weight.shape[0], before, bin, ceil_mode)
    best: Tensor = _BestMatch.apply(x.transpose(1, 2), weight, plan)  # type: ignore[no-untyped-call]  # torch leaves it untyped
    return best.transpose(1, 2)


class _Plan(NamedTuple):
    """Sizes: ``kept`` positions in ``bins``, convolved ``step`` at a time, ``examples`` at once."""

    length: int
    width: int
    before: int
    bin: int
    bins: int
    kept: int
    step: int
    examples: int

    @classmethod
    def of(
        cls, length: int, width: int, channels: int, before: int, bin: int, ceil_mode: bool
    ) -> _Plan:
        bins = -(-length // bin) if ceil_mode else length // bin
        # As many neighbours in one row as its filling would hold anyway.
        room = -(-_BASES * width // _ROW) * _ROW // _BASES - width + 1
        step = max(s for s in range(1, room + 1) if bin % s == 0)
        examples = max(1, _HELD // max(1, bins * bin * channels))
        return cls(length, width, before, bin, bins, bins * bin, step, examples)

    def windows(self, rows: Tensor) -> Tensor:
        """Lay out what ``step`` neighbouring positions read, (examples · rows, bases · 4)."""
        n, needed = len(rows), self.kept + self.width - 1
        padded = rows.new_zeros(n, needed, _BASES)
        end = min(self.length, needed - self.before)
        padded[:, self.before : self.before + end] = rows[:, :end]
        read = (self.width + self.step - 1) * _BASES
        shape = (n, self.kept // self.step, read)
        stride = (needed * _BASES, self.step * _BASES, 1)
        return padded.as_strided(shape, stride).reshape(-1, read)

    def filters(self, weight: Tensor) -> Tensor:
        """Set the filters beside themselves, shifted by 0 to ``step - 1``."""
        channels = len(weight)
        read = self.width + self.step - 1
        matrix = weight.new_zeros(read, _BASES, self.step, channels)
        for shift in range(self.step):
            matrix[shift : shift + self.width, :, shift] = weight.permute(2, 1, 0)
        return matrix.view(read * _BASES, self.step * channels)

    def flat(self, where: Tensor) -> Tensor:
        """Turn positions (examples, bins, channels) into places among all numbers held."""
        n, _, channels = where.shape
        examples = torch.arange(n).view(-1, 1, 1) * (self.kept * channels)
        return where.long() * channels + torch.arange(channels) + examples

    def fold(self, gradient: Tensor, channels: int) -> Tensor:
        """Add up the gradients of the shifted filters, (channels, 4, width)."""
        apart = gradient.view(-1, _BASES, self.step, channels)
        shifted = [apart[s : s + self.width, :, s] for s in range(self.step)]
        return torch.stack(shifted).sum(0).permute(2, 1, 0)


class _BestMatch(torch.autograd.Function):
    """The maximum per bin of bases (batch, length, 4): (batch, bins, channels)."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, weight: Tensor, plan: _Plan) -> Tensor:
        channels, matrix = len(weight), plan.filters(weight)
        best = rows.new_empty(len(rows), plan.bins, channels)
        where = torch.empty(best.shape, dtype=torch.int32)
        for start in range(0, len(rows), plan.examples):
            part = slice(start, start + plan.examples)
            found = (plan.windows(rows[part]) @ matrix).view(-1, plan.kept, channels)
            # What stands behind the last base is no match, nor better than one.
            found[:, plan.length :] = -math.inf
            image = found.unsqueeze(1).permute(0, 3, 1, 2)
            value, place = functional.max_pool2d(image, (1, plan.bin), return_indices=True)
            best[part] = value.permute(0, 2, 3, 1)[:, 0]
            where[part] = place.permute(0, 2, 3, 1)[:, 0]
        ctx.save_for_backward(rows, weight, where)
        ctx.plan = plan
        return best

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, Tensor, None]:
        (gradient,) = gradients
        rows, weight, where = ctx.saved_tensors
        plan, channels = ctx.plan, len(weight)
        total = torch.zeros(plan.filters(weight).shape)
        for start in range(0, len(rows), plan.examples):
            part = slice(start, start + plan.examples)
            places = plan.flat(where[part])
            spread = gradient.new_zeros(len(places), plan.kept * channels)
            # Three times as fast as `scatter_` along the positions.
            spread.put_(places, gradient[part].contiguous())
            total += plan.windows(rows[part]).t() @ spread.view(-1, plan.step * channels)
        return None, plan.fold(total, channels).to(weight.dtype), None
