"""Bases without genes: composition, decay, repeats, the stretches between genes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.sequence import N_CODE, Codes, reverse_complement
from exprimo.simulate.config import GenomeConfig

_C, _G, _T, _A = 1, 2, 3, 0
_FINENESS = 256


class RepeatCopy(NamedTuple):
    """One copy of a repeat, at ``start`` of the stretch that holds it."""

    family: str
    start: int
    end: int
    strand: str


class Stretch(NamedTuple):
    """Sequence between genes, forward strand, with the repeats that lie in it."""

    codes: Codes
    repeats: tuple[RepeatCopy, ...]


def random_bases(rng: np.random.Generator, length: int, gc: float) -> Codes:
    """Draw bases of a given GC fraction (to the nearest 1/128).

    Examples
    --------
    >>> codes = random_bases(np.random.default_rng(0), 10_000, 0.5)
    >>> bool(0.47 < np.isin(codes, (1, 2)).mean() < 0.53)
    True
    """
    # One random byte a base and a table are ten times faster than drawing with probabilities.
    strong = round(gc * _FINENESS / 2)
    weak = _FINENESS // 2 - strong
    table = np.repeat(np.array([_A, _C, _G, _T], dtype=np.uint8), [weak, strong, strong, weak])
    drawn: Codes = table[rng.integers(0, _FINENESS, length, dtype=np.uint8)]
    return drawn


def gc_walk(rng: np.random.Generator, steps: int, config: GenomeConfig) -> npt.NDArray[np.float64]:
    """Draw the GC fraction along a chromosome, one value per gene, shape (steps,)."""
    shocks = rng.normal(0.0, config.gc_sd, steps)
    walk = np.empty(steps)
    level = shocks[0] if steps else 0.0
    fresh = np.sqrt(1.0 - config.gc_memory**2)
    for step in range(steps):
        level = level if step == 0 else config.gc_memory * level + fresh * shocks[step]
        walk[step] = level
    return np.clip(config.gc_mean + walk, 0.28, 0.62)


def decay_cpg(rng: np.random.Generator, codes: Codes, share: float) -> Codes:
    """Turn a share of the CG pairs into TG or CA, as deamination of methylated C does."""
    decayed = codes.copy()
    at = np.flatnonzero((codes[:-1] == _C) & (codes[1:] == _G))
    at = at[rng.random(at.size) < share]
    other_strand = rng.random(at.size) < 0.5
    decayed[at[~other_strand]] = _T
    decayed[at[other_strand] + 1] = _A
    return decayed


def mutate(rng: np.random.Generator, codes: Codes, divergence: float) -> Codes:
    """Replace exactly a share ``divergence`` of the bases, each by one of the three others."""
    count = round(divergence * codes.size)
    at = rng.choice(codes.size, count, replace=False)
    mutated = codes.copy()
    mutated[at] = (codes[at] + rng.integers(1, 4, count, dtype=np.uint8)) % 4
    return mutated


def repeat_library(rng: np.random.Generator, config: GenomeConfig) -> dict[str, Codes]:
    """Draw the kinds of repeat: short and long interspersed ones, and tandem repeats."""
    library: dict[str, Codes] = {}
    for number in range(config.repeat_families):
        kind = ("SINE", "LINE", "MICRO")[number % 3]
        if kind == "MICRO":
            unit = random_bases(rng, int(rng.integers(2, 6)), 0.4)
            codes = np.tile(unit, 60 // unit.size)
        else:
            length = int(rng.integers(150, 350) if kind == "SINE" else rng.integers(600, 1500))
            codes = random_bases(rng, length, float(rng.uniform(0.38, 0.58)))
        library[f"{kind}{number // 3 + 1}"] = codes
    return library


def spacer(
    rng: np.random.Generator, gc: float, library: dict[str, Codes], config: GenomeConfig
) -> Stretch:
    """Draw the sequence between two genes: random bases and diverged copies of repeats."""
    length = int(np.clip(rng.lognormal(np.log(config.spacer_median), 0.6), 50, 20_000))
    names = list(library)
    count = int(rng.poisson(config.repeats_per_spacer)) if names else 0
    pieces: list[Codes] = []
    repeats: list[RepeatCopy] = []
    at = 0
    for cut in np.diff([0, *np.sort(rng.integers(0, length + 1, count)), length]).tolist():
        if pieces:
            name = names[int(rng.integers(len(names)))]
            copy = mutate(rng, library[name], float(rng.uniform(*config.repeat_divergence)))
            reverse = rng.random() < 0.5
            pieces.append(reverse_complement(copy) if reverse else copy)
            repeats.append(RepeatCopy(name, at, at + copy.size, "-" if reverse else "+"))
            at += copy.size
        pieces.append(decay_cpg(rng, random_bases(rng, cut, gc), config.cpg_loss))
        at += cut
    return Stretch(np.concatenate(pieces), tuple(repeats))


def telomere(config: GenomeConfig) -> Codes:
    """Give the unknown bases at the end of a chromosome."""
    return np.full(config.telomere, N_CODE, dtype=np.uint8)
