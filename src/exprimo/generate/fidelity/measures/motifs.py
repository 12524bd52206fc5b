"""How often known motifs stand in sequences, and where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.sequence import Codes
from exprimo.data.motifs import MotifMatrix
from exprimo.features.motifs import scan
from exprimo.generate.fidelity.measures.divergence import jensen_shannon

BINS = 20
"""Parts of a sequence in which the places of sites are counted."""
# Added to both counts of sites, so that a motif without one has a ratio.
_HALF = 0.5

Values = npt.NDArray[np.float64]


class MotifUse(NamedTuple):
    """Sites of each motif in a set of sequences.

    Attributes
    ----------
    n
        Sequences.
    sites
        Sites per sequence, (motifs,).
    present
        Share of sequences with a site, (motifs,).
    places
        Sequences whose best site begins in each of `BINS` equal parts, (motifs, bins).
    """

    n: int
    sites: Values
    present: Values
    places: Values


def motif_use(
    codes: Codes, motifs: Sequence[MotifMatrix], background: Values, pvalue: float
) -> MotifUse:
    """Scan sequences; the background sets the threshold, so give one for all sets."""
    found = scan(codes, motifs, background=background, pvalue=pvalue)
    places = np.zeros((len(motifs), BINS))
    for column in range(len(motifs)):
        starts = found.position[found.present[:, column], column]
        bins = starts.astype(np.int64) * BINS // codes.shape[1]
        places[column] = np.bincount(bins, minlength=BINS)
    return MotifUse(len(codes), found.n_sites.mean(axis=0), found.present.mean(axis=0), places)


def place_divergence(use: MotifUse, real: MotifUse) -> Values:
    """Compare the places of each motif's best sites, in bits, (motifs,); NaN without a site."""
    return jensen_shannon(use.places, real.places, axis=1)


def compare_use(use: MotifUse, real: MotifUse) -> dict[str, float]:
    """Compare rates and places over all motifs.

    ``motif_rate`` is the mean size of the log2 ratio of sites per sequence, ``motif_places`` the
    mean Jensen-Shannon divergence, in bits, of where the best sites stand.
    """
    ratio = np.log2((use.sites * use.n + _HALF) / use.n) - np.log2(
        (real.sites * real.n + _HALF) / real.n
    )
    apart = place_divergence(use, real)
    known = ~np.isnan(apart)
    return {
        "motif_rate": float(np.abs(ratio).mean()),
        "motif_places": float(apart[known].mean()) if known.any() else float("nan"),
    }
