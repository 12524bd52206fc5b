"""A pretrained backbone that gives tracks along the window as a SequenceModel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from exprimo.core.predictor import Backbone, Batch, Floats
from exprimo.core.sequence import Codes
from exprimo.models.network import Precision
from exprimo.scoring.sequences.average import Average, in_order, readings


@runtime_checkable
class TrackBackbone(Backbone, Protocol):
    """A backbone whose tracks can be asked for one by one.

    Attributes
    ----------
    n_bins
        Bins of its tracks, of ``stride`` bases each, in the middle of the window.
    precision
        In which it computes; may be set.
    """

    n_bins: int
    precision: Precision

    def predict_tracks(self, batch: Batch, tracks: Sequence[int], bins: slice) -> Floats:
        """Give some tracks in some bins, (batch, tracks, bins)."""


class BackboneModel:
    """Tracks in bins around the TSS, which lies in the middle; see `SequenceModel`.

    Parameters
    ----------
    backbone
        Opened.
    tracks
        Numbers of the tracks that are wanted.
    names
        Their names.
    bins
        How many bins around the one that holds the TSS; None: all.
    """

    positive = True

    def __init__(
        self,
        backbone: TrackBackbone,
        tracks: Sequence[int],
        names: tuple[str, ...],
        bins: int | None,
        average: Average,
    ) -> None:
        self.backbone = backbone
        self.name, self.digest = backbone.name, backbone.digest
        self.upstream = backbone.window // 2
        self.downstream = backbone.window - self.upstream
        self.bin_size = backbone.stride
        self.tracks = names
        cropped = (backbone.window - backbone.n_bins * backbone.stride) // 2
        self._bins = centre_bins(backbone.n_bins, (self.upstream - cropped) // self.bin_size, bins)
        self.first_bin = cropped + self._bins.start * self.bin_size
        self.n_bins = self._bins.stop - self._bins.start
        self._rows = list(tracks)
        self._average = average

    def predict(self, codes: Codes) -> Floats:
        """Predict (n, tracks, bins)."""
        total = np.zeros((len(codes), len(self.tracks), self.n_bins), dtype=np.float64)
        step, count = self.rows_at_once(), 0
        # Rows inside: a backbone may share what windows that follow one another have in common.
        for read in readings(codes, self._average):
            bins = self._turned if read.turned else self._bins
            for at in range(0, len(codes), step):
                batch = {"sequence": read.codes[at : at + step]}
                values = self.backbone.predict_tracks(batch, self._rows, bins)
                total[at : at + step] += in_order(values, read.turned)
            count += 1
        return (total / count).astype(np.float32)

    def rows_at_once(self) -> int:
        """Give how many windows are read at once: one, where a window is long."""
        return max(1, 65_536 // self.backbone.window)

    @property
    def _turned(self) -> slice:
        """Where the same bins lie in the window read from the other strand."""
        n = self.backbone.n_bins
        return slice(n - self._bins.stop, n - self._bins.start)


def centre_bins(n_bins: int, centre: int, wanted: int | None) -> slice:
    """Choose bins around the one that holds the TSS; of an even number one more before it.

    Examples
    --------
    >>> centre_bins(896, 448, 3), centre_bins(896, 448, None)
    (slice(447, 450, None), slice(0, 896, None))
    """
    if wanted is None or wanted >= n_bins:
        return slice(0, n_bins)
    first = min(max(0, centre - wanted // 2), n_bins - wanted)
    return slice(first, first + wanted)
