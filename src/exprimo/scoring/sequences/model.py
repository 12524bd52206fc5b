"""What personal predictions, variant effects and mutagenesis ask of a model."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from exprimo.core.predictor import Floats
from exprimo.core.sequence import Codes


@runtime_checkable
class SequenceModel(Protocol):
    """A model that reads one window of DNA per row, in gene orientation.

    Attributes
    ----------
    name
        As the user named it.
    digest
        SHA-256 of its weights, in hex: what was made with other weights is another thing.
    upstream, downstream
        The window: bases before the TSS, and from the TSS base on, which has index ``upstream``.
    tracks
        Names of what it predicts.
    bin_size, first_bin, n_bins
        Bin ``b`` covers ``bin_size`` bases of the window from ``first_bin + b * bin_size`` on. A
        model with one number for the whole window has one bin as long as the window.
    positive
        Whether tracks are coverage, never below 0: then log fold changes make sense.
    """

    name: str
    digest: str
    upstream: int
    downstream: int
    tracks: tuple[str, ...]
    bin_size: int
    first_bin: int
    n_bins: int
    positive: bool

    def predict(self, codes: Codes) -> Floats:
        """Predict (n, tracks, bins) from (n, upstream + downstream), some rows at a time."""

    def rows_at_once(self) -> int:
        """Give how many rows it reads at once: a good size for what is handed to it."""
