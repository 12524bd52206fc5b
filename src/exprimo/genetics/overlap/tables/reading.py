"""Tables of scores, of associations and of credible sets."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from exprimo.core.errors import ConfigError, FormatError
from exprimo.data.annotation.identifiers import strip_version
from exprimo.data.tabular import unknown_name
from exprimo.genetics.overlap.tables.columns import (
    CREDIBLE_ROLES,
    EQTL_ROLES,
    SCORE,
    SCORE_ROLES,
)
from exprimo.genetics.overlap.tables.files import nominal_files, read_columns, some_genes

# Ours count sets from 1 and write 0 for none; -1 is usual elsewhere.
_NO_SET = {"", "0", "0.0", "-1", "-1.0", "nan", "None"}
# chrom:pos:ref:alt, GTEx's chrom_pos_ref_alt_build, gnomAD's chrom-pos-ref-alt.
_ID = r"^([^\s:_-]+)[:_-](\d+)[:_-]([ACGTNacgtn]+)[:_/>-]([ACGTNacgtn]+)(?:[:_]b\d+)?$"


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
        Role -> column, where a column goes by another name than in `EQTL_ROLES`.
    genes
        Without versions: rows of others may be left out where that saves reading; empty: none.

    Returns
    -------
    ReadTable
        As `read_scores`, with ``p, slope, slope_se, af, tss_distance`` (NaN where not told).
        Frequencies are of ALT, or of the rarer allele.
    """
    files = nominal_files(path)
    chosen = some_genes(files, named or {}, EQTL_ROLES, genes)
    parts = [
        read_columns(part, EQTL_ROLES, named or {}, ["variant_id", "p"], genes=chosen)
        for part in files
    ]
    frame = pd.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0]
    for role, what in (("p", "p-value"), ("af", "frequency")):
        values = frame[role].to_numpy()
        wrong = np.flatnonzero((values < 0) | (values > 1))
        if len(wrong):
            raise FormatError(
                f"a {what} outside of 0 to 1",
                file=path,
                record=f"row {wrong[0] + 1}",
                found=values[wrong[0]],
                expected="a number from 0 to 1, or nothing",
                remedy="Name the right column" if role == "p" else None,
            )
    return _finished(frame, path, "association")


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
        told = frame.loc[lacking, "variant_id"].str.extract(_ID).dropna()
        frame.loc[told.index, "chrom"] = told[0].astype(object)
        frame.loc[told.index, "pos"] = told[1].astype(np.int64)
        frame.loc[told.index, "ref"] = told[2].str.upper().astype(object)
        frame.loc[told.index, "alt"] = told[3].str.upper().astype(object)
    return frame
