"""GC content, along the sequences and of whole sequences."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import stats

from exprimo.core.sequence import Codes
from exprimo.features.composition import gc_content


def gc_by_position(codes: Codes) -> npt.NDArray[np.float64]:
    """Give the share of G and C at each position, (length,).

    Examples
    --------
    >>> gc_by_position(np.array([[0, 1], [2, 2]], np.uint8)).tolist()
    [0.5, 1.0]
    """
    found: npt.NDArray[np.float64] = ((codes == 1) | (codes == 2)).mean(axis=0)
    return found


def gc_profile(codes: Codes, real: Codes) -> dict[str, float]:
    """Compare GC content: by position (root mean square difference) and of whole sequences.

    ``gc_content`` is the Wasserstein distance of the two distributions over sequences.

    Examples
    --------
    >>> gc_profile(np.array([[0, 1], [2, 2]], np.uint8), np.array([[0, 1], [0, 2]], np.uint8))
    {'gc_by_position': 0.3535533905932738, 'gc_content': 0.25}
    """
    apart = gc_by_position(codes) - gc_by_position(real)
    whole = stats.wasserstein_distance(gc_content(codes), gc_content(real))
    return {
        "gc_by_position": float(np.sqrt((apart**2).mean())),
        "gc_content": float(whole),
    }
