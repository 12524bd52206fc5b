"""Read tables of associations: of a GWAS, or of variants with genes, in the usual forms."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from exprimo.core.errors import InputError
from exprimo.genetics.alleles import told_by_ids
from exprimo.genetics.associations.files import association_files, read_pieces
from exprimo.genetics.associations.header import ROLES, TEXT_ROLES, find_columns, refuse_lacking
from exprimo.genetics.associations.region import Places, Region, bare_chrom
from exprimo.genetics.associations.strength import refuse_impossible, strength_of, unusable

COLUMNS = (
    "variant_id", "gene_id", "chrom", "pos", "ref", "alt", "beta", "se", "z", "size",
    "p", "n", "maf",
)  # fmt: skip

_REPEATED = "rows that repeat another word for word"
# Of PLINK 2, which tells the tested allele in a column beside REF and ALT.
_REF, _ALT = "REF of both", "ALT of both"
_TEXTS = frozenset({*TEXT_ROLES, _REF, _ALT})


class Associations(NamedTuple):
    """Associations of variants, one row a variant (and gene).

    Attributes
    ----------
    rows
        ``variant_id, gene_id, chrom`` (without ``chr``), ``pos`` (from 1; -1 not told), ``ref``
        (the other allele), ``alt`` (the effect allele; upper case, "" not told), ``beta, se``
        (of ``alt``; log odds ratios of cases), ``z, size`` (|z|, known without a direction, too),
        ``p`` (0 where it is smaller than a number can be), ``n, maf``; NaN where not told.
    dropped
        Reason -> rows left out.
    path
        The file.
    """

    rows: pd.DataFrame
    dropped: dict[str, int]
    path: Path


def read_associations(
    path: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    region: Region | None = None,
    genes: Collection[str] | None = None,
    places: Places | None = None,
    required: bool = True,
) -> Associations:
    """Read a table of associations, its columns found by name.

    Positions count from 1. An odds ratio becomes its logarithm. A standard error that is not
    there follows from the effect and p, or its logarithm. Numbers that cannot be are refused.

    Parameters
    ----------
    path
        ``.parquet``, or text with a header, plain or gzip; or the folder of an eQTL mapping.
    columns
        Meaning (see `exprimo.genetics.associations.ROLES`) -> name of the column, where the guess
        would fail.
    region, genes, places
        Keep these rows only; a large table is read in pieces, and the rest forgotten. Versions
        of genes are ignored.
    required
        Whether a table of which nothing is kept is refused.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "gwas.tsv"
    >>> _ = file.write_text("CHR\\tBP\\tSNP\\tA1\\tA2\\tOR\\tSE\\tP\\n"
    ...                     "chr19\\t44908684\\trs429358\\tc\\tt\\t3.32\\t0.02\\t1e-300\\n")
    >>> found = read_associations(file).rows.iloc[0]
    >>> found["chrom"], int(found["pos"]), found["alt"], round(float(found["z"]))
    ('19', 44908684, 'C', 60)
    """
    source = Path(path)
    parts: list[pd.DataFrame] = []
    dropped: dict[str, int] = {}
    n_read = 0
    files = association_files(source)
    for file in files:
        for raw in placed_rows(file, columns, genes or ()):
            n_read += len(raw)
            wanted = _within(raw, region, places)
            refuse_impossible(wanted, file)
            kept = _with_strength(wanted, dropped)
            if len(kept):
                parts.append(kept)
    if genes and not n_read and required:
        raise InputError(
            "no such gene in the table",
            file=source,
            found=", ".join(sorted(genes)[:5]),
            expected=", ".join(genes_there(source, columns)) or "a table that names genes",
        )
    if not parts and required:
        raise InputError(
            "no row of associations is left",
            file=source,
            found=f"{n_read:,} rows read; left out: {_told(dropped)}",
            expected="rows of what was asked for, with an effect and its standard error, or p",
        )
    rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS))
    return Associations(_once(rows, dropped), dropped, source)


def placed_rows(
    path: Path, columns: Mapping[str, str] | None = None, genes: Collection[str] = ()
) -> Iterator[pd.DataFrame]:
    """Give pieces of a table as it stands: a column for each meaning, places filled in from ids.

    Parameters
    ----------
    path, columns, genes
        As `read_associations` has them.

    Returns
    -------
    Iterator of DataFrame
        The columns of `ROLES`: text ("" not told) and numbers (NaN), ``pos`` from 1 (-1 not
        told), ``chrom`` without ``chr``, alleles in upper case. Nothing is worked out, and no
        row left out.
    """

    def choose(header: Sequence[str]) -> Mapping[str, str]:
        found = find_columns(header, columns, file=path)
        refuse_lacking(found, header, path)
        return {**found, **_ref_and_alt(header, found)}

    for piece in read_pieces(path, choose, _TEXTS, genes):
        yield _placed(_other_alleles(piece))


def _ref_and_alt(header: Sequence[str], found: Mapping[str, str]) -> dict[str, str]:
    """Give REF and ALT where a third column tells which of them was tested (PLINK 2)."""
    by_name = {name.lower(): name for name in header}
    effect = found.get("effect_allele", "")
    if not {"ref", "alt"} <= set(by_name) or effect.lower() not in ("a1", "tested_allele"):
        return {}
    return {_REF: by_name["ref"], _ALT: by_name["alt"]}


def _other_alleles(rows: pd.DataFrame) -> pd.DataFrame:
    if _REF not in rows:
        return rows
    is_ref = rows[_REF].str.upper() == rows["effect_allele"].str.upper()
    return rows.assign(other_allele=rows[_REF].where(~is_ref, rows[_ALT]))


def _within(rows: pd.DataFrame, region: Region | None, places: Places | None) -> pd.DataFrame:
    keep = np.ones(len(rows), dtype=np.bool_)
    if region is not None:
        keep &= (rows["chrom"] == bare_chrom(region.chrom)).to_numpy()
        keep &= rows["pos"].between(region.start + 1, region.end).to_numpy()
    if places is not None:
        chrom, pos = rows["chrom"].to_numpy(), rows["pos"].to_numpy()
        there = np.zeros(len(rows), dtype=np.bool_)
        for name, positions in places.items():
            here = chrom == name
            there[here] = np.isin(pos[here], positions)
        keep &= there
    return rows[keep]


def _told(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} ({reason})" for reason, count in counts.items()) or "none"


def _placed(raw: pd.DataFrame) -> pd.DataFrame:
    """Fill in every column; places that only the id tells are read from it."""
    n = len(raw)
    rows = pd.DataFrame(
        {
            role: raw[role] if role in raw else pd.Series("", index=raw.index, dtype=object)
            for role in TEXT_ROLES
        }
        | {
            role: raw[role] if role in raw else np.full(n, np.nan)
            for role in ROLES
            if role not in TEXT_ROLES
        }
    )
    lacking = rows["pos"].isna() | (rows["chrom"] == "") | (rows["effect_allele"] == "")
    if lacking.any():
        told = told_by_ids(rows.loc[lacking, "variant_id"])
        rows.loc[told.index, "chrom"] = told["chrom"]
        rows.loc[told.index, "pos"] = told["pos"].astype(np.float64)
        # Such ids name REF and ALT, and effects count ALT, unless a column says otherwise.
        untold = told.index[(rows.loc[told.index, "effect_allele"] == "").to_numpy()]
        rows.loc[untold, "other_allele"] = told.loc[untold, "ref"]
        rows.loc[untold, "effect_allele"] = told.loc[untold, "alt"]
    rows["chrom"] = rows["chrom"].map({x: bare_chrom(str(x)) for x in rows["chrom"].unique()})
    rows["pos"] = rows["pos"].fillna(-1).astype(np.int64)
    for role in ("effect_allele", "other_allele"):
        rows[role] = rows[role].map({x: str(x).upper() for x in rows[role].unique()})
    return rows


def _with_strength(rows: pd.DataFrame, dropped: dict[str, int]) -> pd.DataFrame:
    """Work out how strong each association is; count rows of which it is not told."""
    found = strength_of(rows)
    frequency = rows["frequency"].to_numpy()
    made = pd.DataFrame(
        {
            "variant_id": rows["variant_id"],
            "gene_id": rows["gene_id"],
            "chrom": rows["chrom"],
            "pos": rows["pos"],
            "ref": rows["other_allele"],
            "alt": rows["effect_allele"],
            **found._asdict(),
            "n": rows["n"],
            "maf": np.minimum(frequency, 1.0 - frequency),
        }
    )
    usable = np.ones(len(rows), dtype=np.bool_)
    for reason, lost in unusable(rows, found).items():
        usable &= ~lost
        _count(dropped, reason, int(lost.sum()))
    kept: pd.DataFrame = made[usable]
    return kept


def _once(rows: pd.DataFrame, dropped: dict[str, int]) -> pd.DataFrame:
    """Keep one of rows that repeat another word for word; count the others."""
    # Few rows share a place: only these are compared whole.
    near = rows.duplicated(["chrom", "pos"], keep=False).to_numpy()
    if not near.any():
        return rows
    again = near.copy()
    again[near] = rows[near].duplicated().to_numpy()
    _count(dropped, _REPEATED, int(again.sum()))
    return rows[~again].reset_index(drop=True)


def _count(counts: dict[str, int], reason: str, n: int) -> None:
    if n:
        counts[reason] = counts.get(reason, 0) + n


def genes_there(path: str | Path, columns: Mapping[str, str] | None = None) -> list[str]:
    """Give some genes that a table of associations has, for messages."""
    first = next(placed_rows(association_files(path)[0], columns), None)
    return [] if first is None else [str(name) for name in first["gene_id"].unique() if name][:6]
