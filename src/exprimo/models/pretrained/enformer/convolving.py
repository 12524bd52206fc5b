"""Enformer's convolutions without gradients, one window after another, only what changed.

Values run as (positions, channels), a stretch of positions at a time, so that what a layer holds
stays near the cores. Convolutions are products of matrices, one per place of the filter: on a CPU
with bf16 units twice as fast as a convolution of (channels, length), and as fast without.

Stretches begin at fixed places. A window that differs from the one before in few bases needs only
the stretches that read them, and what those give is the same to the last bit as if all had been
computed: of a variant, three quarters of a pass are shared with its reference.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, cast

import torch
from torch import Tensor
from torch.nn import functional

from exprimo.core.sequence import N_CODE
from exprimo.models.network import one_hot_table
from exprimo.models.pretrained.enformer.config import STEM_WIDTH, TOWER_WIDTH
from exprimo.models.pretrained.enformer.layers import GELU_SLOPE, ConvBlock, Halving, affine
from exprimo.models.pretrained.enformer.network import EnformerNetwork

# Numbers of one stretch, on a CPU and on a graphics card. On a CPU half as many cost 6% more for a
# whole window, twice as many cost twice as much for one changed base.
_STRETCH, _STRETCH_GPU = 1 << 19, 1 << 26
_STEM_READS = STEM_WIDTH // 2
_TOWER_READS = TOWER_WIDTH // 2


class PackedConv(NamedTuple):
    """Batch norm, GELU and convolution as ``silu(x * factor + summand) @ weight.T + bias``.

    GELU's slope stands in the factor and, inverted, in the weights: one per place of the filter.
    """

    factor: Tensor
    summand: Tensor
    weights: tuple[Tensor, ...]
    bias: Tensor


def pack(block: ConvBlock, dtype: torch.dtype) -> PackedConv:
    """Bring a block's weights into the form in which they are used."""
    factor, summand = affine(block.norm)
    weight = (block.conv.weight / GELU_SLOPE).to(dtype)
    places = tuple(weight[..., place].contiguous() for place in range(weight.shape[2]))
    assert block.conv.bias is not None
    return PackedConv(GELU_SLOPE * factor, GELU_SLOPE * summand, places, block.conv.bias)


def activate(x: Tensor, packed: PackedConv) -> Tensor:
    """Normalise and activate, (positions, channels), ready for the product."""
    normed = torch.addcmul(packed.summand, x, packed.factor)
    return functional.silu(normed, inplace=True).to(packed.weights[0].dtype)


def multiply(rows: Tensor, weight: Tensor, beside: Tensor) -> Tensor:
    """Give ``rows @ weight.T + beside`` in single precision, whatever the product's own."""
    if rows.dtype == torch.float32:
        return torch.addmm(beside, rows, weight.t())
    return beside + torch.mm(rows, weight.t())


class _Stage(NamedTuple):
    """What halves the length once: (positions, before) to (positions / 2, channels)."""

    read: Callable[[Tensor, int, int], Tensor]
    reach: int
    step: int
    residual: PackedConv
    pool: Tensor

    def stretch(self, x: Tensor, start: int, stop: int) -> Tensor:
        """Give the pooled positions of what stands from ``start`` to ``stop``."""
        read = self.read(x, start, stop)
        active = activate(read, self.residual)
        read += multiply(active, self.residual.weights[0], self.residual.bias)
        first, second = read.view(-1, 2, read.shape[1]).unbind(1)
        difference = first - second
        logits = torch.mm(difference.to(self.pool.dtype), self.pool.t())
        return logits.float().sigmoid_().mul_(difference).add_(second)


