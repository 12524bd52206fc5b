"""Tell tables with a header apart by the first rows: counts, samples, targets, sequences, names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from exprimo.core.errors import FormatError
from exprimo.data.check.people_kind import is_covariates
from exprimo.data.counts.matrix import CLASS_ROW, FEATURE_COUNTS
from exprimo.data.samples import SAMPLE_COLUMNS
from exprimo.data.signals.track_table import TRACK_COLUMNS
from exprimo.data.tabular import (
    Table,
    detect_separator,
    is_missing,
    is_number,
    open_table,
    refuse_missing_header,
    split_line,
)

# More samples than most sheets have: a longer table lists genes.
_SAMPLED_ROWS = 1000
_DNA = re.compile(r"[ACGTUN]{8,}", re.IGNORECASE)


class Sampled:
    """The header and the first rows of a table, by column."""

    def __init__(self, path: Path) -> None:
        rows: list[list[str]] = []
        self.is_prose = False
        with open_table(path) as table:
            self.header = table.header
            try:
                rows.extend(fields for _, fields in islice(table.rows, _SAMPLED_ROWS))
                self.is_whole = len(rows) < _SAMPLED_ROWS
            except FormatError:
                # A bad row is reported by the reader; here the rows before it must do. None at
                # all: prose, which has no columns, or a table whose very first row is bad.
                if not rows and table.separator == "\t":
                    raise
                self.is_prose, self.is_whole = not rows, False
            self.columns = [[row[at].strip() for row in rows] for at in range(len(self.header))]
            self._refuse_values_as_header(table)
        self.first_is_class_row = bool(rows) and bool(CLASS_ROW.match(rows[0][0].strip()))

    def _refuse_values_as_header(self, table: Table) -> None:
        refuse_missing_header(table, self.numbers())
        for name in self.header:
            if _DNA.fullmatch(name):
                raise FormatError(
                    "the first line holds a sequence, not the names of columns",
                    file=table.path,
                    found=name[:40],
                    expected="a header line",
                    remedy="Add a header line",
                )

    def present(self, at: int) -> list[str]:
        """Give the cells of a column that are not missing."""
        return [cell for cell in self.columns[at] if not is_missing(cell)]

    def is_sequence(self, at: int) -> bool:
        """Tell whether most cells of a column are DNA."""
        return _most(_DNA.fullmatch(cell) for cell in self.present(at))

    def is_number(self, at: int) -> bool:
        """Tell whether most cells of a column are numbers."""
        return _most(is_number(cell) for cell in self.present(at))

    def is_factor(self, at: int) -> bool:
        """Tell whether a column is text that repeats: a condition, a batch, a sex."""
        cells = self.present(at)
        return not self.is_number(at) and len(set(cells)) <= len(cells) / 2

    def lists_genes(self) -> bool:
        """Tell whether the first column could be gene ids: hardly repeated, no measurements."""
        cells = self.columns[0]
        measured = _most(is_number(cell) and not cell.isdecimal() for cell in cells)
        return not measured and len(set(cells)) > len(cells) / 2

    def numbers(self) -> list[str]:
        """Give the names of the columns of numbers behind the first."""
        return [name for at, name in enumerate(self.header) if at and self.is_number(at)]

    def sequences(self) -> list[str]:
        """Give the names of the columns of DNA."""
        return [name for at, name in enumerate(self.header) if self.is_sequence(at)]


def table_kind(path: Path) -> str:
    """Give the kind of a table, or ``unknown``."""
    sampled = Sampled(path)
    header, behind = sampled.header, range(1, len(sampled.header))
    if header[: len(FEATURE_COUNTS)] == FEATURE_COUNTS or sampled.first_is_class_row:
        return "counts"
    if set(TRACK_COLUMNS) <= set(header):
        return "table of signal tracks"
    if is_covariates(header, sampled.columns[0]):
        return "covariates"
    if any(name.lower() in SAMPLE_COLUMNS for name in header):
        return "samples"
    if sampled.sequences():
        return "sequence table"
    if sampled.is_prose or (sampled.columns[0] and not sampled.lists_genes()):
        return "unknown"
    cells = [cell for at in behind for cell in sampled.present(at)]
    if cells and set(cells) <= {"0", "1"}:
        return "targets"
    # A few bad cells must not hide what the table was meant to be.
    if _most(cell.isdecimal() for cell in cells) or (not cells and len(header) > 1):
        return "counts"
    named_by_gene = header[0].lower().startswith("gene")
    has_factor = any(sampled.is_factor(at) for at in behind)
    if has_factor and sampled.is_whole and not named_by_gene:
        return "samples"
    return "targets" if sampled.numbers() else "unknown"


def _most(answers: Iterable[object]) -> bool:
    listed = [bool(answer) for answer in answers]
    return sum(listed) * 2 > len(listed)


def is_name_pairs(lines: list[str]) -> bool:
    """Tell two columns of names, with or without a header, from other tables of two columns."""
    separator = detect_separator(lines[0])
    rows = [split_line(line, separator) for line in lines]
    if any(len(row) != 2 for row in rows) or separator == " ":
        return False
    if any(cell.strip().lower() in SAMPLE_COLUMNS for cell in rows[0]):
        return False
    second = [row[1].strip() for row in rows[1:] or rows]
    return (
        not _most(map(is_number, second))
        and not _most(map(_DNA.fullmatch, second))
        and not _most(map(is_missing, second))
        and (len(set(second)) > len(second) / 2)
    )
