"""Sequences of genes as text: one line a gene, ``gene id,sequence``."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from exprimo.core.errors import FormatError
from exprimo.core.sequence import Codes, encode
from exprimo.data.tabular import refuse_binary, refuse_duplicate
from exprimo.data.textfile import open_text, require_file

WHAT = "lines of a gene id, a comma and a sequence"


class GeneSequences(NamedTuple):
    """Sequences by gene.

    Attributes
    ----------
    genes
        Ids, in the order of the file.
    codes
        uint8, shape (genes, bases), A, C, G, T, N = 0..4, as they stand in the file (usually in
        gene orientation, with the TSS in the middle).
    """

    genes: tuple[str, ...]
    codes: Codes


def read_gene_sequences(path: str | Path) -> GeneSequences:
    """Read ``gene id,sequence`` lines (a tab is fine, too), plain or gzip, all equally long.

    A first line whose second field is the word "sequence" or "seq" is a header.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "sequences.csv"
    >>> _ = file.write_text("g1,ACGT\\ng2,TTTN\\n")
    >>> found = read_gene_sequences(file)
    >>> found.genes, found.codes.tolist()
    (('g1', 'g2'), [[0, 1, 2, 3], [3, 3, 3, 4]])
    """
    source = require_file(path, WHAT)
    refuse_binary(source)
    lines: dict[str, int] = {}
    rows: list[Codes] = []
    with open_text(source, WHAT) as text:
        for number, line in enumerate(text, 1):
            if not line.strip():
                continue
            gene, sequence = _fields(line, number, source)
            if number == 1 and sequence.lower() in {"sequence", "seq"}:
                continue
            refuse_duplicate(lines, gene, number, what="gene", file=source)
            rows.append(_codes(sequence, gene, number, source))
            if len(rows[-1]) != len(rows[0]):
                raise FormatError(
                    "sequences of two lengths",
                    file=source,
                    record=f"line {number}, gene {gene}",
                    found=f"{len(rows[-1]):,} bases",
                    expected=f"{len(rows[0]):,} bases, as the first gene has",
                    remedy="Check for a cut-off line",
                )
    if not rows:
        raise FormatError("no sequences in this file", file=source, expected=WHAT)
    return GeneSequences(tuple(lines), np.stack(rows))


def _fields(line: str, number: int, path: Path) -> tuple[str, str]:
    fields = [part.strip() for part in line.replace("\t", ",").split(",")]
    if len(fields) != 2 or not all(fields):
        raise FormatError(
            "not a gene id and a sequence",
            file=path,
            record=f"line {number}",
            found=f"{len(fields)} fields in {line.strip()[:40]!r}",
            expected=WHAT,
        )
    return fields[0], fields[1]


def _codes(sequence: str, gene: str, number: int, path: Path) -> Codes:
    try:
        return encode(sequence)
    except FormatError as error:
        raise FormatError(
            error.problem,
            file=path,
            record=f"line {number}, gene {gene}, {error.record}",
            found=error.found,
            expected=error.expected,
        ) from error
