"""What an example is compared with, and contributions from the way between the two.

A method gives, for an example x and a reference r, one multiplier M per number of the input, with
the sum of (x - r) M equal to the change of the output. Of a sequence the same multipliers say what
each base would contribute: that of base b at a position is M_b less the mean of M under the
reference there. Contributions are means over the references (Lundberg & Lee 2017, section 4.2;
shuffled references: Shrikumar et al. 2017).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from exprimo.core.dataset import SEQUENCES
from exprimo.core.predictor import Batch
from exprimo.core.sequence import Codes
from exprimo.features.shuffles import dinucleotide_shuffle
from exprimo.interpret.attributions.method import Attributed, Convergence, MethodConfig, Subject
from exprimo.models.network import one_hot_table

_BASES = 4
_UNIFORM = 1 / _BASES


class Multipliers(NamedTuple):
    """Of some pairs of an example and a reference.

    Attributes
    ----------
    by_input
        Input name -> multipliers, (pairs, *shape); of sequences (pairs, 4, length).
    output, at_reference
        The explained output of both, (pairs,).
    """

    by_input: Mapping[str, Tensor]
    output: Tensor
    at_reference: Tensor


Inputs = dict[str, Tensor]


def sequence_references(codes: Codes, n: int, seed: int) -> Codes:
    """Shuffle each sequence's dinucleotides ``n`` times, (examples, n, length).

    The shuffles of a sequence depend on it and on the seed alone, whatever stands beside it.

    Examples
    --------
    >>> one = np.tile(np.arange(4, dtype=np.uint8), (2, 5))
    >>> found = sequence_references(one, 3, seed=0)
    >>> found.shape, bool((found[0] == found[1]).all())
    ((2, 3, 20), True)
    """
    return np.stack(
        [
            dinucleotide_shuffle(one, n, zlib.crc32(np.ascontiguousarray(one).tobytes()) + seed)
            for one in codes
        ]
    )


class References:
    """The references of a batch.

    Parameters
    ----------
    batch
        Inputs as stored; its sequences are shuffled, or stand against a fixed background.
    given
        The same as the network reads it.
    """

    def __init__(self, subject: Subject, config: MethodConfig, batch: Batch, given: Inputs) -> None:
        self.given, self.names = given, subject.names
        self.device = subject.net.device
        self._table = one_hot_table(self.device)
        self._codes: dict[str, Codes] = {}
        self._fixed: dict[str, Tensor] = {}
        for name in subject.names:
            if name not in SEQUENCES:
                self._fixed[name] = self._of_numbers(subject, config, name)
            elif config.background == "shuffled":
                self._codes[name] = sequence_references(
                    np.asarray(batch[name]), config.references, config.seed
                )
            else:
                known = given[name].sum(1, keepdim=True)
                level = _UNIFORM if config.background == "uniform" else 0.0
                self._fixed[name] = (known * level).expand_as(given[name])
        self.n = len(next(iter(given.values())))
        self.per_example = config.references if self._codes else 1

    def __len__(self) -> int:
        """Count the pairs."""
        return self.n * self.per_example

    def pairs(self, start: int, stop: int) -> tuple[Tensor, Inputs, Inputs]:
        """Give which example each pair is of, and what the network reads of it and its reference.

        Inputs that are not explained are the same in both.
        """
        number = torch.arange(start, min(stop, len(self)), device=self.device)
        example = number // self.per_example
        given = {name: values[example] for name, values in self.given.items()}
        reference = dict(given)
        for name, values in self._fixed.items():
            reference[name] = values[example]
        for name, codes in self._codes.items():
            flat = codes.reshape(-1, codes.shape[2])[start:stop]
            moved = torch.from_numpy(flat).to(self.device)
            reference[name] = self._table[moved.long()].transpose(1, 2)
        return example, given, reference

    def _of_numbers(self, subject: Subject, config: MethodConfig, name: str) -> Tensor:
        values = self.given[name]
        if config.baseline == "zeros":
            ordinary = torch.zeros_like(values[:1])
        else:
            mean = torch.from_numpy(subject.baselines[name]).to(self.device, values.dtype)
            ordinary = mean[None]
        # What is missing is missing in the reference too: the network fills both in alike.
        return torch.where(torch.isnan(values), values, ordinary.expand_as(values))


class _Sums:
    """Sums over references of what pairs contribute."""

    def __init__(self, given: Inputs, names: tuple[str, ...], n: int) -> None:
        self._given, self._names = given, names
        self.by_input = {name: torch.zeros_like(given[name]) for name in names}
        self.facts = torch.zeros(n, 5, dtype=torch.float64)

    def add(self, example: Tensor, given: Inputs, reference: Inputs, found: Multipliers) -> None:
        total = torch.zeros(len(example), dtype=torch.float64)
        for name in self._names:
            slope = torch.nan_to_num(found.by_input[name], nan=0.0)
            step = torch.nan_to_num(given[name] - reference[name], nan=0.0) * slope
            total += step.flatten(1).double().sum(1).cpu()
            if name in SEQUENCES:
                step = slope - (reference[name] * slope).sum(1, keepdim=True)
            self.by_input[name].index_add_(0, example, step)
        output, at_reference = found.output.double().cpu(), found.at_reference.double().cpu()
        moved = output - at_reference
        missed = total - moved
        facts = torch.stack([output, missed, moved, missed.abs(), moved.abs()], dim=1)
        self.facts.index_add_(0, example.cpu(), facts)

    def mean(self, per_example: int) -> Attributed:
        values: dict[str, Any] = {}
        hypothetical: dict[str, Any] = {}
        for name in self._names:
            found = self.by_input[name] / per_example
            if name in SEQUENCES:
                values[name] = (found * self._given[name]).sum(1).cpu().numpy()
                hypothetical[name] = found.cpu().numpy()
            else:
                values[name] = found.cpu().numpy()
        output, *rest = (self.facts / per_example).float().numpy().T
        return Attributed(output, values, hypothetical, Convergence(*rest))


def explain_by_references(
    subject: Subject,
    config: MethodConfig,
    batch: Batch,
    pairs_at_once: int,
    multipliers: Callable[[Inputs, Inputs], Multipliers],
) -> Attributed:
    """Explain some examples by a method that compares each with its references.

    Parameters
    ----------
    pairs_at_once
        How many pairs are given to ``multipliers`` at once.
    multipliers
        What the network reads of examples, and of references -> their multipliers.
    """
    given = subject.tensors(batch)
    references = References(subject, config, batch, given)
    sums = _Sums(given, subject.names, references.n)
    for start in range(0, len(references), pairs_at_once):
        example, here, reference = references.pairs(start, start + pairs_at_once)
        sums.add(example, here, reference, multipliers(here, reference))
    return sums.mean(references.per_example)
