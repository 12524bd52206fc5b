"""Text tables as users keep them: TSV or CSV, plain or gzip, with a header and line numbers."""

from __future__ import annotations

import csv
import difflib
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from exprimo.core.errors import FormatError, InputError
from exprimo.data.textfile import GZIP_MAGIC, open_text, require_file

# Over a column of ids; behind one of these even numbers are names of columns.
_ID_HEADINGS = frozenset(
    {"", "gene", "genes", "gene_id", "geneid", "gene_name", "id", "name", "symbol", "sample", "orf"}
)

_LARGEST_TARGET = float(np.finfo(np.float32).max)

# What R, Python, Excel and genome tools write where there is no value.
_MISSING = frozenset({"", "na", "n/a", "nan", "none", "null", "."})

_NOT_TEXT = (
    (b"PK\x03\x04", "a zip archive or an Excel workbook", "Save the sheet as TSV or CSV"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "Save the sheet as TSV or CSV"),
    (b"\x89HDF", "an HDF5 file", "Give the text table it was made from"),
    (b"PAR1", "a parquet file", "Save it as TSV or CSV"),
    (b"BZh", "a bzip2 file", "Unpack it with bunzip2, or pack it with gzip"),
    (b"\xfd7zXZ", "an xz file", "Unpack it with unxz, or pack it with gzip"),
    (b"\xff\xfe", "UTF-16 text", "Save it as UTF-8"),
    (b"\xfe\xff", "UTF-16 text", "Save it as UTF-8"),
)


def refuse_binary(path: Path) -> None:
    """Refuse a file whose first bytes show that it is no text table, and say what it is."""
    with open(path, "rb") as handle:
        head = handle.read(8)
    for magic, kind, remedy in _NOT_TEXT:
        if head.startswith(magic):
            raise FormatError(
                "not a text table", file=path, found=kind, expected="TSV or CSV", remedy=remedy
            )
    if not head.startswith(GZIP_MAGIC) and b"\0" in head:
        raise FormatError("not a text table", file=path, found="binary data", expected="TSV or CSV")


def split_line(line: str, separator: str) -> list[str]:
    """Split one line into fields; quotes as spreadsheets and R write them are taken off.

    Examples
    --------
    >>> split_line('"g1",3,"a,b"', ",")
    ['g1', '3', 'a,b']
    """
    # str.split is several times faster than csv and has no limit on the length of a sequence.
    if '"' not in line:
        return line.split(separator)
    return next(csv.reader([line], delimiter=separator))


def detect_separator(*lines: str) -> str:
    """Tell by the first line that has one what separates fields: tab, else ``;`` or ``,``, space.

    Examples
    --------
    >>> detect_separator("gene,s1,s2")
    ','
    """
    for line in lines:
        if "\t" in line:
            return "\t"
        if "," in line or ";" in line:
            return max((",", ";"), key=line.count)
        if " " in line.strip():
            return " "
    return "\t"


@dataclass(frozen=True)
class Table:
    """An opened text table.

    Attributes
    ----------
    path
        The file.
    header
        Column names; a header one field short of the rows (as R writes it) got "" in front.
    rows
        ``(line number, fields)`` in file order, each as long as the header, read as one goes;
        line numbers count from 1. Blank lines are left out.
    comments
        The ``#`` lines above the header.
    separator
        What separates the fields.
    """

    path: Path
    header: list[str]
    rows: Iterator[tuple[int, list[str]]]
    comments: list[str]
    separator: str

    def column(self, name: str) -> int:
        """Give the position of a column; an unknown name is an error with the nearest one."""
        if name in self.header:
            return self.header.index(name)
        raise unknown_name("column", name, self.header, file=self.path)


@contextmanager
def open_table(path: str | Path, what: str = "a table with a header line") -> Iterator[Table]:
    """Open a table with a header line; rows of another length raise `FormatError` as they come.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "t.csv"
    >>> _ = file.write_text("gene_id,a\\ng1,3\\n")
    >>> with open_table(file) as table:
    ...     print(table.header, list(table.rows))
    ['gene_id', 'a'] [(2, ['g1', '3'])]
    """
    source = require_file(path, what)
    refuse_binary(source)
    with open_text(source, what) as text:
        lines = _numbered_lines(text)
        comments, header_line, first = _find_header(lines, source)
        separator = detect_separator(header_line, first[1] if first else "")
        header = [name.strip() for name in split_line(header_line, separator)]
        if first is not None and len(split_line(first[1], separator)) == len(header) + 1:
            header = ["", *header]
        _refuse_duplicate_columns(header, source)
        rows = _rows(first, lines, separator, header, source)
        yield Table(source, header, rows, comments, separator)


def refuse_missing_header(table: Table, names: Sequence[str]) -> None:
    """Refuse a table whose columns of numbers are all headed by numbers.

    Its first line is a row, most likely, and would be lost as a header.
    """
    if names and table.header[0].lower() not in _ID_HEADINGS and all(map(is_number, names)):
        raise FormatError(
            "the first line holds numbers, not the names of columns",
            file=table.path,
            record="header",
            found=", ".join(table.header[:6]),
            expected="a header line",
            remedy="Add a header line; if the columns do have numbers for names, call the first "
            "one gene_id",
        )


def _numbered_lines(text: Iterable[str]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text, start=1):
        stripped = line.rstrip("\n")
        if stripped.strip():
            yield number, stripped


