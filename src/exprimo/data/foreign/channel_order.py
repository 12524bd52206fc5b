"""Do the channels mean the letters that were said? Neighbouring bases tell, in some genomes.

In vertebrates CG is far rarer than its bases make likely, because methylated C decays to T
(Bird 1980), and GC is not; TA is rarer than AT in nearly all genomes (Burge, Campbell and Karlin
1992). A wrong order of channels, or a sequence reversed without its complement, moves the rare
pair elsewhere. Where CG is not rare (yeasts, many invertebrates, bacteria) nothing can be said.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np
import numpy.typing as npt

from exprimo.core.compiled import compiled
from exprimo.core.sequence import N_CODE, Codes
from exprimo.data.foreign.one_hot import BASES

# Human promoters of 20 kb have CG at about 0.35 of what is expected, GC at 1.0, TA at 0.75 and
# AT at 0.9; no pair but CG and TA is known to fall below 0.6 in a whole genome.
_RARE, _ORDINARY = 0.6, 0.85
_TA_BELOW_AT = 0.03
# Fewer neighbouring pairs than this say little about one of sixteen.
_FEWEST_PAIRS = 50_000


class PairCounts:
    """Counts of neighbouring bases, (4, 4): first base, then the next one in the sequence."""

    def __init__(self) -> None:
        self.counts = np.zeros((4, 4), dtype=np.int64)

    def add(self, codes: Codes) -> None:
        """Count the pairs of some sequences, shape (rows, positions); N interrupts."""
        _count_pairs(codes, self.counts)


@compiled
def _count_pairs(codes: Codes, counts: npt.NDArray[np.int64]) -> None:
    for row in range(codes.shape[0]):
        for at in range(1, codes.shape[1]):
            first, second = codes[row, at - 1], codes[row, at]
            if first != N_CODE and second != N_CODE:
                counts[first, second] += 1


@dataclass(frozen=True)
class ChannelEvidence:
    """What neighbouring bases say about the order of the channels.

    Attributes
    ----------
    ratios
        Observed over expected count of CG, GC, TA and AT; empty of too few bases.
    verdict
        ``fits`` (CG is the rare pair), ``contradicts``, or ``not told``.
    better
        The order of channels under which CG would be the rare pair; empty but where the
        verdict is ``contradicts``.
    """

    ratios: dict[str, float]
    verdict: str
    better: str = ""

    @classmethod
    def weigh(cls, pairs: PairCounts, channels: str) -> ChannelEvidence:
        """Judge the order ``channels`` by pairs that were decoded with it.

        Examples
        --------
        >>> pairs = PairCounts()
        >>> pairs.add(np.zeros((1, 100), np.uint8))
        >>> ChannelEvidence.weigh(pairs, "ACGT").verdict
        'not told'
        """
        counts = pairs.counts
        margins = counts.sum(axis=1)
        if counts.sum() < _FEWEST_PAIRS or (margins == 0).any():
            return cls({}, "not told")
        expected = np.outer(margins, counts.sum(axis=0)) / counts.sum()
        ratio = counts / expected
        shown = {
            pair: round(float(ratio[BASES.index(pair[0]), BASES.index(pair[1])]), 3)
            for pair in ("CG", "GC", "TA", "AT")
        }
        rare = [
            (x, y) for x, y in permutations(range(4), 2)
            if ratio[x, y] < _RARE and ratio[y, x] > _ORDINARY
        ]  # fmt: skip
        if len(rare) != 1:
            return cls(shown, "not told")
        first, second = rare[0]
        found = BASES[first] + BASES[second]
        if found == "CG":
            return cls(shown, "fits")
        if found == "TA":  # rare in its own right in some genomes
            return cls(shown, "not told")
        return cls(shown, "contradicts", _better_order(ratio, first, second, channels))

    def sentence(self, channels: str) -> str:
        """Say in words what was found; empty where nothing can be said."""
        if self.verdict == "contradicts":
            return (
                f"Warning: read as {channels}, CG is not the rare pair that it is in vertebrates "
                f"(CG {self.ratios['CG']:.2f}, GC {self.ratios['GC']:.2f} of what is expected); "
                f"the order {self.better} would make it so. Is the order right, and "
                "is no strand reversed without its complement?"
            )
        if self.verdict == "fits":
            return (
                f"Channels {channels} fit: CG at {self.ratios['CG']:.2f} of what is expected, GC "
                f"at {self.ratios['GC']:.2f}"
            )
        return ""


def _better_order(ratio: npt.NDArray[np.float64], first: int, second: int, channels: str) -> str:
    """Rename the bases so that the rare pair is CG and the rarer of the rest is TA."""
    one, other = (base for base in range(4) if base not in (first, second))
    if ratio[other, one] < ratio[one, other] - _TA_BELOW_AT:
        one, other = other, one
    letter_of = {
        BASES[base]: letter
        for base, letter in zip((first, second, one, other), "CGTA", strict=True)
    }
    return "".join(letter_of[letter] for letter in channels.upper())
