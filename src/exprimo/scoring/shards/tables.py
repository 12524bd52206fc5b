"""Tables that arrive one after another, written into one file with where they came from."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from exprimo.core.errors import InputError
from exprimo.core.files.atomic import atomic_file
from exprimo.core.files.origin import parquet_metadata, provenance_path
from exprimo.core.run import write_json

Tables = Iterator[pa.Table]
# Writes the tables to a path, with the provenance, and gives the number of rows.
TableWriter = Callable[[Path, Tables, dict[str, Any]], int]
# Small tables are gathered: a row group of a parquet file costs some kilobytes.
_ROWS = 1 << 18


def writer_for(out: Path) -> TableWriter:
    """Choose the writer by the suffix: ``.parquet`` or ``.tsv``."""
    writers: dict[str, TableWriter] = {".parquet": write_parquet, ".tsv": write_tsv}
    if out.suffix not in writers:
        raise InputError("unknown kind of output", file=out, expected=", ".join(writers))
    return writers[out.suffix]


def write_parquet(out: Path, tables: Tables, origin: dict[str, Any]) -> int:
    """Write one parquet file; its metadata hold the provenance as JSON under ``exprimo``."""
    groups = _gathered(tables)
    first = next(groups, None)
    if first is None:
        raise InputError("nothing to write", file=out)
    schema = first.schema.with_metadata(parquet_metadata(origin))
    n_rows = 0
    # A handle, not a path: a write that fails is then the operating system's error.
    with (
        atomic_file(out) as partial,
        partial.open("wb") as handle,
        pq.ParquetWriter(handle, schema, compression="zstd") as writer,
    ):
        for table in itertools.chain([first], groups):
            writer.write_table(table.cast(schema))
            n_rows += table.num_rows
    return n_rows


def write_tsv(out: Path, tables: Tables, origin: dict[str, Any]) -> int:
    """Write a table with tabs, a missing value as an empty cell; provenance stands beside it."""
    n_rows = 0
    with atomic_file(out) as partial, partial.open("w", encoding="utf-8", newline="") as handle:
        for number, table in enumerate(_gathered(tables)):
            table.to_pandas().to_csv(handle, sep="\t", index=False, header=number == 0)
            n_rows += table.num_rows
    write_json(provenance_path(out), origin)
    return n_rows


def _gathered(tables: Tables) -> Tables:
    held: list[pa.Table] = []
    rows = 0
    for table in tables:
        held.append(table)
        rows += table.num_rows
        if rows >= _ROWS:
            yield pa.concat_tables(held)
            held, rows = [], 0
    if held:
        yield pa.concat_tables(held)
