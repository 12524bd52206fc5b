"""Substitutions through a convolutional network: only what the changed base can reach.

A crop of the alternate window around the base is read like a short window of its own. What the
base reaches lies in the middle of the crop, where nothing is felt of the crop's ends; the rest is
the reference's. Crops of all windows are of one length and go through the network together. The
last layers of a deep network reach too far; they are coarse, and read whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Self

import numpy as np
import torch
from torch import Tensor, nn

from exprimo.core.errors import MismatchError
from exprimo.core.predictor import Floats
from exprimo.core.sequence import Codes, reverse_complement
from exprimo.models.cnn import Cnn, MaxPool, MotifScan, PairPool, ResidualBlock, Sharpen
from exprimo.models.network import NetworkPredictor, one_hot_table
from exprimo.scoring.sequences import SequenceModel
from exprimo.scoring.sequences.of_predictor import PredictorModel
from exprimo.scoring.variants.windows.edits import Ints

# Crops longer than this share of the window gain nothing.
_LONGEST_CROP = 0.5
# References that are read together, in bases, as when whole windows are predicted.
_BASES_AT_ONCE = 65_536
_CHECKED, _TOLERANCE = 6, 1e-4
_PLAIN = (nn.BatchNorm2d, nn.SiLU, nn.Dropout2d, nn.Identity, Sharpen)


class Reach(NamedTuple):
    """How far a body's last layer reads: ``bases`` beyond its own ``pool`` bases, either way."""

    bases: int
    pool: int

    @classmethod
    def of(cls, layers: Sequence[nn.Module]) -> Self | None:
        """Follow the layers of a `Cnn`; None where one of another kind stands among them.

        Examples
        --------
        >>> Reach.of([nn.Conv2d(4, 8, (1, 15)), MaxPool(4), nn.Conv2d(8, 8, (1, 3))])
        Reach(bases=11, pool=4)
        """
        bases, pool = 0, 1
        for layer in layers:
            if isinstance(layer, MaxPool | PairPool):
                pool *= layer.factor if isinstance(layer, MaxPool) else 2
                continue
            if not isinstance(layer, (MotifScan, ResidualBlock, nn.Conv2d, *_PLAIN)):
                return None
            for inner in layer.modules():
                if isinstance(inner, nn.Conv2d):
                    bases += inner.kernel_size[1] // 2 * inner.dilation[1] * pool
        return cls(bases, pool)

    def crop(self, length: int) -> int:
        """Give the bases of a crop in whose middle nothing is felt of its ends."""
        least = 4 * self.bases + 5 * self.pool
        # Beyond whole bins as many bases as in the window, so that the last crop ends with it.
        return least + (length - least) % self.pool


