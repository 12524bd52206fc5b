"""Read tables of associations: of a GWAS, or of variants with genes, in the usual forms."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.parquet as pq
from scipy import stats

from exprimo.core.errors import ConfigError, FormatError, InputError
from exprimo.data.tabular import detect_separator, refuse_binary, split_line
from exprimo.data.textfile import open_text, require_file
from exprimo.genetics.coloc.header import ROLES, TEXT_ROLES, find_columns, refuse_lacking

COLUMNS = (
    "variant_id", "gene_id", "chrom", "pos", "ref", "alt", "beta", "se", "z", "p", "n", "maf",
)  # fmt: skip

Places = Mapping[str, npt.NDArray[np.int64]]
"""Chromosome (without ``chr``) -> sorted positions from 1."""

_WHAT = "a table of associations, .parquet, TSV or CSV"
# Rows read at once: large enough to be quick, small beside what a GWAS has.
_CHUNK_ROWS = 500_000
_MISSING = ["", "NA", "N/A", "na", "nan", "NaN", "None", "null", "NULL", ".", "-"]
# chrom:pos:ref:alt, and GTEx's chrom_pos_ref_alt_build.
_ID = r"^(?:chr)?([^\s:_]+)[:_](\d+)[:_]([ACGTNacgtn]+)[:_]([ACGTNacgtn]+)(?:[:_]b\d+)?$"


class Region(NamedTuple):
    """A stretch of a chromosome, half-open, 0-based."""

    chrom: str
    start: int
    end: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``chrom:first-last``, counted from 1, both inside.

        Examples
        --------
        >>> Region.parse("chr19:44,905,791-44,909,393")
        Region(chrom='chr19', start=44905790, end=44909393)
        """
        found = re.fullmatch(r"([^:\s]+):([\d,]+)-([\d,]+)", text.strip())
        if found is not None:
            first, last = (int(found[at].replace(",", "") or 0) for at in (2, 3))
            if 0 < first <= last:
                return cls(found[1], first - 1, last)
        raise ConfigError(
            "not a region",
            found=repr(text),
            expected="chrom:first-last, as in 19:44905791-44909393",
        )


