"""Where indexes and unpacked genomes lie: beside the file, or in a cache folder."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

from exprimo.core.errors import LockedError, StorageError
from exprimo.core.files.atomic import atomic_file, is_being_written


def cache_folder(path: Path) -> Path:
    """Give the folder for things made from this very file.

    It lies in ``EXPRIMO_CACHE`` or ``~/.cache/exprimo``. Its name holds a key of the file's
    resolved path, size and time, so that a changed file gets another folder.
    """
    named = os.environ.get("EXPRIMO_CACHE")
    base = Path(named) if named else Path.home() / ".cache" / "exprimo"
    resolved, status = path.resolve(), path.stat()
    key = f"{resolved}\n{status.st_size}\n{status.st_mtime_ns}"
    digest = hashlib.sha256(key.encode()).hexdigest()[:16]
    return base / "genomes" / f"{resolved.name}-{digest}"


def index_bases(path: Path) -> list[Path]:
    """Give the two paths to which ``.fai`` may be appended: beside the file, and in the cache."""
    return [path, cache_folder(path) / path.name]


def writable_base(path: Path) -> Path:
    """Give that one of `index_bases` that may be written to."""
    beside, cached = index_bases(path)
    folder = path.resolve().parent
    # Root may write anywhere; a folder without any write permission was closed on purpose.
    closed = not stat.S_IMODE(folder.stat().st_mode) & 0o222
    return cached if closed or not os.access(path.parent, os.W_OK) else beside


def is_fresh(derived: Path, source: Path) -> bool:
    """Tell whether ``derived`` exists and is not older than ``source``."""
    return derived.is_file() and derived.stat().st_mtime_ns >= source.stat().st_mtime_ns


def write_once(path: Path, write: Callable[[Path], object]) -> None:
    """Write atomically; while another process writes the same thing, wait and take that."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            "cannot make the cache folder",
            file=path.parent,
            found=error.strerror,
            remedy="Set EXPRIMO_CACHE to a folder that you may write to",
        ) from error
    while True:
        try:
            with atomic_file(path) as partial:
                write(partial)
            return
        except LockedError:
            while is_being_written(path):
                time.sleep(0.05)
            if path.exists():
                return
