"""The sites of a BCF: chromosome, position, id and alleles; genotypes are stepped over.

Hts-specs, VCFv4.3, section 6: a record is two lengths, the shared part, the part of the samples.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from exprimo.core.errors import FormatError
from exprimo.data.genotypes.sites.rows import Row
from exprimo.data.textfile import open_bytes

_CONTIG = re.compile(r"##contig=<(.*)>")
_FIELD = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|[^,]*)')
_INT = {1: ("b", 1), 2: ("<h", 2), 3: ("<i", 4)}
_LONG = 15  # a length of 15 or more follows as a number of its own


def bcf_rows(path: Path) -> Iterator[Row]:
    """Read the sites of a BCF in file order."""
    with open_bytes(path, "variants in BCF") as handle:
        contigs = _contigs(bcf_header(handle, path))
        record = 0
        while lengths := handle.read(8):
            record += 1
            where = f"record {record}"
            if len(lengths) < 8:
                raise _cut(path, where)
            shared, samples = struct.unpack("<II", lengths)
            body = handle.read(shared)
            if len(body) < shared or len(handle.read(samples)) < samples:
                raise _cut(path, where)
            try:
                yield _row(body, contigs, where)
            except (struct.error, KeyError, IndexError, UnicodeDecodeError) as error:
                raise FormatError(
                    "a damaged record",
                    file=path,
                    record=where,
                    found=error,
                    remedy="Write the file anew with `bcftools view -Ob`",
                ) from error


def bcf_header(handle: BinaryIO, path: Path) -> str:
    """Read the header, text as in VCF."""
    magic = handle.read(5)
    if magic[:4] != b"BCF\2":
        raise FormatError("not a BCF file of version 2", file=path, found=magic)
    raw = handle.read(4)
    if len(raw) < 4:
        raise _cut(path, "header")
    (length,) = struct.unpack("<I", raw)
    text = handle.read(length)
    if len(text) < length:
        raise _cut(path, "header")
    return text.rstrip(b"\0").decode("utf-8", "replace")


def _contigs(header: str) -> dict[int, str]:
    """Number the contigs by IDX, which may be absent: then by their order."""
    names: dict[int, str] = {}
    for line in header.splitlines():
        if inner := _CONTIG.match(line):
            fields = dict(_FIELD.findall(inner.group(1)))
            names[int(fields.get("IDX", len(names)))] = fields.get("ID", "")
    return names


def _row(body: bytes, contigs: dict[int, str], where: str) -> Row:
    chrom, pos = struct.unpack_from("<ii", body)
    (counts,) = struct.unpack_from("<I", body, 16)
    texts, at = list[str](), 24
    for _ in range(1 + (counts >> 16)):
        text, at = _text(body, at)
        texts.append(text)
    name, alleles = texts[0], texts[1:] or [""]
    return Row(
        contigs[chrom], pos + 1, "" if name == "." else name, alleles[0], tuple(alleles[1:]), where
    )


def _text(body: bytes, at: int) -> tuple[str, int]:
    length, at = body[at] >> 4, at + 1
    if length == _LONG:
        form, size = _INT[body[at] & 0xF]
        (length,) = struct.unpack_from(form, body, at + 1)
        at += 1 + size
    return body[at : at + length].rstrip(b"\0").decode(), at + length


def _cut(path: Path, where: str) -> FormatError:
    return FormatError(
        "the file is cut short", file=path, record=where, remedy="Fetch or copy the file again"
    )
