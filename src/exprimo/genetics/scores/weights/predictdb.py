"""PredictDB: weights of expression in an SQLite file with the tables weights and extra."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pandas as pd

from exprimo.core.errors import FormatError
from exprimo.genetics.scores.weights.table import Weights, foreign_weights

SQLITE_MAGIC = b"SQLite format 3\x00"
_NEEDED = ("rsid", "gene", "weight", "ref_allele", "eff_allele")
# As in chr1_55550_G_A_b38; the separator may be a colon, the build may be absent.
_PLACE = re.compile(r"(?:chr)?([0-9A-Za-z]+)[_:](\d+)[_:]([A-Za-z]+)[_:]([A-Za-z]+)(?:[_:](b\d+))?")


def read_predictdb(path: str | Path) -> Weights:
    """Read weights of a PredictDB (S-PrediXcan) model.

    Places come from ``varID``, or from ``rsid`` where that has the form ``chr_pos_ref_alt_build``;
    other variants are matched by their id.

    Parameters
    ----------
    path
        An SQLite file: ``weights`` with ``gene, rsid, varID, ref_allele, eff_allele, weight``.
        The table ``extra`` (one row a gene) must be there too.
    """
    source = Path(path)
    try:
        # Read-only, so that a missing file is not made, and a journal is not written.
        address = f"{source.absolute().as_uri()}?mode=ro&immutable=1"
        with closing(sqlite3.connect(address, uri=True)) as file:
            columns = [row[1] for row in file.execute("PRAGMA table_info(weights)")]
            extra = [row[1] for row in file.execute("PRAGMA table_info(extra)")]
            _refuse_other_tables(columns, extra, source)
            wanted = [*_NEEDED, *(["varID"] if "varID" in columns else [])]
            rows = file.execute(f"SELECT {', '.join(wanted)} FROM weights").fetchall()
            genes = {row[0] for row in file.execute("SELECT gene FROM extra")}
    except sqlite3.DatabaseError as error:
        raise FormatError(
            "not a PredictDB model", file=source, found=error, expected="an SQLite file"
        ) from error
    table = pd.DataFrame(rows, columns=wanted)
    strangers = sorted(set(table["gene"]) - genes)
    if strangers:
        raise FormatError(
            "genes with weights are not in the table extra",
            file=source,
            found=f"{len(strangers)}: {', '.join(map(str, strangers[:5]))}",
            expected="one row in extra for each",
        )
    return foreign_weights(_with_places(table, source), "PredictDB", source, _build(table))


def _refuse_other_tables(columns: list[str], extra: list[str], source: Path) -> None:
    missing = [name for name in _NEEDED if name not in columns]
    if missing or "gene" not in extra:
        raise FormatError(
            "not a PredictDB model",
            file=source,
            record="table weights" if missing else "table extra",
            found=f"columns {', '.join(columns if missing else extra) or '(no such table)'}",
            expected=", ".join(_NEEDED) if missing else "gene, and its performance",
        )


def _with_places(table: pd.DataFrame, source: Path) -> pd.DataFrame:
    named = table["varID"] if "varID" in table else table["rsid"]
    places = named.astype(str).str.extract(_PLACE)
    return pd.DataFrame(
        {
            "gene_id": table["gene"].astype(str),
            "chrom": places[0].fillna(""),
            "pos": places[1].fillna("0").astype("int64"),
            "effect_allele": _letters(table["eff_allele"], "eff_allele", source),
            "other_allele": _letters(table["ref_allele"], "ref_allele", source),
            "variant_id": table["rsid"].astype(str),
            "weight": pd.to_numeric(table["weight"], errors="coerce"),
        }
    )


def _letters(alleles: pd.Series[str], name: str, source: Path) -> pd.Series[str]:
    wrong = ~alleles.astype(str).str.fullmatch(r"[ACGTNacgtn]+")
    if wrong.any():
        raise FormatError(
            "not an allele",
            file=source,
            record=f"table weights, {name}",
            found=repr(alleles[wrong].iloc[0]),
            expected="letters A, C, G, T",
        )
    return alleles.astype(str)


def _build(table: pd.DataFrame) -> str:
    if "varID" not in table:
        return ""
    builds = table["varID"].astype(str).str.extract(_PLACE)[4].dropna().unique()
    return str(builds[0]) if len(builds) == 1 else ""
