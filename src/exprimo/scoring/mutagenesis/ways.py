"""Two ways to predict all mutants of a window: each whole, or only what a change can reach."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from exprimo.core.errors import MismatchError
from exprimo.core.predictor import Batch, Floats
from exprimo.core.sequence import reverse_complement
from exprimo.models.network import NetworkPredictor, flip, one_hot_table, to_tensors
from exprimo.scoring.mutagenesis.local import Chain, Updates
from exprimo.scoring.mutagenesis.substitutions import Substitutions

# Beyond so many mutants at once nothing is gained. On a CPU what the widest layer holds of them
# should stay in a core's cache; but below the fewest, a call costs more than what it computes.
_MOST_AT_ONCE, _CACHED, _FEWEST_CACHED = 1024, 3 << 19, 256
# A layer's patch, its predecessor's, the reference's there, and what stands between them.
_STANDING = 8
# Mutants of the first window that are computed both ways, and how far they may differ.
_CHECKED, _TOLERANCE = 6, 1e-4


class Outputs(NamedTuple):
    """Predictions for the reference, (tracks,), and for its mutants, (n, tracks)."""

    reference: Floats
    mutants: Floats


class Way(Protocol):
    """Predicts a window and its mutants."""

    def outputs(self, batch: Batch, wanted: Substitutions) -> Outputs:
        """Predict one example, inputs (1, ...) as stored, and it with each substitution."""


class WholeWay:
    """Predict every mutant whole, some at a time; right for any model.

    Parameters
    ----------
    predict
        Batch -> (n, tracks).
    rows
        Mutants that are made and predicted at once.
    """

    def __init__(self, predict: Callable[[Batch], Floats], rows: int) -> None:
        self._predict = predict
        self.rows = max(1, rows)

    def outputs(self, batch: Batch, wanted: Substitutions) -> Outputs:
        """Predict one example and its mutants."""
        reference = self._predict(batch)[0]
        found = [self._predict(mutants) for mutants in self._mutants(batch, wanted)]
        empty = np.empty((0, len(reference)), dtype=np.float32)
        return Outputs(reference, np.concatenate(found) if found else empty)

    def _mutants(self, batch: Batch, wanted: Substitutions) -> Iterator[Batch]:
        for start in range(0, len(wanted), self.rows):
            some = wanted.take(slice(start, start + self.rows))
            n = len(some)
            made = {name: np.repeat(values, n, axis=0) for name, values in batch.items()}
            made["sequence"][np.arange(n), some.sites] = some.bases
            yield made


class LocalWay:
    """Follow each change through a convolutional network, and recompute nothing else.

    Equals the network itself up to rounding, for the reference and for every mutant.

    Parameters
    ----------
    network
        The members of an ensemble, with what is done to their outputs.
    chains
        Its members as chains, in order.
    inputs_of
        Inputs as stored -> inputs as the network reads them.
    chosen
        Numbers of the wanted outputs.
    memory
        Bytes that patches may take.
    """

    def __init__(
        self,
        network: NetworkPredictor,
        chains: Sequence[Chain],
        inputs_of: Callable[[Batch], Batch],
        chosen: Sequence[int],
        memory: int,
    ) -> None:
        self._network, self._chains = network, chains
        self._inputs_of, self._chosen = inputs_of, list(chosen)
        self._memory = memory
        self._table = one_hot_table(network.device)

    @torch.inference_mode()
    def outputs(self, batch: Batch, wanted: Substitutions) -> Outputs:
        """Predict one example and its mutants."""
        given = self._inputs_of(batch)
        self._network.check(given)
        strands = [to_tensors(given, self._table)]
        if self._network.both_strands:
            strands.append(flip(strands[0]))
        members = [[Updates(chain, inputs) for inputs in strands] for chain in self._chains]
        reference = self._mean([[one.output[None] for one in both] for both in members])[0]
        widest = max(one.numbers_per_mutant() for both in members for one in both)
        step = self._at_once(4 * widest)
        found = [reference[:0].reshape(0, len(reference))]
        length = given["sequence"].shape[1]
        for start in range(0, len(wanted), step):
            some = wanted.take(slice(start, start + step))
            turned = Substitutions(
                length - 1 - some.sites, reverse_complement(some.bases[:, None])[:, 0]
            )
            read = [self._on_device(one) for one in (some, turned)[: len(strands)]]
            raw = [
                [one.outputs(*at) for one, at in zip(both, read, strict=True)] for both in members
            ]
            found.append(self._mean(raw))
        return Outputs(reference, np.concatenate(found))

    def _at_once(self, widest: int) -> int:
        """Choose how many mutants are computed at once, by the bytes of one's widest layer."""
        most = _MOST_AT_ONCE
        if self._network.device.type == "cpu":
            most = min(most, max(_FEWEST_CACHED, _CACHED // widest))
        return max(1, min(most, self._memory // (_STANDING * widest)))

    def _on_device(self, some: Substitutions) -> tuple[Tensor, Tensor]:
        device = self._network.device
        sites = torch.from_numpy(some.sites).to(device)
        return sites, self._table[torch.from_numpy(some.bases).to(device).long()]

    def _mean(self, raw: Sequence[Sequence[Tensor]]) -> Floats:
        """Give predictions (n, tracks) from raw outputs by member and strand."""
        members = [
            self._network.in_target_units(torch.stack(list(strands)).mean(0)).cpu().numpy()
            for strands in raw
        ]
        found: Floats = np.stack(members).mean(0)[:, self._chosen]
        return found


def check_same(local: Way, whole: Way, batch: Batch, among: Substitutions, name: str) -> None:
    """Compute a few mutants of a window both ways, and refuse a local way that differs."""
    n = len(among)
    some = among.take(np.random.default_rng(0).choice(n, min(_CHECKED, n), replace=False))
    found, expected = local.outputs(batch, some), whole.outputs(batch, some)
    off = float(np.abs(found.reference - expected.reference).max())
    if n:
        off = max(off, float(np.abs(found.mutants - expected.mutants).max()))
    most = _TOLERANCE * max(1.0, float(np.abs(expected.reference).max()))
    if not off <= most:
        raise MismatchError(
            "what a change can reach, recomputed, differs from the whole network",
            record=name,
            found=f"a difference of {off:.3g} between {len(some)} mutants computed both ways",
            expected=f"at most {most:.3g}",
            remedy="Predict every mutant whole: --way whole",
        )
