"""How much the sequences of a set differ among themselves."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from exprimo.core.sequence import Codes
from exprimo.generate.fidelity.memorisation.gate import Variety

_BLOCK = 256


def diversity(codes: Codes, most: int = 1000) -> dict[str, float]:
    """Give unique fraction, mean pairwise distance and distance to the nearest other sequence.

    Distances are shares of positions that differ (Hamming); the mean is over all pairs, the
    median distance to the nearest other one over ``most`` sequences.

    Examples
    --------
    >>> diversity(np.array([[0, 0], [0, 1], [0, 1], [3, 3]], np.uint8))["unique_fraction"]
    0.75
    """
    found = variety_of(codes, most)
    return {
        "unique_fraction": found.distinct / found.n,
        "mean_difference": found.spread,
        "nearest_other": float(np.median(found.nearest)) / codes.shape[1],
    }


def variety_of(codes: Codes, most: int = 1000) -> Variety:
    """Describe how much sequences (n, length) without N differ; see `Variety`."""
    n = len(codes)
    rows = np.ascontiguousarray(codes).view(f"V{codes.shape[1]}")[:, 0]
    frequency = np.stack([(codes == base).mean(axis=0) for base in range(4)])
    alike = (frequency**2).sum(axis=0).mean()
    spread = float((1 - alike) * n / max(1, n - 1))
    return Variety(n, len(set(rows.tolist())), spread, _nearest_other(codes[:most]))


def _nearest_other(codes: Codes) -> npt.NDArray[np.int64]:
    """Count differences to the nearest other sequence, (n,)."""
    n, length = codes.shape
    bases = np.zeros((n, length, 4), np.float32)
    np.put_along_axis(bases, codes[:, :, None].astype(np.int64), 1.0, axis=2)
    flat = bases.reshape(n, -1)
    nearest = np.empty(n, np.int64)
    for start in range(0, n, _BLOCK):
        alike = flat[start : start + _BLOCK] @ flat.T
        alike[np.arange(len(alike)), np.arange(start, start + len(alike))] = -1
        nearest[start : start + _BLOCK] = length - np.rint(alike.max(axis=1)).astype(np.int64)
    return nearest
