"""Expression per gene and cell type, from a wide or a long table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from exprimo.core.errors import FormatError
from exprimo.data.tabular import Table, open_table, parse_target, unknown_name
from exprimo.data.targets import read_targets

_CELL, _VALUE, _GENE = "cell_type", "expression", "gene_id"


def read_expression(path: str | Path, cells: Sequence[str] | None = None) -> pd.DataFrame:
    """Read expression: a column per cell type, or the columns gene_id, cell_type, expression.

    A table with a column ``cell_type`` is long, any other is wide.

    Parameters
    ----------
    path
        TSV or CSV, plain or gzip, with a header.
    cells
        The cell types to read; None reads all.

    Returns
    -------
    DataFrame
        Index ``gene_id``, a float64 column per cell type; NaN where there is no value.

    Raises
    ------
    InputError
        A cell type is not there (the nearest name is suggested).
    FormatError
        A cell is no number, a gene occurs twice (in a cell type), there are no genes.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "long.tsv"
    >>> _ = file.write_text("gene_id\\tcell_type\\texpression\\ng1\\tA\\t2\\ng1\\tB\\t3\\n")
    >>> read_expression(file).to_dict("index")
    {'g1': {'A': 2.0, 'B': 3.0}}
    """
    with open_table(path, "a table of expression") as table:
        if _CELL in table.header:
            return _read_long(table, cells)
    if cells is not None:
        _refuse_unknown(cells, [name for name in table.header if name != _GENE], path)
    return read_targets(path, cells)


def _read_long(table: Table, cells: Sequence[str] | None) -> pd.DataFrame:
    gene_at, cell_at, value_at = (table.column(name) for name in (_GENE, _CELL, _VALUE))
    wanted = None if cells is None else set(cells)
    genes: dict[str, int] = {}
    known: dict[str, int] = {}
    found: dict[tuple[int, int], float] = {}
    for number, fields in table.rows:
        gene, cell = fields[gene_at].strip(), fields[cell_at].strip()
        where = f"line {number}, gene {gene}, cell type {cell}"
        if not gene or not cell:
            raise FormatError("a row without a gene or a cell type", file=table.path, record=where)
        column = known.setdefault(cell, len(known))
        if wanted is not None and cell not in wanted:
            continue
        key = genes.setdefault(gene, len(genes)), column
        if key in found:
            raise FormatError(
                "a gene occurs twice in a cell type",
                file=table.path,
                record=where,
                expected="each gene once per cell type",
                remedy="Keep one of the rows",
            )
        found[key] = parse_target(fields[value_at], file=table.path, record=where)
    if cells is not None:
        _refuse_unknown(cells, list(known), table.path)
    if not genes:
        raise FormatError("no genes", file=table.path, found="a header and no rows")
    values = np.full((len(genes), len(known)), np.nan)
    rows, columns = np.array(list(found), dtype=np.intp).T
    values[rows, columns] = list(found.values())
    frame = pd.DataFrame(
        values, index=pd.Index(list(genes), name=_GENE, dtype=object), columns=list(known)
    )
    return frame[list(cells)] if cells is not None else frame


def _refuse_unknown(cells: Sequence[str], known: Sequence[str], path: str | Path) -> None:
    for cell in cells:
        if cell not in known:
            raise unknown_name("cell type in the table of expression", cell, known, file=path)
