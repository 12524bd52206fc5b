"""The FASTA index (samtools' .fai, bgzip's .gzi): measured, read, written, and checked."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from exprimo.core.errors import FormatError
from exprimo.data.fasta.cache import write_once
from exprimo.data.fasta.records import RawRecord, check_letters, duplicate_name, raw_records
from exprimo.data.textfile import GZIP_MAGIC

# An empty block that bgzip writes last (SAM specification, section 4.1.2).
_BGZIP_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


class IndexRow(NamedTuple):
    """One record of a .fai: its bases, where the first stands, bases and bytes in a line."""

    name: str
    length: int
    offset: int
    line_bases: int
    line_bytes: int

    @property
    def end(self) -> int:
        """Byte offset behind the last base; a line end there is not counted."""
        last = self.length - 1
        return self.offset + last // self.line_bases * self.line_bytes + last % self.line_bases + 1


def measure(record: RawRecord, path: Path) -> IndexRow:
    """Check the letters of one record and measure its lines, equally long but for the last."""
    check_letters(record, path)
    text = record.body.rstrip(b"\r\n")
    ends = np.flatnonzero(np.frombuffer(text, dtype=np.uint8) == ord("\n"))
    if not len(ends):
        tail = record.body[len(text) :].find(b"\n")
        return IndexRow(
            record.name, len(text), record.offset, len(text), len(text) + max(1, tail + 1)
        )
    returns = text.count(b"\r")
    widths = np.diff(ends, prepend=-1)
    width, last = int(widths[0]), len(text) - int(ends[-1]) - 1
    bases = width - 1 - (returns > 0)
    uneven = np.flatnonzero(widths != width)
    if len(uneven) or last > bases or returns not in (0, len(ends)):
        at = int(uneven[0]) if len(uneven) else len(ends)
        raise FormatError(
            "lines of unequal length, so that bases cannot be found by position",
            file=path,
            record=f"record {record.name}, line {record.line + 1 + at}",
            found=f"{int(widths[at]) - 1 if len(uneven) else last} characters",
            expected=f"{width - 1}, as in the first line of the record",
            remedy="Write the file anew with one line length, e.g. with `seqkit seq -w 60`",
        )
    return IndexRow(record.name, len(text) - len(ends) - returns, record.offset, bases, width)


def build_index(blocks: Iterable[bytes], path: Path) -> list[IndexRow]:
    """Read a whole FASTA once, check every letter, and measure its records."""
    rows: list[IndexRow] = []
    lines: dict[str, int] = {}
    for record in raw_records(blocks, path):
        if record.name in lines:
            raise duplicate_name(record.name, record.line, lines[record.name], path)
        lines[record.name] = record.line
        rows.append(measure(record, path))
    return rows


def read_fai(path: Path) -> list[IndexRow]:
    """Read a .fai, or return no rows where it is damaged; it can be made again."""
    rows = []
    for line in path.read_text("latin-1").splitlines():
        name, *numbers = line.split("\t")
        if len(numbers) != 4 or not all(number.isdigit() for number in numbers):
            return []
        rows.append(IndexRow(name, *(int(number) for number in numbers)))
    return rows


def write_fai(path: Path, rows: Iterable[IndexRow]) -> None:
    """Write rows as samtools does."""
    text = "".join("\t".join(map(str, row)) + "\n" for row in rows)
    write_once(path, lambda partial: partial.write_bytes(text.encode("latin-1")))


def fits(rows: list[IndexRow], size: int) -> bool:
    """Tell whether an index can belong to a FASTA of ``size`` (uncompressed) bytes."""
    if not rows or any(min(row.length, row.line_bases, row.line_bytes) < 1 for row in rows):
        return False
    # Between two records stand at least a line end, '>', one letter and a line end.
    apart = all(a.end + 4 <= b.offset for a, b in pairwise(rows))
    unique = len({row.name for row in rows}) == len(rows)
    # Behind the last base a line end may stand, and a few blank lines.
    return apart and unique and 0 <= size - rows[-1].end <= 8


def is_bgzip(path: Path) -> bool:
    """Tell bgzip from plain gzip by its extra header field."""
    with open(path, "rb") as handle:
        head = handle.read(14)
    return len(head) == 14 and head[:2] == GZIP_MAGIC and bool(head[3] & 4) and head[12:] == b"BC"


def bgzip_blocks(path: Path) -> list[tuple[int, int]]:
    """List where bgzip's blocks begin, (compressed, uncompressed), and last where they end."""
    cut = FormatError("the bgzip file is cut short", file=path, remedy="Fetch or copy it again")
    size, compressed, plain = path.stat().st_size, 0, 0
    starts = [(0, 0)]
    with open(path, "rb") as handle:
        handle.seek(max(0, size - len(_BGZIP_END)))
        if handle.read() != _BGZIP_END:
            raise cut
        while compressed < size:
            handle.seek(compressed)
            head = handle.read(18)
            if len(head) < 18 or head[12:14] != b"BC":
                raise cut
            compressed += struct.unpack("<H", head[16:18])[0] + 1
            handle.seek(compressed - 4)
            plain += struct.unpack("<I", handle.read(4))[0]
            starts.append((compressed, plain))
    return starts


def write_gzi(path: Path, starts: list[tuple[int, int]]) -> None:
    """Write bgzip's own index; it lists neither the first block nor the empty last one."""
    inner = starts[1:-2]
    content = struct.pack("<Q", len(inner)) + b"".join(struct.pack("<QQ", *pair) for pair in inner)
    write_once(path, lambda partial: partial.write_bytes(content))
