"""A table of sequences with targets: reporter assays, tiles, any fixed or nearly fixed length."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.errors import ConfigError, FormatError
from exprimo.core.sequence import N_CODE, Codes, encode
from exprimo.data.classes import parse_class
from exprimo.data.tabular import (
    Table,
    is_missing,
    open_table,
    parse_number,
    parse_target,
    refuse_duplicate,
)

# Encoding in blocks keeps the letters of the whole table from standing in memory beside the codes.
_BLOCK_ROWS = 8192

# No chromosome is longer, and int64 holds it.
_NO_POSITION = 1 << 53

_STRANDS = {"+": "+", "-": "-", "1": "+", "+1": "+", "-1": "-"}


@dataclass(frozen=True)
class SequenceTable:
    """Sequences, their targets and where they come from.

    Attributes
    ----------
    examples
        One row per sequence: ``example_id`` and, where columns were named, ``chrom``, ``start``,
        ``end`` (0-based, half-open, of the sequence without prefix and suffix; -1 where missing),
        ``strand`` and ``group`` ("" where missing).
    codes
        uint8, shape (rows, length), A, C, G, T, N = 0..4, as read from the table (the orientation
        that was assayed), prefix and suffix attached.
    targets
        Name -> float32, shape (rows,), or text where they are classes; NaN where an extra target
        is missing.
    notes
        ``rows`` of the file, ``dropped_no_target``, and ``padded`` (shorter than the longest).
    """

    examples: pd.DataFrame
    codes: Codes
    targets: dict[str, npt.NDArray[Any]]
    notes: dict[str, int]


@dataclass
class _Columns:
    """Where each thing stands in a row; None: not in this table."""

    sequence: int
    targets: dict[str, int]
    example_id: int | None
    chrom: int | None
    start: int | None
    strand: int | None
    group: int | None


@dataclass
class _Rows:
    """What has been read so far; sequences are encoded a block at a time."""

    path: Path
    prefix: Codes
    suffix: Codes
    ids: dict[str, int] = field(default_factory=dict)
    chrom: list[str] = field(default_factory=list)
    start: list[int] = field(default_factory=list)
    strand: list[str] = field(default_factory=list)
    group: list[str] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    targets: list[array[float] | list[str | float]] = field(default_factory=list)
    blocks: list[Codes] = field(default_factory=list)
    _waiting: list[tuple[int, str]] = field(default_factory=list)

    def add_sequence(self, line: int, letters: str) -> None:
        self._waiting.append((line, letters))
        self.lengths.append(len(letters))
        if len(self._waiting) == _BLOCK_ROWS:
            self.encode_waiting()

    def encode_waiting(self) -> None:
        try:
            self.blocks.append(encode("".join(letters for _, letters in self._waiting)))
        except FormatError:
            # The slow second look finds the line.
            for line, letters in self._waiting:
                encode_sequence(letters, file=self.path, record=f"line {line}")
            raise
        self._waiting.clear()


def read_sequence_table(
    path: str | Path,
    *,
    sequence: str,
    target: str,
    chrom: str | None = None,
    start: str | None = None,
    strand: str | None = None,
    example_id: str | None = None,
    group: str | None = None,
    prefix: str = "",
    suffix: str = "",
    extra_targets: Sequence[str] = (),
    one_based: bool = False,
    classes: Sequence[str] | None = None,
) -> SequenceTable:
    """Read sequences with targets from a table (TSV or CSV, plain or gzip).

    Parameters
    ----------
    sequence, target
        Column names. Rows whose target is missing are dropped and counted.
    chrom, start, strand, example_id, group
        Column names of what else is known. Without ``example_id`` the examples are called
        ``row1``, ``row2``, ... after their place in the file, counted from 1.
    prefix, suffix
        Constant flanks of the construct, attached to every sequence.
    extra_targets
        Further columns of numbers to keep; missing values are NaN and drop no row.
    one_based
        The ``start`` column counts from 1 (GTF, VCF) instead of from 0 (BED). It is the leftmost
        base on the forward strand, on either strand; what is stored is 0-based.
    classes
        The targets are classes of these names, or of any if empty; None: they are numbers.

    Returns
    -------
    SequenceTable
        Shorter sequences are centred between N, up to the length of the longest; an odd N stands
        on the right.

    Raises
    ------
    InputError
        A column is not there (the nearest name is suggested).
    FormatError
        A letter is no base, a sequence is empty, an id occurs twice, a target is no number.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "tiles.tsv"
    >>> _ = file.write_text("core\\tyfp\\nACG\\t1.5\\nTT\\t\\nGG\\t2\\n")
    >>> tiles = read_sequence_table(file, sequence="core", target="yfp", prefix="T")
    >>> tiles.codes.tolist(), tiles.notes["dropped_no_target"]
    ([[3, 0, 1, 2], [3, 2, 2, 4]], 1)
    """
    if start is not None and chrom is None:
        raise ConfigError(
            "a start column needs a chromosome column", found=f"start {start!r} alone"
        )
    source = Path(path)
    rows = _Rows(
        source,
        encode_sequence(prefix, file=source, record="prefix"),
        encode_sequence(suffix, file=source, record="suffix"),
    )
    with open_table(source, "a table of sequences") as table:
        columns = _Columns(
            sequence=table.column(sequence),
            targets={name: table.column(name) for name in dict.fromkeys([target, *extra_targets])},
            example_id=None if example_id is None else table.column(example_id),
            chrom=None if chrom is None else table.column(chrom),
            start=None if start is None else table.column(start),
            strand=None if strand is None else table.column(strand),
            group=None if group is None else table.column(group),
        )
        total = _read_rows(table, columns, rows, classes, first_base=1 if one_based else 0)
    if not rows.lengths:
        raise FormatError(
            "no sequence with a target",
            file=source,
            found=f"{total} rows, all without {target!r}" if total else "a header and no rows",
            expected="at least one row with both",
        )
    codes, padded = _assemble_codes(rows)
    return SequenceTable(
        _examples(columns, rows),
        codes,
        {
            name: np.array(values, dtype=np.float32 if classes is None else object)
            for name, values in zip(columns.targets, rows.targets, strict=True)
        },
        {"rows": total, "dropped_no_target": total - len(rows.lengths), "padded": padded},
    )


def encode_sequence(letters: str, *, file: Path, record: str) -> Codes:
    """Encode letters; a wrong one is reported with the file and the record."""
    try:
        return encode(letters)
    except FormatError as error:
        raise FormatError(
            error.problem,
            file=file,
            record=f"{record}, {error.record}",
            found=error.found,
            expected=error.expected,
            remedy="Correct the sequence, or check that this is the sequence column",
        ) from None


def _read_rows(
    table: Table,
    columns: _Columns,
    rows: _Rows,
    classes: Sequence[str] | None,
    *,
    first_base: int,
) -> int:
    path, total = table.path, 0
    rows.targets.extend(array("d") if classes is None else [] for _ in columns.targets)

    def parse(cell: str, record: str) -> Any:
        if classes is None:
            return parse_target(cell, file=path, record=record)
        return parse_class(cell, classes, file=path, record=record)

    for line, fields in table.rows:
        total += 1
        values = [
            parse(fields[at], f"line {line}, column {name}") for name, at in columns.targets.items()
        ]
        if values[0] != values[0]:  # NaN
            continue
        for kept, value in zip(rows.targets, values, strict=True):
            kept.append(value)
        letters = fields[columns.sequence].strip()
        if not letters:
            raise FormatError(
                "an empty sequence",
                file=path,
                record=f"line {line}",
                expected="letters, or no target either",
            )
        rows.add_sequence(line, letters)
        _add_names(fields, columns, rows, line=line, position=total)
        _add_place(fields, columns, rows, line=line, first_base=first_base)
    rows.encode_waiting()
    return total


def _add_names(
    fields: list[str], columns: _Columns, rows: _Rows, *, line: int, position: int
) -> None:
    if columns.example_id is None:
        rows.ids[f"row{position}"] = line
    else:
        name = fields[columns.example_id].strip()
        if not name:
            raise FormatError(
                "an example without an id",
                file=rows.path,
                record=f"line {line}",
                found="an empty cell",
                expected="a name of its own for each row",
            )
        refuse_duplicate(rows.ids, name, line, what="example", file=rows.path)
    if columns.group is not None:
        rows.group.append(fields[columns.group].strip())


def _add_place(
    fields: list[str], columns: _Columns, rows: _Rows, *, line: int, first_base: int
) -> None:
    if columns.chrom is not None:
        name = fields[columns.chrom].strip()
        rows.chrom.append("" if is_missing(name) else name)
    if columns.start is not None:
        rows.start.append(_start(fields[columns.start].strip(), rows.path, line, first_base))
    if columns.strand is not None:
        cell = fields[columns.strand].strip()
        if cell not in _STRANDS and not is_missing(cell):
            raise FormatError(
                "not a strand",
                file=rows.path,
                record=f"line {line}",
                found=repr(cell),
                expected="+, - or empty",
            )
        rows.strand.append(_STRANDS.get(cell, ""))


def _start(cell: str, path: Path, line: int, first_base: int) -> int:
    if is_missing(cell):
        return -1
    value = parse_number(cell, file=path, record=f"line {line}, start")
    if value != int(value) or not first_base <= value < _NO_POSITION:
        raise FormatError(
            "not a position",
            file=path,
            record=f"line {line}",
            found=repr(cell),
            expected=f"a whole number >= {first_base}",
        )
    return int(value) - first_base


def _assemble_codes(rows: _Rows) -> tuple[Codes, int]:
    lengths = np.array(rows.lengths)
    longest = int(lengths.max())
    before, after = len(rows.prefix), len(rows.suffix)
    codes = np.full((len(lengths), before + longest + after), N_CODE, dtype=np.uint8)
    padded = int((lengths < longest).sum())
    flat = np.concatenate(rows.blocks)
    if not padded:
        codes[:, :before] = rows.prefix
        codes[:, before : before + longest] = flat.reshape(len(lengths), longest)
        codes[:, before + longest :] = rows.suffix
        return codes, 0
    ends = np.cumsum(lengths)
    for row, (length, end) in enumerate(zip(lengths.tolist(), ends.tolist(), strict=True)):
        left = (longest - length) // 2
        whole = np.concatenate([rows.prefix, flat[end - length : end], rows.suffix])
        codes[row, left : left + len(whole)] = whole
    return codes, padded


def _examples(columns: _Columns, rows: _Rows) -> pd.DataFrame:
    examples: dict[str, object] = {"example_id": list(rows.ids)}
    if columns.chrom is not None:
        examples["chrom"] = rows.chrom
    if columns.start is not None:
        start = np.array(rows.start, dtype=np.int64)
        examples["start"] = start
        examples["end"] = np.where(start < 0, -1, start + np.array(rows.lengths, dtype=np.int64))
    if columns.strand is not None:
        examples["strand"] = rows.strand
    if columns.group is not None:
        examples["group"] = rows.group
    return pd.DataFrame(examples)
