"""Paralogs: which genes descend from one founder, and how a copy comes to differ from it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from exprimo.core.sequence import Codes
from exprimo.simulate.config import FamilyConfig
from exprimo.simulate.genome.bases import mutate
from exprimo.simulate.genome.transcripts import (
    STOPS,
    Gene,
    clip_spans,
    positions,
    protected_positions,
)


class Place(NamedTuple):
    """What stands at one place in genome order.

    ``founder`` is the place of the family's founder (its own for a founder or a single gene);
    ``family`` is None for a gene without relatives.
    """

    family: int | None
    founder: int


def family_sizes(rng: np.random.Generator, genes: int, config: FamilyConfig) -> list[int]:
    """Draw the sizes of families of two and more until they hold their share of the genes."""
    target = round(genes * config.paralog_share)
    sizes: list[int] = []
    while (left := target - sum(sizes)) >= 2:
        drawn = 1 + int(rng.geometric(1.0 / (config.size_mean - 1.0)))
        sizes.append(min(drawn, config.size_max, left))
    return sizes


def plan_places(rng: np.random.Generator, genes: int, config: FamilyConfig) -> list[Place]:
    """Order the genes along the genome: copies beside their founder or anywhere.

    Returns
    -------
    list of Place
        One per gene, in genome order.
    """
    sizes = family_sizes(rng, genes, config)
    # A member is (family, is_founder); families are numbered from 0 and single genes are -1.
    loose: list[tuple[int, bool]] = [(-1, True)] * (genes - sum(sizes))
    tandem: dict[int, int] = {}
    for family, size in enumerate(sizes):
        beside = int(rng.binomial(size - 1, config.tandem_share))
        tandem[family] = beside
        loose += [(family, True)] + [(family, False)] * (size - 1 - beside)
    ordered: list[tuple[int, bool]] = []
    for index in rng.permutation(len(loose)).tolist():
        family, is_founder = loose[index]
        ordered.append((family, is_founder))
        if is_founder and family >= 0:
            ordered += [(family, False)] * tandem[family]
    founder_at = {family: at for at, (family, first) in enumerate(ordered) if first and family >= 0}
    return [
        Place(family, founder_at[family]) if family >= 0 else Place(None, at)
        for at, (family, _) in enumerate(ordered)
    ]


def copy_gene(rng: np.random.Generator, founder: Gene, divergence: float) -> Gene:
    """Copy a gene with point mutations that leave it able to be spliced and translated.

    Start, stop and splice sites are kept, and a codon that became a stop goes back to the
    founder's; everything else, planted sites included, may have changed.
    """
    codes = mutate(rng, founder.codes, divergence)
    kept = protected_positions(founder)
    codes[kept] = founder.codes[kept]
    _mend_codons(codes, founder)
    return Gene(codes, founder.transcripts)


def _mend_codons(codes: Codes, founder: Gene) -> None:
    transcript = founder.canonical
    if transcript.cds is None:
        return
    at = positions(clip_spans(transcript.exons, transcript.cds)).reshape(-1, 3)[:-1]
    stopped = (codes[at][:, None, :] == STOPS).all(axis=2).any(axis=1)
    codes[at[stopped]] = founder.codes[at[stopped]]
