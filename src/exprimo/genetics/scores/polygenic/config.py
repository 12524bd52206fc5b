"""Settings of polygenic scores."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from pydantic import Field

from exprimo.core.config import Config
from exprimo.genetics.clumping.greedy import LinkageMeasure

BASELINE, THRESHOLDED, ELASTIC_NET = "baseline", "p+t", "elastic_net"

Share = Annotated[float, Field(gt=0, le=1)]


class Cell(NamedTuple):
    """Thresholds of a score; without r² it takes all variants."""

    r2: float | None
    p: float


class PolygenicConfig(Config):
    """How the baseline score and clumping with thresholding (P+T) are fitted."""

    p: tuple[Share, ...] = Field(default=(1e-6, 1e-4, 1e-3, 0.01, 0.05, 0.2, 1.0), min_length=1)
    """Thresholds of p that P+T chooses from."""

    r2: tuple[Share, ...] = Field(default=(0.1, 0.3, 0.6), min_length=1)
    """Thresholds of r² that P+T chooses from."""

    clump_window: int = Field(default=250_000, ge=0)
    """Variants nearer to an index variant than so many bases can be in its clump."""

    measure: LinkageMeasure = "haplotype"
    """Which r²: of alleles on estimated haplotypes, as PLINK 1.9 clumps, or of copies."""

    inner_folds: int = Field(default=5, ge=2)
    """Parts of the training people that thresholds and scale are judged on, one after another."""

    seed: int = 0
    """Of the inner folds."""

    def cells(self) -> list[Cell]:
        """List the baseline (all variants), then every pair of thresholds.

        Examples
        --------
        >>> PolygenicConfig(p=(0.01, 1.0), r2=(0.1,)).cells()[:2]
        [Cell(r2=None, p=1.0), Cell(r2=0.1, p=0.01)]
        """
        return [Cell(None, 1.0), *(Cell(r2, p) for r2 in self.r2 for p in sorted(self.p))]
