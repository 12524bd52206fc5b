"""Binding motifs: position weight matrices that are drawn, scored and planted."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.sequence import Codes, decode, reverse_complement
from exprimo.simulate.config import Factor, RegulationConfig

# Offsets at which a site that need not act may be planted.
_ANYWHERE = (-480, -10)

Matrix = npt.NDArray[np.float64]


class Motif(NamedTuple):
    """The motif of one factor."""

    name: str
    probabilities: Matrix
    """Shape (width, 4), columns A, C, G, T."""

    @property
    def width(self) -> int:
        return len(self.probabilities)

    @property
    def consensus(self) -> Codes:
        best: Codes = self.probabilities.argmax(axis=1).astype(np.uint8)
        return best

    @property
    def consensus_letters(self) -> str:
        return decode(self.consensus)

    @property
    def log_odds(self) -> Matrix:
        """Score in bits per position and base, against equal base frequencies."""
        odds: Matrix = np.log2(self.probabilities / 0.25)
        return odds

    @property
    def best_score(self) -> float:
        return float(self.log_odds.max(axis=1).sum())

    @property
    def information(self) -> float:
        """Information content in bits."""
        return float((self.probabilities * self.log_odds).sum())


class PlantedSite(NamedTuple):
    """A site put into a promoter."""

    factor: str
    offset: int
    """Of the first base from the TSS, in gene orientation."""
    orientation: int
    """1: reads along the gene; -1: against it."""


def draw_motifs(rng: np.random.Generator, config: RegulationConfig) -> dict[str, Motif]:
    """Draw one motif per factor, none easily mistaken for another or for its own reverse."""
    taken: list[Codes] = []
    motifs: dict[str, Motif] = {}
    rest = (1.0 - config.consensus_probability) / 3.0
    for factor in config.factors:
        consensus = _draw_consensus(rng, config.width, taken)
        taken += [consensus, reverse_complement(consensus)]
        probabilities = np.full((config.width, 4), rest)
        probabilities[np.arange(config.width), consensus] = config.consensus_probability
        motifs[factor.name] = Motif(factor.name, probabilities)
    return motifs


def _draw_consensus(rng: np.random.Generator, width: int, taken: list[Codes]) -> Codes:
    while True:
        drawn: Codes = rng.integers(0, 4, width, dtype=np.uint8)
        strong = int(np.isin(drawn, (1, 2)).sum())
        varied = len(np.unique(drawn)) >= 3 and "CG" not in decode(drawn)
        apart = all(_likeness(drawn, other) < width - 3 for other in taken)
        own = _likeness(drawn, reverse_complement(drawn)) < width - 3
        # A word that repeats itself would be found twice at one place.
        own = own and max(int((drawn[s:] == drawn[:-s]).sum()) for s in (1, 2, 3)) <= width // 2
        if varied and abs(strong - width / 2) <= 1 and apart and own:
            return drawn


def _likeness(one: Codes, other: Codes) -> int:
    """Count the equal bases in the best of the alignments shifted by up to three."""
    width = one.size
    best = 0
    for shift in range(-3, 4):
        left = one[max(0, shift) : width + min(0, shift)]
        right = other[max(0, -shift) : width + min(0, -shift)]
        best = max(best, int((left == right).sum()))
    return best


def sample_site(rng: np.random.Generator, motif: Motif, threshold: float) -> Codes:
    """Draw a sequence from the motif that scores at least ``threshold`` of the best score."""
    cumulative = motif.probabilities.cumsum(axis=1)
    rows = np.arange(motif.width)
    while True:
        drawn = (rng.random((motif.width, 1)) > cumulative[:, :3]).sum(axis=1)
        if motif.log_odds[rows, drawn].sum() >= threshold * motif.best_score:
            word: Codes = drawn.astype(np.uint8)
            return word


def plant(
    rng: np.random.Generator,
    codes: Codes,
    tss: int,
    motifs: dict[str, Motif],
    config: RegulationConfig,
) -> tuple[PlantedSite, ...]:
    """Write sites of all factors into a promoter, in place; no two planted sites overlap.

    Parameters
    ----------
    codes
        A gene in gene orientation; changed.
    tss
        Position of the canonical TSS in ``codes``.
    """
    free = np.ones(config.upstream, dtype=bool)
    planted: list[PlantedSite] = []
    # The factors with the narrowest place go first: the others can go elsewhere.
    for factor in sorted(config.factors, key=lambda one: one.planted[1] - one.planted[0]):
        ranges = [factor.planted] * int(rng.poisson(factor.rate))
        ranges += [_ANYWHERE] * int(rng.poisson(factor.elsewhere))
        for within in ranges:
            for site in _choose_sites(rng, factor, within, config.width, free):
                at = tss + site.offset
                word = sample_site(rng, motifs[site.factor], config.threshold)
                word = word if site.orientation > 0 else reverse_complement(word)
                codes[at : at + word.size] = word
                planted.append(site)
    return tuple(planted)


def _choose_sites(
    rng: np.random.Generator,
    factor: Factor,
    within: tuple[int, int],
    width: int,
    free: npt.NDArray[np.bool_],
) -> tuple[PlantedSite, ...]:
    """Choose where a site, or a pair of sites, goes; none when the place is taken."""
    # A factor with a fixed place is found the way round that acts; others both ways.
    fixed = within[1] - within[0] < 20
    orientation = 1 if fixed or rng.random() < 0.5 else -1
    paired = factor.partner is not None and rng.random() < factor.paired_share
    gap = int(rng.integers(*factor.spacing)) if paired else 0
    span = 2 * width + gap if paired else width
    offset = int(rng.integers(within[0], min(within[1], 1 - span)))
    taken = slice(free.size + offset, free.size + offset + span)
    if not free[taken].all():
        return ()
    free[taken] = False
    if not paired or factor.partner is None:
        return (PlantedSite(factor.name, offset, orientation),)
    first, second = factor.name, factor.partner
    if orientation < 0:
        first, second = second, first
    return (
        PlantedSite(first, offset, orientation),
        PlantedSite(second, offset + width + gap, orientation),
    )
