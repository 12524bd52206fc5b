"""The implicit long filter of a Hyena operator (Poli et al. 2023, section 3.3).

A small network with sines gives the filter's value at each position from an embedding of that
position; a decay, at a speed of its own for each channel, makes a window of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from exprimo.models.pretrained.hyenadna.spectrum import fast_length

_BANDS = 2
WIDTH = 64
# Channels that are transformed at once.
GROUP = 32
_FREQUENCY = 10.0
# Decay to a hundredth within 30% (fastest channel) to 150% (slowest) of the longest input.
_TARGET, _FAST, _SLOW = 1e-2, 0.3, 1.5
# What is left of a tap however far back, so that no channel forgets wholly.
_SHIFT = 0.05
_KEPT, _KEPT_BYTES = 4, 2**29


class PositionEmbedding(nn.Module):
    """Time, and cosines and sines of it: ``z`` (1, l_max, 5); ``t`` (1, l_max, 1) in 0 to 1."""

    t: Tensor

    def __init__(self, l_max: int) -> None:
        super().__init__()
        t = torch.linspace(0, 1, l_max)[:, None]
        angle = 2 * math.pi * torch.arange(l_max, dtype=torch.float32)[:, None] / l_max
        bands = torch.linspace(1e-4, _BANDS - 1, _BANDS)[None]
        z = torch.cat([t, torch.cos(bands * angle), -torch.sin(bands * angle)], dim=1)
        self.z = nn.Parameter(z[None])
        self.register_buffer("t", t[None])


class Sine(nn.Module):
    """sin(frequency x), with a learned frequency per channel."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.freq = nn.Parameter(torch.full((1, width), _FREQUENCY))

    def forward(self, x: Tensor) -> Tensor:
        return torch.sin(self.freq * x)


class Modulation(nn.Module):
    """exp(-t |delta|) plus a constant: each channel forgets at its own speed."""

    deltas: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        slowest, fastest = math.log(_TARGET) / _SLOW, math.log(_TARGET) / _FAST
        self.register_buffer("deltas", torch.linspace(slowest, fastest, channels)[None, None])

    def forward(self, t: Tensor, chosen: slice) -> Tensor:
        """Give the window of some channels, (channels, length), for times (length,)."""
        return torch.exp(-self.deltas[0, 0, chosen].abs()[:, None] * t) + _SHIFT


class ImplicitFilter(nn.Module):
    """A filter of any length up to ``l_max``, per channel.

    In eval mode and without gradients the transforms of the last few lengths are kept, so that
    sequences of one length pay for the filter once; changed weights make it anew. Transforms
    above half a GiB are not kept, but made for a group of channels at a time.

    Attributes
    ----------
    bias
        (channels,): how much of the input itself is added to its convolution.
    """

    def __init__(self, channels: int, l_max: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.randn(channels))
        self.pos_emb = PositionEmbedding(l_max)
        sine = Sine(WIDTH)
        # One sine, three times: its frequencies are shared.
        self.implicit_filter = nn.Sequential(
            nn.Linear(2 * _BANDS + 1, WIDTH),
            sine,
            nn.Linear(WIDTH, WIDTH),
            sine,
            nn.Linear(WIDTH, WIDTH),
            sine,
            nn.Linear(WIDTH, channels, bias=False),
        )
        self.modulation = Modulation(channels)
        self._kept: dict[int, Tensor] = {}
        self._kept_for: tuple[object, ...] = ()

    def spectrum(self, length: int) -> Tensor:
        """Give the filter's real transform at the padded length, (channels, frequencies).

        The bias is part of it: an impulse at lag 0 adds the input itself.
        """
        if self.training or torch.is_grad_enabled():
            return self._transform(self._hidden(length))
        weights = (*self.parameters(), *self.buffers())
        state = tuple((w.data_ptr(), w._version) for w in weights)
        if state != self._kept_for:
            self._kept, self._kept_for = {}, state
        if length not in self._kept:
            while len(self._kept) >= _KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._kept[length] = self._whole(length)
        return self._kept[length]

    def spectra(self, length: int) -> Callable[[slice], Tensor]:
        """Give what gives the transform of some channels: kept, or made when it is asked for."""
        if is_kept(len(self.bias), length):
            whole = self.spectrum(length)
            return lambda chosen: whole[chosen]
        hidden = self._hidden(length)
        return lambda chosen: self._transform(hidden, chosen)

    def _whole(self, length: int) -> Tensor:
        """Transform all channels, a group at a time: what is made on the way stays small."""
        hidden = self._hidden(length)
        channels, frequencies = len(self.bias), fast_length(2 * length) // 2 + 1
        whole = hidden.new_empty(channels, frequencies, dtype=torch.complex64)
        for start in range(0, channels, GROUP):
            chosen = slice(start, start + GROUP)
            whole[chosen] = self._transform(hidden, chosen)
        return whole

    def _hidden(self, length: int) -> Tensor:
        """Give what the last layer of the small network reads, (length, width)."""
        hidden: Tensor = self.implicit_filter[:-1](self.pos_emb.z[0, :length])
        return hidden

    def _transform(self, hidden: Tensor, chosen: slice = slice(None)) -> Tensor:
        length = len(hidden)
        last = self.implicit_filter[-1].weight
        assert isinstance(last, Tensor)
        values = last[chosen] @ hidden.t()
        taps = values * self.modulation(self.pos_emb.t[0, :length, 0], chosen)
        impulse = functional.pad(self.bias[chosen, None], (0, length - 1))
        transform: Tensor = torch.fft.rfft(taps + impulse, n=fast_length(2 * length))
        return transform


def is_kept(channels: int, length: int) -> bool:
    """Tell whether the transform of a filter is small enough to keep, 8 bytes a frequency.

    Examples
    --------
    >>> is_kept(256, 160_002), is_kept(256, 450_002)
    (True, False)
    """
    return channels * 4 * fast_length(2 * length) <= _KEPT_BYTES
