"""Tables of scores, of associations and of credible sets."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from exprimo.core.errors import ConfigError, FormatError, MismatchError
from exprimo.data.annotation.identifiers import strip_version
from exprimo.data.tabular import unknown_name
from exprimo.genetics.alleles import told_by_ids
from exprimo.genetics.associations import (
    ROLES,
    association_files,
    genes_there,
    placed_rows,
    refuse_shares,
)
from exprimo.genetics.overlap.tables.columns import (
    CREDIBLE_ROLES,
    SCORE,
    SCORE_ROLES,
    read_columns,
)

# Ours count sets from 1 and write 0 for none; -1 is usual elsewhere.
_NO_SET = {"", "0", "0.0", "-1", "-1.0", "nan", "None"}


class ReadTable(NamedTuple):
    """The rows of a table, and how many were left out that repeat another word for word."""

    rows: pd.DataFrame
    repeated: int


def read_scores(
    path: str | Path,
    score_columns: Sequence[str],
    *,
    named: Mapping[str, str] | None = None,
    track: str | None = None,
) -> ReadTable:
    """Read a table of scores of variants: parquet, TSV or CSV.

    Parameters
    ----------
    path
        As `exprimo variants` writes it, or any table that names variants.
    score_columns
        Columns of numbers.
    named
        Role -> column, where a column goes by another name than in `SCORE_ROLES`.
    track
        Of several tracks, the one whose scores are meant.

    Returns
    -------
    ReadTable
        ``variant_id, gene_id, chrom, ref, alt`` ("" where not told), ``pos`` (from 1; -1), and
        ``score:NAME`` for each column of scores, float64, NaN where there is none.
    """
    frame = read_columns(Path(path), SCORE_ROLES, named or {}, ["variant_id"], score_columns)
    frame = _one_track(frame, track, path)
    for name in score_columns:
        values = frame[SCORE + name].to_numpy()
        if np.isinf(values).any():
            raise FormatError(
                "an infinite score", file=path, record=f"column {name!r}", expected="finite numbers"
            )
    return _finished(frame, path, "score")


def read_eqtl(
    path: str | Path, *, named: Mapping[str, str] | None = None, genes: Collection[str] = ()
) -> ReadTable:
    """Read associations of variants with expression: tensorQTL's parquet, ours, TSV or CSV.

    Parameters
    ----------
    path
        A table, or the folder of tables that `exprimo eqtl map` writes (its nominal pass).
    named
        Role -> column, where a column goes by another name than in `ROLES`; ``slope,
        slope_se, af, ref, alt`` are understood as well.
    genes
        Without versions: rows of others may be left out where that saves reading; empty: none.

    Returns
    -------
    ReadTable
        As `read_scores`, with ``p, slope, slope_se, af, tss_distance`` (NaN where not told).
        Frequencies are of ALT, or of the rarer allele.
    """
    parts = [
        _of_mapping(rows)
        for file in association_files(path)
        for rows in placed_rows(file, named, genes)
    ]
    frame = pd.concat(parts, ignore_index=True)
    if frame.empty and genes:
        raise MismatchError(
            "no gene is in both tables",
            file=path,
            found=", ".join(genes_there(path, named)) or "no gene",
            expected="genes of the scores, such as " + ", ".join(sorted(genes)[:5]),
            remedy="Give both tables the same kind of gene id",
        )
    if frame["p"].isna().all():
        raise FormatError(
            "associations without a p-value",
            file=path,
            expected="one of " + ", ".join((*ROLES["p"], *ROLES["minus_log10_p"])),
            remedy="Name the column: p=COLUMN",
        )
    for role, what in (("p", "p-value"), ("af", "frequency")):
        refuse_shares(frame[role], what, Path(path))
    return _finished(frame, path, "association")


def _of_mapping(rows: pd.DataFrame) -> pd.DataFrame:
    """Name columns as an eQTL mapping does; a p-value may be told by its logarithm."""
    return pd.DataFrame(
        {
            **{name: rows[name] for name in ("variant_id", "gene_id", "chrom", "pos")},
            "ref": rows["other_allele"],
            "alt": rows["effect_allele"],
            "p": rows["p"].where(rows["p"].notna(), 10.0 ** -rows["minus_log10_p"]),
            "slope": rows["beta"],
            "slope_se": rows["se"],
            "af": rows["frequency"],
            "tss_distance": rows["tss_distance"],
        }
    )


def read_credible_sets(path: str | Path, *, named: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Read which variants stand in which credible set (tensorQTL's and our columns).

    Of the folder that `exprimo eqtl finemap` writes, ``variants.parquet`` is read. A set of 0 or
    -1 is none.

    Returns
    -------
    DataFrame
        As `read_scores`, with ``cs_id`` (text) and ``pip``; variants in no set are left out.
    """
    file = Path(path) / "variants.parquet" if Path(path).is_dir() else Path(path)
    frame = read_columns(file, CREDIBLE_ROLES, named or {}, ["variant_id", "cs_id"])
    frame = frame[~frame["cs_id"].isin(_NO_SET)].reset_index(drop=True)
    return _completed(frame)


def _one_track(frame: pd.DataFrame, track: str | None, path: str | Path) -> pd.DataFrame:
    tracks = list(dict.fromkeys(frame["track"]))
    if track is not None:
        if track not in tracks:
            raise unknown_name("track", track, tracks, file=path)
        return frame[frame["track"] == track].reset_index(drop=True)
    if len(tracks) > 1:
        raise ConfigError(
            "the table has scores of several tracks",
            file=path,
            found=", ".join(tracks[:6]),
            remedy="Choose one with --track",
        )
    return frame


def _finished(frame: pd.DataFrame, path: str | Path, what: str) -> ReadTable:
    """Complete the names of variants and refuse one that is listed twice with other values."""
    rows = _completed(frame).drop_duplicates()
    placed = rows["pos"] > 0
    by_place = rows[placed].duplicated(["gene_id", "chrom", "pos", "ref", "alt"])
    by_id = rows[~placed & (rows["variant_id"] != "")].duplicated(["gene_id", "variant_id"])
    twice = [*by_place.index[by_place], *by_id.index[by_id]]
    if twice:
        row = rows.loc[min(twice)]
        several = "" if row["gene_id"] else "; name the column of genes if there is one"
        raise FormatError(
            f"the same variant has more than one {what}",
            file=path,
            record=f"row {min(twice) + 1}",
            found=f"{row['variant_id'] or row['chrom']} {row['gene_id']}".strip()
            + f", and {len(twice) - 1} more",
            expected="one row for a variant and a gene",
            remedy=f"Keep one row of each{several}",
        )
    return ReadTable(rows.reset_index(drop=True), len(frame) - len(rows))


def _completed(frame: pd.DataFrame) -> pd.DataFrame:
    """Fill position and alleles from ids that tell them; strip versions of gene ids."""
    codes, genes = pd.factorize(frame["gene_id"])
    stripped = np.array([strip_version(gene) for gene in genes], dtype=object)
    pos = frame["pos"].fillna(-1).astype(np.int64)
    frame = frame.assign(
        gene_id=stripped[codes] if len(genes) else frame["gene_id"],
        ref=frame["ref"].str.upper(),
        alt=frame["alt"].str.upper(),
        pos=pos,
    )
    lacking = (frame["ref"] == "") | (frame["alt"] == "") | (pos < 1) | (frame["chrom"] == "")
    if lacking.any():
        told = told_by_ids(frame.loc[lacking, "variant_id"])
        for name in told:
            frame.loc[told.index, name] = told[name]
    return frame
