"""From a caller's arguments to complete settings: files, people, genes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from exprimo.core.errors import MismatchError
from exprimo.data.textfile import open_text
from exprimo.scoring.personal.config import PersonalConfig, Window
from exprimo.scoring.personal.sources import Sources
from exprimo.scoring.sequences import Average
from exprimo.scoring.variants.genes import gene_starts

NO_GENOTYPES = "on a chromosome without genotypes"


def config_of(
    model: str | Path,
    genotypes: str | Path,
    fasta: str | Path,
    *,
    samples: Sequence[str] | Path | None = None,
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


def windows_of(
    sources: Sources, genes: str | Path, chosen: Sequence[str], tss: str
) -> tuple[tuple[Window, ...], dict[str, int]]:
    """Give the genes whose chromosome has genotypes; one that was asked for must have."""
    sites = gene_starts(
        genes, sources.genome, chosen=chosen, tss=tss, chrom_style=sources.config.chrom_style
    )
    there = sites["chrom"].isin(sources.genotypes.chromosomes)
    if not there.all() and (chosen or not there.any()):
        first = sites[~there].iloc[0]
        raise MismatchError(
            "a gene lies on a chromosome without genotypes",
            file=sources.genotypes.path,
            record=f"gene {first['gene_id']}",
            found=first["chrom"],
            expected=", ".join(sources.genotypes.chromosomes[:5]),
            remedy="Give the genotypes of that chromosome",
        )
    columns = ["gene_id", "chrom", "tss", "strand"]
    rows = sites.loc[there, columns].to_dict("records")
    dropped = {NO_GENOTYPES: int((~there).sum())}
    windows = tuple(Window.model_validate(row) for row in rows)
    return windows, {reason: count for reason, count in dropped.items() if count}
