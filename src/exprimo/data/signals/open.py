"""Opening a track of signal: its kind is told by content, then by name."""

from __future__ import annotations

from pathlib import Path

from exprimo.core.errors import FormatError
from exprimo.data.signals.bigwig import BigWigFile, looks_like_bigwig
from exprimo.data.signals.intervals import (
    BamFile,
    BedFile,
    BedGraphFile,
    first_fields,
    looks_like_bam,
)
from exprimo.data.signals.track import SignalFile
from exprimo.data.tabular import is_number
from exprimo.data.textfile import require_file

WHAT = "a track of signal: BigWig, bedGraph, or reads in BED or BAM"

BIGWIG_NAMES = {".bw", ".bigwig", ".bbi"}
BEDGRAPH_NAMES = {".bedgraph", ".bdg", ".bg"}
_BED_NAMES = {".bed", ".tagalign"}


def open_signal(path: str | Path) -> SignalFile:
    """Open a track of signal; use it as a context manager.

    BigWig and BAM are told by content. Text is a bedGraph or reads in BED by its name
    (``.bedgraph``, ``.bdg``, ``.bg``; ``.bed``, ``.tagAlign``; ``.gz`` may follow), else by
    its columns: four, the last of them a number, are a bedGraph.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> file = Path(tempfile.mkdtemp()) / "H3K4me3.bedgraph"
    >>> _ = file.write_text("chr1\\t10\\t20\\t3\\n")
    >>> with open_signal(file) as track:
    ...     print(track.kind, track.bins("chr1", np.array([5]), n_bins=2, bin_size=10).tolist())
    bedgraph [[1.5, 1.5]]
    """
    source = require_file(path, WHAT)
    name = plain_name(source)
    if looks_like_bigwig(source) or name.suffix in BIGWIG_NAMES:
        return BigWigFile(source)
    if looks_like_bam(source):
        return BamFile(source)
    with source.open("rb") as handle:
        first = handle.read(4)
    if first == b"CRAM" or name.suffix == ".bam":
        raise FormatError(
            "not a BAM file",
            file=source,
            found="CRAM" if first == b"CRAM" else f"first bytes {first.hex(' ')}",
            expected=WHAT,
            remedy="Convert it with samtools view -b",
        )
    return _open_text(source, name.suffix)


def plain_name(path: Path) -> Path:
    """Give the name in lower case, without what packing added.

    Examples
    --------
    >>> plain_name(Path("K562.bedGraph.gz")).suffix
    '.bedgraph'
    """
    return Path(path.name.lower().removesuffix(".gz").removesuffix(".bgz"))


def _open_text(source: Path, suffix: str) -> SignalFile:
    if suffix in BEDGRAPH_NAMES:
        return BedGraphFile(source)
    fields = first_fields(source, WHAT)
    if len(fields) < 3 or not all(field.isdecimal() for field in fields[1:3]):
        raise FormatError(
            "not a track of signal",
            file=source,
            found=" ".join(fields)[:60],
            expected=WHAT,
            remedy="Wiggle files become BigWig with wigToBigWig"
            if fields[0] in ("fixedStep", "variableStep")
            else None,
        )
    if suffix not in _BED_NAMES and len(fields) == 4 and is_number(fields[3]):
        return BedGraphFile(source)
    return BedFile(source)
