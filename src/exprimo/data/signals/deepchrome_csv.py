"""DeepChrome's table: a row for each bin of each gene, ``gene, bin, marks..., label``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.errors import FormatError
from exprimo.data.signals.binned_cell import (
    BinnedCell,
    choose_marks,
    not_one_per_gene,
    split_targets,
    too_large,
)
from exprimo.data.tabular import is_number, refuse_binary
from exprimo.data.textfile import open_text

# Singh et al. 2016, Bioinformatics 32:i639; the order of the columns of its files.
DEEPCHROME_MARKS = ("H3K27me3", "H3K36me3", "H3K4me1", "H3K4me3", "H3K9me3")
WHAT = "rows of gene, bin (from 1), one number for each mark, label, separated by commas"


def read_deepchrome(path: Path, cell: str, marks: tuple[str, ...] | None) -> BinnedCell:
    """Read one cell type; genes are stretches of rows with bins 1, 2, ... in order."""
    refuse_binary(path)
    table, header = _load(path)
    names, note = _mark_names(path, table.shape[1] - 3, header, marks)
    line_of_row = 2 if header else 1
    genes = table[0].str.strip().to_numpy(dtype=object)
    numbers = np.column_stack(
        [_numbers(table[at], at, path, genes, line_of_row) for at in range(1, table.shape[1])]
    )
    starts, n_bins = _genes(path, genes, numbers[:, 0], line_of_row)
    targets = _targets(path, genes, numbers[:, -1].reshape(len(starts), n_bins), starts)
    values = too_large(numbers[:, 1:-1], path, cell).reshape(len(starts), n_bins, -1)
    signal = np.ascontiguousarray(values.transpose(0, 2, 1))
    if header:
        names, signal = choose_marks(marks, names, signal, path)
    expression, label = split_targets(targets)
    return BinnedCell(cell, tuple(genes[starts]), names, signal, expression, label, note)


def _load(path: Path) -> tuple[pd.DataFrame, list[str]]:
    """Read all cells, genes as text, and the header where there is one."""
    with open_text(path, WHAT) as text:
        first = text.readline().rstrip("\r\n")
        fields = [part.strip() for part in first.split(",")]
        if len(fields) < 4:
            raise FormatError(
                "not a table of binned signal",
                file=path,
                record="line 1",
                found=f"{len(fields)} fields in {first[:60]!r}",
                expected=WHAT,
            )
        header = [] if is_number(fields[1]) else fields
        text.seek(0)
        try:
            table = pd.read_csv(
                text,
                header=None,
                names=list(range(len(fields))),
                skiprows=1 if header else 0,
                dtype={0: str},
                na_filter=False,
                index_col=False,
                skip_blank_lines=False,
                float_precision="round_trip",
                low_memory=False,
            )
        except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
            raise FormatError(
                "a row with another number of fields than the first",
                file=path,
                found=str(error).removeprefix("Error tokenizing data. C error: ").strip(),
                expected=f"{len(fields)} fields in each row",
                remedy="Check for a cut-off line or a stray separator",
            ) from error
    return table, header


def _mark_names(
    path: Path, n: int, header: list[str], marks: tuple[str, ...] | None
) -> tuple[tuple[str, ...], str]:
    if header:
        return tuple(header[2:-1]), ""
    if marks is None and n == len(DEEPCHROME_MARKS):
        return DEEPCHROME_MARKS, "marks are named in the order of DeepChrome's files"
    if marks is None or len(marks) != n:
        raise FormatError(
            "another number of marks than expected",
            file=path,
            found=f"{n} columns between bin and label",
            expected=f"{len(DEEPCHROME_MARKS if marks is None else marks)}: "
            + ", ".join(DEEPCHROME_MARKS if marks is None else marks),
            remedy="Name the file's marks, in the order of its columns",
        )
    return marks, ""


def _numbers(
    column: pd.Series, at: int, path: Path, genes: npt.NDArray[np.object_], line_of_row: int
) -> npt.NDArray[np.float64]:
    if column.dtype.kind in "iuf":
        numbers = column.to_numpy(dtype=np.float64)
        bad = np.flatnonzero(~np.isfinite(numbers))
    else:
        bad = np.flatnonzero([not is_number(str(cell)) for cell in column])
        numbers = column.to_numpy(dtype=np.float64) if not len(bad) else np.empty(0)
    if len(bad):
        row = int(bad[0])
        raise FormatError(
            "not a finite number, or a row that is cut off",
            file=path,
            record=f"line {row + line_of_row}, gene {genes[row]}, column {at + 1}",
            found=repr(str(column.iloc[row])),
            expected="a number in each column but the first",
        )
    return numbers


def _genes(
    path: Path, genes: npt.NDArray[np.object_], bins: npt.NDArray[np.float64], line_of_row: int
) -> tuple[npt.NDArray[np.int64], int]:
    """Give the first row of each gene, and the number of bins that all have."""
    if not len(genes):
        raise FormatError("no rows in this table", file=path, expected=WHAT)
    edges = np.flatnonzero(np.append(True, genes[1:] != genes[:-1])).astype(np.int64)
    lengths = np.diff(np.append(edges, len(genes)))
    n_bins = int(np.median(lengths))
    place = np.arange(len(genes)) - np.repeat(edges, lengths)
    wrong = np.flatnonzero(bins != place + 1)
    if len(wrong):
        row = int(wrong[0])
        raise FormatError(
            "bins that are missing or out of order",
            file=path,
            record=f"line {row + line_of_row}, gene {genes[row]}",
            found=f"bin {bins[row]:g}",
            expected=f"bin {place[row] + 1}",
            remedy="Sort the rows by gene and bin, and give every bin",
        )
    short = np.flatnonzero(lengths != n_bins)
    if len(short):
        at = int(short[0])
        raise FormatError(
            "a gene with missing or additional bins",
            file=path,
            record=f"gene {genes[edges[at]]}",
            found=f"{lengths[at]} bins",
            expected=f"{n_bins}, as most genes have",
            remedy="Check whether the file is cut short; give every bin of every gene",
        )
    return edges, n_bins


def _targets(
    path: Path,
    genes: npt.NDArray[np.object_],
    labels: npt.NDArray[np.float64],
    starts: npt.NDArray[np.int64],
) -> npt.NDArray[np.float64]:
    differing = np.flatnonzero((labels != labels[:, :1]).any(axis=1))
    if len(differing):
        row = labels[differing[0]]
        other = row[row != row[0]][0]
        record = f"gene {genes[starts[differing[0]]]}"
        raise not_one_per_gene("label", path, record, f"{row[0]:g}", f"{other:g}")
    first: npt.NDArray[np.float64] = labels[:, 0]
    return first
