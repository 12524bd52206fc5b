"""Weights out of Keras HDF5 files: arrays by layer; no Keras, and nothing is run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
import numpy.typing as npt

from exprimo.core.errors import FormatError, InputError

Floats = npt.NDArray[np.float32]


class LayerWeights(NamedTuple):
    """A layer's arrays as Keras stores them: kernel (..., inputs, outputs) and bias (outputs,)."""

    kernel: Floats
    bias: Floats


def read_keras_weights(path: str | Path) -> dict[str, LayerWeights]:
    """Read every layer that has a kernel and a bias, in the order of the file.

    Reads what ``model.save`` and ``model.save_weights`` of Keras 1 and 2 write.
    """
    file = Path(path)
    if not file.is_file():
        raise InputError("no such file of weights", file=file)
    try:
        with h5py.File(file, "r") as opened:
            group = opened.get("model_weights", opened)
            names = [_text(name) for name in group.attrs.get("layer_names", [])]
            found = {name: _arrays(group[name]) for name in names}
    except (OSError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise FormatError(
            "not a Keras HDF5 file, or cut short",
            file=file,
            found=str(error).splitlines()[0][:200],
            remedy="Copy or fetch the file again",
        ) from error
    layers = {
        name: LayerWeights(arrays["kernel"], arrays["bias"])
        for name, arrays in found.items()
        if {"kernel", "bias"} <= set(arrays)
    }
    if not layers:
        raise FormatError(
            "an HDF5 file, but not of Keras weights",
            file=file,
            expected="the attribute layer_names, and layers with a kernel and a bias",
        )
    return layers


def _arrays(layer: h5py.Group) -> dict[str, Floats]:
    """Read a layer's arrays: ``conv1d_1/kernel:0`` becomes ``kernel``."""
    arrays = {}
    for name in layer.attrs.get("weight_names", []):
        short = _text(name).rpartition("/")[2].partition(":")[0]
        arrays[short] = np.asarray(layer[_text(name)], dtype=np.float32)
    return arrays


def _text(name: object) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


def layers_of(layers: Mapping[str, LayerWeights], kind: str) -> list[LayerWeights]:
    """Give the layers whose name begins with a kind, such as ``conv1d``, in order.

    Examples
    --------
    >>> one = LayerWeights(np.zeros((1, 1), np.float32), np.zeros(1, np.float32))
    >>> len(layers_of({"dense_1": one, "conv1d_1": one, "dense_2": one}, "dense"))
    2
    """
    return [weights for name, weights in layers.items() if name.startswith(kind)]
