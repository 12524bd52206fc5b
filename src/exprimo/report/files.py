"""Reading the tables and JSON files that a report is made from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from exprimo.core.errors import FormatError


def read_table(path: Path, text: tuple[str, ...], numbers: tuple[str, ...]) -> pd.DataFrame:
    """Read a TSV whose columns `text` and `numbers` must be there; the others stay text.

    An empty field or ``nan`` of a number is NaN.
    """
    table = read_text_table(path)
    missing = [name for name in (*text, *numbers) if name not in table]
    if missing:
        raise FormatError(
            "columns are missing",
            file=path,
            found=", ".join(table.columns),
            expected=", ".join((*text, *numbers)),
        )
    for name in numbers:
        table[name] = as_numbers(table[name], path)
    return table


def as_numbers(column: pd.Series[str], path: Path) -> pd.Series[float]:
    """Turn a column of text into numbers, NaN where a field is empty, ``NA`` or ``nan``."""
    try:
        absent = column.str.lower().isin(["", "nan", "na"])
        return pd.to_numeric(column.mask(absent)).astype(float)
    except ValueError as error:
        raise FormatError(
            "not a number", file=path, record=f"column {column.name}", found=error
        ) from error


def read_text_table(path: Path) -> pd.DataFrame:
    """Read a TSV as text."""
    # A gene may be called NA, so nothing but an empty field is taken for missing.
    try:
        return pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    except FileNotFoundError:
        raise FormatError(f"{path.name} is missing", file=path.parent) from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise FormatError("not a table", file=path, found=error) from error


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FormatError(f"{path.name} is missing", file=path.parent) from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise FormatError("not valid JSON", file=path, found=error) from error
    if not isinstance(values, dict):
        raise FormatError("not a JSON object", file=path, found=type(values).__name__)
    return values


def needed(values: Mapping[str, Any], key: str, path: Path) -> Any:
    """Give the value of a key that must be there."""
    if values.get(key) is None:
        raise FormatError("a key is missing", file=path, record=key)
    return values[key]
