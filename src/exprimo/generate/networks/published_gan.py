"""A generator and a discriminator of sequences as images, in the form that was published.

A sequence is an image of one channel, four rows (A, C, G, T) and a column per base, 1 at its base
and -1 elsewhere.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from exprimo.generate.conditioning import Conditioning
from exprimo.generate.networks.layers import ConditionEmbedding

_NARROWED = 16
# Of the four stages of the generator all double the columns, and the last two the rows.
_STRIDES = ((1, 2), (1, 2), (2, 2), (2, 2))
_WIDTHS = (64, 128)


class ImageGenerator(nn.Module):
    """Noise -> images (batch, 4, length) between -1 and 1.

    Transposed convolutions in pairs, as in the networks of Simonyan & Zisserman 2015 turned round:
    the first of a pair doubles the columns, the second keeps them; each is followed by batch norm
    and ReLU, and channels are halved from pair to pair. The last layer ends in tanh. Columns are
    made in sixteens, and cropped.
    """

    def __init__(
        self,
        length: int,
        conditioning: Conditioning,
        *,
        noise: int,
        image: bool,
        channels: int,
    ) -> None:
        super().__init__()
        self._length, self._noise, self._image = length, noise, image
        self._columns = -(-length // _NARROWED)
        self._channels = channels
        self._conditioned = conditioning.kind != "none"
        told = noise if self._conditioned else 0
        if self._conditioned:
            self.condition = ConditionEmbedding(conditioning, noise)
        self.first: nn.Module = (
            nn.ConvTranspose2d(noise + told, channels, 1)
            if image
            else nn.Linear(noise + told, channels * self._columns)
        )
        self.norm = nn.BatchNorm2d(channels)
        layers: list[nn.Module] = []
        wide = channels
        for rows, columns in _STRIDES:
            narrow = max(8, wide // 2)
            layers += _pair(wide, narrow, rows, columns)
            wide = narrow
        self.stages = nn.Sequential(*layers)
        self.last = nn.ConvTranspose2d(wide, 1, 3, padding=1)

    def forward(self, n: int, condition: Tensor | None) -> Tensor:
        """Make ``n`` images for conditions (n,), from noise of torch's default generator."""
        device = self.last.weight.device
        shape = (n, self._noise, 1, self._columns) if self._image else (n, self._noise)
        noise = torch.randn(shape, device=device)
        if self._conditioned:
            all_told = torch.zeros(n, dtype=torch.bool, device=device)
            told = self.condition(condition, all_told, n)
            if self._image:
                told = told[:, :, None, None].expand(-1, -1, 1, self._columns)
            noise = torch.cat([noise, told], dim=1)
        x = self.first(noise).view(n, self._channels, 1, self._columns)
        x = self.stages(functional.relu(self.norm(x)))
        made: Tensor = torch.tanh(self.last(x).float())
        return made[:, 0, :, : self._length]


class ImageDiscriminator(nn.Module):
    """Images (batch, 4, length) -> one score each, higher for real ones.

    Two strided convolutions of 64 and 128 channels, each with leaky ReLU and dropout, the largest
    value of each channel, and one linear layer. Where there is a condition it enters as a
    projection (Miyato & Koyama 2018).
    """

    def __init__(self, conditioning: Conditioning, *, kernel: int, dropout: float) -> None:
        super().__init__()
        self._conditioned = conditioning.kind != "none"
        first, second = _WIDTHS
        self.layers = nn.Sequential(
            nn.Conv2d(1, first, kernel, stride=2, padding=kernel // 2),
            nn.LeakyReLU(0.2),
            nn.Dropout(dropout),
            nn.Conv2d(first, second, kernel, stride=2, padding=kernel // 2),
            nn.LeakyReLU(0.2),
            nn.Dropout(dropout),
        )
        self.last = nn.Linear(second, 1)
        if self._conditioned:
            self.condition = ConditionEmbedding(conditioning, second)

    def forward(self, images: Tensor, condition: Tensor | None) -> Tensor:
        """Score images, (batch,), as examples of their conditions (batch,)."""
        found = self.layers(images.unsqueeze(1)).float().amax(dim=(2, 3))
        score: Tensor = self.last(found).squeeze(1).float()
        if self._conditioned:
            all_told = torch.zeros(len(found), dtype=torch.bool, device=found.device)
            told = self.condition(condition, all_told, len(found))
            score = score + (told * found).sum(1)
        return score


def _pair(wide: int, narrow: int, rows: int, columns: int) -> list[nn.Module]:
    """Make a pair of transposed convolutions; the first enlarges by ``rows`` and ``columns``."""
    # Without a bias: batch norm takes it out again. 4 with a stride of 2 doubles exactly.
    sizes = (4 if rows == 2 else 3, 4 if columns == 2 else 3)
    enlarging = nn.ConvTranspose2d(
        wide, narrow, sizes, stride=(rows, columns), padding=1, bias=False
    )
    keeping = nn.ConvTranspose2d(narrow, narrow, 3, padding=1, bias=False)
    return [
        enlarging,
        nn.BatchNorm2d(narrow),
        nn.ReLU(),
        keeping,
        nn.BatchNorm2d(narrow),
        nn.ReLU(),
    ]
