"""Sample sheets: one row per sample, one column per thing known about it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd

from exprimo.core.errors import FormatError, MismatchError
from exprimo.data.counts import Counts
from exprimo.data.tabular import is_missing, is_number, open_table, refuse_duplicate

SAMPLE_COLUMNS = ("sample", "sample_id", "sampleid", "sample_name", "samplename")

# Missing among numbers, but among names groups: no treatment, a null mutant.
_GROUPS_TOO = frozenset({"none", "null"})


def read_samples(path: str | Path) -> pd.DataFrame:
    """Read a sample sheet (TSV or CSV, plain or gzip).

    Parameters
    ----------
    path
        A table with a header. Samples stand in a column called ``sample`` (or ``sample_id``,
        ``sample_name``), else in the first one.

    Returns
    -------
    DataFrame
        Index ``sample``, file order. A column whose values are all numbers is float64 (missing:
        NaN), unless codes such as ``01`` stand in it; others are text (missing: None), in which
        ``none`` and ``null`` are groups like others.

    Raises
    ------
    FormatError
        A sample occurs twice or has no name, a row has another length, there are no samples.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "samples.csv"
    >>> _ = file.write_text("sample,status,age\\nS1,IS,61\\nS2,C,\\n")
    >>> read_samples(file)["status"].to_dict()
    {'S1': 'IS', 'S2': 'C'}
    """
    with open_table(path, "a sample sheet") as table:
        lowered = [name.lower() for name in table.header]
        key = next((lowered.index(name) for name in SAMPLE_COLUMNS if name in lowered), 0)
        seen: dict[str, int] = {}
        rows: list[list[str]] = []
        for number, fields in table.rows:
            name = fields[key].strip()
            if not name:
                raise FormatError(
                    "a row without a sample name",
                    file=path,
                    record=f"line {number}",
                    found="an empty cell",
                    expected=f"a name in column {table.header[key] or 1!r}",
                )
            refuse_duplicate(seen, name, number, what="sample", file=path)
            rows.append(fields)
        header = table.header
    if not rows:
        raise FormatError("no samples", file=path, found="a header and no rows")
    index = pd.Index(list(seen), name="sample", dtype=object)
    columns = {
        name: _typed([row[at] for row in rows], index)
        for at, name in enumerate(header)
        if at != key
    }
    return pd.DataFrame(columns, index=index)


def _typed(cells: list[str], index: pd.Index) -> pd.Series:
    """Make a column of numbers where all cells are, else one of text."""
    present = [cell.strip() for cell in cells if not is_missing(cell)]
    if present and all(_is_plain_number(cell) for cell in present):
        numbers = [np.nan if is_missing(cell) else float(cell) for cell in cells]
        return pd.Series(numbers, index=index, dtype=np.float64)
    texts = [None if _is_no_group(cell) else cell.strip() for cell in cells]
    return pd.Series(texts, index=index, dtype=object)


def _is_no_group(cell: str) -> bool:
    return is_missing(cell) and cell.strip().lower() not in _GROUPS_TOO


def _is_plain_number(cell: str) -> bool:
    # "01" is a plate or patient code; as a number it would lose its zero.
    return is_number(cell) and not (len(cell) > 1 and cell[0] == "0" and cell[1].isdecimal())


def match_samples(counts: Counts, samples: pd.DataFrame) -> tuple[Counts, pd.DataFrame]:
    """Bring counts and sample sheet into the same order, that of the sheet.

    Parameters
    ----------
    counts
        Genes × samples.
    samples
        A sheet as `read_samples` gives it.

    Raises
    ------
    MismatchError
        A sample stands in one of them only; the message names those of both sides.
    """
    counted, listed = counts.samples, [str(name) for name in samples.index]
    without_counts = sorted(set(listed) - set(counted))
    without_row = sorted(set(counted) - set(listed))
    if without_counts or without_row:
        parts = []
        if without_counts:
            parts.append(f"in the sample sheet without counts: {_named(without_counts)}")
        if without_row:
            parts.append(f"in the counts without a row in the sheet: {_named(without_row)}")
        raise MismatchError(
            "counts and sample sheet do not have the same samples",
            file=counts.source,
            found="; ".join(parts),
            expected="each sample in both",
            remedy="Correct the names in the sheet, or remove the samples from the other file",
        )
    lengths = None if counts.lengths is None else counts.lengths[listed]
    return dataclasses.replace(counts, matrix=counts.matrix[listed], lengths=lengths), samples


def _named(names: list[str]) -> str:
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return ", ".join(names[:20]) + more
