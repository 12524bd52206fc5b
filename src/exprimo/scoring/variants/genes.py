"""The genes whose windows are scored."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from exprimo.data.fasta import Genome
from exprimo.features.haplotypes.writing.sites import gene_sites


def gene_starts(
    genes: str | Path,
    genome: Genome,
    *,
    chosen: Sequence[str] = (),
    tss: str = "canonical",
    chrom_style: str = "auto",
) -> pd.DataFrame:
    """Give gene_id, gene_name, chrom, tss and strand of chosen genes; see `gene_sites`."""
    sites, _ = gene_sites(genes, genome, gene=chosen, tss=tss, chrom_style=chrom_style)
    return sites
