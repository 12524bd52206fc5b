"""Read counts, whatever they come in."""

from __future__ import annotations

import tarfile
from collections.abc import Mapping
from pathlib import Path

from exprimo.core.errors import InputError
from exprimo.data.counts.htseq import read_htseq_file, read_htseq_folder, read_htseq_tar
from exprimo.data.counts.matrix import read_matrix
from exprimo.data.counts.quantifications import holds_quantifications, read_quantifications
from exprimo.data.counts.rounding import Rounding
from exprimo.data.counts.table import Counts
from exprimo.data.tabular import refuse_binary
from exprimo.data.textfile import open_bytes, open_text, require_file

_TAR_BLOCK = 512


def read_counts(
    path: str | Path,
    *,
    round_fractions: bool = False,
    transcripts: str | Path | Mapping[str, str] | None = None,
    ignore_version: bool = False,
) -> Counts:
    """Read counts and check every cell; the content decides the format.

    Parameters
    ----------
    path
        A genes × samples table (TSV or CSV, plain or gzip; with a class row under the header as
        GEO has it; or featureCounts output); a folder or tar of HTSeq files, one per sample; or
        a folder of salmon or kallisto quantifications, one per sample.
    round_fractions
        Round estimated counts (RSEM, a gene table of salmon) half to even; otherwise a fraction
        is an error. Quantifications are always rounded.
    transcripts, ignore_version
        For quantifications alone: see `read_quantifications`.

    Returns
    -------
    Counts
        int64 matrix (genes × samples) in file order; trailer rows of htseq-count are taken out
        and counted in the notes, and so are fractions that were rounded.

    Raises
    ------
    FormatError
        A cell is negative, fractional, empty or no number; a gene or sample occurs twice; rows
        or files do not have the same genes or columns; the file is cut short; values that were
        to be rounded look like TPM or logarithms.
    InputError
        Quantifications without ``transcripts``, or ``transcripts`` without quantifications.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "counts.tsv"
    >>> _ = file.write_text("gene\\ts1\\ts2\\ng1\\t3\\t0\\ng2\\t5\\t7\\n")
    >>> read_counts(file).matrix.loc["g2"].tolist()
    [5, 7]
    """
    source = Path(path)
    if not source.is_dir():
        require_file(source, "a table of counts, or a folder or tar of HTSeq files")
    if holds_quantifications(source):
        if transcripts is None:
            raise InputError(
                "quantified transcripts need a table of their genes",
                file=source,
                found="salmon's quant.sf or kallisto's abundance.tsv",
                expected="counts per gene",
                remedy="Give a table of transcripts and genes, or the GTF, with --transcripts FILE",
            )
        return read_quantifications(source, transcripts, ignore_version=ignore_version)
    if transcripts is not None or ignore_version:
        raise InputError(
            "a table of transcripts is given, but these are no quantified transcripts",
            file=source,
            expected="a folder with quant.sf (salmon) or abundance.tsv (kallisto) per sample",
            remedy="Leave --transcripts and --ignore-version away: the counts are used as they are",
        )
    rounding = Rounding() if round_fractions else None
    if source.is_dir():
        return read_htseq_folder(source, rounding)
    if looks_like_tar(source):
        return read_htseq_tar(source, rounding)
    refuse_binary(source)
    if looks_like_htseq(source):
        return read_htseq_file(source, rounding)
    return read_matrix(source, rounding)


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
