"""Where a thing came from: version, command line, sources with their checksums."""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

_CHUNK = 1 << 20


def sha256_file(path: str | Path) -> str:
    """Give the SHA-256 of a file's bytes in hex, reading 1 MiB at a time."""
    digest = hashlib.sha256()
    with open(path, "rb") as handle:
        while chunk := handle.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def exprimo_version() -> str:
    """Give the version of the installed package."""
    return version("exprimo")


def describe_origin(sources: Iterable[str | Path] = (), **facts: Any) -> dict[str, Any]:
    """Collect what a reader needs to make the same thing again.

    Parameters
    ----------
    sources
        Files that were read; each is recorded with its size and SHA-256.
    facts
        Anything else worth keeping (genome build, annotation, counts of dropped records); must
        be JSON-serialisable.
    """
    return {
        "exprimo": exprimo_version(),
        "python": platform.python_version(),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "sources": [
            {"path": str(p), "bytes": Path(p).stat().st_size, "sha256": sha256_file(p)}
            for p in sources
        ],
        **facts,
    }
