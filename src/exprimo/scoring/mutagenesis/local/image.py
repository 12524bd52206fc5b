"""A sequence read as an image of four rows: rows become channels of a chain along the length."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from exprimo.models.differential.cnn2d import Cnn2d
from exprimo.scoring.mutagenesis.local.layers import Convolution, Layer, MaxPool, Pointwise
from exprimo.scoring.mutagenesis.local.modules import affine

_ROWS = 4


def image_layers(network: Cnn2d, length: int) -> list[Layer]:
    """Describe both readers: each a convolution, a maximum over rows and columns, a rectifier.

    What comes out has one number per channel and position, the greatest of its rows.

    Notes
    -----
    Row r of channel c of an image with R rows is channel c · R + r of the chain.
    """
    layers: list[Layer] = []
    rows = _ROWS
    for reader in network.body:
        found, rows, length = _reader(reader, rows, length)
        layers += found
    return [*layers, Pointwise(_best_row(rows, rows)), MaxPool(None)]


def _reader(reader: Any, rows: int, length: int) -> tuple[list[Layer], int, int]:
    """Describe one reader; give also the rows and positions that it leaves."""
    left, right, above, below = reader.padding
    kept = rows + above + below - reader.conv.kernel_size[0] + 1
    weight = _rows_as_channels(reader.conv.weight, rows, kept, above)
    bias = reader.conv.bias
    if bias is not None:
        bias = bias.repeat_interleave(kept)
    pooled_rows, columns = min(2, kept), min(reader.pool, length)
    layers: list[Layer] = [
        Convolution(weight, bias, left, right),
        MaxPool(columns),
        Pointwise(_finish(reader.norm, kept, pooled_rows)),
    ]
    return layers, kept // pooled_rows, length // columns


def _rows_as_channels(weight: Tensor, rows: int, kept: int, above: int) -> Tensor:
    """Give filters (outputs · kept, inputs · rows, width) from (outputs, inputs, height, width)."""
    outputs, inputs, height, width = weight.shape
    spread = weight.new_zeros(outputs, kept, inputs, rows, width)
    for row in range(kept):
        for tap in range(height):
            source = row + tap - above
            if 0 <= source < rows:
                spread[:, row, :, source] = weight[:, :, tap]
    return spread.view(outputs * kept, inputs * rows, width)


def _best_row(rows: int, pool: int) -> Callable[[Tensor], Tensor]:
    """Take the maximum over ``pool`` rows of each channel; incomplete last ones are dropped."""
    bins = rows // pool

    def best(x: Tensor) -> Tensor:
        by_row = x.reshape(*x.shape[:-1], -1, rows)[..., : bins * pool]
        binned = by_row.reshape(*by_row.shape[:-1], bins, pool)
        return binned.amax(-1).flatten(-2)

    return best


def _finish(norm: nn.Module, rows: int, pool: int) -> Callable[[Tensor], Tensor]:
    best = _best_row(rows, pool)
    if not isinstance(norm, nn.BatchNorm2d):
        return lambda x: best(x).relu()
    scale, shift = (values.repeat_interleave(rows // pool) for values in affine(norm))
    return lambda x: torch.relu(best(x) * scale + shift)
