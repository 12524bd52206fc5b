"""Masked discrete diffusion: bases are hidden at random, and a network learns to tell them.

The process that hides bases is the absorbing one of Austin et al. 2021 (D3PM) in continuous time
(Sahoo et al. 2024), with a linear schedule. Its bound on the likelihood equals the mean, over how
many bases are hidden, of the cross-entropy per hidden base (Hoogeboom et al. 2022, equation 9);
the loss here is that mean, in nats per base, and has no weight 1/t to make it noisy.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from pydantic import Field, model_validator
from torch import Tensor
from torch.nn import functional

from exprimo.core.config import Config
from exprimo.generate.family import FamilySpec, Layout
from exprimo.generate.networks.masked_denoiser import BASES, MASK, MaskedDenoiser
from exprimo.models.network import autocast

_STEPS = 50
# Fixed levels at which `loss` judges, so that two judgements differ by the weights alone.
_LEVELS = 4


class MaskedDiffusionOptions(Config):
    """The denoiser of masked discrete diffusion."""

    channels: int = Field(128, ge=8, multiple_of=8)
    """Channels of every convolution."""
    blocks: int = Field(8, ge=1)
    """Residual blocks of a wide and a narrow convolution."""
    kernel: int = Field(5, ge=1)
    """Width of the wide convolutions, odd."""
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 32)
    """Distances between the bases that a wide convolution reads, block after block, from the
    start again where there are more blocks."""
    dropout: float = Field(0.0, ge=0, lt=1)
    """Share of channels that are dropped within a block while training."""
    left_out: float = Field(0.1, ge=0, lt=1)
    """Share of examples that are learned without their condition, for guidance."""

    @model_validator(mode="after")
    def _possible(self) -> MaskedDiffusionOptions:
        if self.kernel % 2 == 0:
            raise ValueError("the kernel must be odd")
        if not self.dilations or min(self.dilations) < 1:
            raise ValueError("dilations are whole numbers from 1 on")
        return self


class MaskedDiffusion:
    """Hide bases and learn to tell them; sample by telling a few at a time."""

    def __init__(self, options: MaskedDiffusionOptions, layout: Layout) -> None:
        self._options, self._layout = options, layout
        self.module = MaskedDenoiser(
            layout.length,
            layout.conditioning,
            channels=options.channels,
            blocks=options.blocks,
            kernel=options.kernel,
            dilations=options.dilations,
            dropout=options.dropout,
        ).to(layout.device)
        self.optimizers = [torch.optim.AdamW(self.module.parameters(), lr=2e-3, betas=(0.9, 0.99))]

    def update(self, codes: Tensor, condition: Tensor | None) -> dict[str, float]:
        """Learn from one batch; the loss is a bound on the nats per base."""
        self.module.train()
        size = len(codes)
        # Levels are evenly spread over a batch, from one random start: their mean hardly varies.
        level = (torch.arange(size) / size + torch.rand(1)) % 1.0
        left_out = torch.rand(size, device=codes.device) < self._options.left_out
        loss = self._bound(codes, condition, level[torch.randperm(size)], left_out).mean()
        (optimizer,) = self.optimizers
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        torch.nn.utils.clip_grad_norm_(self.module.parameters(), 1.0)
        optimizer.step()
        return {"loss": float(loss.detach())}

    @torch.no_grad()
    def loss(self, codes: Tensor, condition: Tensor | None) -> Tensor:
        """Give the bound of each sequence in nats per base, a mean over evenly spread levels."""
        self.module.eval()
        told = torch.zeros(len(codes), dtype=torch.bool, device=codes.device)
        bounds = [
            self._bound(codes, condition, torch.full((len(codes),), (i + 0.5) / _LEVELS), told)
            for i in range(_LEVELS)
        ]
        return torch.stack(bounds).mean(0)

    def _bound(
        self, codes: Tensor, condition: Tensor | None, level: Tensor, left_out: Tensor
    ) -> Tensor:
        """Hide 1 to all bases by level (0 to 1); give the cross-entropy per hidden base."""
        length = codes.shape[1]
        count = (level.to(codes.device) * length).long().clamp(max=length - 1) + 1
        rank = torch.rand(codes.shape, device=codes.device).argsort(1).argsort(1)
        hidden = rank < count[:, None]
        shown = torch.where(hidden, MASK, codes.long())
        logits = self._logits(shown, count / length, condition, left_out)
        entropy = functional.cross_entropy(logits, codes.long(), reduction="none")
        return (entropy * hidden).sum(1) / count

    def _logits(
        self, shown: Tensor, hidden: Tensor, condition: Tensor | None, left_out: Tensor
    ) -> Tensor:
        with autocast(self._layout.device, self._layout.precision):
            found: Tensor = self.module(shown, hidden, condition, left_out)
        return found

    @torch.inference_mode()
    def sample(self, n: int, condition: Tensor | None, *, steps: int, guidance: float) -> Tensor:
        """Draw sequences in ``steps`` passes; as many steps as bases tell one base at a time.

        Bases told in one pass are drawn independently of one another, so they should stand far
        apart: those of one pass are ``steps`` bases apart, in an order and from a start that are
        random. Any order is one that the network has learned.
        """
        self.module.eval()
        length, device = self._layout.length, self._layout.device
        turn = _turns(n, length, min(steps, length), device)
        shown = torch.full((n, length), MASK, device=device)
        for step in range(int(turn.max()) + 1):
            hidden = (shown == MASK).float().mean(1)
            logits = self._guided(shown, hidden, condition, guidance)
            drawn = _draw(logits)
            shown = torch.where(turn == step, drawn, shown)
        return shown.to(torch.uint8)

    @torch.inference_mode()
    def steered(
        self,
        n: int,
        condition: Tensor | None,
        *,
        steps: int,
        guidance: float,
        draws: int,
        distance: Callable[[Tensor], Tensor],
    ) -> Tensor:
        """Draw as `sample` does, and after each pass keep the best of ``draws`` continuations.

        What is hidden of each continuation is drawn in one go, and the one that is then nearest
        to what is wanted goes on (Li et al. 2024, soft value-based decoding without gradients,
        in its limit of no temperature).
        """
        self.module.eval()
        length, device = self._layout.length, self._layout.device
        turn = _turns(n, length, min(steps, length), device).repeat_interleave(draws, 0)
        several = None if condition is None else condition.repeat_interleave(draws, 0)
        shown = torch.full((n, length), MASK, device=device)
        logits = self._guided(shown, torch.ones(n, device=device), condition, guidance)
        first = torch.arange(n, device=device) * draws
        for step in range(int(turn.max()) + 1):
            drawn = _draw(logits.repeat_interleave(draws, 0))
            shown = torch.where(turn == step, drawn, shown.repeat_interleave(draws, 0))
            hidden = shown == MASK
            logits = self._guided(shown, hidden.float().mean(1), several, guidance)
            whole = torch.where(hidden, _draw(logits), shown)
            away = distance(whole.to(torch.uint8)).to(device)
            best = first + away.reshape(n, draws).argmin(1)
            shown, logits = shown[best], logits[best]
        return shown.to(torch.uint8)

    def _guided(
        self, shown: Tensor, hidden: Tensor, condition: Tensor | None, guidance: float
    ) -> Tensor:
        """Weigh the condition: logits without it plus ``guidance`` times what it adds."""
        none = torch.ones(len(shown), dtype=torch.bool, device=shown.device)
        if condition is None or guidance == 1:
            return self._logits(shown, hidden, condition, ~none)
        if guidance == 0:
            return self._logits(shown, hidden, condition, none)
        both = self._logits(
            shown.repeat(2, 1), hidden.repeat(2), condition.repeat(2), torch.cat([none, ~none])
        )
        without, told = both.chunk(2)
        return without + guidance * (told - without)


def _turns(n: int, length: int, steps: int, device: torch.device) -> Tensor:
    """Say for each base in which pass it is told, (n, length), each pass as many as the others.

    Every stretch of ``steps`` bases has each pass once, in an order of the sequence's own.
    """
    order = torch.rand(n, steps, device=device).argsort(1)
    repeats = -(-length // steps) + 1
    start = torch.randint(0, steps, (n, 1), device=device)
    at = torch.arange(length, device=device)[None] + start
    return order.repeat(1, repeats).gather(1, at)


def _draw(logits: Tensor) -> Tensor:
    """Draw a base at every position from logits (n, 4, length), by the Gumbel-max trick."""
    noise = -torch.log(-torch.log(torch.rand_like(logits).clamp_(1e-20, 1 - 1e-7)))
    return (logits + noise).argmax(1)


SPEC = FamilySpec(
    name="diffusion",
    summary="masked discrete diffusion, conditional by classifier-free guidance",
    citation="Austin et al. 2021 (D3PM); Sahoo et al. 2024 (masked diffusion); Hoogeboom et al. "
    "2022 (order-agnostic bound); Ho & Salimans 2022 (guidance)",
    options=MaskedDiffusionOptions,
    build=MaskedDiffusion,
    steps=lambda length: min(length, _STEPS),
    most=lambda length: length,
    guided=True,
    in_nats=True,
)

__all__ = ["BASES", "SPEC", "MaskedDiffusion", "MaskedDiffusionOptions"]
