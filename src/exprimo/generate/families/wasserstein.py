"""Wasserstein generative adversarial network with gradient penalty, over relaxed one-hot output.

A critic learns to score real sequences above made ones, with a gradient that is held near one
(Gulrajani et al. 2017, equation 3), and a generator learns to raise the scores of what it makes.
The distance between the two scores is an estimate of how far apart real and made ones are; unlike
the loss of other adversarial networks it stays informative when the critic wins.

The generator gives logits. As relaxed one-hot they are the shares of a softmax, and what is drawn
is the best base; or a base is drawn at every position, and only its gradient is that of the
relaxed form (Jang et al. 2017, straight-through Gumbel-softmax), so that the critic sees nothing
that a real sequence could not be.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from pydantic import Field, field_validator
from torch import Tensor, nn
from torch.nn import functional

from exprimo.core.config import Config
from exprimo.generate.family import FamilySpec, Layout
from exprimo.generate.networks.residual_gan import BASES, ResidualCritic, ResidualGenerator
from exprimo.models.network import autocast

Critic = Callable[[Tensor, Tensor | None], Tensor]


class WassersteinOptions(Config):
    """The two networks of the Wasserstein generator, and how they learn."""

    channels: int = Field(64, ge=8, multiple_of=8)
    """Channels of every convolution, in both networks."""
    blocks: int = Field(2, ge=1)
    """Residual blocks of two convolutions at the coarsest resolution; finer ones have one."""
    kernel: int = Field(5, ge=1)
    """Width of the convolutions, odd."""
    noise: int = Field(128, ge=1)
    """Numbers of noise for a whole sequence."""
    local_noise: int = Field(8, ge=1)
    """Numbers of noise at each place of each resolution."""
    output: Literal["drawn", "shares"] = "drawn"
    """What the critic is shown: a base ``drawn`` at every position, with the gradient of its
    relaxed form; or the ``shares`` of a softmax, whose largest is the base when sampling."""
    temperature: float = Field(0.7, gt=0)
    """Of the softmax: the lower, the closer relaxed bases are to one-hot."""
    critic_steps: int = Field(2, ge=1)
    """Steps of the critic for one of the generator. A step of the loop is one of the critic. More
    follow the distance more closely, and leave the generator fewer steps of a budget."""
    penalty: float = Field(10.0, gt=0)
    """Weight of the gradient penalty."""

    @field_validator("kernel")
    @classmethod
    def _odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError("the kernel must be odd")
        return value


class _Pair(nn.Module):
    """Both networks, and how many steps were made, which says when the generator is due."""

    made: Tensor

    def __init__(self, options: WassersteinOptions, layout: Layout) -> None:
        super().__init__()
        shape = {
            "channels": options.channels,
            "blocks": options.blocks,
            "kernel": options.kernel,
        }
        self.generator = ResidualGenerator(
            layout.length,
            layout.conditioning,
            noise=options.noise,
            local_noise=options.local_noise,
            **shape,
        )
        self.critic = ResidualCritic(layout.length, layout.conditioning, **shape)
        self.register_buffer("made", torch.zeros((), dtype=torch.long))


class Wasserstein:
    """Let a critic tell real from made, and a generator learn from it; sample in one pass."""

    def __init__(self, options: WassersteinOptions, layout: Layout) -> None:
        self._options, self._layout = options, layout
        self._pair = _Pair(options, layout).to(layout.device)
        self.module: nn.Module = self._pair
        self.optimizers = [
            torch.optim.Adam(network.parameters(), lr=1e-3, betas=(0.5, 0.9))
            for network in (self._pair.critic, self._pair.generator)
        ]

    def update(self, codes: Tensor, condition: Tensor | None) -> dict[str, float]:
        """Let the critic learn from one batch, and each few times the generator from the critic.

        ``distance`` is how far the scores of real and made sequences are apart, ``penalty`` the
        mean of (norm of the gradient - 1)².
        """
        self._pair.train()
        critic_optimizer, generator_optimizer = self.optimizers
        real = one_hot(codes)
        with torch.no_grad():
            fake = self._make(len(codes), condition)
        distance = (self._score(real, condition) - self._score(fake, condition)).mean()
        penalty = gradient_penalty(self._score, real, fake, condition)
        critic_optimizer.zero_grad()
        loss = self._options.penalty * penalty - distance
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        critic_optimizer.step()
        self._pair.made += 1
        if int(self._pair.made) % self._options.critic_steps == 0:
            self._pair.critic.requires_grad_(False)
            score = self._score(self._make(len(codes), condition), condition).mean()
            generator_optimizer.zero_grad()
            (-score).backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            generator_optimizer.step()
            self._pair.critic.requires_grad_(True)
        return {"distance": float(distance.detach()), "penalty": float(penalty.detach())}

    def _make(self, n: int, condition: Tensor | None) -> Tensor:
        """Make sequences as the critic reads them, (n, 4, length)."""
        with autocast(self._layout.device, self._layout.precision):
            logits: Tensor = self._pair.generator(n, condition)
        drawn = self._options.output == "drawn"
        return relaxed(logits, self._options.temperature, drawn=drawn)

    def _score(self, sequences: Tensor, condition: Tensor | None) -> Tensor:
        with autocast(self._layout.device, self._layout.precision):
            scored: Tensor = self._pair.critic(sequences, condition)
        return scored

    @torch.inference_mode()
    def sample(self, n: int, condition: Tensor | None, *, steps: int, guidance: float) -> Tensor:
        """Draw sequences in one pass."""
        self._pair.eval()
        return self._make(n, condition).argmax(1).to(torch.uint8)

    @torch.inference_mode()
    def score(self, codes: Tensor, condition: Tensor | None) -> Tensor:
        """Give the critic's score of each sequence; only differences between them mean anything."""
        self._pair.eval()
        return self._score(one_hot(codes), condition)


