"""A plain generative adversarial network on sequences as images: the published form.

A discriminator learns to tell real images from made ones, and a generator learns to be taken for
real: the non-saturating loss of Goodfellow et al. 2014 (end of section 3). The best base of each
column is the sequence. Nothing holds the two in balance, so it may collapse; check what it draws.
"""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field, field_validator
from torch import Tensor, nn
from torch.nn import functional

from exprimo.core.config import Config
from exprimo.generate.family import FamilySpec, Layout
from exprimo.generate.networks.published_gan import ImageDiscriminator, ImageGenerator
from exprimo.models.network import autocast

_BASES = 4


class PublishedGanOptions(Config):
    """The two networks of the published generator."""

    noise: int = Field(128, ge=1)
    """Length of the noise."""
    noise_form: Literal["vector", "image"] = "vector"
    """``vector``: one for a sequence, through a dense layer; ``image``: one for every 16 bases."""
    channels: int = Field(256, ge=16, multiple_of=16)
    """Channels before the first pair of transposed convolutions; each pair halves them."""
    kernel: int = Field(5, ge=3)
    """Width and height of the discriminator's convolutions, odd."""
    dropout: float = Field(0.3, ge=0, lt=1)
    """Share of the discriminator's activations that are dropped while training."""

    @field_validator("kernel")
    @classmethod
    def _odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError("the kernel must be odd")
        return value


class _Pair(nn.Module):
    def __init__(self, options: PublishedGanOptions, layout: Layout) -> None:
        super().__init__()
        self.generator = ImageGenerator(
            layout.length,
            layout.conditioning,
            noise=options.noise,
            image=options.noise_form == "image",
            channels=options.channels,
        )
        self.discriminator = ImageDiscriminator(
            layout.conditioning, kernel=options.kernel, dropout=options.dropout
        )


class PublishedGan:
    """Let a discriminator and a generator learn from one another; sample in one pass."""

    def __init__(self, options: PublishedGanOptions, layout: Layout) -> None:
        self._layout = layout
        self._pair = _Pair(options, layout).to(layout.device)
        self.module: nn.Module = self._pair
        self.optimizers = [
            torch.optim.Adam(network.parameters(), lr=1e-4)
            for network in (self._pair.discriminator, self._pair.generator)
        ]

    def update(self, codes: Tensor, condition: Tensor | None) -> dict[str, float]:
        """Let both learn from one batch; each has its own loss."""
        self._pair.train()
        told_optimizer, made_optimizer = self.optimizers
        fake = self._make(len(codes), condition)
        real_score = self._score(as_image(codes), condition)
        fake_score = self._score(fake.detach(), condition)
        told = functional.softplus(-real_score).mean() + functional.softplus(fake_score).mean()
        told_optimizer.zero_grad()
        told.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        told_optimizer.step()
        self._pair.discriminator.requires_grad_(False)
        made = functional.softplus(-self._score(fake, condition)).mean()
        made_optimizer.zero_grad()
        made.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        made_optimizer.step()
        self._pair.discriminator.requires_grad_(True)
        return {"discriminator": float(told.detach()), "generator": float(made.detach())}

    def _make(self, n: int, condition: Tensor | None) -> Tensor:
        with autocast(self._layout.device, self._layout.precision):
            made: Tensor = self._pair.generator(n, condition)
        return made

    def _score(self, images: Tensor, condition: Tensor | None) -> Tensor:
        with autocast(self._layout.device, self._layout.precision):
            scored: Tensor = self._pair.discriminator(images, condition)
        return scored

    @torch.no_grad()
    def rehearse(self, n: int, condition: Tensor | None) -> None:
        """Make images, and let batch norm of the generator take its statistics from them."""
        self._pair.train()
        self._make(n, condition)

    @torch.inference_mode()
    def sample(self, n: int, condition: Tensor | None, *, steps: int, guidance: float) -> Tensor:
        """Draw sequences in one pass, the best base at every position."""
        self._pair.eval()
        return self._make(n, condition).argmax(1).to(torch.uint8)

    @torch.inference_mode()
    def score(self, codes: Tensor, condition: Tensor | None) -> Tensor:
        """Give the discriminator's score: the logarithm of the odds that a sequence is real."""
        self._pair.eval()
        return self._score(as_image(codes), condition)


def as_image(codes: Tensor) -> Tensor:
    """Turn codes (batch, length) into (batch, 4, length) of 1 at the base and -1 elsewhere."""
    return 2.0 * functional.one_hot(codes.long(), _BASES).transpose(1, 2) - 1


SPEC = FamilySpec(
    name="gan-published",
    summary="adversarial network on sequences as images, as published",
    citation="Goodfellow et al. 2014; Radford et al. 2016 (transposed convolutions, batch norm)",
    options=PublishedGanOptions,
    build=PublishedGan,
    fit={"learning_rate": 1e-4, "schedule": "constant", "warm_up": 0, "watch": 0.0},
)

__all__ = ["SPEC", "PublishedGan", "PublishedGanOptions", "as_image"]
