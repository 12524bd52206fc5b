"""The validated count table, and what every reader of one shares."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.errors import FormatError
from exprimo.data.counts.rounding import LARGEST_COUNT, Rounding
from exprimo.data.tabular import is_missing

# What htseq-count writes below the genes (older versions without the underscores), and STAR above.
TRAILER_ROWS = frozenset(
    {
        "no_feature",
        "ambiguous",
        "too_low_aQual",
        "not_aligned",
        "alignment_not_unique",
        "N_unmapped",
        "N_multimapping",
        "N_noFeature",
        "N_ambiguous",
    }
)

# Endings of the files that samples were aligned to and counted into.
_ENDING = re.compile(
    r"\.(gz|txt|tsv|csv|tab|out|counts?|htseq|htseq[-_]counts?|gbgout|bam|sam|cram)$"
    r"|[._]?Aligned\.sortedByCoord(\.out)?$|\.sorted$",
    re.IGNORECASE,
)

_STRUCTURE = frozenset('\t\n\r"')


@dataclass(frozen=True)
class Counts:
    """Raw counts, checked: whole numbers, no negative, no gap, no name twice.

    Attributes
    ----------
    matrix
        Genes × samples, int64; the index is named ``gene_id``, in file order.
    classes
        Sample -> class where the file has a class row under its header, else None.
    notes
        What was found and left out: ``format``, ``genes``, ``samples``, ``trailer_rows`` and, by
        name, the reads that trailer rows counted. ``fractions_rounded`` where fractions were;
        `read_quantifications` says more.
    source
        The file or folder.
    lengths
        Genes × samples as ``matrix``, float64, > 0: the average length of a gene's transcripts
        in each sample, in bases, where the counts come from quantified transcripts; else None.
    """

    matrix: pd.DataFrame
    classes: dict[str, str] | None
    notes: dict[str, int | str]
    source: Path
    lengths: pd.DataFrame | None = None

    @property
    def samples(self) -> list[str]:
        """Sample names in order."""
        return [str(name) for name in self.matrix.columns]


def is_trailer(name: str) -> bool:
    """Tell a row of reads that htseq-count or STAR gave to no gene.

    Examples
    --------
    >>> is_trailer("__no_feature"), is_trailer("ambiguous"), is_trailer("YAL001C")
    (True, True, False)
    """
    return name.removeprefix("__") in TRAILER_ROWS


def clean_sample_name(path: str) -> str:
    """Take folders and the endings of aligners and counters off a file name.

    Examples
    --------
    >>> clean_sample_name("/data/bams/WT_1.sorted.bam")
    'WT_1'
    """
    name = PurePosixPath(path.replace("\\", "/")).name
    while (shorter := _ENDING.sub("", name)) != name and shorter:
        name = shorter
    return name


def parse_count_row(
    cells: Sequence[str],
    *,
    file: str | Path,
    line: int,
    gene: str,
    samples: Sequence[str],
    rounding: Rounding | None = None,
) -> list[int]:
    """Read the counts of one gene; the first cell that is none raises `FormatError`.

    A fraction is no count, unless ``rounding`` is there to round it.

    Examples
    --------
    >>> parse_count_row(["3", "12.0"], file="c.tsv", line=2, gene="g1", samples=["a", "b"])
    [3, 12]
    """
    digits = "".join(cells)
    # Digits alone are the normal case and need no look at single cells; 18 of them fit int64.
    if digits.isdecimal() and digits.isascii() and all(cells):
        counts = list(map(int, cells))
        if max(counts) <= LARGEST_COUNT:
            return counts
    if rounding is not None and (rounded := rounding.row(cells)) is not None:
        return rounded
    return [
        parse_count(
            cell,
            file=file,
            record=f"line {line}, gene {gene}, sample {sample}",
            rounding=rounding,
        )
        for cell, sample in zip(cells, samples, strict=True)
    ]


def parse_count(
    cell: str, *, file: str | Path, record: str, rounding: Rounding | None = None
) -> int:
    """Read one count; "12.0" and "1e3" are whole numbers too."""
    text = cell.strip()
    expected = "a whole number >= 0"
    if is_missing(text):
        raise FormatError(
            "an empty cell" if not text else "a missing count",
            file=file,
            record=record,
            found=repr(cell),
            expected=expected,
            remedy="Give 0 where no read was counted, or remove the gene",
        )
    try:
        value = int(text) if text.lstrip("+-").isdecimal() else float(text)
    except ValueError:
        value = math.nan
    if "_" in text or not value <= LARGEST_COUNT:
        raise FormatError(
            "not a count",
            file=file,
            record=record,
            found=repr(cell),
            expected=f"{expected}, at most {LARGEST_COUNT:,}"
            if value > LARGEST_COUNT
            else expected,
            remedy="Remove columns that are not samples, and rows that are not genes",
        )
    if value < 0:
        raise FormatError(
            "a negative count",
            file=file,
            record=record,
            found=text,
            expected=expected,
            remedy="Give raw counts, not log or centred values",
        )
    if value != int(value) and rounding is not None:
        return rounding.one(value)
    if value != int(value):
        raise FormatError(
            "a fractional count",
            file=file,
            record=record,
            found=text,
            expected=expected,
            remedy="Give raw counts, not normalised values such as TPM; for estimated counts "
            "(RSEM, salmon) add --round",
        )
    return int(value)


def assemble(
    genes: list[str],
    samples: list[str],
    values: npt.NDArray[np.int64],
    *,
    source: Path,
    notes: dict[str, int | str],
    classes: dict[str, str] | None = None,
    lengths: npt.NDArray[np.float64] | None = None,
    rounding: Rounding | None = None,
) -> Counts:
    """Make `Counts` of checked parts; ``values`` and ``lengths`` have shape (genes, samples)."""
    if not genes:
        raise FormatError(
            "no genes",
            file=source,
            found="a header and no rows" if samples else "nothing",
            expected="one row per gene",
        )
    _refuse_unwritable(genes, source)
    if rounding is not None:
        rounding.refuse_normalised(values, source)
        notes = {**notes, "fractions_rounded": rounding.rounded}
    index = pd.Index(genes, name="gene_id", dtype=object)
    columns = pd.Index(samples)
    notes = {**notes, "genes": len(genes), "samples": len(samples)}
    return Counts(
        pd.DataFrame(values, index=index, columns=columns),
        classes,
        notes,
        source,
        None if lengths is None else pd.DataFrame(lengths, index=index, columns=columns),
    )


def _refuse_unwritable(genes: list[str], source: Path) -> None:
    """Refuse ids that no table of results could hold without quotes."""
    for gene in genes:
        if not _STRUCTURE.isdisjoint(gene):
            raise FormatError(
                "a gene id with a tab, a line break or a quotation mark",
                file=source,
                record=f"gene {gene!r}",
                remedy="Rename the gene",
            )


def refuse_empty_samples(counts: Counts) -> None:
    """Refuse samples without a single read, and name them.

    Examples
    --------
    >>> table = assemble(["g1"], ["s1", "s2"], np.array([[3, 0]]), source=Path("c.tsv"), notes={})
    >>> refuse_empty_samples(table)
    Traceback (most recent call last):
    exprimo.core.errors.FormatError: c.tsv: a sample without a single read. Found: s2. \
Expected: counts above 0 in each sample. Leave it out of the counts and of the sample sheet, or \
count it again.
    """
    sums = counts.matrix.to_numpy().sum(axis=0)
    empty = [name for name, total in zip(counts.samples, sums, strict=True) if not total]
    if empty:
        raise FormatError(
            "a sample without a single read" if len(empty) == 1 else "samples without any read",
            file=counts.source,
            found=", ".join(empty),
            expected="counts above 0 in each sample",
            remedy="Leave it out of the counts and of the sample sheet, or count it again",
        )
