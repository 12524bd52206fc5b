"""Mutations as variants: SNPs and short indels against the reference, none overlapping another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.sequence import N_CODE, Codes, decode
from exprimo.simulate.individuals.ancestry import Carriers, Mutations, Positions
from exprimo.simulate.individuals.config import IndividualsConfig
from exprimo.simulate.individuals.placing import PlacedChange

# Twice as many transitions as transversions; A, C, G, T = 0..3.
_TRANSITIONS = 2.0 / 3.0


class Allele(NamedTuple):
    """One variant as VCF writes it, but 0-based: an indel stands with the base before it."""

    start: int
    ref: str
    alt: str


class Variants(NamedTuple):
    """The variants of one chromosome, in order of position."""

    chrom: str
    alleles: list[Allele]
    carriers: Carriers
    """Shape (variants, haplotypes); person p has haplotypes 2p and 2p + 1."""
    placed: npt.NDArray[np.bool_]
    """Whether a variant was placed on purpose, shape (variants,)."""
    starts: Positions
    """First base of each reference allele, shape (variants,)."""
    ends: Positions
    """End of each reference allele, shape (variants,)."""

    @classmethod
    def none(cls, chrom: str, haplotypes: int) -> Variants:
        """Give a chromosome without variants."""
        positions = np.empty(0, dtype=np.int64)
        carriers = np.empty((0, haplotypes), dtype=np.uint8)
        return cls(chrom, [], carriers, np.empty(0, dtype=np.bool_), positions, positions)

    @property
    def names(self) -> list[str]:
        """Name of each variant: chrom:position:ref:alt, counted from 1."""
        return [f"{self.chrom}:{one.start + 1}:{one.ref}:{one.alt}" for one in self.alleles]

    @property
    def frequency(self) -> npt.NDArray[np.float64]:
        """Frequency of each alternate allele, shape (variants,)."""
        return np.asarray(self.carriers.mean(axis=1, dtype=np.float64))


def left_aligned(codes: Codes, at: int, deleted: int, inserted: Codes) -> Allele | None:
    """Write an insertion or deletion before base ``at`` as far left as it can stand.

    Parameters
    ----------
    codes
        The chromosome.
    deleted
        Number of bases deleted from ``at`` on; 0 for an insertion.
    inserted
        Bases inserted before ``at``; empty for a deletion.

    Returns
    -------
    Allele or None
        None where an unknown base or the chromosome's end is in the way.

    Examples
    --------
    >>> from exprimo.core.sequence import encode
    >>> left_aligned(encode("GATTTC"), 4, 1, encode(""))
    Allele(start=1, ref='AT', alt='A')
    >>> left_aligned(encode("GATTTC"), 5, 0, encode("T"))
    Allele(start=1, ref='A', alt='AT')
    """
    if at + deleted > codes.size:
        return None
    while at > 1 and (
        codes[at - 1] == codes[at + deleted - 1] if deleted else codes[at - 1] == inserted[-1]
    ):
        if not deleted:
            inserted = np.roll(inserted, 1)
        at -= 1
    touched = codes[at - 1 : at + deleted] if at else codes[:0]
    if not touched.size or N_CODE in touched:
        return None
    anchor = decode(touched[:1])
    return Allele(at - 1, decode(touched), anchor + decode(inserted))


def make_variants(
    rng: np.random.Generator,
    chrom: str,
    codes: Codes,
    mutations: Mutations,
    placed: Sequence[PlacedChange],
    config: IndividualsConfig,
) -> Variants:
    """Turn mutations into variants; one that would overlap an earlier one is left out.

    Those that were placed on purpose take their bases first.
    """
    free = codes != N_CODE
    rows = list(range(mutations.positions.size))
    rows.sort(key=lambda row: (mutations.wanted[row] < 0, row))
    kept: list[tuple[Allele, int]] = []
    for row in rows:
        at, number = int(mutations.positions[row]), int(mutations.wanted[row])
        if number >= 0:
            allele = _snp(codes, at, placed[number].base)
        elif rng.random() < config.indel_share:
            allele = _indel(rng, codes, at, config)
        else:
            allele = _snp(codes, at, _other_base(rng, int(codes[at])))
        if allele is None:
            continue
        span = slice(allele.start, allele.start + len(allele.ref))
        if free[span].all():
            free[span] = False
            kept.append((allele, row))
    kept.sort()
    taken = np.array([row for _, row in kept], dtype=np.int64)
    return Variants(
        chrom,
        [allele for allele, _ in kept],
        mutations.carriers[taken],
        mutations.wanted[taken] >= 0,
        np.array([one.start for one, _ in kept], dtype=np.int64),
        np.array([one.start + len(one.ref) for one, _ in kept], dtype=np.int64),
    )


def _snp(codes: Codes, at: int, base: int) -> Allele | None:
    if codes[at] in (N_CODE, base) or base == N_CODE:
        return None
    return Allele(at, decode(codes[at : at + 1]), "ACGT"[base])


def _other_base(rng: np.random.Generator, base: int) -> int:
    """Draw the base that a mutation makes of one; N stays."""
    if base == N_CODE:
        return N_CODE
    if rng.random() < _TRANSITIONS:
        return base ^ 2
    return base ^ (1 if rng.random() < 0.5 else 3)


def _indel(
    rng: np.random.Generator, codes: Codes, at: int, config: IndividualsConfig
) -> Allele | None:
    length = min(int(rng.geometric(1.0 / config.indel_mean)), config.indel_max)
    if rng.random() < 0.5:
        return left_aligned(codes, at, length, np.empty(0, dtype=np.uint8))
    return left_aligned(codes, at, 0, rng.integers(0, 4, length, dtype=np.uint8))
