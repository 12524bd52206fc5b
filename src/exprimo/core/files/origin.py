"""Where a table came from and what its columns were made of, kept with the table itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from exprimo.core.errors import FormatError
from exprimo.core.files.atomic import atomic_file

if TYPE_CHECKING:
    import pandas as pd

METADATA = b"exprimo"
"""Key of the provenance, as JSON, in the metadata of a parquet file."""
COLUMN_SOURCES = "column_sources"
"""Key in the provenance: name of a column -> list of what it was made from."""
MODEL = "model"
"""Source of a column that a model computed from sequence."""
P_VALUE = "p_value"
"""Source of a column that was made from p-values, or from anything else of the association."""


def provenance_path(table: Path) -> Path:
    """Name the file beside a text file that says where it came from.

    Examples
    --------
    >>> provenance_path(Path("P.tsv")).name
    'P.tsv.provenance.json'
    """
    return table.with_name(f"{table.name}.provenance.json")


def parquet_metadata(origin: Mapping[str, Any]) -> dict[bytes, bytes]:
    """Give the provenance as the metadata of a parquet file."""
    return {METADATA: json.dumps(origin).encode()}


def write_table(path: Path, table: pd.DataFrame, origin: Mapping[str, Any]) -> None:
    """Write a table as parquet with where it came from."""
    made = pa.Table.from_pandas(table, preserve_index=False)
    made = made.replace_schema_metadata(parquet_metadata(origin))
    with atomic_file(path) as partial, partial.open("wb") as handle:
        pq.write_table(made, handle, compression="zstd")


def read_origin(path: str | Path) -> dict[str, Any]:
    """Read where a table came from: out of a parquet file, or from beside a text file."""
    source = Path(path)
    try:
        with source.open("rb") as handle:
            is_parquet = handle.read(4) == b"PAR1"
        if is_parquet:
            text = (pq.read_schema(source.absolute()).metadata or {})[METADATA]
        else:
            text = provenance_path(source).read_bytes()
        origin = json.loads(text)
        if not isinstance(origin, dict):
            raise ValueError(f"{type(origin).__name__} in place of an object")
    except (OSError, ValueError, KeyError, pa.ArrowInvalid) as error:
        raise FormatError("no provenance is known of this table", file=source) from error
    return origin


def with_column_sources(
    origin: Mapping[str, Any], sources: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """Add to the provenance of a table what its columns were made from.

    Examples
    --------
    >>> with_column_sources({"kind": "x"}, {"combined": [MODEL, P_VALUE]})["column_sources"]
    {'combined': ['model', 'p_value']}
    """
    known = dict(origin.get(COLUMN_SOURCES, {}))
    return {
        **origin,
        COLUMN_SOURCES: {**known, **{name: list(of) for name, of in sources.items()}},
    }


def column_sources(path: str | Path) -> dict[str, list[str]]:
    """Read what the columns of a table were made from; empty where nothing is declared."""
    try:
        declared = read_origin(path).get(COLUMN_SOURCES, {})
    except FormatError:
        return {}
    return {
        str(name): [of] if isinstance(of, str) else [str(one) for one in of]
        for name, of in (declared.items() if isinstance(declared, dict) else ())
    }