class Associations(NamedTuple):
    """Associations of variants, one row a variant (and gene).

    Attributes
    ----------
    rows
        ``variant_id, gene_id, chrom`` (without ``chr``), ``pos`` (from 1; -1 not told), ``ref``
        (the other allele), ``alt`` (the effect allele; upper case, "" not told), ``beta, se``
        (of ``alt``; log odds ratios of cases), ``z, p, n, maf``; NaN where not told.
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
    there follows from the effect and p.

    Parameters
    ----------
    path
        ``.parquet``, or text with a header, plain or gzip; or the folder of an eQTL mapping.
    columns
        Meaning (see `exprimo.genetics.coloc.header.ROLES`) -> name of the column, where the guess
        would fail.
    region, genes, places
        Keep these rows only; a large table is read in pieces, and the rest forgotten.
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
    wanted = None if genes is None else frozenset(genes)
    n_read = 0
    for file in association_files(source):
        for raw in _pieces(file, columns):
            n_read += len(raw)
            rows = _within(_placed(raw), region, wanted, places)
            kept = _with_strength(rows, dropped)
            if len(kept):
                parts.append(kept)
    if not parts and required:
        raise InputError(
            "no row of associations is left",
            file=source,
            found=f"{n_read:,} rows read; left out: {_told(dropped)}",
            expected="rows of what was asked for, with an effect and its standard error, or p",
        )
    rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS))
    return Associations(rows, dropped, source)


def association_files(path: Path) -> list[Path]:
    """Give the tables of a nominal pass: the file itself, or those of a folder of eQTLs."""
    if not path.is_dir():
        return [require_file(path, _WHAT)]
    patterns = ("nominal/*.parquet", "*nominal*.parquet", "*.cis_qtl_pairs.*.parquet")
    found = sorted({file for pattern in patterns for file in path.glob(pattern)})
    if not found:
        raise InputError(
            "no table of associations in this folder",
            file=path,
            found=", ".join(sorted(file.name for file in path.iterdir())[:6]) or "nothing",
            expected="the nominal pass as parquet",
            remedy="Map with nominal pairs, or give the table itself",
        )
    return found


def _within(
    rows: pd.DataFrame,
    region: Region | None,
    genes: frozenset[str] | None,
    places: Places | None,
) -> pd.DataFrame:
    keep = np.ones(len(rows), dtype=np.bool_)
    if region is not None:
        keep &= (rows["chrom"] == bare_chrom(region.chrom)).to_numpy()
        keep &= rows["pos"].between(region.start + 1, region.end).to_numpy()
    if genes is not None:
        keep &= rows["gene_id"].isin(genes).to_numpy()
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


def _pieces(path: Path, named: Mapping[str, str] | None) -> Iterator[pd.DataFrame]:
    """Give pieces of a table whose columns are named by what they mean."""
    if path.suffix == ".parquet":
        yield from _parquet_pieces(path, named)
        return
    header, above, separator = _header(path)
    found = find_columns(header, named, file=path)
    refuse_lacking(found, header, path)
    both = _ref_and_alt(header, found)
    kept = sorted({*found.values(), *both})
    texts = {found[role]: str for role in TEXT_ROLES if role in found} | dict.fromkeys(both, str)
    line = above + 1
    with open_text(path, _WHAT) as text:
        pieces = pd.read_csv(
            text,
            sep=r"\s+" if separator == " " else separator,
            skiprows=above,
            header=None,
            names=header,
            usecols=kept,
            dtype=texts,
            na_values=_MISSING,
            keep_default_na=False,
            chunksize=_CHUNK_ROWS,
            low_memory=False,
            index_col=False,
            skipinitialspace=True,
        )
        try:
            for piece in pieces:
                yield _by_meaning(piece, found, both, path, line)
                line += len(piece)
        except (pd.errors.ParserError, UnicodeDecodeError) as error:
            raise FormatError("a damaged row", file=path, found=error) from error
        except pd.errors.EmptyDataError:
            return


def _header(path: Path) -> tuple[list[str], int, str]:
    """Give names of columns, the number of lines down to them, and what separates fields.

    PLINK 1 fills its columns up with spaces, so any number of them separates.
    """
    refuse_binary(path)
    with open_text(path, _WHAT) as text:
        for number, line in enumerate(text, start=1):
            whole = line.rstrip("\r\n")
            if not whole.strip() or whole.startswith(("##", "# ")):
                continue
            whole = whole.removeprefix("#")
            separator = detect_separator(whole)
            cells = whole.split() if separator == " " else split_line(whole, separator)
            names = [cell.strip() for cell in cells]
            if len(set(names)) < len(names):
                twice = next(name for name in names if names.count(name) > 1)
                raise FormatError(
                    "a column name occurs twice", file=path, record="header", found=repr(twice)
                )
            return names, number, separator
    raise FormatError("the file is empty", file=path, expected=_WHAT)


def _parquet_pieces(path: Path, named: Mapping[str, str] | None) -> Iterator[pd.DataFrame]:
    try:
        file = pq.ParquetFile(path)
    except (OSError, ValueError) as error:
        raise FormatError("not a parquet file", file=path, found=error) from error
    header = list(file.schema_arrow.names)
    found = find_columns(header, named, file=path)
    refuse_lacking(found, header, path)
    both = _ref_and_alt(header, found)
    line = 1
    for batch in file.iter_batches(_CHUNK_ROWS, columns=sorted({*found.values(), *both})):
        piece = batch.to_pandas()
        yield _by_meaning(piece, found, both, path, line)
        line += len(piece)


def _ref_and_alt(header: list[str], found: Mapping[str, str]) -> list[str]:
    """Give REF and ALT where a third column tells which of them was tested (PLINK 2)."""
    by_name = {name.lower(): name for name in header}
    both = [by_name[name] for name in ("ref", "alt") if name in by_name]
    effect = found.get("effect_allele", "")
    return both if len(both) == 2 and effect.lower() in ("a1", "tested_allele") else []


def _by_meaning(
    piece: pd.DataFrame, found: Mapping[str, str], both: list[str], path: Path, line: int
) -> pd.DataFrame:
    rows = pd.DataFrame(index=piece.index)
    for role, name in found.items():
        if role in TEXT_ROLES:
            rows[role] = piece[name].astype(object).where(piece[name].notna(), "")
        else:
            rows[role] = _numbers(piece[name], path, line)
    if both:
        ref, alt = (piece[name].fillna("") for name in both)
        rows["other_allele"] = ref.where(ref.str.upper() != rows["effect_allele"].str.upper(), alt)
    return rows


def _numbers(values: pd.Series, path: Path, line: int) -> npt.NDArray[np.float64]:
    numbers = pd.to_numeric(values, errors="coerce")
    wrong = np.flatnonzero((numbers.isna() & values.notna()).to_numpy())
    if len(wrong):
        raise FormatError(
            "not a number",
            file=path,
            record=f"line {line + int(wrong[0])}, column {values.name}",
            found=repr(values.iloc[int(wrong[0])]),
            expected="a number, or empty or NA where there is no value",
        )
    return numbers.to_numpy(dtype=np.float64, na_value=np.nan)


def bare_chrom(name: str) -> str:
    """Give a chromosome's name without ``chr``."""
    return name[3:] if name.lower().startswith("chr") else name


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
        told = rows.loc[lacking, "variant_id"].str.extract(_ID).dropna()
        rows.loc[told.index, "chrom"] = told[0]
        rows.loc[told.index, "pos"] = told[1].astype(np.float64)
        # Such ids name REF and ALT, and effects count ALT, unless a column says otherwise.
        untold = told.index[(rows.loc[told.index, "effect_allele"] == "").to_numpy()]
        rows.loc[untold, "other_allele"] = told.loc[untold, 2]
        rows.loc[untold, "effect_allele"] = told.loc[untold, 3]
    rows["chrom"] = rows["chrom"].map({x: bare_chrom(str(x)) for x in rows["chrom"].unique()})
    rows["pos"] = rows["pos"].fillna(-1).astype(np.int64)
    for role in ("effect_allele", "other_allele"):
        rows[role] = rows[role].map({x: str(x).upper() for x in rows[role].unique()})
    return rows


