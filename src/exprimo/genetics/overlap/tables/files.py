"""Columns of parquet and text files under the names of their roles."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from exprimo.core.errors import FormatError, InputError
from exprimo.data.annotation.identifiers import strip_version
from exprimo.data.tabular import open_table, parse_number, unknown_name
from exprimo.data.textfile import require_file
from exprimo.genetics.overlap.tables.columns import (
    SCORE,
    TEXT,
    Roles,
    check_needed,
    find_columns,
)


def nominal_files(path: str | Path) -> list[Path]:
    """Give the tables of a nominal pass: the file itself, or those of a folder.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("nominal.1.parquet", "nominal.2.parquet", "genes.parquet"):
    ...     _ = (folder / name).write_text("-")
    >>> [file.name for file in nominal_files(folder)]
    ['nominal.1.parquet', 'nominal.2.parquet']
    """
    given = Path(path)
    if not given.is_dir():
        return [require_file(given, "a table of associations")]
    found = sorted(
        file
        for pattern in ("*nominal*.parquet", "nominal/*.parquet", "*.cis_qtl_pairs.*.parquet")
        for file in given.glob(pattern)
    )
    if not found:
        raise InputError(
            "no table of associations in this folder",
            file=given,
            found=", ".join(sorted(file.name for file in given.iterdir())[:6]) or "nothing",
            expected="the nominal pass as parquet",
            remedy="Of a map within folds, give the folder of one fold",
        )
    return list(dict.fromkeys(found))


def some_genes(
    files: Sequence[Path], named: Mapping[str, str], roles: Roles, genes: Collection[str]
) -> list[str]:
    """Find how parquet files spell some genes, so that only their rows need be read.

    Returns
    -------
    list
        Spellings; empty where none is found, or a file does not tell genes or is text: all rows
        are then read.
    """
    wanted, found = set(genes), set[str]()
    for file in files if wanted else ():
        with file.open("rb") as handle:
            if handle.read(4) != b"PAR1":
                return []
        column = find_columns(_header(file, True), roles, named, file).get("gene_id")
        if column is None:
            return []
        with _parquet_errors(file):
            values = pq.read_table(file.absolute(), columns=[column])[column].unique()
        found |= {
            name for name in values.to_pylist() if name and strip_version(str(name)) in wanted
        }
    return sorted(found)


def read_columns(
    path: Path,
    roles: Roles,
    named: Mapping[str, str],
    needed: Collection[str],
    numbers: Sequence[str] = (),
    genes: Collection[str] = (),
) -> pd.DataFrame:
    """Read the columns that have a role, under its name, and further columns of numbers.

    Parameters
    ----------
    path
        Parquet, or text with a header.
    roles, named, needed
        Names that roles go by, the names that this table has instead, and roles that must be there.
    numbers
        Further columns, which become ``score:NAME``.
    genes
        Genes as the file spells them, to which rows of parquet are restricted; empty: all.

    Returns
    -------
    DataFrame
        A column for each role, with "" or NaN where the table has none.
    """
    source = require_file(path, "a table")
    with source.open("rb") as handle:
        is_parquet = handle.read(4) == b"PAR1"
    header = _header(source, is_parquet)
    found = find_columns(header, roles, named, source)
    for name in numbers:
        if name not in header:
            raise unknown_name("column", name, header, file=source)
    check_needed(found, roles, needed, header, source)
    wanted = {**found, **{SCORE + name: name for name in numbers}}
    if is_parquet:
        frame = _parquet_columns(source, wanted, genes if "gene_id" in found else ())
    else:
        frame = _text_columns(source, wanted)
    for role in roles:
        if role not in frame:
            frame[role] = "" if role in TEXT else np.nan
    return frame


def _header(path: Path, is_parquet: bool) -> list[str]:
    if is_parquet:
        with _parquet_errors(path):
            return list(pq.read_schema(path.absolute()).names)
    with open_table(path) as table:
        return list(table.header)


@contextmanager
def _parquet_errors(path: Path) -> Iterator[None]:
    """Turn pyarrow's errors on a damaged file into a `FormatError`."""
    try:
        yield
    except (OSError, pa.ArrowInvalid) as error:
        raise FormatError(
            "the parquet file is damaged",
            file=path,
            found=str(error).splitlines()[0][:80],
            remedy="Make or copy it again",
        ) from error


def _parquet_columns(path: Path, wanted: Mapping[str, str], genes: Collection[str]) -> pd.DataFrame:
    chosen = pc.field(wanted["gene_id"]).isin(list(genes)) if genes else None
    columns = list(dict.fromkeys(wanted.values()))
    with _parquet_errors(path):
        table = pq.read_table(path.absolute(), columns=columns, filters=chosen)
    return pd.DataFrame(
        {
            role: _as_text(table[name])
            if role in TEXT
            else _as_numbers(table[name], path, str(name))
            for role, name in wanted.items()
        }
    )


def _as_text(column: pa.ChunkedArray) -> npt.NDArray[np.object_]:
    values = column.to_pandas()
    given = values.notna().to_numpy()
    texts = np.full(len(values), "", dtype=object)
    texts[given] = values[given].astype(str).to_numpy()
    return texts


def _as_numbers(column: pa.ChunkedArray, path: Path, name: str) -> npt.NDArray[np.float64]:
    try:
        numbers: npt.NDArray[np.float64] = column.to_pandas().to_numpy(
            dtype=np.float64, na_value=np.nan
        )
        return numbers
    except (TypeError, ValueError) as error:
        raise FormatError(
            "not a column of numbers", file=path, record=f"column {name!r}", found=str(column.type)
        ) from error


def _text_columns(path: Path, wanted: Mapping[str, str]) -> pd.DataFrame:
    cells: dict[str, list[Any]] = {role: [] for role in wanted}
    with open_table(path) as table:
        places = [(role, table.column(name), cells[role]) for role, name in wanted.items()]
        for line, fields in table.rows:
            for role, at, into in places:
                if role in TEXT:
                    into.append(fields[at].strip())
                else:
                    record = f"line {line}, column {table.header[at]!r}"
                    into.append(parse_number(fields[at], file=path, record=record))
    return pd.DataFrame(
        {
            role: np.array(values, dtype=object if role in TEXT else np.float64)
            for role, values in cells.items()
        }
    )
