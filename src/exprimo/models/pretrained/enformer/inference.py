"""Enformer without gradients: the same numbers in a fraction of the time and memory."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from exprimo.models.network import Precision
from exprimo.models.pretrained.enformer.convolving import Convolutions, activate, multiply, pack
from exprimo.models.pretrained.enformer.layers import GELU_SLOPE, TransformerBlock
from exprimo.models.pretrained.enformer.network import EnformerNetwork

# Rows of attention that are computed together, for all heads.
_QUERIES = 384


class Packed(NamedTuple):
    """A transformer layer in the form in which it is used.

    Keys of distances, (heads, key, 2 positions - 1), depend on weights alone: computed once.
    """

    norm: nn.LayerNorm
    queries: Tensor
    keys: Tensor
    values: Tensor
    content_bias: Tensor
    distance_bias: Tensor
    distances: Tensor
    out: tuple[Tensor, Tensor]
    norm2: nn.LayerNorm
    dense1: tuple[Tensor, Tensor]
    dense2: tuple[Tensor, Tensor]


def pack_layer(layer: TransformerBlock, described: Tensor, dtype: torch.dtype) -> Packed:
    """Bring a layer's weights into the form in which they are used; its scale goes with queries."""
    (norm, attention), (norm2, first, second) = layer.attention, layer.position_wise
    distance = functional.linear(described, attention.to_rel_k.weight)
    by_head = distance.reshape(len(distance), attention.heads, -1).permute(1, 2, 0).contiguous()
    return Packed(
        norm,
        (attention.scale * attention.to_q.weight).to(dtype),
        attention.to_k.weight.to(dtype),
        attention.to_v.weight.to(dtype),
        attention.rel_content_bias[0],
        attention.rel_pos_bias[0],
        by_head,
        _dense(attention.to_out, dtype),
        norm2,
        _dense(first, dtype),
        _dense(second, dtype),
    )


class Inference:
    """A network that computes one window at a time, without gradients.

    Parameters
    ----------
    network
        In eval mode; later changes of its weights are not seen.
    precision
        ``bf16``: products in bf16; sums between layers, norms and the logits of attention in
        single precision.
    """

    def __init__(self, network: EnformerNetwork, precision: Precision) -> None:
        self.config = network.config
        self.dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        with torch.no_grad():
            self.convolve = Convolutions(network, self.dtype)
            described = network.distances(network.device)
            self._layers = [pack_layer(layer, described, self.dtype) for layer in network.layers]
            self._last = pack(network.last, self.dtype)

    @torch.no_grad()
    def hidden(self, codes: Tensor, bins: slice) -> Tensor:
        """Give hidden vectors of some bins, (bins, channels), for codes (window,) as bytes."""
        x = self.convolve(codes)
        start, stop, _ = bins.indices(self.config.bins)
        wanted = slice(self.config.cropped + start, self.config.cropped + stop)
        for layer in self._layers[:-1]:
            x = transform(x, layer, slice(0, len(x)))
        # Of the last layer nothing is needed but the bins that are wanted.
        x = transform(x, self._layers[-1], wanted)
        active = activate(x, self._last)
        out = multiply(active, self._last.weights[0], self._last.bias)
        return out * torch.sigmoid(GELU_SLOPE * out)


def transform(x: Tensor, layer: Packed, wanted: slice) -> Tensor:
    """Run a layer over (positions, dim); give the positions that are wanted."""
    dtype = layer.keys.dtype
    normed = _normalised(layer.norm, x, dtype)
    heads = layer.content_bias.shape[0]

    def by_head(rows: Tensor, weight: Tensor) -> Tensor:
        return torch.mm(rows, weight.t()).view(len(rows), heads, -1).transpose(0, 1)

    query = by_head(normed[wanted], layer.queries).float()
    key = by_head(normed, layer.keys).float().transpose(1, 2)
    value = by_head(normed, layer.values).contiguous()
    mixed = torch.cat(
        [
            attend(query[:, at : at + _QUERIES], key, value, layer, wanted.start + at)
            for at in range(0, query.shape[1], _QUERIES)
        ]
    )
    x = x[wanted] + multiply(mixed, *layer.out)
    inner = multiply(_normalised(layer.norm2, x, dtype), *layer.dense1).relu_()
    return x + multiply(inner.to(dtype), *layer.dense2)


def attend(query: Tensor, key: Tensor, value: Tensor, layer: Packed, first: int) -> Tensor:
    """Give what some neighbouring queries take from all values, (queries, heads * value).

    ``query`` (heads, queries, key) begins at position ``first``; ``key`` (heads, key, positions).
    """
    heads, rows, _ = query.shape
    n = key.shape[2]
    # Distances (key minus query) that occur: from the last query to the first key, and so on.
    lowest = n - first - rows
    reached = layer.distances[:, :, lowest : lowest + n + rows - 1]
    by_distance = torch.bmm(query + layer.distance_bias, reached)
    width = n + rows - 1
    # A row further down, the same distance lies one position further on.
    shifted = by_distance.as_strided(
        (heads, rows, n), (rows * width, width - 1, 1), by_distance.storage_offset() + rows - 1
    )
    logits = torch.baddbmm(shifted, query + layer.content_bias, key)
    weights = torch.softmax(logits, dim=-1).to(value.dtype)
    return torch.bmm(weights, value).transpose(0, 1).flatten(1)


def _dense(layer: nn.Linear, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    return layer.weight.to(dtype), layer.bias


def _normalised(norm: nn.LayerNorm, x: Tensor, dtype: torch.dtype) -> Tensor:
    return functional.layer_norm(x, norm.normalized_shape, norm.weight, norm.bias, norm.eps).to(
        dtype
    )
