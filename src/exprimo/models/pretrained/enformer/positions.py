"""What Enformer knows of a distance: exponential, central mask and gamma features.

Avsec et al. 2021, Methods ("Relative positional encodings"): a distance is described by features
of three kinds, and by the same with its sign. The gamma features of the published network come
out of single precision, where a logarithm of 30,000 has steps of 0.002: to see the distances as
the network saw them in training, each rounding has to fall as it fell there. The published PyTorch
port stores them as a table; here they are computed, and equal that table within 3e-7.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch

Floats32 = npt.NDArray[np.float32]

_LEAST = np.float32(1e-8)
_SHORTEST_HALF_LIFE = 3.0
_SQRT_HALF = np.float32(0.707106781186547524)
_LN2 = np.float32(math.log(2))
# The polynomial of log(1 + x) in the Cephes library (logf), as Eigen evaluates it: in three parts.
_LOG = np.array(
    [
        [7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1],
        [-1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1],
        [2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1],
    ],
    dtype=np.float32,
)
# Stirling's series of log gamma as the C library (lgammaf) has it, from 8 on.
_STIRLING = np.array(
    [
        4.1893854737e-1,
        8.3333335817e-2,
        -2.7777778450e-3,
        7.9365057172e-4,
        -5.9518753551e-4,
        8.3633989561e-4,
        -1.6309292987e-3,
    ],
    dtype=np.float32,
)
_STIRLING_FROM = 8


@lru_cache(maxsize=8)
def distance_features(positions: int, features: int, *, tensorflow: bool) -> Floats32:
    """Describe the distances from ``1 - positions`` to ``positions - 1``.

    Parameters
    ----------
    positions
        Positions of the sequence.
    features
        Functions of each kind.
    tensorflow
        Gamma features as in the published network; else as the PyTorch port computes them.

    Returns
    -------
    Floats32
        (2 positions - 1, 6 features): exponential, central mask, gamma, and all of them again
        times the sign of the distance.

    Examples
    --------
    >>> distance_features(4, 1, tensorflow=True).shape
    (7, 6)
    >>> distance_features(4, 1, tensorflow=True)[3].round(3).tolist()    # of distance 0
    [1.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    """
    gamma = tensorflow_gamma if tensorflow else rowwise_gamma
    kinds = [exponential, central_mask, gamma]
    half = np.concatenate([kind(positions, features) for kind in kinds], axis=1)
    # All three depend on the distance alone, not on its direction.
    whole = np.concatenate([half[:0:-1], half])
    signs = np.sign(np.arange(1 - positions, positions)).astype(np.float32)
    described = np.concatenate([whole, signs[:, None] * whole], axis=1)
    described.flags.writeable = False
    return described


def exponential(positions: int, features: int) -> Floats32:
    """Give decays with half-lives from 8 to ``positions``, (positions, features)."""
    longest = math.log2(positions)
    half_life = 2 ** np.linspace(_SHORTEST_HALF_LIFE, longest, features)
    decay = np.exp(-math.log(2) / half_life * np.arange(positions)[:, None])
    return decay.astype(np.float32)


def central_mask(positions: int, features: int) -> Floats32:
    """Give 1 within 1, 3, 7, 15, ... of the middle, else 0: (positions, features)."""
    widths = 2.0 ** np.arange(1, features + 1) - 1
    inside = widths > np.arange(positions)[:, None]
    return inside.astype(np.float32)


def tensorflow_gamma(positions: int, features: int) -> Floats32:
    """Give gamma densities, each as a share of its greatest value: (positions, features).

    The roundings are those of TensorFlow's kernels: its logarithm, the log gamma of the C
    library, and ``(concentration - 1) log x - (rate x + normalisation)`` in this order.
    """
    mean = np.linspace(positions / features, positions, features).astype(np.float32)[None]
    sd = positions / (2 * features)
    concentration, rate = (mean / np.float32(sd)) ** 2, mean / np.float32(sd**2)
    x = np.arange(1, positions, dtype=np.float32)[:, None]
    density = np.zeros((positions, features), dtype=np.float32)
    normalisation = _log_gamma(concentration) - concentration * _log(rate)
    log_density = (concentration - np.float32(1)) * _log(x) - (rate * x + normalisation)
    density[1:] = np.exp(log_density)
    density += _LEAST
    shares: Floats32 = density / density.max(axis=0, keepdims=True)
    return shares


def rowwise_gamma(positions: int, features: int) -> Floats32:
    """Give gamma densities as shares of the greatest at the same distance, as the port does.

    Networks that were trained with the port at other lengths were trained with these. At
    distance 0 all densities are 0, hence all shares 1.
    """
    mean = torch.linspace(positions / features, positions, features)
    sd = positions / (2 * features)
    concentration, rate = (mean / sd) ** 2, mean / sd**2
    x = torch.arange(positions, dtype=torch.float32)[:, None]
    normalisation = torch.lgamma(concentration) - concentration * torch.log(rate)
    log_density = torch.xlogy(concentration - 1, x) - rate * x
    density = torch.exp(log_density - normalisation) + float(_LEAST)
    shares: Floats32 = (density / density.amax(dim=1, keepdim=True)).numpy()
    return shares


def _log(values: Floats32) -> Floats32:
    """Take the natural logarithm of positive numbers with the roundings of Eigen's kernel."""
    mantissa, exponent = np.frexp(values)
    low = mantissa < _SQRT_HALF
    exponent = np.where(low, exponent - 1, exponent)
    x = np.where(low, mantissa + mantissa, mantissa) - np.float32(1)
    square = x * x
    cube = square * x
    first, second, third = ((a * x + b) * x + c for a, b, c in _LOG)
    y = ((first * cube + second) * cube + third) * cube
    y = np.float32(-0.5) * square + y
    logarithm: Floats32 = (x + y) + exponent.astype(np.float32) * _LN2
    return logarithm


def _log_gamma(values: Floats32) -> Floats32:
    """Take log gamma with the roundings of the C library's ``lgammaf``."""
    z = np.float32(1) / values
    square = z * z
    tail = np.full_like(values, _STIRLING[-1])
    for factor in _STIRLING[-2:1:-1]:
        tail = factor + square * tail
    series = _STIRLING[0] + z * (_STIRLING[1] + square * tail)
    log = np.log(values.astype(np.float64)).astype(np.float32)
    large = (values - np.float32(0.5)) * (log - np.float32(1)) + series
    small = np.vectorize(math.lgamma)(values.astype(np.float64))
    found: Floats32 = np.where(values < _STIRLING_FROM, small, large).astype(np.float32)
    return found
