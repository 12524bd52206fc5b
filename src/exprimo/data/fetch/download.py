"""One file from the network: streamed, resumed after a cut, checked, then renamed."""

from __future__ import annotations

import http.client
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.error import HTTPError

from exprimo.core.errors import FetchError, InputError
from exprimo.core.files.atomic import storage_errors, write_lock
from exprimo.core.progress import task
from exprimo.data.fetch.checksum import compute_checksum, parse_checksum, verify_gzip
from exprimo.data.fetch.web import (
    ATTEMPTS,
    CutError,
    Pause,
    content_length,
    open_url,
    secure_url,
    with_retries,
)

_CHUNK = 1 << 18


@dataclass(frozen=True)
class _Wanted:
    url: str
    target: Path
    checksum: tuple[str, str] | None
    size: int | None
    gzip: bool

    @property
    def part(self) -> Path:
        return self.target.with_name(self.target.name + ".part")

    @property
    def part_notes(self) -> Path:
        return self.target.with_name(self.target.name + ".part.json")

    def discard(self) -> None:
        self.part.unlink(missing_ok=True)
        self.part_notes.unlink(missing_ok=True)


def download(
    url: str,
    target: str | Path,
    *,
    checksum: str | None = None,
    size: int | None = None,
    gzip: bool = False,
    attempts: int = ATTEMPTS,
    pause: Pause = time.sleep,
) -> Path:
    """Download ``url`` to ``target``; go on where an earlier try was cut off.

    While it runs, ``target.part`` grows; it is kept when the connection breaks or the user
    interrupts, and becomes ``target`` once it is whole and checked. A ``target`` that already
    matches is left alone and not fetched again.

    Parameters
    ----------
    url
        http or https; ftp addresses are asked for over https, which the archives offer as well.
    target
        The file to write.
    checksum
        ``sha256:HEX``, ``md5:HEX`` or ``sum:NUMBER:BLOCKS`` (as the BSD command ``sum`` prints).
    size
        Bytes that the whole file must have.
    gzip
        Read the file through afterwards, so that the CRC which gzip carries is checked.
    attempts
        How often to try before giving up.
    pause
        Called with the seconds to wait between tries.

    Raises
    ------
    FetchError
        The file is not there, the network fails on every try, or it arrives damaged (then the
        partial file is removed).
    InputError
        The address is of another kind, or another file stands at ``target``.
    """
    wanted = _Wanted(
        secure_url(url), Path(target), parse_checksum(checksum) if checksum else None, size, gzip
    )
    with write_lock(wanted.target):
        if _already_there(wanted, attempts, pause):
            return wanted.target
        with_retries(lambda: _transfer(wanted), wanted.url, attempts=attempts, pause=pause)
        _verify(wanted)
        with storage_errors(wanted.target):
            os.replace(wanted.part, wanted.target)
        wanted.part_notes.unlink(missing_ok=True)
    return wanted.target


def _already_there(wanted: _Wanted, attempts: int, pause: Pause) -> bool:
    target = wanted.target
    if target.is_dir():
        raise InputError("a folder stands where a file should be written", file=target)
    if not target.exists():
        return False
    found, expected = f"{target.stat().st_size} bytes", ""
    if wanted.checksum:
        algorithm, value = wanted.checksum
        found, expected = compute_checksum(target, algorithm), value
    elif wanted.size is not None:
        expected = f"{wanted.size} bytes"
    else:
        sizes: list[int | None] = []

        def ask() -> None:
            with open_url(wanted.url) as response:
                sizes.append(content_length(response))

        with_retries(ask, wanted.url, attempts=attempts, pause=pause)
        expected = f"{sizes[0]} bytes" if sizes[0] is not None else "a size that the server tells"
    if found == expected:
        return True
    raise InputError(
        "another file of this name already exists",
        file=target,
        found=found,
        expected=f"{expected}, as at {wanted.url}",
        remedy="Remove it or choose another output",
    )


