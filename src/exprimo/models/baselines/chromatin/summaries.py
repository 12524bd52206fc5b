"""A row of bins in a few numbers that a biologist would ask for."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


def zone_means(values: npt.NDArray[np.floating], n_zones: int) -> Floats:
    """Average over zones of neighbouring bins: (examples, rows, bins) to (examples, rows, zones).

    Zones are as equal as the bins allow, in their order; no more than there are bins.

    Examples
    --------
    >>> zone_means(np.arange(6.0).reshape(1, 1, 6), 3)[0, 0].tolist()
    [0.5, 2.5, 4.5]
    """
    bins = values.shape[2]
    edges = np.linspace(0, bins, min(n_zones, bins) + 1).round().astype(np.int64)
    sums = np.add.reduceat(values, edges[:-1], axis=2, dtype=np.float64)
    return (sums / np.diff(edges)).astype(np.float32)


def centre_of_mass(values: npt.NDArray[np.floating]) -> Floats:
    """Say where along the bins a row's signal lies, (examples, rows): 0 the first, 1 the last bin.

    NaN where there is no signal; what is negative does not count.

    Examples
    --------
    >>> centre_of_mass(np.float32([[[0, 0, 1], [1, 0, 1], [0, 0, 0]]]))[0].tolist()
    [1.0, 0.5, nan]
    """
    mass = np.clip(values, 0, None).astype(np.float64)
    total = mass.sum(axis=2)
    place = np.linspace(0, 1, values.shape[2])
    there = total > 0
    return np.where(there, mass @ place / np.where(there, total, 1), np.nan).astype(np.float32)


def summarise(values: npt.NDArray[np.floating], n_zones: int) -> Floats:
    """Give mean, maximum, centre of mass and zone means of every row, (examples, numbers).

    Examples
    --------
    >>> summarise(np.ones((2, 5, 100), np.float32), 10).shape
    (2, 65)
    """
    each = [
        values.mean(axis=2, dtype=np.float64),
        values.max(axis=2),
        centre_of_mass(values),
        zone_means(values, n_zones).reshape(len(values), -1),
    ]
    return np.concatenate(each, axis=1).astype(np.float32)
