"""Gaussian diffusion on one-hot sequences: the published form, with the best base at the end.

Noise is added to one-hot bases (as 1 and -1) in 1,000 steps, and a network learns to predict it
(Ho et al. 2020, DDPM, algorithms 1 and 2). Fewer steps follow the deterministic path of Song et
al. 2021 (DDIM, equation 12). The network knows nothing of positions but the edges of the window.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from exprimo.core.config import Config
from exprimo.generate.family import FamilySpec, Layout
from exprimo.generate.networks.noise_predictor import BASES, NoisePredictor
from exprimo.models.network import autocast

STEPS = 1000
_FIRST_BETA, _LAST_BETA = 1e-4, 0.02
# Fixed times at which `loss` judges, so that two judgements differ by the weights alone.
_LEVELS = 4


class GaussianDiffusionOptions(Config):
    """The denoiser of Gaussian diffusion."""

    channels: int = Field(128, ge=8, multiple_of=8)
    """Channels of every convolution."""
    blocks: int = Field(4, ge=1)
    """Residual blocks of two convolutions."""
    kernel: int = Field(3, ge=1, le=31)
    """Width of the convolutions, odd."""
    left_out: float = Field(0.1, ge=0, lt=1)
    """Share of examples that are learned without their condition, for guidance."""


class GaussianDiffusion:
    """Add noise and learn to predict it; sample by taking it away step by step."""

    def __init__(self, options: GaussianDiffusionOptions, layout: Layout) -> None:
        self._options, self._layout = options, layout
        self.module = NoisePredictor(
            layout.conditioning,
            channels=options.channels,
            blocks=options.blocks,
            kernel=options.kernel,
        ).to(layout.device)
        self.optimizers = [torch.optim.AdamW(self.module.parameters(), lr=1e-4)]
        self._beta = torch.linspace(_FIRST_BETA, _LAST_BETA, STEPS, device=layout.device)
        self._kept = torch.cumprod(1 - self._beta, 0)

    def update(self, codes: Tensor, condition: Tensor | None) -> dict[str, float]:
        """Learn from one batch; the loss is the mean squared error of the predicted noise."""
        self.module.train()
        time = torch.randint(0, STEPS, (len(codes),), device=codes.device)
        left_out = torch.rand(len(codes), device=codes.device) < self._options.left_out
        loss = self._error(codes, condition, time, left_out).mean()
        (optimizer,) = self.optimizers
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimizer.step()
        return {"loss": float(loss.detach())}

    @torch.no_grad()
    def loss(self, codes: Tensor, condition: Tensor | None) -> Tensor:
        """Give the error of each sequence, a mean over evenly spread times."""
        self.module.eval()
        told = torch.zeros(len(codes), dtype=torch.bool, device=codes.device)
        times = [round((i + 0.5) * STEPS / _LEVELS) for i in range(_LEVELS)]
        errors = [
            self._error(codes, condition, torch.full_like(told, time, dtype=torch.long), told)
            for time in times
        ]
        return torch.stack(errors).mean(0)

    def _error(
        self, codes: Tensor, condition: Tensor | None, time: Tensor, left_out: Tensor
    ) -> Tensor:
        clean = 2.0 * functional.one_hot(codes.long(), BASES).transpose(1, 2) - 1
        noise = torch.randn_like(clean)
        kept = self._kept[time][:, None, None]
        noisy = kept.sqrt() * clean + (1 - kept).sqrt() * noise
        found = self._noise(noisy, time, condition, left_out)
        return (found - noise).square().mean(dim=(1, 2))

    def _noise(
        self, noisy: Tensor, time: Tensor, condition: Tensor | None, left_out: Tensor
    ) -> Tensor:
        with autocast(self._layout.device, self._layout.precision):
            found: Tensor = self.module(noisy, time / STEPS, condition, left_out)
        return found

    @torch.inference_mode()
    def sample(self, n: int, condition: Tensor | None, *, steps: int, guidance: float) -> Tensor:
        """Draw sequences: in 1,000 random steps as published, or in fewer without randomness."""
        self.module.eval()
        steps = min(steps, STEPS)
        times = torch.linspace(STEPS - 1, 0, steps).round().long().tolist()
        x = torch.randn(n, BASES, self._layout.length, device=self._layout.device)
        for place, time in enumerate(times):
            noise = self._guided(x, time, condition, guidance)
            kept = self._kept[time]
            # Bounded as in the source's own program, or errors would grow along the path.
            clean = ((x - (1 - kept).sqrt() * noise) / kept.sqrt()).clamp(-1, 1)
            if place == len(times) - 1:
                x = clean
            elif steps == STEPS:
                x = self._random_step(x, clean, time)
            else:
                before = self._kept[times[place + 1]]
                noise = (x - kept.sqrt() * clean) / (1 - kept).sqrt()
                x = before.sqrt() * clean + (1 - before).sqrt() * noise
        return x.argmax(1).to(torch.uint8)

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
        """Draw in random steps, and after each keep the best of ``draws`` continuations.

        Each is judged by the best base at every position of its clean guess. Fewer steps than
        1,000 are random too (DDIM with its eta at 1), or there were nothing to choose.
        """
        self.module.eval()
        times = torch.linspace(STEPS - 1, 0, min(steps, STEPS)).round().long().tolist()
        several = None if condition is None else condition.repeat_interleave(draws, 0)
        device = self._layout.device
        x = torch.randn(n * draws, BASES, self._layout.length, device=device)
        first = torch.arange(n, device=device) * draws
        for place, time in enumerate(times):
            kept = self._kept[time]
            noise = self._guided(x, time, several, guidance)
            clean = ((x - (1 - kept).sqrt() * noise) / kept.sqrt()).clamp(-1, 1)
            away = distance(clean.argmax(1).to(torch.uint8)).to(device)
            best = first + away.reshape(n, draws).argmin(1)
            if place == len(times) - 1:
                break
            before = self._kept[times[place + 1]]
            x, clean = (of[best].repeat_interleave(draws, 0) for of in (x, clean))
            spread = (1 - before) / (1 - kept) * (1 - kept / before)
            noise = (x - kept.sqrt() * clean) / (1 - kept).sqrt()
            x = before.sqrt() * clean + (1 - before - spread).clamp_min(0).sqrt() * noise
            x = x + spread.sqrt() * torch.randn_like(x)
        return clean[best].argmax(1).to(torch.uint8)

    def _random_step(self, x: Tensor, clean: Tensor, time: int) -> Tensor:
        """Draw x one step earlier, given it and the clean guess (DDPM, equation 7)."""
        beta, kept = self._beta[time], self._kept[time]
        before = self._kept[time - 1]
        mean = before.sqrt() * beta / (1 - kept) * clean
        mean = mean + (1 - beta).sqrt() * (1 - before) / (1 - kept) * x
        return mean + beta.sqrt() * torch.randn_like(x)

    def _guided(self, x: Tensor, time: int, condition: Tensor | None, guidance: float) -> Tensor:
        none = torch.ones(len(x), dtype=torch.bool, device=x.device)
        times = torch.full((len(x),), time, device=x.device)
        if condition is None or guidance == 1:
            return self._noise(x, times, condition, ~none)
        if guidance == 0:
            return self._noise(x, times, condition, none)
        both = self._noise(
            x.repeat(2, 1, 1), times.repeat(2), condition.repeat(2), torch.cat([none, ~none])
        )
        without, told = both.chunk(2)
        return without + guidance * (told - without)


SPEC = FamilySpec(
    name="diffusion-published",
    summary="Gaussian diffusion on one-hot sequences in 1,000 steps, as published",
    citation="Ho et al. 2020 (DDPM); Song et al. 2021 (DDIM) for fewer steps",
    options=GaussianDiffusionOptions,
    build=GaussianDiffusion,
    steps=lambda length: STEPS,
    most=lambda length: STEPS,
    guided=True,
    fit={"learning_rate": 1e-4, "schedule": "constant", "warm_up": 0},
)
