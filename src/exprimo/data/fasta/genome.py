"""A genome opened by position: bases of any stretch of any chromosome as codes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, Self

import numpy as np
import pysam

from exprimo.core.errors import FormatError, InputError, MismatchError
from exprimo.core.progress import Task, task
from exprimo.core.sequence import Codes, encode
from exprimo.data.fasta.cache import (
    cache_folder,
    index_bases,
    is_fresh,
    writable_base,
    write_once,
)
from exprimo.data.fasta.index import (
    IndexRow,
    bgzip_blocks,
    build_index,
    fits,
    is_bgzip,
    read_fai,
    write_fai,
    write_gzi,
)
from exprimo.data.fasta.records import WHAT, read_blocks
from exprimo.data.textfile import is_gzip, open_bytes, require_file


class _Reader(Protocol):
    """What reads letters by position."""

    rows: list[IndexRow]

    def letters(self, row: IndexRow, start: int, end: int) -> bytes:
        """Give the letters of a stretch that lies within the record; fewer if the file ended."""

    def close(self) -> None:
        """Release the file."""


class Genome:
    """A FASTA file, plain, gzip or bgzip, read by position.

    Use `Genome.open`. Positions are 0-based and half-open on the forward strand; bases are
    ``uint8`` codes (A, C, G, T, N = 0..4), ambiguity codes read as N, lower case as upper.

    Attributes
    ----------
    path
        The file as it was given.
    names
        Record names, the first word behind '>', in file order.
    lengths
        Bases of each record.

    Examples
    --------
    >>> import tempfile
    >>> fasta = Path(tempfile.mkdtemp()) / "tiny.fa"
    >>> _ = fasta.write_text(">I the first\\nACGT\\nAC\\n>II\\nggr\\n")
    >>> with Genome.open(fasta) as genome:
    ...     genome.lengths, genome.fetch("I", 2, 6).tolist(), genome.chromosome("II").tolist()
    ({'I': 6, 'II': 3}, [2, 3, 0, 1], [2, 2, 4])
    """

    def __init__(self, path: Path, reader: _Reader) -> None:
        self.path = path
        self._reader = reader
        self._rows = {row.name: row for row in reader.rows}
        self.names = list(self._rows)
        self.lengths = {row.name: row.length for row in reader.rows}
        self._last: tuple[str, Codes] | None = None

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Open a genome, indexing it first where no fresh index is found.

        The index (samtools' ``.fai``, for bgzip ``.gzi`` too) is kept beside the file, or in the
        cache folder (``EXPRIMO_CACHE`` or ``~/.cache/exprimo``) where that folder is read-only.
        Plain gzip cannot be read by position and is unpacked once into the cache folder.
        Making an index checks every letter.
        """
        source = require_file(path, WHAT)
        if not is_gzip(source):
            return cls(source, _PlainReader(source, source))
        if is_bgzip(source):
            return cls(source, _BgzipReader(source))
        return cls(source, _PlainReader(_unpacked(source), source))

    def fetch(self, chrom: str, start: int, end: int) -> Codes:
        """Give the codes of ``[start, end)``, shape (end - start,); all of it must exist."""
        row = self._row(chrom)
        if not 0 <= start <= end <= row.length:
            raise InputError(
                "a stretch that does not lie on the chromosome",
                file=self.path,
                record=f"chromosome {chrom}",
                found=f"[{start}, {end})",
                expected=f"0 <= start <= end <= {row.length}",
            )
        if self._last is not None and self._last[0] == chrom:
            return self._last[1][start:end].copy()
        letters = self._reader.letters(row, start, end)
        if len(letters) != end - start:
            raise self._changed(chrom)
        try:
            return encode(letters)
        except FormatError as error:
            raise FormatError(
                error.problem,
                file=self.path,
                record=f"record {chrom}, within bases {start + 1}-{end}",
                found=error.found,
                expected=error.expected,
                remedy=f"If the file is sound, remove its index {self.path}.fai and try again",
            ) from error

    def chromosome(self, chrom: str) -> Codes:
        """Give a whole chromosome, shape (length,), read-only; the last one asked for is kept."""
        if self._last is None or self._last[0] != chrom:
            codes = self.fetch(chrom, 0, self._row(chrom).length)
            codes.flags.writeable = False
            self._last = (chrom, codes)
        return self._last[1]

    def close(self) -> None:
        """Release the file; using the genome afterwards is an error."""
        self._reader.close()
        self._last = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _row(self, chrom: str) -> IndexRow:
        try:
            return self._rows[chrom]
        except KeyError:
            more = f" and {len(self.names) - 5} more" if len(self.names) > 5 else ""
            raise MismatchError(
                "no such chromosome in the genome",
                file=self.path,
                found=chrom,
                expected=", ".join(self.names[:5]) + more,
                remedy="Check that both files use the same chromosome names",
            ) from None

    def _changed(self, chrom: str) -> FormatError:
        return FormatError(
            "the file ended early or changed while it was open",
            file=self.path,
            record=f"record {chrom}",
            remedy="Open it again",
        )


