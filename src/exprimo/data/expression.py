"""Expression of genes by person: a matrix, or the BED of FastQTL and tensorQTL."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from exprimo.core.errors import FormatError, MismatchError
from exprimo.data.annotation.identifiers import strip_version
from exprimo.data.tabular import Table, open_table, parse_target, refuse_duplicate

_CHROM_HEADINGS = {"chr", "chrom", "chromosome"}
_GENE_HEADINGS = ("gene_id", "phenotype_id", "pid", "gid", "gene")


def read_expression(path: str | Path, samples: Sequence[str]) -> pd.DataFrame:
    """Read numbers per gene and person.

    Parameters
    ----------
    path
        A table with a header and one row a gene. Genes stand in a column called ``gene_id``,
        ``phenotype_id``, ``pid``, ``gid`` or ``gene``; else in the fourth of a BED, the first of
        any other table. People have a column each.
    samples
        The people wanted; those without a column are missing throughout.

    Returns
    -------
    DataFrame
        Index ``gene_id`` (without version), one float32 column a person, in the order asked for;
        NaN where there is no value.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "expression.bed"
    >>> lines = ["#chr start end gene_id ann bob", "1 9 10 g1 0.5 NA"]
    >>> _ = file.write_text("".join(line.replace(" ", "\\t") + "\\n" for line in lines))
    >>> read_expression(file, ["bob", "ann"]).loc["g1"].tolist()
    [nan, 0.5]
    """
    with open_table(path, "a table of expression") as table:
        key = _gene_column(table)
        places = {name: table.header.index(name) for name in samples if name in table.header}
        if not places:
            others = [name for at, name in enumerate(table.header) if at != key]
            raise MismatchError(
                "no person of the genotypes has a column of expression",
                file=path,
                found=", ".join(others[:6]),
                expected=", ".join(list(samples)[:6]),
                remedy="Name people alike in both files",
            )
        seen: dict[str, int] = {}
        values: list[list[float]] = []
        for number, fields in table.rows:
            gene = strip_version(fields[key].strip())
            if not gene:
                raise FormatError("a row without a gene id", file=path, record=f"line {number}")
            refuse_duplicate(seen, gene, number, what="gene", file=path)
            where = f"line {number}, gene {gene}, person "
            values.append(
                [
                    parse_target(fields[at], file=path, record=where + name)
                    for name, at in places.items()
                ]
            )
    if not values:
        raise FormatError("no genes", file=path, found="a header and no rows")
    found = pd.DataFrame(
        np.array(values, dtype=np.float32),
        index=pd.Index(list(seen), name="gene_id", dtype=object),
        columns=list(places),
    )
    return found.reindex(columns=list(samples))


def _gene_column(table: Table) -> int:
    for name in _GENE_HEADINGS:
        if name in table.header:
            return table.header.index(name)
    bed = table.header[0].lower() in _CHROM_HEADINGS and len(table.header) > 3
    return 3 if bed else 0
