"""HyenaDNA on a CPU, without gradients: the numbers of `HyenaNetwork`, sooner.

Large activations cost more than arithmetic there: each new array of 20,000 x 1,024 numbers is
80 MB of page faults and leaves the caches. So a sequence runs alone, in buffers that all layers
share; channels go through the long convolution in groups, and positions through the position-wise
network in blocks, that stay in the caches. Projections are multiplied in the order in which the
convolution reads them, so nothing is transposed.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from exprimo.models.pretrained.hyenadna.network import Block, HyenaNetwork
from exprimo.models.pretrained.hyenadna.operator import HyenaOperator
from exprimo.models.pretrained.hyenadna.spectrum import fast_length

# Measured on one core: 512 positions x 1,024 channels (2 MiB), and 2M numbers per channel group.
_BLOCK = 512
_GROUP_NUMBERS = 2_000_000
# Fewer channels at once would make the projection a memory-bound product of vectors.
_FEWEST = 16


class _Buffers(NamedTuple):
    """What all layers of one length write into; ``gated`` is zero behind the sequence."""

    normed: Tensor
    mixed: Tensor
    projected: Tensor
    short: Tensor
    gated: Tensor
    spectrum: Tensor
    convolved: Tensor
    inner: Tensor

    @classmethod
    def of(cls, network: HyenaNetwork, length: int) -> _Buffers:
        width, inner = network.config.d_model, network.config.d_inner
        group, padded = group_size(width, length), fast_length(2 * length)
        empty = torch.empty
        return cls(
            normed=empty(length, width),
            mixed=empty(width, length),
            projected=empty(3, group, length),
            short=empty(3, group, length),
            gated=torch.zeros(group, padded),
            spectrum=empty(group, padded // 2 + 1, dtype=torch.complex64),
            convolved=empty(group, padded),
            inner=empty(min(_BLOCK, length), inner),
        )


def group_size(width: int, length: int) -> int:
    """Give how many channels go through the long convolution at once; it divides the width.

    Examples
    --------
    >>> group_size(256, 20_002), group_size(256, 1_024)
    (32, 256)
    """
    group = width
    while group >= 2 * _FEWEST and group % 2 == 0 and 3 * group * length > _GROUP_NUMBERS:
        group //= 2
    return group


def hidden_vectors(network: HyenaNetwork, tokens: Tensor) -> Tensor:
    """Give hidden vectors (batch, length, channels) for tokens (batch, length), on a CPU.

    The network must be in eval mode and gradients off, or the filters are made anew each time.
    """
    batch, length = tokens.shape
    out = torch.empty(batch, length, network.config.d_model)
    buffers = _Buffers.of(network, length)
    for row in range(batch):
        _one(network, tokens[row], out[row], buffers)
    return out


def _one(network: HyenaNetwork, tokens: Tensor, x: Tensor, buffers: _Buffers) -> None:
    """Write the hidden vectors of one sequence into ``x`` (length, channels)."""
    backbone = network.backbone
    blocks: list[Block] = list(backbone.layers)  # type: ignore[arg-type]  # it holds blocks
    torch.index_select(backbone.embeddings.word_embeddings.weight, 0, tokens, out=x)
    norms = [block.norm1 for block in blocks[1:]] + [backbone.ln_f]
    buffers.normed.copy_(_normalised(blocks[0].norm1, x))
    for block, norm in zip(blocks, norms, strict=True):
        _mix(block.mixer, x, buffers)
        _position_wise(block, norm, x, buffers)
    x.copy_(buffers.normed)


def _mix(mixer: HyenaOperator, x: Tensor, buffers: _Buffers) -> None:
    """Add the operator's output for ``buffers.normed`` to ``x``."""
    length, width = x.shape
    group = len(buffers.gated)
    filters = mixer.filter_fn.spectra(length)
    for start in range(0, width, group):
        chosen = slice(start, start + group)
        outer, inner, value = _short(mixer, chosen, buffers)
        torch.mul(value, inner, out=buffers.gated[:, :length])
        torch.fft.rfft(buffers.gated, out=buffers.spectrum)
        buffers.spectrum.mul_(filters(chosen))
        torch.fft.irfft(buffers.spectrum, n=buffers.gated.shape[1], out=buffers.convolved)
        torch.mul(outer, buffers.convolved[:, :length], out=buffers.mixed[chosen])
    torch.addmm(x, buffers.mixed.t(), mixer.out_proj.weight.t(), out=x)
    x.add_(mixer.out_proj.bias)


def _short(mixer: HyenaOperator, chosen: slice, buffers: _Buffers) -> tuple[Tensor, Tensor, Tensor]:
    """Project a group of channels and run the short filter: two gates and a value."""
    width = mixer.out_proj.in_features
    group = len(buffers.gated)
    # One product for the three parts: a third more speed than three narrow ones.
    weight = mixer.in_proj.weight.view(3, width, width)[:, chosen].reshape(3 * group, width)
    bias = mixer.in_proj.bias.view(3, width)[:, chosen].reshape(3 * group, 1)
    taps = mixer.short_filter.weight.view(3, width, -1)[:, chosen]
    raw, short = buffers.projected, buffers.short
    torch.addmm(bias, weight, buffers.normed.t(), out=raw.view(3 * group, -1))
    now, before, first = (taps[..., back, None] for back in (2, 1, 0))
    assert mixer.short_filter.bias is not None
    torch.addcmul(mixer.short_filter.bias.view(3, width, 1)[:, chosen], raw, now, out=short)
    short[..., 1:].addcmul_(raw[..., :-1], before)
    short[..., 2:].addcmul_(raw[..., :-2], first)
    return short[0], short[1], short[2]


def _position_wise(block: Block, norm: torch.nn.LayerNorm, x: Tensor, buffers: _Buffers) -> None:
    """Add the position-wise network to ``x``, and leave its next norm in ``buffers.normed``."""
    first, second = block.mlp.fc1, block.mlp.fc2
    for start in range(0, len(x), _BLOCK):
        rows = x[start : start + _BLOCK]
        inner = buffers.inner[: len(rows)]
        torch.addmm(first.bias, _normalised(block.norm2, rows), first.weight.t(), out=inner)
        torch.ops.aten.gelu_(inner, approximate="tanh")
        torch.addmm(rows, inner, second.weight.t(), out=rows)
        rows.add_(second.bias)
        buffers.normed[start : start + _BLOCK] = _normalised(norm, rows)


def _normalised(norm: torch.nn.LayerNorm, x: Tensor) -> Tensor:
    return functional.layer_norm(x, norm.normalized_shape, norm.weight, norm.bias, norm.eps)
