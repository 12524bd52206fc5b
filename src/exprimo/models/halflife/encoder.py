"""Half-life features as vectors: learned by contrast, or one direction per feature."""

from __future__ import annotations

import itertools

import torch
from pydantic import Field
from torch import Tensor, nn

from exprimo.core.config import Config

ENCODED_CHANNELS = 256
_CHANNELS = (1, 128, ENCODED_CHANNELS, ENCODED_CHANNELS)


class ContrastConfig(Config):
    """How the encoder learns before the network does; as published where not set."""

    noise: float = Field(0.1, ge=0)
    """Standard deviation of the Gaussian noise that makes a positive of an example."""
    margin: float = Field(1.0, gt=0)
    """How much farther than its positive a negative must be."""
    learning_rate: float = Field(1e-5, gt=0)
    """Rate of Adam."""
    batch_size: int = Field(32, ge=2)
    """Examples per step."""
    epochs: int = Field(10, ge=1)
    """Passes through the training part."""


class HalflifeEncoder(nn.Module):
    """Three convolutions over the vector of features: (batch, features) to (batch, 256, features).

    Examples
    --------
    >>> HalflifeEncoder()(torch.zeros(2, 8)).shape
    torch.Size([2, 256, 8])
    """

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in itertools.pairwise(_CHANNELS):
            layers += [nn.Conv1d(inputs, outputs, 3, padding=1), nn.ReLU()]
        self.layers = nn.Sequential(*layers)

    def forward(self, values: Tensor) -> Tensor:
        encoded: Tensor = self.layers(values.unsqueeze(1))
        return encoded


def triplet_loss(
    encoder: nn.Module, values: Tensor, config: ContrastConfig, generator: torch.Generator
) -> Tensor:
    """Give the triplet margin loss of a batch of standardised features, (batch, features).

    Each example is the anchor, with noise added its positive; its negative is another example of
    the batch. The batch is drawn anew each epoch, so all of the training part serves, and no
    negative needs an encoding of its own. Distances are Euclidean, over each channel's vector,
    and the loss is the mean over channels and examples, as torch computes it for such tensors.
    """
    noise = torch.randn(values.shape, generator=generator) * config.noise
    both = encoder(torch.cat([values, values + noise.to(values.device)]))
    anchor, positive = both.chunk(2)
    # Everybody's next but k: no example is its own negative.
    step = int(torch.randint(1, len(values), (1,), generator=generator))
    negative = anchor.roll(step, 0)
    return nn.functional.triplet_margin_loss(anchor, positive, negative, margin=config.margin, p=2)


class FeatureTokens(nn.Module):
    """Each standardised feature times a direction of its own: (batch, channels, features).

    What the contrastive encoder is compared with: as many numbers, learned with the network and
    with nothing before it.
    """

    def __init__(self, features: int, channels: int) -> None:
        super().__init__()
        self.direction = nn.Parameter(torch.randn(channels, features) * channels**-0.5)
        self.offset = nn.Parameter(torch.zeros(channels, features))

    def forward(self, values: Tensor) -> Tensor:
        return values.unsqueeze(1) * self.direction + self.offset
