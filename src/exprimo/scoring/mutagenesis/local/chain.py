"""A network as a chain of local layers, a first dense layer, and the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from exprimo.scoring.mutagenesis.local.layers import Layer, read_all, through
from exprimo.scoring.mutagenesis.local.order import arranged
from exprimo.scoring.mutagenesis.local.patch import Patch, at_reference, rows_beside

# Up to so many units, products of numbers are sooner done than products of matrices, of which
# there is one for each start of a stretch.
_FEW_UNITS = 4

Inputs = Mapping[str, Tensor]


class Chain(NamedTuple):
    """A convolutional network, described so that a change can be followed through it.

    Attributes
    ----------
    layers
        From one-hot bases (length, 4) to (positions, channels).
    dense
        Weights of the first layer that sees all positions, (positions, channels, units).
    constant
        What that layer adds, (units,), from the other inputs: its bias, and what it makes of
        inputs that are no sequence; each (1, ...) as the network takes it.
    rest
        From the sums (n, units) to the network's raw outputs (n, outputs).
    """

    layers: Sequence[Layer]
    dense: Tensor
    constant: Callable[[Inputs], Tensor]
    rest: Callable[[Tensor], Tensor]


class Updates:
    """One reference in a network, and what substitutions make of the output.

    Parameters
    ----------
    inputs
        What the network reads of one example: ``sequence`` one-hot (1, 4, length), and others.

    Attributes
    ----------
    output
        The network's raw output for the reference, (outputs,).
    """

    def __init__(self, chain: Chain, inputs: Inputs) -> None:
        self._chain = chain
        self._bases = inputs["sequence"][0].T.contiguous()
        last, self._changes = read_all(arranged(chain.layers), self._bases)
        flat = chain.dense.flatten(0, 1)
        self._sums = last.reshape(1, -1) @ flat + chain.constant(inputs)
        self.output = chain.rest(self._sums)[0]

    def outputs(self, sites: Tensor, bases: Tensor) -> Tensor:
        """Give raw outputs of mutants, (n, outputs).

        Parameters
        ----------
        sites
            Changed position of each mutant, (n,) int64. Mutants whose sites stand together are
            computed soonest.
        bases
            What stands there instead, one-hot (n, 4).
        """
        # Substituting a base adds one column of each filter and takes another away.
        patch = Patch(sites, (bases - self._bases[sites])[:, None])
        last = through(self._changes, patch)
        return self._chain.rest(self._sums + self._dense(last))

    def numbers_per_mutant(self) -> int:
        """Give how many numbers the widest layer holds of one mutant."""
        patch = Patch(self._bases.new_zeros(1, dtype=torch.int64), self._bases[:1, None])
        widest = self._chain.dense.shape[2]
        for change in self._changes:
            patch = change(patch)
            widest = max(widest, patch.values.numel())
        return widest

    def _dense(self, patch: Patch) -> Tensor:
        """Give what the first dense layer's sums change by, (n, units)."""
        dense = self._chain.dense
        if dense.shape[2] <= _FEW_UNITS:
            rows, n = rows_beside(patch.start, patch.width, len(dense)), len(patch.start)
            slab = patch.slab
            units = [(slab * at_reference(d, rows, n)).sum(0).sum(1) for d in dense.unbind(2)]
            return torch.stack(units, 1)
        found = patch.values.new_empty(len(patch.start), dense.shape[2])
        starts, counts = torch.unique_consecutive(patch.start, return_counts=True)
        row = 0
        for start, count in zip(starts.tolist(), counts.tolist(), strict=True):
            low, high = max(start, 0), min(start + patch.width, len(dense))
            new = patch.values[row : row + count, low - start : max(high, low) - start]
            found[row : row + count] = new.flatten(1) @ dense[low:high].flatten(0, 1)
            row += count
        return found
