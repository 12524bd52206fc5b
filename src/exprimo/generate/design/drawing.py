"""Draw designs from a generator: as it draws, as it is asked, ranked by the guide, or steered."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from exprimo.core.errors import ConfigError, MismatchError
from exprimo.core.progress import track
from exprimo.core.sequence import Codes
from exprimo.generate.design.aim import Aim
from exprimo.generate.design.predictors import Reader, Values
from exprimo.generate.family import Steers
from exprimo.generate.folder import Generator
from exprimo.generate.sampling.stream import (
    Asked,
    check_asked,
    chunk_size,
    draw_chunks,
    settled_steps,
)
from exprimo.generate.stored import Loaded, load_generator, one_device
from exprimo.training.config import MachineConfig
from exprimo.training.machine import prepare

_STEERED, _UNGUIDED = 21, 22


class Source(NamedTuple):
    """A generator to draw from.

    Attributes
    ----------
    made, loaded
        Its folder, and what samples.
    condition
        What it is asked for: a value of its condition or the number of a class; None where its
        condition, if it has one, is something else than the guide predicts.
    guidance, steps
        Weight of the condition and passes of the sampler.
    """

    made: Generator
    loaded: Loaded
    condition: float | None
    guidance: float
    steps: int | None

    @property
    def family(self) -> str:
        return self.loaded.spec.name

    @property
    def steers(self) -> bool:
        """Whether each of its passes can follow the guide."""
        return isinstance(self.loaded.family, Steers)

    @property
    def learned(self) -> tuple[float, float] | None:
        """What its training examples have, where it is asked for a value that none of them has."""
        conditioning = self.loaded.layout.conditioning
        if self.condition is None or not conditioning.is_beyond(self.condition):
            return None
        return conditioning.spread[0], conditioning.spread[-1]

    def asked(self, n: int, seed: int) -> Asked:
        """Ask for ``n`` sequences of the target, where it can be asked for."""
        return Asked(n, self.condition, self.steps, self.guidance, 1.0, seed)


def open_source(
    path: str | Path,
    aim: Aim,
    guide: Reader,
    *,
    guidance: float,
    steps: int | None,
    device: str,
    threads: int | None,
) -> Source:
    """Open a generator of the guide's length and settle what it is asked for."""
    made = Generator.open(path)
    made.check_files()
    devices, precision, _ = prepare(MachineConfig.checked({"device": device, "threads": threads}))
    loaded = load_generator(made.weights_path, device=one_device(devices), precision=precision)
    if loaded.layout.length != guide.length:
        raise MismatchError(
            "the generator draws sequences of another length than the guide reads",
            file=made.path,
            found=f"{loaded.layout.length:,} bases",
            expected=f"{guide.length:,} bases, as {guide.run.path}",
        )
    source = Source(made, loaded, _condition(loaded, aim, guide), guidance, steps)
    if source.condition is None and guidance != 1:
        raise ConfigError(
            "this generator cannot be asked for what the guide predicts, so there is no guidance "
            "to weigh",
            record="guidance",
            found=guidance,
            expected=f"1, or a generator fitted with --condition {guide.target}",
        )
    check_asked(loaded, source.asked(1, 0))
    return source


def _condition(loaded: Loaded, aim: Aim, guide: Reader) -> float | None:
    conditioning = loaded.layout.conditioning
    if conditioning.kind == "none" or conditioning.target != guide.target:
        return None
    if conditioning.kind == "value":
        return aim.value if aim.task == "regression" else None
    if aim.task == "classification" and len(conditioning.classes) == 2:
        return float(aim.value >= 0.5)
    return float(aim.output) if conditioning.classes == guide.classes else None


def unguided(source: Source, n: int, seed: int) -> Codes:
    """Draw as the training examples are, whatever is wanted."""
    asked = Asked(n, None, source.steps, 1.0, 1.0, _seed(seed, _UNGUIDED))
    return np.concatenate([codes for codes, _ in draw_chunks(source.loaded, asked)])


def ranked(
    source: Source, guide: Reader, aim: Aim, n: int, draws: int, seed: int
) -> tuple[Codes, Codes]:
    """Draw ``draws`` times as many as are wanted and keep those that the guide says are nearest.

    Returns
    -------
    kept, first
        Distinct ones that are kept, nearest first (fewer than ``n`` where a generator repeats
        itself), and the first ``n`` drawn, which nobody has chosen.
    """
    asked = source.asked(n * draws, seed)
    total = -(-asked.n // chunk_size(guide.length))
    kept, first = np.empty((0, guide.length), np.uint8), []
    away: Values = np.empty(0)
    left = n
    for codes, _ in track(draw_chunks(source.loaded, asked), "Drawing to be ranked", total=total):
        first.append(codes[:left])
        left -= len(first[-1])
        both = np.concatenate([kept, codes])
        distances = np.concatenate([away, aim.distance(guide.told(codes, aim.output).mean)])
        _, distinct = np.unique(both, axis=0, return_index=True)
        distinct.sort()
        best = distinct[np.argsort(distances[distinct], kind="stable")[:n]]
        kept, away = both[best], distances[best]
    return kept, np.concatenate(first)


def steered(source: Source, guide: Reader, aim: Aim, n: int, draws: int, seed: int) -> Codes:
    """Draw ``n`` sequences while the guide chooses among ``draws`` continuations at each pass."""
    loaded = source.loaded
    layout, family = loaded.layout, loaded.family
    if not isinstance(family, Steers):
        raise _cannot_steer(source)
    steps = settled_steps(loaded.spec, layout.length, source.steps)
    size = max(1, chunk_size(layout.length) // draws)

    def distance(codes: Tensor) -> Tensor:
        predicted = guide.told(codes.cpu().numpy(), aim.output).mean
        return torch.from_numpy(aim.distance(predicted))

    found = []
    for number, start in enumerate(track(range(0, n, size), "Drawing, guided")):
        some = min(size, n - start)
        rng = np.random.default_rng([seed, _STEERED, number])
        torch.manual_seed(int(rng.integers(2**32)))
        condition = None
        if layout.conditioning.kind != "none":
            values = (
                layout.conditioning.drawn(some, rng)
                if source.condition is None
                else np.full(some, source.condition)
            )
            condition = torch.from_numpy(layout.conditioning.coded(values)).to(layout.device)
        drawn = family.steered(
            some, condition, steps=steps, guidance=source.guidance, draws=draws, distance=distance
        )
        found.append(drawn.cpu().numpy())
    return np.concatenate(found)


def _cannot_steer(source: Source) -> ConfigError:
    return ConfigError(
        f"the passes of {source.family} cannot be guided",
        file=source.made.path,
        expected="a generator of the family diffusion, or diffusion-published",
        remedy="Use --method ranked: draw many and keep those that the guide says are nearest",
    )


def refuse_unsteered(source: Source) -> None:
    """Say that a generator's passes cannot be guided, before any work is done."""
    if not source.steers:
        raise _cannot_steer(source)


def _seed(seed: int, purpose: int) -> int:
    return int(np.random.SeedSequence([seed, purpose]).generate_state(1)[0])
