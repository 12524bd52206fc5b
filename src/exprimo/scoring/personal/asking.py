"""From a caller's arguments to complete settings: files, people, genes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from exprimo.core.errors import MismatchError
from exprimo.data.fasta import Genome
from exprimo.data.genotypes import Genotypes
from exprimo.data.textfile import open_text
from exprimo.features.haplotypes.phase import Unphased, check_unphased
from exprimo.features.haplotypes.writing.sites import gene_sites, with_genotypes
from exprimo.scoring.personal.config import PersonalConfig, Window
from exprimo.scoring.personal.sources import Sources
from exprimo.scoring.sequences import Average


def config_of(
    model: str | Path,
    genotypes: str | Path,
    fasta: str | Path,
    *,
    samples: Sequence[str] | Path | None = None,
    unphased: Unphased = "error",
    strands: bool = False,
    shifts: int = 0,
    track_table: str | Path | None = None,
    chrom_style: str | Path = "auto",
    tracks: Sequence[str] = (),
    device: str = "auto",
    threads: int | None = None,
    **more: Any,
) -> PersonalConfig:
    """Check settings and put them into the form that stands in a manifest."""
    return PersonalConfig.checked(
        {
            "model": str(model),
            "genotypes": str(genotypes),
            "fasta": str(fasta),
            "samples": _names(samples),
            "unphased": check_unphased(unphased),
            "average": Average.checked({"strands": strands, "shifts": shifts}),
            "track_table": None if track_table is None else str(track_table),
            "chrom_style": str(chrom_style),
            "tracks": tuple(tracks),
            "machine": {"device": device, "threads": threads},
            **more,
        }
    )


def _names(samples: Sequence[str] | Path | None) -> tuple[str, ...] | None:
    if samples is None:
        return None
    if isinstance(samples, Path):
        with open_text(samples, "names of samples, one a line") as lines:
            read = [line.strip() for line in lines]
        return tuple(name for name in read if name and not name.startswith("#"))
    return (samples,) if isinstance(samples, str) else tuple(samples)


def sites_of(
    config: PersonalConfig,
    genome: Genome,
    genotypes: Genotypes,
    genes: str | Path,
    chosen: Sequence[str],
    tss: str,
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Give the TSS of each gene, and how many were left out for which reason.

    A gene that was asked for is never left out: that is an error.
    """
    sites, dropped = gene_sites(genes, genome, gene=chosen, tss=tss, chrom_style=config.chrom_style)
    chromosomes = genotypes.chromosomes
    lacking = sites[~sites["chrom"].isin(chromosomes)]
    if chosen and len(lacking):
        raise MismatchError(
            "a gene lies on a chromosome without genotypes",
            file=genotypes.path,
            record=f"gene {lacking['gene_id'].iloc[0]}",
            found=lacking["chrom"].iloc[0],
            expected=", ".join(chromosomes[:5]),
            remedy="Give the genotypes of that chromosome",
        )
    return sites, dropped


def windows_of(
    sources: Sources, sites: pd.DataFrame, dropped: dict[str, int]
) -> tuple[tuple[Window, ...], dict[str, int]]:
    """Give the genes whose chromosome has genotypes, with those left out added to the others."""
    model = sources.model
    kept = with_genotypes(
        sites,
        sources.genome,
        sources.genotypes.chromosomes,
        dropped,
        upstream=model.upstream,
        downstream=model.downstream,
    )
    rows = kept[["gene_id", "chrom", "tss", "strand"]].to_dict("records")
    windows = tuple(Window.model_validate(row) for row in rows)
    return windows, {reason: count for reason, count in dropped.items() if count}
