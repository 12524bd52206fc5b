"""One file per sample, as htseq-count writes them, in a folder or a tar archive."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, cast

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import FormatError
from exprimo.core.progress import track
from exprimo.data.counts.rounding import Rounding
from exprimo.data.counts.table import (
    Counts,
    assemble,
    clean_sample_name,
    is_trailer,
    parse_count_row,
)
from exprimo.data.tabular import refuse_duplicate
from exprimo.data.textfile import GZIP_MAGIC, damage_errors, open_bytes, open_text

_CUT_SHORT = "Copy or download the archive again"


class _Sample:
    """The rows of one file: genes with their counts, and the trailer."""

    def __init__(self, name: str, place: str) -> None:
        self.name, self.place = name, place
        self.lines: dict[str, int] = {}
        self.counts: list[int] = []
        self.trailer: dict[str, int] = {}


def read_htseq_file(path: Path, rounding: Rounding | None = None) -> Counts:
    """Read a single file as one sample, named after the file."""
    with open_text(path, "an HTSeq file") as text:
        sample = _read_sample(text, path.name, str(path), rounding)
    return _join([sample], path, "HTSeq file", rounding)


def read_htseq_folder(path: Path, rounding: Rounding | None = None) -> Counts:
    """Read every file of a folder as one sample each, in the order of their names."""
    files = sorted(
        file for file in path.iterdir() if file.is_file() and not file.name.startswith(".")
    )
    samples = (_read_one(file, rounding) for file in track(files, "Reading counts"))
    return _join(samples, path, "HTSeq folder", rounding)


def _read_one(path: Path, rounding: Rounding | None) -> _Sample:
    with open_text(path, "an HTSeq file") as text:
        return _read_sample(text, path.name, str(path), rounding)


def read_htseq_tar(path: Path, rounding: Rounding | None = None) -> Counts:
    """Read every file of a tar archive, plain or gzip; nothing is unpacked to disk."""
    return _join(_tar_samples(path, rounding), path, "HTSeq tar", rounding)


class _LastBlock:
    """Pass reads through and remember whether the archive ended in its block of zeros."""

    def __init__(self, inner: IO[bytes]) -> None:
        self._inner, self._last = inner, b""

    def read(self, size: int = -1) -> bytes:
        chunk = self._inner.read(size)
        self._last = (self._last + chunk)[-tarfile.BLOCKSIZE :]
        return chunk

    def ends_whole(self) -> bool:
        while self.read(1 << 16):
            pass
        return self._last == bytes(tarfile.BLOCKSIZE)


def _tar_samples(path: Path, rounding: Rounding | None) -> Iterator[_Sample]:
    with open_bytes(path, "a tar archive of HTSeq files") as raw:
        stream = _LastBlock(raw)
        try:
            with tarfile.open(fileobj=cast(IO[bytes], stream), mode="r|") as archive:
                for member in track(archive, "Reading counts"):
                    if _is_sample(member, path):
                        yield _read_member(archive, member, path, rounding)
            whole = stream.ends_whole()
        except tarfile.TarError as error:
            raise FormatError(
                "the tar archive is damaged or cut short",
                file=path,
                found=str(error),
                remedy=_CUT_SHORT,
            ) from error
        if not whole:
            raise FormatError(
                "the tar archive is cut short",
                file=path,
                expected="a block of zeros at the end",
                remedy=_CUT_SHORT,
            )


def _is_sample(member: tarfile.TarInfo, path: Path) -> bool:
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts or not (member.isfile() or member.isdir()):
        raise FormatError(
            "an archive member that is not a plain file inside the archive",
            file=path,
            record=f"member {member.name!r}",
            found="a link or device" if not member.isfile() else "a path that leads outside",
            expected="plain files only",
            remedy="Do not trust this archive; pack the count files again",
        )
    # macOS adds hidden "._" twins to its archives.
    return member.isfile() and not name.name.startswith(".")


def _read_member(
    archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path, rounding: Rounding | None
) -> _Sample:
    place = f"{path}, member {member.name}"
    packed = cast(IO[bytes], archive.extractfile(member)).read()
    with damage_errors(place):
        content = gzip.decompress(packed) if packed.startswith(GZIP_MAGIC) else packed
        text = io.StringIO(content.decode("utf-8-sig"))
        return _read_sample(text, member.name, place, rounding)


def _read_sample(
    lines: Iterable[str], file_name: str, place: str, rounding: Rounding | None
) -> _Sample:
    sample = _Sample(clean_sample_name(file_name), place)
    for number, line in enumerate(lines, start=1):
        fields = line.rstrip("\r\n").split("\t")
        if fields == [""]:
            continue
        if len(fields) != 2 or not fields[0]:
            raise FormatError(
                "not a row of an HTSeq file",
                file=place,
                record=f"line {number}, sample {sample.name}",
                found=f"{len(fields)} fields: {line.strip()[:60]!r}",
                expected="a gene id, a tab and a count",
                remedy="Keep only the count files of one experiment in the folder or archive",
            )
        gene = fields[0]
        (count,) = parse_count_row(
            fields[1:],
            file=place,
            line=number,
            gene=gene,
            samples=[sample.name],
            rounding=rounding,
        )
        if is_trailer(gene):
            sample.trailer[gene.removeprefix("__")] = count
            continue
        refuse_duplicate(sample.lines, gene, number, what="gene", file=place)
        sample.counts.append(count)
    return sample


def _join(samples: Iterable[_Sample], source: Path, kind: str, rounding: Rounding | None) -> Counts:
    genes: dict[str, int] = {}
    first = ""
    columns: dict[str, npt.NDArray[np.int64]] = {}
    places: dict[str, str] = {}
    trailer: dict[str, int] = {}
    for sample in samples:
        if not columns:
            genes, first = {gene: at for at, gene in enumerate(sample.lines)}, sample.place
        if sample.name in columns:
            raise FormatError(
                "two files give the same sample name",
                file=source,
                record=f"sample {sample.name}",
                found=f"{places[sample.name]} and {sample.place}",
                expected="one file per sample",
                remedy="Rename or remove one of them",
            )
        columns[sample.name] = _in_order(sample, genes, first)
        places[sample.name] = sample.place
        for name, count in sample.trailer.items():
            trailer[name] = trailer.get(name, 0) + count
    if not columns:
        raise FormatError("no count file in it", file=source, expected="one file per sample")
    notes: dict[str, int | str] = {"format": kind, "trailer_rows": len(trailer), **trailer}
    values = np.stack(list(columns.values()), axis=1)
    return assemble(
        list(genes), list(columns), values, source=source, notes=notes, rounding=rounding
    )


def _in_order(sample: _Sample, genes: dict[str, int], first: str) -> npt.NDArray[np.int64]:
    if sample.lines.keys() != genes.keys():
        missing = [gene for gene in genes if gene not in sample.lines]
        extra = [gene for gene in sample.lines if gene not in genes]
        raise FormatError(
            "the files do not have the same genes",
            file=sample.place,
            record=f"sample {sample.name}",
            found=f"{len(missing)} missing{_heads(missing)}, {len(extra)} more{_heads(extra)}",
            expected=f"the {len(genes)} genes of {first}",
            remedy="Count all samples with the same annotation; a short file may be cut off",
        )
    values = np.empty(len(genes), dtype=np.int64)
    values[[genes[gene] for gene in sample.lines]] = sample.counts
    return values


def _heads(names: list[str]) -> str:
    return f" ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})" if names else ""
