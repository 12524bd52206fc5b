"""Fine-map a region from a table of associations and a panel's LD (SuSiE-RSS)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from exprimo.core.errors import ConfigError
from exprimo.core.files.atomic import atomic_directory, refuse_existing
from exprimo.core.files.origin import write_table
from exprimo.core.files.provenance import describe_origin
from exprimo.core.run import write_json
from exprimo.data.genotypes import open_genotypes
from exprimo.genetics.alleles import Ambiguous, match_variants
from exprimo.genetics.associations import (
    Region,
    of_one_trait,
    people_of_mapping,
    read_associations,
)
from exprimo.genetics.associations.panel import read_panel
from exprimo.genetics.finemap.evidence import Floats
from exprimo.genetics.finemap.ld_check import LdCheck, check_ld
from exprimo.genetics.finemap.signals import SIGNALS_FILE, SignalTable
from exprimo.genetics.finemap.susie import Program, Susie, SusieSettings, preset, susie_rss
from exprimo.genetics.finemap.tables import NO_FOLD, FinemapTables

SUMMARY_FORMAT = 1
NO_Z = "associations without a z-score (a p-value of 0, or one without a direction)"
# The matrix of LD of more variants takes over 3 GiB, and its eigenvectors as much again.
_MOST_VARIANTS = 20_000
# Above this share of I, LD is not that of the people studied.
_POOR_FIT = 0.1


class SummaryMapped(NamedTuple):
    """What was fine-mapped.

    Attributes
    ----------
    path
        The folder: ``variants.parquet``, ``credible_sets.parquet``, ``genes.parquet``,
        ``signals.parquet``, ``ld_check.parquet``, ``summary.json``.
    n_variants
        Variants that the table and the panel have.
    n_sets, n_sets_dropped
        Credible sets, and those left out because their variants are not in LD.
    converged
        Whether the fit did.
    n
        People studied; None: not told.
    ld_shrinkage
        Lambda of `check_ld`: near 0 where LD is that of the people studied.
    n_flipped
        Variants whose allele seems to be counted the other way round.
    counts
        How variants were matched, and rows left out.
    notes
        What a reader of the numbers should know.
    """

    path: Path
    n_variants: int
    n_sets: int
    n_sets_dropped: int
    converged: bool
    n: float | None
    ld_shrinkage: float
    n_flipped: int
    counts: dict[str, int]
    notes: tuple[str, ...]


def finemap_summary(
    associations: str | Path,
    panel: str | Path,
    out: str | Path,
    *,
    region: str,
    gene: str | None = None,
    n: float | None = None,
    in_sample: bool = False,
    shrink: float | None = 0.0,
    samples: Sequence[str] | Path | None = None,
    columns: Mapping[str, str] | None = None,
    ambiguous: Ambiguous = "drop",
    min_pip: float = 0.001,
    like: Program | None = None,
    **settings: Any,
) -> SummaryMapped:
    """Fine-map one trait in a region from summary statistics and LD.

    Parameters
    ----------
    associations
        A table of a GWAS, or of variants with genes; or the folder of an eQTL mapping.
    panel
        Genotypes that LD is taken from: those of the people studied, or of people like them.
    out
        A new folder.
    region
        ``chrom:first-last``, counted from 1.
    gene
        Of a table of several genes, this one.
    n
        People studied; None: those of an eQTL mapping's folder, or the median of the table's
        column, if there is one. Of few people and k covariates: people less k, as z-scores have
        n - k - 2 degrees of freedom.
    in_sample
        Whether the panel is the people studied; then the residual variance is estimated.
    shrink
        LD becomes (1 - shrink) R + shrink I; None: the most likely lambda, see `check_ld`.
    samples
        These people of the panel only.
    columns
        Meaning -> column of the table, where the guess would fail.
    ambiguous
        What to do with A/T and C/G: ``"drop"``, or ``"keep"`` where all is of the forward strand.
    min_pip
        Variants outside of credible sets are written from this probability on.
    like
        ``"tensorqtl"`` or ``"susier"``: settings that give its numbers; see `PRESETS`.
    settings
        As `SusieSettings` has them.

    Examples
    --------
    >>> from exprimo.genetics.finemap import finemap_summary
    >>> finemap_summary("gwas.tsv.gz", "1000G.vcf.gz", "APOE", region="19:44400000-45400000",
    ...                 n=455_258)      # doctest: +SKIP
    """
    config = SusieSettings.checked({**preset(like), **settings})
    refuse_existing(out)
    place = Region.parse(region)
    read = read_associations(
        associations, columns=columns, region=place, genes=None if gene is None else [gene]
    )
    rows, untold = _known(of_one_trait(read.rows, read.path))
    with open_genotypes(panel, samples=samples) as genotypes:
        found = read_panel(genotypes, place.chrom, place.start, place.end)
    matched = match_variants(
        found.variants, rows, ambiguous=ambiguous, files=(str(panel), str(associations))
    )
    if len(matched.ours) > _MOST_VARIANTS:
        raise ConfigError(
            "too many variants for one matrix of LD", record=region, found=len(matched.ours),
            expected=f"up to {_MOST_VARIANTS:,}", remedy="Give a smaller region",
        )  # fmt: skip
    theirs = rows.iloc[matched.theirs].reset_index(drop=True)
    z = matched.sign * theirs["z"].to_numpy(np.float64)
    ld = found.ld(matched.ours)
    n = n if n is not None else people_of_mapping(associations) or _median(theirs["n"])
    checked = check_ld(z, ld, n)
    share = checked.shrinkage if shrink is None else shrink
    fit = susie_rss(z, ld, n, in_sample=in_sample, shrink=share, settings=config)
    variants = found.variants.iloc[matched.ours].reset_index(drop=True)
    done = SummaryMapped(
        Path(out), len(variants), len(fit.sets), fit.sets_dropped, fit.converged, n,
        checked.shrinkage, int(checked.flipped.sum()),
        {**read.dropped, NO_Z: untold, **matched.counts}, tuple(_notes(checked, n, in_sample)),
    )  # fmt: skip
    described = {**config.model_dump(mode="json"), "region": region, "shrink": share}
    origin = describe_origin(
        [one for one in (associations, panel) if Path(one).is_file()],
        kind="finemap", format_version=SUMMARY_FORMAT, settings=described,
    )  # fmt: skip
    checks = _check_table(variants, z, checked)
    _write(done, (gene or "trait", variants, fit), min_pip, checks, origin)
    return done


def _write(
    done: SummaryMapped,
    found: tuple[str, pd.DataFrame, Susie],
    min_pip: float,
    checks: pd.DataFrame,
    origin: dict[str, Any],
) -> None:
    """Write the folder; ``found`` is a trait, its variants and their fit."""
    tables = FinemapTables()
    tables.add(NO_FOLD, *found, min_pip)
    with atomic_directory(done.path) as folder:
        tables.write(folder, origin)
        with SignalTable(folder / SIGNALS_FILE, origin) as signals:
            signals.add(NO_FOLD, *found)
        write_table(folder / "ld_check.parquet", checks, origin)
        facts = {name: value for name, value in done._asdict().items() if name != "path"}
        write_json(folder / "summary.json", {**facts, "origin": origin})


def _known(rows: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Keep rows with a z-score; count the others."""
    known = np.isfinite(rows["z"].to_numpy(np.float64))
    return rows[known].reset_index(drop=True), int((~known).sum())


def _median(n: pd.Series) -> float | None:
    known = n.dropna()
    return float(known.median()) if len(known) else None


def _notes(checked: LdCheck, n: float | None, in_sample: bool) -> list[str]:
    notes = []
    if checked.shrinkage > _POOR_FIT:
        notes.append(
            f"LD of the panel fits the z-scores badly (lambda {checked.shrinkage:.2f}): credible "
            "sets may be wrong; take LD of the people studied, or shrink it"
        )
    if checked.flipped.any():
        notes.append(
            f"{int(checked.flipped.sum())} variants have z-scores of the wrong sign for their "
            "neighbours (ld_check.parquet): is the effect allele right?"
        )
    if n is None:
        notes.append("the number of people is not told: strong effects are overrated")
    if not in_sample:
        notes.append("LD is of a panel: the residual variance is not estimated")
    return notes


def _check_table(variants: pd.DataFrame, z: Floats, checked: LdCheck) -> pd.DataFrame:
    return variants.assign(
        z=z,
        expected=checked.expected,
        surprise=checked.surprise,
        flip_ratio=checked.flip_ratio,
        flipped=checked.flipped,
    )