def _find_header(
    lines: Iterator[tuple[int, str]], path: Path
) -> tuple[list[str], str, tuple[int, str] | None]:
    comments: list[str] = []
    for _, line in lines:
        if not line.startswith("#"):
            return comments, line, next(lines, None)
        # "#gene_id<tab>s1" is a header, "# Program:featureCounts ..." is not.
        if "\t" in line and not line.startswith(("##", "# ")):
            return comments, line[1:], next(lines, None)
        comments.append(line)
    raise FormatError("the file is empty", file=path, expected="a table with a header line")


def _rows(
    first: tuple[int, str] | None,
    others: Iterator[tuple[int, str]],
    separator: str,
    header: list[str],
    path: Path,
) -> Iterator[tuple[int, list[str]]]:
    if first is None:
        return
    number, line = first
    while True:
        fields = split_line(line, separator)
        if len(fields) != len(header):
            raise FormatError(
                "a row with another number of fields than the header",
                file=path,
                record=f"line {number} ({fields[0][:60]!r})",
                found=f"{len(fields)} fields",
                expected=f"{len(header)} fields",
                remedy="Check for a cut-off line, a missing cell or a stray separator",
            )
        yield number, fields
        following = next(others, None)
        if following is None:
            return
        number, line = following


def _refuse_duplicate_columns(header: list[str], path: Path) -> None:
    seen: set[str] = set()
    for name in header:
        if name in seen:
            raise FormatError(
                "a column name occurs twice",
                file=path,
                record=f"header, column or sample {name!r}",
                found=f"{name!r} {header.count(name)} times",
                expected="each name once",
                remedy="Give each column or sample its own name",
            )
        seen.add(name)


def unknown_name(
    what: str,
    name: str,
    known: Sequence[str],
    *,
    file: str | Path | None = None,
    ids: Sequence[str] = (),
) -> InputError:
    """Make the error for a name that is not there, with the nearest that is.

    Of things that have ids as well as names, the nearest id is named too.

    Examples
    --------
    >>> print(unknown_name("column", "cor", ["core", "rep1"]))
    no such column. Found: 'cor'. Expected: one of core, rep1. The nearest name is 'core'.
    """
    near = {_nearest(name, ids): "id", _nearest(name, known): "name"}
    told = [f"the nearest {of} is {found!r}" for found, of in reversed(near.items()) if found]
    remedy = " and ".join(told)
    shown = ", ".join(other or "(unnamed)" for other in known[:12])
    more = f" and {len(known) - 12} more" if len(known) > 12 else ""
    return InputError(
        f"no such {what}",
        file=file,
        found=repr(name),
        expected=f"one of {shown}{more}",
        remedy=remedy[:1].upper() + remedy[1:] or None,
    )


def _nearest(name: str, known: Sequence[str]) -> str | None:
    folded = {other.lower(): other for other in known}
    near = difflib.get_close_matches(name.lower(), folded, n=1, cutoff=0.6)
    return folded[near[0]] if near else None


def is_missing(cell: str) -> bool:
    """Tell whether a cell says that there is no value (empty, NA, NaN, ...).

    Examples
    --------
    >>> [is_missing(cell) for cell in ("", "NA", "nan", "0")]
    [True, True, True, False]
    """
    return cell.strip().lower() in _MISSING


def is_number(cell: str) -> bool:
    """Tell whether a cell holds a finite number.

    Examples
    --------
    >>> [is_number(cell) for cell in ("1e-3", "NA", "inf", "x")]
    [True, False, False, False]
    """
    try:
        return math.isfinite(float(cell)) and "_" not in cell
    except ValueError:
        return False


def parse_number(cell: str, *, file: str | Path, record: str) -> float:
    """Read a number; a missing value gives NaN, anything else raises `FormatError`.

    Examples
    --------
    >>> parse_number("1.5e-3", file="t.tsv", record="g1")
    0.0015
    """
    try:
        value = float(cell)
    except ValueError:
        value = math.inf
    if math.isfinite(value) and "_" not in cell:
        return value
    if is_missing(cell):
        return math.nan
    raise FormatError(
        "not a number",
        file=file,
        record=record,
        found=repr(cell),
        expected="a finite number, or empty or NA where there is no value",
    )


def parse_target(cell: str, *, file: str | Path, record: str) -> float:
    """Read a number as `parse_number` does, and refuse one that float32 cannot hold.

    Examples
    --------
    >>> parse_target("1e38", file="t.tsv", record="g1")
    1e+38
    """
    value = parse_number(cell, file=file, record=record)
    if abs(value) > _LARGEST_TARGET:
        raise FormatError(
            "a number too large to be a target",
            file=file,
            record=record,
            found=repr(cell),
            expected=f"at most {_LARGEST_TARGET:.4g}, which is what float32 holds",
            remedy="Use other units, or a logarithm",
        )
    return value


def refuse_duplicate(
    seen: dict[str, int], name: str, line: int, *, what: str, file: str | Path
) -> None:
    """Note that ``name`` stands on ``line``; a second time is an error that names both lines."""
    earlier = seen.setdefault(name, line)
    if earlier != line:
        raise FormatError(
            f"the same {what} occurs twice",
            file=file,
            record=f"{what} {name!r}",
            found=f"lines {earlier} and {line}",
            expected=f"each {what} once",
            remedy="Remove or rename one of them",
        )
