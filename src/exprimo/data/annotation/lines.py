"""What GTF and GFF3 lines share: nine columns, positions, strands, and their errors."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from exprimo.core.errors import FormatError
from exprimo.data.annotation.collect import Place

NumberedLines = Iterable[tuple[int, str]]


def line_error(path: Path, line: int, problem: str, found: object, expected: object) -> FormatError:
    """Make the error for a line that cannot be used."""
    shown = found if not isinstance(found, str) or len(found) < 80 else found[:77] + "..."
    return FormatError(
        problem, file=path, record=f"line {line}", found=shown, expected=expected
    )  # fmt: skip


def nine_columns(text: str, line: int, path: Path) -> list[str]:
    """Split a GTF or GFF3 line."""
    fields = text.rstrip("\r\n").split("\t")
    if len(fields) != 9:
        raise line_error(
            path, line, "a malformed line, or the file is cut short",
            f"{len(fields)} columns", "9 columns separated by tabs",
        )  # fmt: skip
    return fields


def place_of(fields: list[str], line: int, path: Path) -> Place:
    """Read where a GTF or GFF3 feature lies, 1-based and closed there, 0-based half-open here."""
    chrom, first, last, strand = fields[0], fields[3], fields[4], fields[6]
    try:
        start, end = int(first) - 1, int(last)
    except ValueError:
        raise line_error(
            path, line, "start or end is not a whole number", f"{first}, {last}", "two positions"
        ) from None
    if not 0 <= start < end:
        raise line_error(
            path, line, "an impossible stretch", f"start {first}, end {last}", "1 <= start <= end"
        )
    if strand != "+" and strand != "-":
        raise unknown_strand(path, line, strand)
    return Place(chrom, start, end, strand, line)


def unknown_strand(path: Path, line: int, strand: str) -> FormatError:
    """Make the error for a gene without a direction."""
    return line_error(
        path, line, "the strand is not known, so there is no TSS", repr(strand), "'+' or '-'"
    )