def one_hot(codes: Tensor) -> Tensor:
    """Turn codes (batch, length) into (batch, 4, length) of zeros and ones."""
    return functional.one_hot(codes.long(), BASES).transpose(1, 2).float()


def relaxed(logits: Tensor, temperature: float, *, drawn: bool) -> Tensor:
    """Turn logits (n, 4, length) into the shares of each base, or into one drawn by them.

    What is drawn is one-hot, and has the gradient of its relaxed form (Jang et al. 2017).

    Examples
    --------
    >>> even = torch.zeros(1, 4, 2)
    >>> relaxed(even, 1.0, drawn=False)[0, :, 0].tolist()
    [0.25, 0.25, 0.25, 0.25]
    >>> relaxed(even, 1.0, drawn=True).sum(1).tolist()
    [[1.0, 1.0]]
    """
    if not drawn:
        return (logits / temperature).softmax(1)
    noise = -torch.log(-torch.log(torch.rand_like(logits).clamp_(1e-20, 1 - 1e-7)))
    shares = ((logits + noise) / temperature).softmax(1)
    bases = functional.one_hot(shares.argmax(1), BASES).transpose(1, 2).to(shares.dtype)
    # In this order, so that the value is exactly zero or one.
    return bases + (shares - shares.detach())


def gradient_penalty(
    critic: Critic, real: Tensor, fake: Tensor, condition: Tensor | None
) -> Tensor:
    """Give the mean of (norm of the critic's gradient - 1)² on the way from real to made.

    Gulrajani et al. 2017, equation 3: each sequence is taken at a random place between a real and
    a made one, and its norm is over all bases and positions.

    Examples
    --------
    >>> real = torch.zeros(2, 4, 3)
    >>> sum_of_all = lambda x, _: 2 * x.sum(dim=(1, 2))      # 12 slopes of 2: a norm of 48 ** 0.5
    >>> round(float(gradient_penalty(sum_of_all, real, real + 1, None)), 3)
    35.144
    """
    share = torch.rand(len(real), 1, 1, device=real.device)
    between = (real + share * (fake - real)).requires_grad_(True)
    (slope,) = torch.autograd.grad(
        critic(between, condition).sum(), between, create_graph=True, materialize_grads=True
    )
    # Within the root, or a slope of zero would have no gradient.
    norm = (slope.square().sum(dim=(1, 2)) + 1e-12).sqrt()
    return (norm - 1).square().mean()


SPEC = FamilySpec(
    name="gan",
    summary="Wasserstein adversarial network with gradient penalty, conditional by projection",
    citation="Arjovsky et al. 2017 (Wasserstein); Gulrajani et al. 2017 (gradient "
    "penalty, relaxed one-hot output); Jang et al. 2017 (Gumbel-softmax); Miyato & Koyama 2018 "
    "(projection)",
    options=WassersteinOptions,
    build=Wasserstein,
    fit={"watch": 0.0},
    bases=5_000,
)

__all__ = [
    "SPEC",
    "Wasserstein",
    "WassersteinOptions",
    "gradient_penalty",
    "one_hot",
    "relaxed",
]
