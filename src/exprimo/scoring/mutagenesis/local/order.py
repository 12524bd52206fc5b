"""Layers in the form in which changes are followed soonest; they compute the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from exprimo.scoring.mutagenesis.local.layers import (
    Change,
    Convolution,
    Layer,
    MaxPool,
    Pointwise,
    Residual,
    read_all,
    spread_onto,
    through,
)
from exprimo.scoring.mutagenesis.local.patch import Patch, at_reference, rows_beside


@dataclass(frozen=True)
class Activated:
    """Layers that end with a convolution, and what treats every position of it alone.

    Differences are added to the reference's sums themselves, which saves passes over them.

    Parameters
    ----------
    before
        Layers in front of the convolution.
    beside
        Add what the first layer reads to what the convolution makes, as a residual block does.
    """

    before: Sequence[Layer]
    convolution: Convolution
    pointwise: Pointwise
    beside: bool = False

    def read(self, x: Tensor) -> tuple[Tensor, Change]:
        inner, changes = read_all(self.before, x)
        y, convolve = self.convolution.read(inner)
        if self.beside:
            y = y + x
        z, activate = self.pointwise.read(y)
        taps, function = self.convolution.taps(), self.pointwise.function

        def change(patch: Patch) -> Patch:
            found = through(changes, patch)
            if _is_simple(found, self.convolution, patch if self.beside else None, len(y)):
                onto = patch if self.beside else None
                return _activated(found, self.convolution, taps, onto, (y, z), function)
            found = convolve(found)
            return activate(found.plus(patch) if self.beside else found)

        return z, change


def _is_simple(patch: Patch, conv: Convolution, beside: Patch | None, length: int) -> bool:
    """Tell whether a convolution's patch fits into the layer, and what is added into that."""
    reach = conv.reach
    if patch.width + reach > length:
        return False
    if beside is None:
        return True
    first, last = torch.aminmax(beside.start - patch.start + reach - conv.before)
    return int(first) == int(last) and 0 <= int(first) <= patch.width + reach - beside.width


def _activated(
    patch: Patch,
    conv: Convolution,
    taps: Tensor,
    beside: Patch | None,
    reference: tuple[Tensor, Tensor],
    function: Callable[[Tensor], Tensor],
) -> Patch:
    """Give the patch behind the activation; ``reference`` is what stands before and behind it."""
    y, z = reference
    start, width, n = (
        patch.start + conv.before - conv.reach,
        patch.width + conv.reach,
        len(patch.start),
    )
    rows = rows_beside(start, width, len(y))
    sums = spread_onto(at_reference(y, rows, n), patch.slab, taps, conv.dilation)
    if beside is not None:
        at = int(beside.start[0] - start[0])
        sums[at : at + beside.width] += beside.slab
    return Patch.kept(start, function(sums).sub_(at_reference(z, rows, n)), len(y))


def arranged(layers: Sequence[Layer]) -> list[Layer]:
    """Put layers into the form in which changes are followed soonest.

    What only rises stands behind a maximum as well as before it, where fewer numbers are left. A
    convolution, or a residual block that ends with one, takes up the activation behind it.

    Examples
    --------
    >>> rectifier = Pointwise(torch.relu, rises=True)
    >>> scan = Convolution(torch.ones(8, 4, 3), None, 1, 1)
    >>> [type(layer).__name__ for layer in arranged([scan, rectifier, MaxPool(4)])]
    ['Convolution', 'MaxPool', 'Pointwise']
    >>> [type(layer).__name__ for layer in arranged([scan, rectifier])]
    ['Activated']
    """
    found: list[Layer] = []
    for layer in layers:
        last = found[-1] if found else None
        if isinstance(layer, MaxPool) and isinstance(last, Pointwise) and last.rises:
            found[-1:] = [layer, last]
        else:
            found.append(layer)
    taken: list[Layer] = []
    for layer in found:
        together = _together(taken[-1], layer) if taken else None
        if together is None:
            taken.append(layer)
        else:
            taken[-1] = together
    return taken


def _together(first: Layer, second: Layer) -> Layer | None:
    """Give one layer for two, where there is one."""
    if not isinstance(second, Pointwise):
        return None
    if isinstance(first, Convolution):
        return Activated([], first, second)
    if isinstance(first, Residual) and first.inner and isinstance(first.inner[-1], Convolution):
        return Activated(arranged(first.inner[:-1]), first.inner[-1], second, beside=True)
    return None
