"""Substitutions through a convolutional network: only what the changed base can reach.

A crop of the alternate window around the base is read like a short window of its own. What the
base reaches lies in the middle of the crop, where nothing is felt of the crop's ends; the rest is
the reference's. Crops of all windows are of one length and go through the network together.
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
from exprimo.scoring.mutagenesis.ways import in_target_units
from exprimo.scoring.sequences import SequenceModel
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
    """

    def __init__(
        self, network: NetworkPredictor, model: SequenceModel, chosen: Sequence[int], reach: Reach
    ) -> None:
        self._network, self._model = network, model
        self._chosen, self._reach = list(chosen), reach
        self._length = model.upstream + model.downstream
        self._crop = reach.crop(self._length)
        self._table = one_hot_table(network.device)
        self._checked = False
        n_bins = self._length // reach.pool
        self._bodies = [_Body(one, n_bins) for one in network.members if isinstance(one, Cnn)]

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
            found.append(in_target_units(self._network, mean).cpu().numpy())
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
        inside = (bins >= 0) & (bins < self._length // pool)
        bins = np.clip(bins, 0, self._length // pool - 1)
        device = self._network.device
        at, valid = torch.from_numpy(bins).to(device), torch.from_numpy(inside).to(device)
        within = at - torch.from_numpy(start // pool).to(device)[:, None]
        rows = rows.to(device)
        whole = body.bins(self._one_hot(reference))
        part = body.bins(self._one_hot(crops))
        new = part[
            torch.arange(len(part), device=device)[:, None], within.clamp(0, part.shape[1] - 1)
        ]
        change = (new - whole[rows[:, None], at]) * valid[..., None]
        sums = torch.einsum("pbc,bg->pcg", whole, body.grid)
        moved = torch.einsum("pbc,pbg->pcg", change, body.grid[at])
        return body.output(torch.cat([sums, sums[rows] + moved]))

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
    """A `Cnn` in two parts: up to its last bins, and behind them.

    Attributes
    ----------
    grid
        The share of each bin in each place of the grid, (bins, grid): a mean is linear.
    """

    def __init__(self, network: Cnn, n_bins: int) -> None:
        *layers, pool = network.body
        self._layers = nn.Sequential(*layers)
        self._network = network
        each = torch.eye(n_bins, device=network.output.weight.device)
        with torch.inference_mode():
            self.grid: Tensor = pool(each[:, None, None])[:, 0, 0]

    def bins(self, one_hot: Tensor) -> Tensor:
        """Give (n, bins, channels) for bases (n, length, 4)."""
        # Seen as (n, 4, 1, length) these are channels-last, as the network wants them.
        found = self._layers(one_hot[:, None].permute(0, 3, 1, 2))
        bins: Tensor = found[:, :, 0].transpose(1, 2)
        return bins

    def output(self, sums: Tensor) -> Tensor:
        """Give raw outputs (n, outputs) for (n, channels, grid)."""
        features = self._network.head(sums[:, :, None])
        raw: Tensor = self._network.output(features.float())
        return raw


def local_reader(model: SequenceModel) -> LocalReader | None:
    """Give a reader of this model's parts; None where every window must be read whole."""
    network = getattr(model, "predictor", None)
    average = getattr(model, "_average", None)
    if not isinstance(network, NetworkPredictor) or network.precision != "fp32":
        return None
    if average is None or average.shifts or average.strands:
        return None
    members = [member for member in network.members if type(member) is Cnn]
    if len(members) < len(network.members) or network.inputs != ("sequence",):
        return None
    reaches = {Reach.of(list(member.body)[:-1]) for member in members}
    reach = reaches.pop()
    length = model.upstream + model.downstream
    if reaches or reach is None or reach.crop(length) > _LONGEST_CROP * length:
        return None
    return LocalReader(network, model, model._chosen, reach)  # type: ignore[attr-defined]  # it is a PredictorModel