def _with_strength(rows: pd.DataFrame, dropped: dict[str, int]) -> pd.DataFrame:
    """Work out beta, se, z and p from those that are there; count rows that have none."""
    beta, se, p = (rows[name].to_numpy(copy=True) for name in ("beta", "se", "p"))
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = rows["odds_ratio"].to_numpy()
        beta = np.where(np.isnan(beta) & (odds > 0), np.log(odds), beta)
        p = np.where(np.isnan(p), 10.0 ** -rows["minus_log10_p"].to_numpy(), p)
        size = stats.norm.isf(np.maximum(p, np.finfo(np.float64).tiny) / 2.0)
        # An effect and its p-value tell the standard error; p of 1 tells none.
        se = np.where(np.isnan(se) & (size > 0), np.abs(beta) / size, se)
        z = rows["z"].to_numpy(copy=True)
        z = np.where(np.isfinite(beta) & (se > 0), beta / se, z)
        p = np.where(np.isnan(p), 2.0 * stats.norm.sf(np.abs(z)), p)
    frequency = rows["frequency"].to_numpy()
    made = pd.DataFrame(
        {
            "variant_id": rows["variant_id"],
            "gene_id": rows["gene_id"],
            "chrom": rows["chrom"],
            "pos": rows["pos"],
            "ref": rows["other_allele"],
            "alt": rows["effect_allele"],
            "beta": beta,
            "se": np.where(se > 0, se, np.nan),
            "z": z,
            "p": p,
            "n": rows["n"],
            "maf": np.minimum(frequency, 1.0 - frequency),
        }
    )
    usable = np.isfinite(z) | ((p >= 0) & (p <= 1))
    if lost := int((~usable).sum()):
        reason = "no effect with a standard error, and no p-value"
        dropped[reason] = dropped.get(reason, 0) + lost
    kept: pd.DataFrame = made[usable]
    return kept
