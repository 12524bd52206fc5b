"""Modules of torch, and of our own nets, as local layers."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from exprimo.core.errors import ConfigError
from exprimo.models import cnn
from exprimo.scoring.mutagenesis.local.layers import (
    Convolution,
    Layer,
    MaxPool,
    PairAttention,
    Pointwise,
    Residual,
)

_Norm = nn.BatchNorm1d | nn.BatchNorm2d
_NOTHING = (nn.Identity, nn.Dropout, nn.Dropout2d)
_RISING = (nn.ReLU, cnn.Sharpen)
_ACTIVATIONS = (*_RISING, nn.SiLU, nn.GELU)


def local_layers(modules: Iterable[nn.Module]) -> list[Layer]:
    """Describe modules that follow each other; normalisation goes into the layer before it.

    Examples
    --------
    >>> norm = nn.BatchNorm1d(8).eval()
    >>> len(local_layers([nn.Conv1d(4, 8, 3, padding=1), norm, nn.Dropout(0.1), nn.ReLU()]))
    2
    """
    layers: list[Layer] = []
    for module in modules:
        if isinstance(module, _NOTHING):
            continue
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            before = layers.pop()
            assert isinstance(before, Convolution)
            layers.append(normalised(before, module))
        elif isinstance(module, cnn.ResidualBlock):
            layers += [Residual(local_layers(module.layers)), Pointwise(nn.functional.silu)]
        elif isinstance(module, cnn.MotifScan):
            layers.append(_scan(module))
        elif isinstance(module, nn.Conv1d | nn.Conv2d):
            layers.append(convolution(module))
        elif isinstance(module, cnn.MaxPool):
            layers.append(MaxPool(module.factor))
        elif isinstance(module, cnn.PairPool):
            layers.append(PairAttention(module.logit.weight[:, :, 0, 0]))
        elif isinstance(module, _ACTIVATIONS):
            layers.append(Pointwise(module, rises=isinstance(module, _RISING)))
        else:
            raise ConfigError("no local form of this layer is known", found=type(module).__name__)
    return layers


def convolution(module: nn.Conv1d | nn.Conv2d, *, same: bool = False) -> Convolution:
    """Describe a convolution along the length; of two dimensions, one of height 1.

    Parameters
    ----------
    same
        The network pads by itself so that the length is kept: of an even width one more behind.
    """
    weight = module.weight if module.weight.dim() == 3 else module.weight.squeeze(2)
    if int(module.stride[-1]) != 1 or module.groups != 1:
        raise ConfigError("no local form of a convolution with strides or groups is known")
    dilation = int(module.dilation[-1])
    if same:
        reach = (weight.shape[2] - 1) * dilation
        return Convolution(weight, module.bias, reach // 2, reach - reach // 2, dilation)
    padding = int(module.padding[-1])
    return Convolution(weight, module.bias, padding, padding, dilation)


def normalised(layer: Convolution, norm: _Norm) -> Convolution:
    """Put a normalisation into the convolution before it."""
    scale, shift = affine(norm)
    bias = shift if layer.bias is None else shift + layer.bias * scale
    return Convolution(
        layer.weight * scale[:, None, None], bias, layer.before, layer.after, layer.dilation
    )


def affine(norm: _Norm) -> tuple[Tensor, Tensor]:
    """Give what a trained normalisation multiplies by and adds, (channels,) each."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return scale, norm.bias - norm.running_mean * scale


def _scan(module: cnn.MotifScan) -> Convolution:
    filters = module.filters().squeeze(2)
    padding = int(module.forward_strand.padding[1])
    return Convolution(filters, None, padding, padding)
