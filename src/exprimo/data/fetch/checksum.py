"""Checksums as archives publish them: SHA-256, MD5, and the 16-bit sum of Ensembl."""

from __future__ import annotations

import functools
import gzip
import hashlib
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from exprimo.core.errors import ConfigError

_CHUNK = 1 << 22
_HEX_DIGITS = {"sha256": 64, "md5": 32}


@functools.cache
def _sum_of_block() -> Callable[[Any, int], int]:
    # Each step rotates before it adds, so numpy cannot do it, and a Python loop would take
    # minutes for a genome; numba is imported only when a sum is needed.
    from numba import njit

    def add(block: Any, total: int) -> int:
        for byte in block:
            total = (((total >> 1) | ((total & 1) << 15)) + byte) & 0xFFFF
        return total

    compiled: Callable[[Any, int], int] = njit(add)
    return compiled


def bsd_sum(path: str | Path) -> tuple[int, int]:
    """Give what the BSD command ``sum`` prints: a 16-bit checksum and the size in KiB, rounded up.

    Ensembl's CHECKSUMS files hold these two numbers for each file.
    """
    add, total, size = _sum_of_block(), 0, 0
    with open(path, "rb") as handle:
        while chunk := handle.read(_CHUNK):
            total = int(add(np.frombuffer(chunk, dtype=np.uint8), total))
            size += len(chunk)
    return total, -(-size // 1024)


def parse_checksum(checksum: str) -> tuple[str, str]:
    """Split ``"algorithm:value"`` after checking both.

    Examples
    --------
    >>> parse_checksum("sum:36979:1")
    ('sum', '36979:1')
    """
    algorithm, _, value = checksum.partition(":")
    value = value.strip().lower()
    if algorithm == "sum" and re.fullmatch(r"\d+:\d+", value):
        number, blocks = value.split(":")
        return algorithm, f"{int(number)}:{int(blocks)}"
    digits = _HEX_DIGITS.get(algorithm)
    if digits == len(value) and set(value) <= set("0123456789abcdef"):
        return algorithm, value
    raise ConfigError(
        "not a checksum",
        found=repr(checksum),
        expected="sha256:HEX (64 digits), md5:HEX (32 digits) or sum:NUMBER:BLOCKS",
    )


def compute_checksum(path: str | Path, algorithm: str) -> str:
    """Give the checksum of a file as text: hex digits; ``sum``: NUMBER:BLOCKS."""
    if algorithm == "sum":
        number, blocks = bsd_sum(path)
        return f"{number}:{blocks}"
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, algorithm).hexdigest()


def verify_gzip(path: Path) -> str:
    """Read a gzip file through against the CRC that it carries; give what is wrong, or ""."""
    try:
        with gzip.open(path) as handle:
            while handle.read(_CHUNK):
                pass
    except EOFError:
        return "gzip data that is cut short"
    except (gzip.BadGzipFile, zlib.error) as error:
        return str(error)
    return ""
