"""Read counts, whatever they come in."""

from __future__ import annotations

import tarfile
from pathlib import Path

from exprimo.data.counts.htseq import read_htseq_file, read_htseq_folder, read_htseq_tar
from exprimo.data.counts.matrix import read_matrix
from exprimo.data.counts.table import Counts
from exprimo.data.tabular import refuse_binary
from exprimo.data.textfile import open_bytes, open_text, require_file

_TAR_BLOCK = 512


def read_counts(path: str | Path) -> Counts:
    """Read raw counts and check every cell; the content decides the format.

    Parameters
    ----------
    path
        A genes × samples table (TSV or CSV, plain or gzip; with a class row under the header as
        GEO has it; or featureCounts output), or a folder or tar of HTSeq files, one per sample.

    Returns
    -------
    Counts
        int64 matrix (genes × samples) in file order; trailer rows of htseq-count are taken out
        and counted in the notes.

    Raises
    ------
    FormatError
        A cell is negative, fractional, empty or no number; a gene or sample occurs twice; rows
        or files do not have the same genes or columns; the file is cut short.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "counts.tsv"
    >>> _ = file.write_text("gene\\ts1\\ts2\\ng1\\t3\\t0\\ng2\\t5\\t7\\n")
    >>> read_counts(file).matrix.loc["g2"].tolist()
    [5, 7]
    """
    source = Path(path)
    if source.is_dir():
        return read_htseq_folder(source)
    require_file(source, "a table of counts, or a folder or tar of HTSeq files")
    if looks_like_tar(source):
        return read_htseq_tar(source)
    refuse_binary(source)
    if looks_like_htseq(source):
        return read_htseq_file(source)
    return read_matrix(source)


def looks_like_tar(path: Path) -> bool:
    """Tell by the first block, unpacked where it is gzip, whether this is a tar archive."""
    with open_bytes(path, "a file") as handle:
        block = handle.read(_TAR_BLOCK)
    if len(block) < _TAR_BLOCK:
        return False
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def looks_like_htseq(path: Path) -> bool:
    """Tell a file of one sample, without header: a name, a tab and a whole number."""
    with open_text(path, "a table of counts") as text:
        fields = text.readline().rstrip("\n").split("\t")
    return len(fields) == 2 and bool(fields[0]) and fields[1].strip().isdecimal()