class LocalReader:
    """Reads references whole, and of alternates the part that a substitution can reach.

    Equals the whole network up to rounding; a few pairs are computed both ways at first.

    Parameters
    ----------
    network
        Members are all `Cnn`.
    model
        The same, for the comparison.
    chosen
        Numbers of the wanted outputs.
    n_layers, reach
        How many layers of the body a change is followed through, and how far they read.
    """

    def __init__(
        self,
        network: NetworkPredictor,
        model: SequenceModel,
        chosen: Sequence[int],
        n_layers: int,
        reach: Reach,
    ) -> None:
        self._network, self._model = network, model
        self._chosen, self._reach = list(chosen), reach
        self._length = model.upstream + model.downstream
        self._crop = reach.crop(self._length)
        self._table = one_hot_table(network.device)
        self._checked = False
        n_bins = self._length // reach.pool
        members = [member for member in network.members if isinstance(member, Cnn)]
        self._bodies = [_Body(member, n_layers, n_bins) for member in members]

    def predict(
        self, reference: Codes, alternate: Codes, place: Ints, site: Ints
    ) -> tuple[Floats, Floats]:
        """Predict (places, tracks, 1) and (pairs, tracks, 1).

        Parameters
        ----------
        reference
            (places, length); each is the place of a pair.
        alternate, place, site
            (pairs, length), the row of ``reference`` that each differs from, in order, and the
            index of the one base in which it does.
        """
        references = np.empty((len(reference), len(self._chosen), 1), dtype=np.float32)
        alternates = np.empty((len(alternate), len(self._chosen), 1), dtype=np.float32)
        for places, pairs in self._blocks(place):
            references[places], alternates[pairs] = self._some(
                reference[places], alternate[pairs], place[pairs] - places.start, site[pairs]
            )
        if not self._checked:
            self._check(alternate, alternates)
            self._checked = True
        return references, alternates

    def _blocks(self, place: Ints) -> Iterator[tuple[slice, slice]]:
        """Cut pairs so that neither their references nor their crops are too many."""
        windows = max(1, _BASES_AT_ONCE // self._length)
        crops = max(1, _BASES_AT_ONCE // self._crop)
        start = 0
        while start < len(place):
            first = int(place[start])
            stop = min(start + crops, int(np.searchsorted(place, first + windows)))
            yield slice(first, int(place[stop - 1]) + 1), slice(start, stop)
            start = stop

    @torch.inference_mode()
    def _some(
        self, reference: Codes, alternate: Codes, place: Ints, site: Ints
    ) -> tuple[Floats, Floats]:
        strands = [(reference, alternate, site)]
        if self._network.both_strands:
            turned = reverse_complement(reference), reverse_complement(alternate)
            strands.append((*turned, self._length - 1 - site))
        rows = torch.from_numpy(place)
        found = []
        for body in self._bodies:
            raw = [self._raw(body, *read, rows) for read in strands]
            mean = torch.stack(raw).mean(0)
            found.append(self._network.in_target_units(mean).cpu().numpy())
        mean = np.mean(found, axis=0)[:, self._chosen, None]
        return mean[: len(reference)], mean[len(reference) :]

    def _raw(
        self, body: _Body, reference: Codes, alternate: Codes, site: Ints, rows: Tensor
    ) -> Tensor:
        """Give raw outputs of references and then of alternates, (places + pairs, outputs)."""
        bases, pool = self._reach
        start = (site - 2 * bases - 2 * pool) // pool * pool
        start = np.clip(start, 0, self._length - self._crop)
        crops = np.take_along_axis(alternate, start[:, None] + np.arange(self._crop), axis=1)
        # Bins that read the base: the first one, and as many as ever can.
        first = -((bases + pool - 1 - site) // pool)
        bins = first[:, None] + np.arange((2 * bases + pool - 1) // pool + 1)
        device = self._network.device
        at = torch.from_numpy(bins).to(device)
        within = at - torch.from_numpy(start // pool).to(device)[:, None]
        whole = body.bins(self._one_hot(reference))
        part = body.bins(self._one_hot(crops))
        each = torch.arange(len(part), device=device)[:, None]
        new = part[each, within.clamp(0, part.shape[1] - 1)]
        return body.outputs(whole, rows.to(device), at, new)

    def _one_hot(self, codes: Codes) -> Tensor:
        moved = torch.from_numpy(np.ascontiguousarray(codes)).to(self._network.device)
        return self._table[moved.long()]

    def _check(self, alternate: Codes, found: Floats) -> None:
        rows = np.linspace(0, len(alternate) - 1, min(_CHECKED, len(alternate))).astype(np.int64)
        expected = self._model.predict(alternate[rows])
        off = float(np.abs(expected - found[rows]).max())
        most = _TOLERANCE * max(1.0, float(np.abs(expected).max()))
        if not off <= most:
            raise MismatchError(
                "what a base can reach, recomputed, differs from the whole network",
                record=self._model.name,
                found=f"a difference of {off:.3g}",
                expected=f"at most {most:.3g}",
                remedy="Predict every window whole: --way whole",
            )


class _Body:
    """A `Cnn` in two parts: some first layers of its body, and what stands behind them."""

    def __init__(self, network: Cnn, n_layers: int, n_bins: int) -> None:
        layers = list(network.body)
        self._first, self._rest = (
            nn.Sequential(*layers[:n_layers]),
            nn.Sequential(*layers[n_layers:]),
        )
        self._network = network
        self._grid: Tensor | None = None
        if n_layers == len(layers) - 1:
            # Behind the last bins are means: what each bin has of each place of the grid.
            each = torch.eye(n_bins, device=network.output.weight.device)
            with torch.inference_mode():
                self._grid = self._rest(each[:, None, None])[:, 0, 0]

    def bins(self, one_hot: Tensor) -> Tensor:
        """Give (n, bins, channels) for bases (n, length, 4)."""
        # Seen as (n, 4, 1, length) these are channels-last, as the network wants them.
        found = self._first(one_hot[:, None].permute(0, 3, 1, 2))
        bins: Tensor = found[:, :, 0].transpose(1, 2)
        return bins

    def outputs(self, whole: Tensor, rows: Tensor, at: Tensor, new: Tensor) -> Tensor:
        """Give raw outputs of references and then of alternates, (places + pairs, outputs).

        Parameters
        ----------
        whole
            Of the references, (places, bins, channels).
        rows, at, new
            Of each alternate its reference, (pairs,), which bins differ, (pairs, few), some
            beyond the ends, and what is there, (pairs, few, channels).
        """
        n, few = whole.shape[1], at.shape[1]
        if self._grid is None:
            # Room on both sides for bins beyond the ends.
            moved = nn.functional.pad(whole[rows], (0, 0, few, few))
            moved[torch.arange(len(at), device=at.device)[:, None], at + few] = new
            every = torch.cat([whole, moved[:, few : few + n]])
            return self._finish(self._rest(every[:, None].permute(0, 3, 1, 2)))
        valid, inside = (at >= 0) & (at < n), at.clamp(0, n - 1)
        change = (new - whole[rows[:, None], inside]) * valid[..., None]
        sums = torch.einsum("pbc,bg->pcg", whole, self._grid)
        summand = torch.einsum("pbc,pbg->pcg", change, self._grid[inside])
        return self._finish(torch.cat([sums, sums[rows] + summand])[:, :, None])

    def _finish(self, grid: Tensor) -> Tensor:
        """Give raw outputs (n, outputs) for (n, channels, 1, grid)."""
        raw: Tensor = self._network.output(self._network.head(grid).float())
        return raw


def local_reader(model: SequenceModel) -> LocalReader | None:
    """Give a reader of this model's parts; None where every window must be read whole."""
    if not isinstance(model, PredictorModel) or model.average.shifts or model.average.strands:
        return None
    network = model.predictor
    if not isinstance(network, NetworkPredictor) or network.precision != "fp32":
        return None
    members = [member for member in network.members if type(member) is Cnn]
    if len(members) < len(network.members) or network.inputs != ("sequence",):
        return None
    length = model.upstream + model.downstream
    bodies = [list(member.body) for member in members]
    # As many layers as a crop of reasonable length allows; at least the first convolution.
    for n_layers in range(len(bodies[0]) - 1, 0, -1):
        reaches = {Reach.of(body[:n_layers]) for body in bodies}
        reach = reaches.pop()
        if not reaches and reach is not None and reach.crop(length) <= _LONGEST_CROP * length:
            return LocalReader(network, model, model.chosen, n_layers, reach)
    return None
