"""Means over bins of bases."""

from __future__ import annotations

import numpy as np

from exprimo.core.errors import ConfigError
from exprimo.core.predictor import Floats


def positions_per_bin(bin_bases: int, stride: int) -> int:
    """Give how many positions of a backbone fall into a bin.

    Examples
    --------
    >>> positions_per_bin(128, 1), positions_per_bin(128, 32)
    (128, 4)
    """
    if bin_bases < stride or bin_bases % stride:
        raise ConfigError(
            "the bin is not a multiple of the positions of this backbone",
            record="bin",
            found=f"{bin_bases} bases",
            expected=f"a multiple of {stride}",
        )
    return bin_bases // stride


def pool(hidden: Floats, factor: int) -> Floats:
    """Average (rows, positions, channels) over ``factor`` positions; the last bin may be shorter.

    Examples
    --------
    >>> pool(np.array([[[1.0], [3.0], [5.0]]], dtype=np.float32), 2).ravel().tolist()
    [2.0, 5.0]
    """
    if factor == 1:
        return hidden
    rows, positions, channels = hidden.shape
    whole = positions // factor * factor
    shape = (rows, whole // factor, factor, channels)
    pooled: Floats = hidden[:, :whole].reshape(shape).mean(axis=2)
    if whole < positions:
        pooled = np.concatenate([pooled, hidden[:, whole:].mean(axis=1, keepdims=True)], axis=1)
    return pooled
