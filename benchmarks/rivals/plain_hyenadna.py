"""HyenaDNA written the plain way, as a rival: Nguyen et al. 2023 and Poli et al. 2023, eq. 1 to 5.

Each layer is computed as its equation stands: linear maps over (batch, length, channels), a
grouped convolution for the short filter, a complex Fourier transform of twice the length for the
long one, and the long filter made anew on each call. Float32; nothing is kept between calls.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

State = Mapping[str, Tensor]
_SHIFT = 0.05


def plain_hyenadna(state: State, tokens: Tensor, layers: int) -> Tensor:
    """Give hidden vectors (batch, length, channels) for tokens (batch, length)."""
    x = functional.embedding(tokens, state["backbone.embeddings.word_embeddings.weight"])
    for number in range(layers):
        prefix = f"backbone.layers.{number}."
        x = x + _mix(state, f"{prefix}mixer.", _norm(state, f"{prefix}norm1", x))
        inner = _linear(state, f"{prefix}mlp.fc1", _norm(state, f"{prefix}norm2", x))
        inner = functional.gelu(inner, approximate="tanh")
        x = x + _linear(state, f"{prefix}mlp.fc2", inner)
    return _norm(state, "backbone.ln_f", x)


def _mix(state: State, prefix: str, x: Tensor) -> Tensor:
    length = x.shape[1]
    projected = _linear(state, f"{prefix}in_proj", x).transpose(1, 2)
    weight = state[f"{prefix}short_filter.weight"]
    short = functional.conv1d(
        projected, weight, state[f"{prefix}short_filter.bias"], padding=2, groups=len(weight)
    )
    outer, inner, value = short[..., :length].chunk(3, dim=1)
    gated = value * inner
    spectrum = torch.fft.fft(_long_filter(state, f"{prefix}filter_fn.", length), n=2 * length)
    mixed = torch.fft.ifft(torch.fft.fft(gated, n=2 * length) * spectrum).real[..., :length]
    mixed = mixed + gated * state[f"{prefix}filter_fn.bias"][:, None]
    return _linear(state, f"{prefix}out_proj", (outer * mixed).transpose(1, 2))


def _long_filter(state: State, prefix: str, length: int) -> Tensor:
    h = state[f"{prefix}pos_emb.z"][:, :length]
    for step in (0, 2, 4):
        h = _linear(state, f"{prefix}implicit_filter.{step}", h)
        h = torch.sin(state[f"{prefix}implicit_filter.{step + 1}.freq"] * h)
    h = functional.linear(h, state[f"{prefix}implicit_filter.6.weight"])
    decay = torch.exp(
        -state[f"{prefix}pos_emb.t"][:, :length] * state[f"{prefix}modulation.deltas"].abs()
    )
    return (h * (decay + _SHIFT))[0].t()


def _linear(state: State, name: str, x: Tensor) -> Tensor:
    return functional.linear(x, state[f"{name}.weight"], state[f"{name}.bias"])


def _norm(state: State, name: str, x: Tensor) -> Tensor:
    return functional.layer_norm(
        x, x.shape[-1:], state[f"{name}.weight"], state[f"{name}.bias"], 1e-5
    )
