"""Targets per gene: measured numbers, labels 1, 0 and missing, or names of classes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from exprimo.core.errors import FormatError
from exprimo.data.classes import parse_class
from exprimo.data.tabular import (
    Table,
    open_table,
    parse_target,
    refuse_duplicate,
    refuse_missing_header,
)

_GENE_COLUMN = "gene_id"


def read_targets(path: str | Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read a table of numbers per gene (TSV or CSV, plain or gzip).

    Parameters
    ----------
    path
        A table with a header; genes stand in a column called ``gene_id``, else in the first.
    columns
        The columns to read; None reads all, and all must then be numbers.

    Returns
    -------
    DataFrame
        Index ``gene_id``, float64 columns; empty and NA are NaN, never 0.

    Raises
    ------
    InputError
        A column is not there (the nearest name is suggested).
    FormatError
        A cell is no number, a gene occurs twice, there are no genes.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "targets.tsv"
    >>> _ = file.write_text("gene_id\\tlog2FoldChange\\ng1\\t1.5\\ng2\\tNA\\n")
    >>> read_targets(file, ["log2FoldChange"])["log2FoldChange"].tolist()
    [1.5, nan]
    """
    rows = _read_cells(path, columns, parse_target)
    return pd.DataFrame(
        np.array(rows.cells, dtype=np.float64).reshape(len(rows.cells), len(rows.columns)),
        index=rows.genes,
        columns=rows.columns,
    )


def read_class_targets(
    path: str | Path, columns: Sequence[str] | None = None, classes: Sequence[str] = ()
) -> pd.DataFrame:
    """Read a table of class names (or small whole numbers) per gene.

    Layout and errors are those of `read_targets`.

    Parameters
    ----------
    classes
        The names that may occur; empty takes any, see `parse_class`.

    Returns
    -------
    DataFrame
        Index ``gene_id``, columns of text; NaN where there is no value.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "change.tsv"
    >>> _ = file.write_text("gene_id\\tchange\\ng1\\tup\\ng2\\t\\n")
    >>> read_class_targets(file)["change"].tolist()
    ['up', nan]
    """

    def parse(cell: str, *, file: str | Path, record: str) -> str | float:
        return parse_class(cell, classes, file=file, record=record)

    rows = _read_cells(path, columns, parse)
    return pd.DataFrame(rows.cells, index=rows.genes, columns=rows.columns, dtype=object)


class _Cells(NamedTuple):
    genes: pd.Index[Any]
    columns: pd.Index[Any]
    cells: list[list[Any]]


def _read_cells(
    path: str | Path, columns: Sequence[str] | None, parse: Callable[..., Any]
) -> _Cells:
    with open_table(path, "a table of targets") as table:
        key = table.header.index(_GENE_COLUMN) if _GENE_COLUMN in table.header else 0
        wanted = _wanted(table, columns, key)
        seen: dict[str, int] = {}
        values: list[list[Any]] = []
        for number, fields in table.rows:
            gene = fields[key].strip()
            if not gene:
                raise FormatError(
                    "a row without a gene id",
                    file=path,
                    record=f"line {number}",
                    found="an empty cell",
                    expected="a gene id",
                )
            refuse_duplicate(seen, gene, number, what="gene", file=path)
            values.append(
                [
                    parse(
                        fields[at], file=path, record=f"line {number}, gene {gene}, column {name}"
                    )
                    for name, at in wanted.items()
                ]
            )
    if not values:
        raise FormatError("no genes", file=path, found="a header and no rows")
    genes = pd.Index(list(seen), name=_GENE_COLUMN, dtype=object)
    return _Cells(genes, pd.Index(list(wanted)), values)


def read_labels(path: str | Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read labels per gene: 1, 0, or empty for a gene that was not tested.

    Parameters and layout are those of `read_targets`; any other value raises `FormatError`.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "labels.tsv"
    >>> _ = file.write_text("gene_id\\tchanged\\ng1\\t1\\ng2\\t\\n")
    >>> read_labels(file)["changed"].tolist()
    [1.0, nan]
    """
    labels = read_targets(path, columns)
    for name in labels.columns:
        wrong = labels.index[labels[name].notna() & ~labels[name].isin((0.0, 1.0))]
        if len(wrong):
            raise FormatError(
                "not a label",
                file=path,
                record=f"gene {wrong[0]}, column {name}",
                found=f"{labels.loc[wrong[0], name]:g}",
                expected="1, 0, or empty where the gene was not tested",
            )
    return labels


def _wanted(table: Table, columns: Sequence[str] | None, key: int) -> dict[str, int]:
    if columns is None:
        wanted = {name: at for at, name in enumerate(table.header) if at != key}
        refuse_missing_header(table, list(wanted))
    else:
        wanted = {name: table.column(name) for name in columns}
    if not wanted:
        raise FormatError(
            "no column of targets",
            file=table.path,
            record="header",
            found=", ".join(table.header),
            expected="gene ids and at least one column of numbers",
        )
    return wanted