class Convolutions:
    """The stem and the tower of a network, packed.

    Parameters
    ----------
    network
        In eval mode; later changes of its weights are not seen.
    dtype
        Of products; sums and what is kept between layers have single precision, which halves
        the error of bf16.
    """

    def __init__(self, network: EnformerNetwork, dtype: torch.dtype) -> None:
        self.device = network.device
        self._table = one_hot_table(self.device).to(dtype)
        conv = network.stem_conv
        taps = conv.weight.permute(0, 2, 1).flatten(1).to(dtype).contiguous()
        assert conv.bias is not None
        self._stem: tuple[Tensor, Tensor] = taps, conv.bias
        self._dtype = dtype
        self._stages = [self._stage(network.stem, self._read_bases, _STEM_READS)]
        for block in network.blocks:
            reader = _reader(pack(cast(ConvBlock, block.first), dtype))
            self._stages.append(self._stage(block, reader, _TOWER_READS))
        config, tower = network.config, network.config.tower()
        shapes = [(config.window >> (at + 1), tower[at]) for at in range(len(tower))]
        # Made for inference alone, they could not be overwritten outside of it.
        with torch.inference_mode(False):
            self._kept = [torch.empty(shape, device=self.device) for shape in shapes]
        self._codes: Tensor | None = None

    def _stage(
        self, block: Halving, read: Callable[[Tensor, int, int], Tensor], reach: int
    ) -> _Stage:
        numbers = _STRETCH if self.device.type == "cpu" else _STRETCH_GPU
        matrix = block.pool.matrix.to(self._dtype).contiguous()
        step = _even(numbers // len(matrix))
        return _Stage(read, reach, step, pack(block.residual, self._dtype), matrix)

    @torch.no_grad()
    def __call__(self, codes: Tensor) -> Tensor:
        """Give what the transformer reads, (positions, dim), for codes (window,) as bytes.

        What was computed for the last window stays, and what both have in common is not computed
        again. The answer is overwritten by the next call.
        """
        padded = functional.pad(codes, (_STEM_READS, _STEM_READS), value=N_CODE)
        changed = None if self._codes is None else padded != self._codes
        # Until all is written, what is kept belongs to no window.
        self._codes = None
        x = padded
        for stage, kept in zip(self._stages, self._kept, strict=True):
            changed = _update(stage, x, kept, changed)
            x = kept
        self._codes = padded
        return x

    def _read_bases(self, padded: Tensor, start: int, stop: int) -> Tensor:
        rows = self._table[padded[start : stop + 2 * _STEM_READS].long()]
        # What neighbouring bases read overlaps: rows of 15 bases, 4 numbers apart.
        read = rows.as_strided((stop - start, 4 * STEM_WIDTH), (4, 1)).contiguous()
        taps, bias = self._stem
        return multiply(read, taps, bias)


def _even(positions: int) -> int:
    return max(2, positions // 2 * 2)


def _reader(packed: PackedConv) -> Callable[[Tensor, int, int], Tensor]:
    """Make what reads (positions, channels) through a filter with zeros beyond the ends."""
    first, *others = packed.weights

    def read(x: Tensor, start: int, stop: int) -> Tensor:
        before, behind = max(0, start - _TOWER_READS), min(len(x), stop + _TOWER_READS)
        active = activate(x[before:behind], packed)
        lacking = before - (start - _TOWER_READS), stop + _TOWER_READS - behind
        if any(lacking):
            active = functional.pad(active, (0, 0, *lacking))
        n = stop - start
        out = multiply(active[:n], first, packed.bias)
        for place, weight in enumerate(others, start=1):
            out = multiply(active[place : place + n], weight, out)
        return out

    return read


def _update(stage: _Stage, x: Tensor, kept: Tensor, changed: Tensor | None) -> Tensor | None:
    """Compute the stretches of ``kept`` whose inputs changed; tell which positions now differ.

    ``changed`` says it of the positions of ``x``; None: of all. The stem's bases are padded by
    what it reads around them, other positions are not.
    """
    length = 2 * len(kept)
    around = len(x) - length
    differs = None if changed is None else kept.new_zeros(len(kept), dtype=torch.bool)
    for start in range(0, length, stage.step):
        stop = min(start + stage.step, length)
        if changed is not None:
            before = max(0, start - stage.reach + around // 2)
            if not bool(changed[before : stop + stage.reach + around // 2].any()):
                continue
        new = stage.stretch(x, start, stop)
        place = slice(start // 2, stop // 2)
        if differs is not None:
            differs[place] = (new != kept[place]).any(dim=1)
        kept[place] = new
    return differs
