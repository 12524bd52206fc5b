"""Whether two sets can be told apart: the nearest neighbour's set, in an embedding."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
Groups = npt.NDArray[np.int64]


def two_sample(
    vectors: Vectors, real: Vectors, group: Groups | None = None, real_group: Groups | None = None
) -> dict[str, float]:
    """Give the leave-one-out accuracy of the one-nearest-neighbour test (Lopez-Paz and Oquab 2017).

    Each vector of both sets, of equal size, is called by the set of its nearest neighbour among
    all others. 0.5 is expected of equal sources, 1 of sets apart; well below 0.5 each vector's
    neighbour stands in the other set, as that of a copy does. Axes count alike: each is divided
    by its standard deviation over both sets. Vectors of one group are kin and no neighbours of one
    another, since a family stands in one set; None: each stands for itself.

    Examples
    --------
    >>> apart = np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)
    >>> two_sample(apart, apart + np.float32(9))["two_sample"]
    1.0
    """
    both = np.concatenate([vectors, real]).astype(np.float64)
    deviation = both.std(axis=0)
    both = (both - both.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)
    own = (both**2).sum(axis=1)
    distance = own[:, None] + own[None] - 2 * both @ both.T
    # Below 0 are those that stand for themselves: no number of a group is.
    alone = -1 - np.arange(len(both))
    label = np.concatenate(
        [
            alone[: len(vectors)] if group is None else group,
            alone[len(vectors) :] if real_group is None else real_group,
        ]
    )
    distance[label[:, None] == label[None]] = np.inf
    is_real = np.arange(len(both)) >= len(vectors)
    right = is_real[distance.argmin(axis=1)] == is_real
    known = np.isfinite(distance).any(axis=1)
    return {"two_sample": float(right[known].mean()) if known.any() else float("nan")}