class _PlainReader:
    """Reads an uncompressed FASTA; errors name ``shown``, the file that the user gave."""

    def __init__(self, path: Path, shown: Path) -> None:
        self._file = open(path, "rb")  # noqa: SIM115 -- stays open as long as the genome
        try:
            self.rows = self._saved(path) or self._made(path, shown)
        except BaseException:
            self._file.close()
            raise

    def _saved(self, path: Path) -> list[IndexRow]:
        size = path.stat().st_size
        for base in index_bases(path):
            fai = Path(f"{base}.fai")
            if is_fresh(fai, path):
                rows = read_fai(fai)
                if fits(rows, size) and self._headers_match(rows):
                    return rows
        return []

    def _headers_match(self, rows: list[IndexRow]) -> bool:
        behind = 0
        for row in rows:
            header = self._bytes(behind, row.offset).strip()
            if header[:1] != b">" or header[1:].split()[:1] != [row.name.encode("latin-1")]:
                return False
            behind = row.end
        return True

    def _made(self, path: Path, shown: Path) -> list[IndexRow]:
        with task(f"Indexing {shown.name}", path.stat().st_size) as bar:
            rows = build_index(_reported(self._file, shown, bar), shown)
        write_fai(Path(f"{writable_base(path)}.fai"), rows)
        return rows

    def _bytes(self, start: int, end: int) -> bytes:
        # pread neither moves the file's position, which forked workers share, nor faults on a
        # file cut short meanwhile, as a memory map would.
        return os.pread(self._file.fileno(), end - start, start)

    def letters(self, row: IndexRow, start: int, end: int) -> bytes:
        if start == end:
            return b""
        first, lead = divmod(start, row.line_bases)
        last, tail = divmod(end - 1, row.line_bases)
        begin = row.offset + first * row.line_bytes + lead
        behind = row.offset + last * row.line_bytes + tail + 1
        # No whole lines: where nothing is wrapped, a line is a chromosome.
        raw = self._bytes(begin, behind)
        if len(raw) < behind - begin:
            return b""
        if first == last:
            return raw
        # Lines make a table whose right columns are the line ends.
        table = np.empty((last - first + 1, row.line_bytes), dtype=np.uint8)
        table.reshape(-1)[lead : lead + len(raw)] = np.frombuffer(raw, dtype=np.uint8)
        bases = table[:, : row.line_bases].reshape(-1)
        return bases[lead : lead + end - start].tobytes()

    def close(self) -> None:
        self._file.close()


class _BgzipReader:
    """Reads a bgzip FASTA through htslib."""

    def __init__(self, path: Path) -> None:
        starts = bgzip_blocks(path)
        base, self.rows = self._saved(path, starts[-1][1])
        if not self.rows:
            with task(f"Indexing {path.name}") as bar, open_bytes(path, WHAT) as handle:
                self.rows = build_index(_reported(handle, path, bar), path)
            base = writable_base(path)
            write_gzi(Path(f"{base}.gzi"), starts)
            write_fai(Path(f"{base}.fai"), self.rows)
        self._file = pysam.FastaFile(
            str(path),
            filepath_index=f"{base}.fai",
            filepath_index_compressed=f"{base}.gzi",
        )

    @staticmethod
    def _saved(path: Path, size: int) -> tuple[Path, list[IndexRow]]:
        for base in index_bases(path):
            fai, gzi = Path(f"{base}.fai"), Path(f"{base}.gzi")
            if is_fresh(fai, path) and is_fresh(gzi, path):
                rows = read_fai(fai)
                if fits(rows, size):
                    return base, rows
        return path, []

    def letters(self, row: IndexRow, start: int, end: int) -> bytes:
        return self._file.fetch(row.name, start, end).encode("latin-1") if end > start else b""

    def close(self) -> None:
        self._file.close()


def _reported(handle: BinaryIO, path: Path, bar: Task) -> Iterator[bytes]:
    for block in read_blocks(handle.read, path):
        yield block
        bar.advance(len(block))


def _unpacked(source: Path) -> Path:
    """Unpack plain gzip once into the cache folder, checking and indexing it on the way."""
    target = cache_folder(source) / (source.stem if source.suffix == ".gz" else source.name)
    rows: list[IndexRow] = []

    def unpack(partial: Path) -> None:
        with (
            task(f"Unpacking {source.name}") as bar,
            open_bytes(source, WHAT) as packed,
            open(partial, "wb") as plain,
        ):
            rows.extend(build_index(_copied(_reported(packed, source, bar), plain), source))

    if not target.exists():
        write_once(target, unpack)
        if rows:
            write_fai(Path(f"{target}.fai"), rows)
    return target


def _copied(blocks: Iterator[bytes], handle: BinaryIO) -> Iterator[bytes]:
    for block in blocks:
        handle.write(block)
        yield block
