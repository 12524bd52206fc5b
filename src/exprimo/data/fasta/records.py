"""FASTA records in a stream: split, checked, encoded, and written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pysam

from exprimo.core.errors import FormatError, InputError
from exprimo.core.files.atomic import atomic_file
from exprimo.core.sequence import ALPHABET, Codes, encode
from exprimo.data.textfile import damage_errors, open_bytes

WHAT = "a FASTA file"
# 4 MiB: larger blocks read no faster, smaller ones cost Python calls.
_BLOCK = 1 << 22
_LETTERS = b"ACGTUNRYSWKMBDHVacgtunryswkmbdhv"


class RawRecord(NamedTuple):
    """One record as it stands in the file.

    ``body`` still holds its line ends and begins at byte ``offset`` of the uncompressed file;
    ``line`` is the number of the header line.
    """

    name: str
    body: bytes
    offset: int
    line: int


def read_blocks(read: Callable[[int], bytes], path: Path) -> Iterator[bytes]:
    """Yield a stream in blocks, damage turned into our errors."""
    with damage_errors(path):
        while block := read(_BLOCK):
            yield block


def raw_records(blocks: Iterable[bytes], path: Path) -> Iterator[RawRecord]:
    """Split a stream of bytes at its '>' lines; memory holds one record at a time."""
    # A line end that closes a block waits for the next block, because '>' may follow.
    parts, waiting = list[bytes](), b""
    offset, line, begun = 0, 1, False
    for block in blocks:
        if not begun:
            _check_first(block, path)
        block = waiting + (block if begun else block[1:])
        begun = True
        waiting = b"\n" if block.endswith(b"\n") else b""
        pieces = block[: len(block) - len(waiting)].split(b"\n>")
        parts.append(pieces[0])
        for piece in pieces[1:]:
            raw = b"".join(parts) + b"\n"
            yield _named(raw, offset, line, path)
            offset, line = offset + 1 + len(raw), line + raw.count(b"\n")
            parts = [piece]
    if not begun:
        raise FormatError("the file is empty", file=path, expected=WHAT)
    yield _named(b"".join(parts) + waiting, offset, line, path)


def _check_first(block: bytes, path: Path) -> None:
    if not block.startswith(b">"):
        raise FormatError(
            "not a FASTA file",
            file=path,
            record="line 1",
            found=repr(block[:40].partition(b"\n")[0].decode("latin-1")),
            expected="a line that starts with '>'",
        )


def _named(raw: bytes, offset: int, line: int, path: Path) -> RawRecord:
    # ``raw`` lacks its '>', which stands at ``offset``.
    header, _, body = raw.partition(b"\n")
    if not header.strip() or header[:1].isspace():
        raise FormatError("a record without a name", file=path, record=f"line {line}")
    name = header.split()[0].decode("latin-1")
    return RawRecord(name, body, offset + 1 + len(header) + 1, line)


def check_letters(record: RawRecord, path: Path) -> None:
    """Refuse a record without bases, or with a letter that is not DNA, naming its line."""
    if not record.body.strip():
        raise FormatError(
            "a record without a sequence",
            file=path,
            record=f"record {record.name}, line {record.line}",
            found="no bases",
            remedy="The file may have been cut short; fetch or copy it again",
        )
    wrong = record.body.translate(None, _LETTERS + b"\r\n")[:1]
    if wrong:
        line = record.line + 1 + record.body[: record.body.index(wrong)].count(b"\n")
        raise FormatError(
            "not a DNA letter",
            file=path,
            record=f"record {record.name}, line {line}",
            found=repr(wrong.decode("latin-1")),
            expected="A, C, G, T, N or an IUPAC ambiguity code",
        )


def duplicate_name(name: str, line: int, first_line: int, path: Path) -> FormatError:
    """Make the error for two records of one name."""
    return FormatError(
        "two records have the same name",
        file=path,
        record=f"line {line}",
        found=f"{name}, already on line {first_line}",
        remedy="Remove or rename one of them",
    )


def read_fasta(path: str | Path) -> Iterator[tuple[str, Codes]]:
    """Yield (name, codes) of each record of a plain or gzip FASTA, in file order.

    Needs no index and allows lines of any length; memory holds one record at a time.

    Examples
    --------
    >>> import tempfile
    >>> fasta = Path(tempfile.mkdtemp()) / "a.fa"
    >>> _ = fasta.write_text(">one first\\nAC\\nGTR\\n>two\\nnn\\n")
    >>> [(name, codes.tolist()) for name, codes in read_fasta(fasta)]
    [('one', [0, 1, 2, 3, 4]), ('two', [4, 4])]
    """
    source = Path(path)
    lines: dict[str, int] = {}
    with open_bytes(source, WHAT) as handle:
        for record in raw_records(read_blocks(handle.read, source), source):
            if record.name in lines:
                raise duplicate_name(record.name, record.line, lines[record.name], source)
            lines[record.name] = record.line
            check_letters(record, source)
            yield record.name, encode(record.body.translate(None, b"\r\n"))


def write_fasta(path: str | Path, records: Iterable[tuple[str, Codes]], width: int = 60) -> None:
    """Write records with ``width`` bases a line; bgzip-compressed if the name ends in ``.gz``.

    bgzip is gzip that can be read by position, so such a file needs no unpacking later.

    Examples
    --------
    >>> import tempfile
    >>> fasta = Path(tempfile.mkdtemp()) / "a.fa"
    >>> write_fasta(fasta, [("one", encode("ACGTN"))], width=3)
    >>> fasta.read_text()
    '>one\\nACG\\nTN\\n'
    """
    target = Path(path)
    if width < 1:
        raise InputError("a line needs at least one base", found=f"width {width}")
    with atomic_file(target) as partial, _open_to_write(partial, target) as handle:
        seen: set[str] = set()
        for name, codes in records:
            if not name or name != "".join(name.split()) or name in seen or len(codes) == 0:
                raise InputError(
                    "cannot be written as a FASTA record",
                    file=target,
                    record=f"record {name!r}",
                    found=f"{len(codes)} bases" + (", a repeated name" if name in seen else ""),
                    expected="a name without spaces that is not used yet, and at least one base",
                )
            seen.add(name)
            handle.write(f">{name}\n".encode())
            handle.write(_in_lines(codes, width))


def _open_to_write(partial: Path, target: Path) -> Any:
    return (
        pysam.BGZFile(str(partial), "wb", None) if target.suffix == ".gz" else open(partial, "wb")
    )


def _in_lines(codes: Codes, width: int) -> bytes:
    letters = np.frombuffer(ALPHABET.encode(), dtype=np.uint8)[codes]
    full = len(letters) // width * width
    lines = np.full((full // width, width + 1), ord("\n"), dtype=np.uint8)
    lines[:, :width] = letters[:full].reshape(-1, width)
    rest = letters[full:].tobytes()
    return lines.tobytes() + (rest + b"\n" if rest else b"")
