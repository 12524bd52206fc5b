"""Restriction to the bases around a TSS that a model reads."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from exprimo.core.coordinates import promoter_interval, reconcile_chromosomes
from exprimo.core.errors import ConfigError, InputError
from exprimo.data.annotation import read_annotation, read_tss_table, tss_table
from exprimo.data.annotation.identifiers import strip_version
from exprimo.data.tabular import open_table
from exprimo.genetics.overlap.ranking import Bools, Floats


class Window(NamedTuple):
    """Bases before the TSS, and from the TSS base on."""

    upstream: int
    downstream: int


def parse_window(text: str) -> Window:
    """Read ``UP,DOWN``, or one number for both.

    Examples
    --------
    >>> parse_window("7000,3500"), parse_window("1000")
    (Window(upstream=7000, downstream=3500), Window(upstream=1000, downstream=1000))
    """
    parts = [part.strip() for part in text.split(",")]
    if len(parts) > 2 or not all(part.isdecimal() for part in parts):
        raise ConfigError(
            "not a window", record="--window", found=text, expected="7000,3500 or 1000"
        )
    window = Window(int(parts[0]), int(parts[-1]))
    if not sum(window):
        raise ConfigError("a window of no bases", record="--window", found=text)
    return window


def read_sites_of_genes(path: str | Path) -> pd.DataFrame:
    """Read TSSs from a GTF, GFF3 or BED, or a table gene_id, chrom, tss (from 1), strand.

    Returns
    -------
    DataFrame
        ``gene_id, chrom, tss`` (0-based), ``strand``.
    """
    table = read_tss_table(path) if _is_tss_table(path) else tss_table(read_annotation(path))
    return table.assign(gene_id=table["gene_id"].map(strip_version))[
        ["gene_id", "chrom", "tss", "strand"]
    ]


def _is_tss_table(path: str | Path) -> bool:
    if str(path).removesuffix(".gz").rpartition(".")[2] in ("gtf", "gff", "gff3", "bed"):
        return False
    with open_table(path) as table:
        return {"gene_id", "chrom", "tss", "strand"} <= set(table.header)


def with_distances(rows: pd.DataFrame, sites: pd.DataFrame, file: str | Path) -> pd.DataFrame:
    """Put distances from a table of TSSs in place of those that the associations told.

    Parameters
    ----------
    rows
        Joined rows: gene_id ("" where not told), chrom, pos (from 1).
    sites
        From `read_sites_of_genes`. Rows without gene fit a table of one gene only.
    file
        Of the sites, for messages.

    Returns
    -------
    DataFrame
        With ``tss_distance`` (forward strand) and ``strand`` ("" where the gene is not known).
    """
    if not (rows["gene_id"] != "").any():
        if len(sites) > 1:
            raise InputError(
                "the tables name no gene, and there are several TSSs to choose from",
                file=file,
                found=f"{len(sites):,} genes",
                remedy="Give a table of the one gene, or name the column: gene_id=COLUMN",
            )
        rows = rows.assign(gene_id=sites["gene_id"].iloc[0])
    known = sites.drop_duplicates("gene_id").set_index("gene_id")
    genes = rows["gene_id"]
    missing = sorted(set(genes) - set(known.index))
    if missing:
        raise InputError(
            "a gene has no TSS",
            file=file,
            record=f"gene {missing[0]}",
            found=f"{len(missing)} of {genes.nunique()} genes without",
            expected="every gene of the associations",
        )
    _same_chromosomes(rows, known, file)
    distance = rows["pos"] - 1 - genes.map(known["tss"])
    return rows.assign(
        tss_distance=distance.where(rows["pos"] > 0).astype(np.float64),
        strand=genes.map(known["strand"]),
    )


def _same_chromosomes(rows: pd.DataFrame, known: pd.DataFrame, file: str | Path) -> None:
    placed = rows[rows["chrom"] != ""]
    theirs = placed["gene_id"].map(known["chrom"])
    names = reconcile_chromosomes(
        placed["chrom"].unique(), theirs.unique(), their_file=str(file)
    ) if len(placed) else {}  # fmt: skip
    wrong = placed[theirs.map(names) != placed["chrom"]]
    if len(wrong):
        row = wrong.iloc[0]
        raise InputError(
            "a gene lies on another chromosome than its variants",
            file=file,
            record=f"gene {row['gene_id']}",
            found=known.loc[row["gene_id"], "chrom"],
            expected=row["chrom"],
        )


def in_window(rows: pd.DataFrame, window: Window) -> Bools:
    """Tell which variants begin within the window; a distance that is not known is outside.

    A window with as many bases on both sides needs no strand: it then takes distances from
    -bases to +bases, both within.

    Examples
    --------
    >>> rows = pd.DataFrame({"tss_distance": [-7.0, 2.0, 3.0, 7.0], "strand": "-"})
    >>> in_window(rows, Window(7, 3)).tolist()
    [False, True, True, True]
    """
    distance: Floats = rows["tss_distance"].to_numpy(np.float64)
    if np.isnan(distance).all():
        raise InputError(
            "the distance to the TSS is not known",
            expected="a column tss_distance or start_distance of the associations",
            remedy="Give the genes with --genes",
        )
    if window.upstream == window.downstream:
        return np.abs(distance) <= window.upstream
    strand = rows["strand"].to_numpy() if "strand" in rows else np.full(len(rows), "")
    if not np.isin(strand, ["+", "-"]).all():
        raise InputError(
            "a window that is not the same on both sides needs strands",
            found=f"{window.upstream},{window.downstream}",
            remedy="Give the genes with --genes, or one number for both sides",
        )
    inside = np.zeros(len(rows), dtype=bool)
    for side in "+-":
        reach = promoter_interval(
            "", 0, side, upstream=window.upstream, downstream=window.downstream
        )
        inside |= (strand == side) & (distance >= reach.start) & (distance < reach.end)
    return inside
