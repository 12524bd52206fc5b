"""Settings of the discovery of motifs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from exprimo.core.config import Config

TaxGroup = Literal[
    "diatoms", "fungi", "insects", "nematodes", "plants", "urochordates", "vertebrates"
]

# Below this many bases half a window would be lost to the ends of the package's usual seqlets.
_SHORT = 400


class FindConfig(Config):
    """How motifs are sought in contributions, and when two are called alike."""

    region: tuple[int, int] | None = None
    """First base and the base after the last, relative to the TSS; the whole window unless set."""
    most: int = Field(20_000, ge=50)
    """Examples that motifs are learned from, drawn at random; sites are sought in all."""
    most_seqlets: int = Field(2000, ge=100)
    """Seqlets of each sign that are clustered, those of the strongest examples first."""
    seqlet: int | None = Field(None, ge=6)
    """Bases of a seqlet's core; 21, and 11 in windows of less than 400 bases."""
    flank: int | None = Field(None, ge=0)
    """Bases on both sides of the core; 10, and 6 in windows of less than 400 bases."""
    fdr: float = Field(0.2, gt=0, lt=1)
    """Share of seqlets that noise of the same spread may make up."""
    passing: float | None = Field(None, gt=0, lt=0.2)
    """At least this share of all places makes seqlets; 3%, and 10% in windows below 400 bases."""
    least: int = Field(20, ge=5)
    """Fewest seqlets of a pattern."""
    trim: float = Field(0.3, gt=0, lt=1)
    """A pattern ends where contributions fall below this share of its greatest."""
    release: str | None = None
    """Release of JASPAR, such as JASPAR2024; the newest that is installed unless set."""
    tax_group: TaxGroup | None = None
    """Compare with motifs of this group of JASPAR alone; with all of CORE unless set."""
    q: float = Field(0.05, gt=0, lt=1)
    """Patterns are named by their best matches such that this share of names may be wrong."""
    site_share: float = Field(0.9, gt=0, lt=1)
    """A site contributes, and is alike, as much as this share of a pattern's own seqlets."""
    memory: int = Field(1024, ge=64)
    """MiB that the arrays of contributions may take."""
    seed: int = Field(0, ge=0)
    """Of the draw of examples."""

    def sizes(self, length: int) -> tuple[int, int]:
        """Give the bases of a seqlet's core and of one flank, for windows of this length.

        Examples
        --------
        >>> FindConfig().sizes(80), FindConfig().sizes(2000), FindConfig(flank=8).sizes(2000)
        ((11, 6), (21, 10), (21, 8))
        """
        core, flank = (11, 6) if length < _SHORT else (21, 10)
        return self.seqlet or core, flank if self.flank is None else self.flank

    def least_passing(self, length: int) -> float:
        """Give the least share of places that makes seqlets: sites fill more of a short window."""
        return self.passing or (0.1 if length < _SHORT else 0.03)