def _transfer(wanted: _Wanted) -> None:
    """Fetch what is missing of the partial file; raise `CutError` if the end did not come."""
    offset, validator = _resumable(wanted)
    headers = {"Range": f"bytes={offset}-"} if offset else {}
    if offset and validator:
        headers["If-Range"] = validator
    try:
        response = open_url(wanted.url, headers)
    except HTTPError as error:
        if error.code != 416:
            raise
        # Nothing is left to send, or the file has become shorter: a complete one passes the
        # checks, any other starts again.
        error.close()
        if _range_total(error.headers.get("Content-Range", "")) == offset:
            return
        wanted.discard()
        raise CutError("the file on the server has changed") from error
    with response:
        if response.status != 206:
            offset = 0
        elif not response.headers.get("Content-Range", "").startswith(f"bytes {offset}-"):
            wanted.discard()
            raise CutError("the server sent another part than was asked for")
        length = content_length(response)
        total = None if length is None else offset + length
        with storage_errors(wanted.target):
            _note_validator(wanted, response)
            with open(wanted.part, "r+b" if offset else "wb") as part:
                part.truncate(offset)
                part.seek(offset)
                _copy(response, part, wanted, offset, total)


def _copy(
    response: http.client.HTTPResponse,
    part: IO[bytes],
    wanted: _Wanted,
    offset: int,
    total: int | None,
) -> None:
    received = offset
    with task(f"Downloading {wanted.target.name}", total) as bar:
        bar.advance(offset)
        while chunk := response.read(_CHUNK):
            part.write(chunk)
            received += len(chunk)
            bar.advance(len(chunk))
    part.flush()
    os.fsync(part.fileno())
    if total is not None and received < total:
        raise CutError(f"the connection was cut after {received:,} of {total:,} bytes")


def _resumable(wanted: _Wanted) -> tuple[int, str | None]:
    """Give the size of a partial file that may be continued, and what proves it is the same."""
    if not wanted.part.exists():
        return 0, None
    try:
        notes = json.loads(wanted.part_notes.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return 0, None
    validator = notes.get("validator")
    # Without a validator only a checksum can tell that both halves are of one file.
    if notes.get("url") != wanted.url or not (validator or wanted.checksum):
        return 0, None
    return wanted.part.stat().st_size, validator


def _note_validator(wanted: _Wanted, response: http.client.HTTPResponse) -> None:
    etag = response.headers.get("ETag", "")
    # A weak tag does not promise the same bytes, so If-Range must not use it (RFC 9110, 13.1.5).
    strong = etag if etag and not etag.startswith("W/") else None
    validator = strong or response.headers.get("Last-Modified")
    notes = {"url": wanted.url, "validator": validator}
    wanted.part_notes.write_text(json.dumps(notes), encoding="utf-8")


def _range_total(content_range: str) -> int | None:
    """Read the whole size out of ``bytes */N``, as a refused range carries it."""
    total = content_range.rpartition("/")[2]
    return int(total) if total.isdecimal() else None


def _verify(wanted: _Wanted) -> None:
    """Check the whole partial file; a damaged one is removed, as no later try could mend it."""
    size = wanted.part.stat().st_size
    found = expected = ""
    if wanted.size is not None and size != wanted.size:
        found, expected = f"{size} bytes", f"{wanted.size} bytes"
    elif wanted.checksum:
        algorithm, value = wanted.checksum
        found = f"{algorithm} {compute_checksum(wanted.part, algorithm)}"
        expected = f"{algorithm} {value}"
    if found == expected and wanted.gzip:
        found, expected = verify_gzip(wanted.part), ""
    if found != expected:
        wanted.discard()
        raise FetchError(
            "the file arrived damaged, and was removed",
            file=wanted.target,
            record=wanted.url,
            found=found,
            expected=expected or "a whole gzip file",
            remedy="Run the same command again; if it persists, the server's copy has changed",
        )
