"""Weights and bases for Enformer that follow from names and places alone: no file, no generator.

Both the script that asks the published PyTorch port (`make_enformer_golden.py`) and the tests of
our own network fill every parameter with these, so that only outputs have to be kept.
"""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt

TOY = {
    "dim": 48,
    "depth": 2,
    "heads": 2,
    "key": 8,
    "divisible_by": 4,
    "downsamples": 5,
    "window": 2048,
    "bins": 48,
    "tracks": {"human": 12, "mouse": 4},
}
FULL: dict[str, int] = {}
_MIX = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)


def uniform(name: str, count: int) -> npt.NDArray[np.float32]:
    """Give numbers between -1 and 1 by SplitMix64 (Steele et al. 2014) of name and place."""
    start = np.uint64(zlib.crc32(name.encode()))
    z = np.arange(count, dtype=np.uint64)
    z += start << np.uint64(32)
    z *= np.uint64(_MIX[0])
    z ^= z >> np.uint64(30)
    z *= np.uint64(_MIX[1])
    z ^= z >> np.uint64(27)
    z *= np.uint64(_MIX[2])
    z ^= z >> np.uint64(31)
    return (z >> np.uint64(40)).astype(np.float32) / np.float32(2**23) - np.float32(1)


def weights(name: str, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """Give the tensor of a parameter or buffer; the means of convolutions are taken off.

    Without that every layer's outputs would be nearly the same at all positions.
    """
    if name.endswith("num_batches_tracked"):
        return np.zeros(shape, dtype=np.float32)
    values = uniform(name, int(np.prod(shape))).reshape(shape)
    inputs = np.float32(np.prod(shape[1:]) ** 0.5) if len(shape) > 1 else np.float32(1)
    if "to_attn_logits" in name:
        return 2 * np.eye(shape[0], dtype=np.float32)[:, :, None, None] + values / inputs
    if len(shape) == 3:
        return (values - values.mean(axis=(1, 2), keepdims=True)) * np.float32(2.5) / inputs
    if len(shape) == 2:
        return values * np.float32(1.5) / inputs
    if name.endswith((".weight", "running_var")):
        return np.float32(1) + np.float32(0.3) * values
    return np.float32(0.3) * values


def bases(length: int, seed: str) -> npt.NDArray[np.uint8]:
    """Give codes of a sequence with a stretch of N near its beginning."""
    codes = (2 * (uniform(seed, length) + 1)).astype(np.uint8)
    codes[5:40] = 4
    return codes
