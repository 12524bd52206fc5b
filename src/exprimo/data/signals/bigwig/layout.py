"""Where things stand in a BigWig: header, names of chromosomes, index of the data blocks.

The layout is that of Kent et al. 2010 (Bioinformatics 26:2204), supplementary tables 5 to 15.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import FormatError

MAGIC = 0x888FFC26
BIGBED_MAGIC = 0x8789F2EB
_TREE_MAGIC = 0x78CA8C91
_INDEX_MAGIC = 0x2468ACE0

_HEADER = struct.Struct("<IHHQQQHHQQIQ")
_SUMMARY = struct.Struct("<Qdddd")
_TREE_HEADER = struct.Struct("<IIIIQQ")
_INDEX_HEADER = struct.Struct("<IIQIIIIQII")
_NODE_HEADER = struct.Struct("<BBH")
_INDEX_LEAF = np.dtype(
    [("chrom", "<u4"), ("start", "<u4"), ("last_chrom", "<u4"), ("end", "<u4"),
     ("offset", "<u8"), ("size", "<u8")]
)  # fmt: skip
_INDEX_BRANCH = np.dtype(
    [("chrom", "<u4"), ("start", "<u4"), ("last_chrom", "<u4"), ("end", "<u4"), ("child", "<u8")]
)

Blocks = npt.NDArray[np.void]


class Header(NamedTuple):
    """What the first bytes say; offsets count from the start of the file."""

    chromosome_tree: int
    block_index: int
    summary: int
    inflated_block: int


class Chromosome(NamedTuple):
    """A chromosome of a BigWig: its number in the index, and its bases."""

    number: int
    length: int


class Bytes:
    """Read-only access to stretches of a file; whatever lies outside it is one clear error."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = path.stat().st_size
        self._handle = path.open("rb", buffering=0)

    def close(self) -> None:
        """Close the file."""
        self._handle.close()

    def read(self, offset: int, size: int) -> bytes:
        """Read ``size`` bytes from ``offset``."""
        if offset + size > self.size:
            raise self.damaged(f"{self.size:,} bytes, but data up to byte {offset + size:,}")
        found = os.pread(self._handle.fileno(), size, offset)
        while len(found) < size:  # one call reads 2 GiB at most, and less on some network disks
            more = os.pread(self._handle.fileno(), size - len(found), offset + len(found))
            if not more:
                raise self.damaged(f"{len(found):,} of {size:,} bytes at byte {offset:,}")
            found += more
        return found

    def damaged(self, found: str) -> FormatError:
        """Make the error for a file that is cut short or altered."""
        return FormatError(
            "a damaged BigWig, or one that is cut short",
            file=self.path,
            found=found,
            remedy="Fetch or copy the file again",
        )


def read_header(source: Bytes) -> Header:
    """Read the header and check that all that it points to lies in the file."""
    if source.size < _HEADER.size:
        raise _not_bigwig(source.path, f"a file of {source.size} bytes")
    raw = source.read(0, _HEADER.size)
    magic = int.from_bytes(raw[:4], "little")
    if magic != MAGIC:
        swapped = int.from_bytes(raw[:4], "big") == MAGIC
        found = {BIGBED_MAGIC: "a BigBed file"}.get(magic, f"first bytes {raw[:4].hex(' ')}")
        raise _not_bigwig(source.path, "a big-endian BigWig" if swapped else found)
    _, _, levels, tree, data, index, _, _, _, summary, inflated, _ = _HEADER.unpack(raw)
    zooms = source.read(_HEADER.size, 24 * levels)
    pointed = [tree, data, index, summary]
    for at in range(0, len(zooms), 24):
        pointed += struct.unpack_from("<QQ", zooms, at + 8)
    if max(pointed) >= source.size or not (tree and index):
        raise source.damaged(f"{source.size:,} bytes, with pointers up to byte {max(pointed):,}")
    return Header(tree, index, summary, inflated)


def read_total(source: Bytes, header: Header) -> float:
    """Read the sum of the signal over all bases; NaN where the file does not say it."""
    if not header.summary:
        return float("nan")
    covered, _, _, total, _ = _SUMMARY.unpack(source.read(header.summary, _SUMMARY.size))
    return float(total) if covered else float("nan")


def read_chromosomes(source: Bytes, header: Header) -> dict[str, Chromosome]:
    """Read the names of chromosomes in the order of their numbers."""
    start = header.chromosome_tree
    raw = source.read(start, _TREE_HEADER.size)
    magic, _, key_size, value_size, _, _ = _TREE_HEADER.unpack(raw)
    if magic != _TREE_MAGIC or value_size != 8:
        raise source.damaged("no list of chromosomes where the header points")
    entry = key_size + 8
    found: dict[str, Chromosome] = {}
    waiting, seen = [start + _TREE_HEADER.size], set[int]()
    while waiting:
        node = waiting.pop()
        if node in seen:
            raise source.damaged("a list of chromosomes that runs in a circle")
        seen.add(node)
        leaf, _, count = _NODE_HEADER.unpack(source.read(node, _NODE_HEADER.size))
        body = source.read(node + _NODE_HEADER.size, count * entry)
        for at in range(0, len(body), entry):
            value = body[at + key_size : at + entry]
            if leaf:
                name = body[at : at + key_size].rstrip(b"\0").decode("utf-8", "replace")
                found[name] = Chromosome(*struct.unpack("<II", value))
            else:
                waiting.append(int.from_bytes(value, "little"))
    return dict(sorted(found.items(), key=lambda item: item[1].number))


def read_blocks(source: Bytes, header: Header, chrom: int | None) -> Blocks:
    """List the data blocks of one chromosome (or all), in the order of the file.

    The answer has the fields ``chrom``, ``start``, ``last_chrom``, ``end``, ``offset``, ``size``.
    """
    raw = source.read(header.block_index, _INDEX_HEADER.size)
    if _INDEX_HEADER.unpack(raw)[0] != _INDEX_MAGIC:
        raise source.damaged("no index where the header points")
    leaves: list[Blocks] = []
    waiting, seen = [header.block_index + _INDEX_HEADER.size], set[int]()
    while waiting:
        node = waiting.pop()
        if node in seen:
            raise source.damaged("an index that runs in a circle")
        seen.add(node)
        leaf, _, count = _NODE_HEADER.unpack(source.read(node, _NODE_HEADER.size))
        kind = _INDEX_LEAF if leaf else _INDEX_BRANCH
        body = source.read(node + _NODE_HEADER.size, count * kind.itemsize)
        entries = np.frombuffer(body, dtype=kind)
        if chrom is not None:
            entries = entries[(entries["chrom"] <= chrom) & (entries["last_chrom"] >= chrom)]
        if leaf:
            leaves.append(entries)
        else:
            waiting.extend(entries["child"].tolist())
    blocks = np.concatenate(leaves) if leaves else np.empty(0, dtype=_INDEX_LEAF)
    blocks = blocks[np.argsort(blocks["offset"], kind="stable")]
    ends = blocks["offset"] + blocks["size"]
    if len(blocks) and int(ends.max()) > source.size:
        raise source.damaged(f"{source.size:,} bytes, but blocks up to byte {int(ends.max()):,}")
    return blocks


def _not_bigwig(path: Path, found: str) -> FormatError:
    return FormatError(
        "not a BigWig file",
        file=path,
        found=found,
        expected="a little-endian BigWig, as wigToBigWig, bedGraphToBigWig and deepTools write it",
    )
