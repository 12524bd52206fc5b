"""Draw sequences some at a time, so that any number of them fits into memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from exprimo.core.errors import ConfigError
from exprimo.core.sequence import Codes
from exprimo.generate.family import FamilySpec, Ranks
from exprimo.generate.stored import Loaded

# Bases drawn at once: 256 sequences of 80 bases, 16 of 2,000.
_BASES = 32_000
_FEWEST, _MOST = 16, 256
_VALUES, _NOISE = 1, 2


class Asked(NamedTuple):
    """What is asked of a generator.

    Attributes
    ----------
    n
        How many sequences.
    target
        The value of the condition's target, or the number of the class; None draws each as the
        training examples have it.
    steps
        Passes of the sampler; None: as many as the family usually takes. More than can change
        anything are cut to those: one per base of masked diffusion, 1,000 of the published one.
    guidance
        Weight of the condition; 1: as learned.
    keep_best
        Share of what is drawn that is kept: of 1 / share sequences drawn for each, the one that
        the family itself scores best.
    seed
        The same seed, number and settings give the same sequences.
    """

    n: int
    target: float | None = None
    steps: int | None = None
    guidance: float = 1.0
    keep_best: float = 1.0
    seed: int = 0


def chunk_size(length: int) -> int:
    """Say how many sequences are drawn at once.

    Examples
    --------
    >>> chunk_size(80), chunk_size(2000)
    (256, 16)
    """
    return max(_FEWEST, min(_MOST, _BASES // length))


def settled_steps(spec: FamilySpec, length: int, steps: int | None) -> int:
    """Choose the sampler's steps, as many as change anything; refuse them where nothing can."""
    if spec.steps is None:
        if steps is not None:
            raise ConfigError(
                f"{spec.name} samples in one pass",
                record="steps",
                found=steps,
                remedy="Leave the steps out",
            )
        return 1
    if steps is not None and steps < 1:
        raise ConfigError("a sampler takes a step at least", record="steps", found=steps)
    wanted = spec.steps(length) if steps is None else steps
    return wanted if spec.most is None else min(wanted, spec.most(length))


def check_asked(loaded: Loaded, asked: Asked) -> None:
    """Refuse what the generator cannot do, before any work is done."""
    spec, conditioned = loaded.spec, loaded.layout.conditioning.kind != "none"
    if asked.n < 1:
        raise ConfigError("draw one sequence at least", record="n", found=asked.n)
    if asked.guidance != 1 and not (spec.guided and conditioned):
        raise ConfigError(
            "this generator has no condition to weigh"
            if spec.guided
            else f"{spec.name} cannot weigh its condition",
            record="guidance",
            found=asked.guidance,
            expected="1",
        )
    if not 0 < asked.keep_best <= 1:
        raise ConfigError(
            "not a share", record="keep_best", found=asked.keep_best, expected="above 0, up to 1"
        )
    if abs(1 / asked.keep_best - round(1 / asked.keep_best)) > 0.05:
        near = 1 / max(2, round(1 / asked.keep_best))
        raise ConfigError(
            "one of several is kept, so the share is one half, a third, a quarter and so on",
            record="keep_best",
            found=asked.keep_best,
            remedy=f"Give {near:.2g}",
        )
    if asked.keep_best < 1 and not isinstance(loaded.family, Ranks):
        raise ConfigError(
            f"{spec.name} does not rank what it makes",
            record="keep_best",
            found=asked.keep_best,
            remedy="Leave it out, or use a generator with a discriminator, such as gan",
        )
    settled_steps(spec, loaded.layout.length, asked.steps)


def draw_chunks(
    loaded: Loaded, asked: Asked
) -> Iterator[tuple[Codes, npt.NDArray[np.float64] | None]]:
    """Draw sequences some at a time, with what was asked of each.

    Yields
    ------
    codes, asked
        (chunk, length) uint8, and (chunk,) in units of the target; None without a condition.
    """
    check_asked(loaded, asked)
    layout = loaded.layout
    steps = settled_steps(loaded.spec, layout.length, asked.steps)
    size = chunk_size(layout.length)
    for number, start in enumerate(range(0, asked.n, size)):
        n = min(size, asked.n - start)
        values = None
        if layout.conditioning.kind != "none":
            rng = np.random.default_rng([asked.seed, _VALUES, number])
            values = (
                layout.conditioning.drawn(n, rng)
                if asked.target is None
                else np.full(n, asked.target)
            )
        noise = np.random.SeedSequence([asked.seed, _NOISE, number]).generate_state(1)[0]
        torch.manual_seed(int(noise))
        yield _chunk(loaded, n, values, steps, asked), values


def _chunk(
    loaded: Loaded, n: int, values: npt.NDArray[np.float64] | None, steps: int, asked: Asked
) -> Codes:
    """Draw ``n`` sequences; of several drawn for each, keep the one that ranks first."""
    layout, several = loaded.layout, round(1 / asked.keep_best)
    condition = None
    if values is not None:
        coded = layout.conditioning.coded(np.tile(values, several))
        condition = torch.from_numpy(coded).to(layout.device)
    drawn = loaded.family.sample(n * several, condition, steps=steps, guidance=asked.guidance)
    if several > 1 and isinstance(loaded.family, Ranks):
        best = loaded.family.score(drawn, condition).reshape(several, n).argmax(0)
        drawn = drawn.reshape(several, n, -1)[best, torch.arange(n, device=best.device)]
    codes: Codes = drawn.cpu().numpy()
    return codes
