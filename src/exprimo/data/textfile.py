"""Opening what a user gave: plain or gzip, with one clear error for each way it can be broken."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from exprimo.core.errors import FormatError, InputError

GZIP_MAGIC = b"\x1f\x8b"


def require_file(path: str | Path, what: str) -> Path:
    """Return the path if a file with something in it stands there.

    Examples
    --------
    >>> require_file("a.fa", "a FASTA file")
    Traceback (most recent call last):
    exprimo.core.errors.InputError: a.fa: no such file. Expected: a FASTA file. Check the path.
    """
    target = Path(path)
    if target.is_dir():
        raise InputError("this is a folder", file=target, expected=what)
    if not target.exists():
        raise InputError("no such file", file=target, expected=what, remedy="Check the path")
    if target.is_file() and target.stat().st_size == 0:
        raise FormatError("the file is empty", file=target, expected=what)
    return target


def is_gzip(path: str | Path) -> bool:
    """Tell gzip (bgzip too) from plain by the first two bytes; the name is not asked."""
    with open(path, "rb") as handle:
        return handle.read(2) == GZIP_MAGIC


@contextmanager
def damage_errors(path: str | Path) -> Iterator[None]:
    """Turn what gzip and UTF-8 decoding raise on a damaged file into a `FormatError`."""
    remedy = "Fetch or copy the file again"
    try:
        yield
    except EOFError as error:
        raise FormatError("the gzip file is cut short", file=path, remedy=remedy) from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise FormatError(
            "the gzip file is damaged", file=path, found=str(error), remedy=remedy
        ) from error
    except UnicodeDecodeError as error:
        raise FormatError(
            "not a text file in UTF-8", file=path, found=f"byte {error.object[error.start]:#04x}"
        ) from error


@contextmanager
def open_bytes(path: str | Path, what: str) -> Iterator[BinaryIO]:
    """Open a plain or gzip file for reading bytes; ``what`` says in errors what it should be."""
    target = require_file(path, what)
    opener = gzip.open if is_gzip(target) else open
    with damage_errors(target), opener(target, "rb") as handle:
        yield cast(BinaryIO, handle)


@contextmanager
def open_text(path: str | Path, what: str) -> Iterator[TextIO]:
    """Open a plain or gzip file for reading lines; a byte order mark is dropped.

    Examples
    --------
    >>> import tempfile
    >>> table = Path(tempfile.mkdtemp()) / "names.tsv"
    >>> _ = table.write_text("a\\tb\\n")
    >>> with open_text(table, "a table") as lines:
    ...     next(lines)
    'a\\tb\\n'
    """
    target = require_file(path, what)
    opener = gzip.open if is_gzip(target) else open
    with damage_errors(target), opener(target, "rt", encoding="utf-8-sig") as handle:
        yield cast(TextIO, handle)
