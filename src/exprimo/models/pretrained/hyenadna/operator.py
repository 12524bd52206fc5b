"""The Hyena operator of order 2 (Poli et al. 2023, section 3.2)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from exprimo.models.pretrained.hyenadna.filter import ImplicitFilter
from exprimo.models.pretrained.hyenadna.spectrum import fast_length

SHORT = 3


class HyenaOperator(nn.Module):
    """Mix positions: (batch, length, channels) to the same.

    Three projections, each behind a causal convolution over three positions: two gates and a
    value. The value times the one gate is convolved with the long filter, then multiplied by
    the other.
    """

    def __init__(self, channels: int, l_max: int) -> None:
        super().__init__()
        self.in_proj = nn.Linear(channels, 3 * channels)
        self.out_proj = nn.Linear(channels, channels)
        self.short_filter = nn.Conv1d(
            3 * channels, 3 * channels, SHORT, groups=3 * channels, padding=SHORT - 1
        )
        self.filter_fn = ImplicitFilter(channels, l_max)

    def forward(self, x: Tensor) -> Tensor:
        length = x.shape[1]
        projected = self.in_proj(x).transpose(1, 2)
        outer, inner, value = self.short_filter(projected)[..., :length].chunk(3, dim=1)
        mixed = outer * convolve(value * inner, self.filter_fn.spectrum(length))
        out: Tensor = self.out_proj(mixed.transpose(1, 2))
        return out


def convolve(values: Tensor, spectrum: Tensor) -> Tensor:
    """Convolve (..., channels, length) causally with filters given by their transform."""
    length = values.shape[-1]
    padded = fast_length(2 * length)
    transformed = torch.fft.rfft(values, n=padded) * spectrum
    convolved: Tensor = torch.fft.irfft(transformed, n=padded)
    return convolved[..., :length]
