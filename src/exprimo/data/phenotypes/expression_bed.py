"""Expression of genes over people: a BED file with a column for each person."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.errors import FormatError, MismatchError
from exprimo.data.tabular import Table, open_table

_WHAT = "an expression BED: #chr, start, end, gene_id, then a column for each person"
_GENE = ("gene_id", "phenotype_id", "id", "pid", "gene", "name", "trid", "targetid")
# QTLtools writes these between the name and the people.
_NOT_PEOPLE = ("gid", "strand", "group_id", "length")
_MISSING = {"", "na", "nan", "n/a", "."}


class PersonalExpression(NamedTuple):
    """Expression of genes over people.

    Attributes
    ----------
    genes
        gene_id, chrom, start, end (0-based, half-open), one row a gene, in file order.
    people
        Their names, in file order.
    values
        (genes, people); NaN where a cell is empty.
    source
        The file.
    """

    genes: pd.DataFrame
    people: tuple[str, ...]
    values: npt.NDArray[np.float64]
    source: Path

    @property
    def is_sorted(self) -> bool:
        """Whether chromosomes stand together and starts rise, as tabix and FastQTL need it."""
        chrom, start = self.genes["chrom"].to_numpy(), self.genes["start"].to_numpy()
        new = np.flatnonzero(chrom[1:] != chrom[:-1]) + 1
        together = len(new) + 1 == len(set(chrom))
        rises = np.all((np.diff(start) >= 0) | (chrom[1:] != chrom[:-1]))
        return bool(together and rises)

    def of(self, people: Sequence[str]) -> Self:
        """Keep some people, in this order."""
        place = {name: at for at, name in enumerate(self.people)}
        unknown = [name for name in people if name not in place]
        if unknown:
            raise MismatchError(
                "people without expression",
                file=self.source,
                found=", ".join(unknown[:5]),
                expected=", ".join(self.people[:5]),
            )
        columns = [place[name] for name in people]
        return self._replace(people=tuple(people), values=self.values[:, columns])


def read_expression_bed(
    path: str | Path, *, missing: Literal["error", "allow"] = "error"
) -> PersonalExpression:
    """Read expression of genes over people, as GTEx, FastQTL, QTLtools and tensorQTL have it.

    Parameters
    ----------
    path
        Plain or gzip: ``#chr start end gene_id`` and a column for each person.
    missing
        Whether a cell may be empty or NA.

    Examples
    --------
    >>> import tempfile
    >>> bed = Path(tempfile.mkdtemp()) / "e.bed"
    >>> _ = bed.write_text("#chr\\tstart\\tend\\tgene_id\\tann\\n1\\t9\\t10\\tg1\\t0.5\\n")
    >>> found = read_expression_bed(bed)
    >>> found.people, found.values.tolist()
    (('ann',), [[0.5]])
    """
    with open_table(path, _WHAT) as table:
        first = _first_person(table)
        places: list[tuple[str, str, int, int]] = []
        rows: list[npt.NDArray[np.float64]] = []
        seen: dict[str, int] = {}
        for line, fields in table.rows:
            gene, chrom, start, end = _place(fields, line, table)
            if gene in seen:
                raise FormatError(
                    "two rows have the same gene id",
                    file=table.path,
                    record=f"lines {seen[gene]} and {line}",
                    found=gene,
                    expected="one row a gene",
                )
            seen[gene] = line
            places.append((gene, chrom, start, end))
            rows.append(_numbers(fields, first, line, table, missing))
    if not rows:
        raise FormatError("no rows below the header", file=table.path, expected=_WHAT)
    genes = pd.DataFrame(places, columns=["gene_id", "chrom", "start", "end"])
    return PersonalExpression(
        genes, tuple(table.header[first:]), np.array(rows, dtype=np.float64), table.path
    )


def _first_person(table: Table) -> int:
    """Give the column with which people begin."""
    lower = [name.lower() for name in table.header]
    right = len(lower) > 4 and lower[0] in ("chr", "chrom", "chromosome") and lower[3] in _GENE
    if not right or lower[1] != "start" or lower[2] not in ("end", "stop"):
        raise FormatError(
            "not an expression BED",
            file=table.path,
            record="header",
            found=", ".join(table.header[:6]),
            expected="#chr, start, end, gene_id, then a column for each person",
        )
    first = 4
    while first < len(lower) - 1 and lower[first] in _NOT_PEOPLE:
        first += 1
    return first


def _place(fields: list[str], line: int, table: Table) -> tuple[str, str, int, int]:
    chrom, start, end, gene = fields[:4]
    if not (start.isdecimal() and end.isdecimal() and int(start) < int(end)):
        raise FormatError(
            "not a stretch of a chromosome",
            file=table.path,
            record=f"line {line}",
            found=f"start {start}, end {end}",
            expected="0-based start below end",
        )
    if not gene or not chrom:
        raise FormatError("an empty cell", file=table.path, record=f"line {line}")
    return gene, chrom, int(start), int(end)


def _numbers(
    fields: list[str], first: int, line: int, table: Table, missing: Literal["error", "allow"]
) -> npt.NDArray[np.float64]:
    try:
        whole = np.array([float(text) for text in fields[first:]], dtype=np.float64)
    except ValueError:
        whole = np.empty(0)
    # Most rows hold numbers only; the others are looked at cell by cell. Python reads 1_0 as 10.
    if len(whole) and np.isfinite(whole).all() and "_" not in "".join(fields[first:]):
        return whole
    values = []
    for column, text in enumerate(fields[first:], first):
        empty = text.strip().lower() in _MISSING
        try:
            value = float("nan") if empty else float(text)
        except ValueError:
            value = float("inf")
        if "_" in text:
            value = float("inf")
        if np.isinf(value) or (empty and missing == "error"):
            raise FormatError(
                "a value is missing" if empty else "not a number",
                file=table.path,
                record=f"line {line}, gene {fields[3]}, person {table.header[column]}",
                found=repr(text),
                expected="a finite number",
                remedy="Leave out the gene or the person, or fill the value in" if empty else None,
            )
        values.append(value)
    return np.array(values, dtype=np.float64)
