"""BED: one gene a row, with a name and a strand; twelve columns give exons and CDS too."""

from __future__ import annotations

from pathlib import Path

from exprimo.core.errors import FormatError
from exprimo.data.annotation.collect import Collector, Place
from exprimo.data.annotation.lines import NumberedLines, line_error, unknown_strand

SKIPPED = ("#", "track", "browser")


def read_bed(lines: NumberedLines, path: Path) -> Collector:
    """Collect the genes of a BED6 to BED12; each is its own transcript."""
    found = Collector(path, "bed")
    first_lines: dict[str, int] = {}
    columns = 0
    for number, text in lines:
        if text.startswith(SKIPPED) or text.isspace():
            continue
        fields = text.rstrip("\r\n").split("\t") if "\t" in text else text.split()
        columns = columns or len(fields)
        if len(fields) < 6 or len(fields) != columns:
            raise line_error(
                path, number, "a malformed line, or a BED without names and strands",
                f"{len(fields)} columns",
                f"{max(columns, 6)} columns: chrom, start, end, name, score, strand, ...",
            )  # fmt: skip
        place = _place(fields, number, path)
        name = fields[3].strip()
        if not name or name == ".":
            raise line_error(path, number, "a gene without a name", repr(fields[3]), "an id")
        if name in first_lines:
            raise FormatError(
                "two rows have the same gene id",
                file=path,
                record=f"lines {first_lines[name]} and {number}",
                found=name,
                expected="one row a gene",
                remedy="Remove or rename one of them",
            )
        first_lines[name] = number
        gene = found.gene(name, place, "", "", declared=True)
        transcript = found.transcript(name, gene, place, 0, declared=True)
        if len(fields) == 12:
            _add_blocks(found, transcript, place, fields)
        else:
            found.exons.add(transcript, place.start, place.end)
    return found


def _place(fields: list[str], line: int, path: Path) -> Place:
    try:
        start, end = int(fields[1]), int(fields[2])
    except ValueError:
        raise line_error(
            path, line, "start or end is not a whole number",
            f"{fields[1]}, {fields[2]}", "two positions",
        ) from None  # fmt: skip
    if not 0 <= start < end:
        raise line_error(
            path, line, "an impossible stretch", f"start {start}, end {end}", "0 <= start < end"
        )
    if fields[5] not in ("+", "-"):
        raise unknown_strand(path, line, fields[5])
    return Place(fields[0], start, end, fields[5], line)


def _add_blocks(found: Collector, transcript: int, place: Place, fields: list[str]) -> None:
    """Add the exons of columns 10 to 12, and where they lie within columns 7 and 8 the CDS."""
    try:
        thick_start, thick_end, count = int(fields[6]), int(fields[7]), int(fields[9])
        sizes = [int(size) for size in fields[10].rstrip(",").split(",")]
        starts = [place.start + int(start) for start in fields[11].rstrip(",").split(",")]
    except ValueError:
        raise line_error(
            found.path, place.line, "blocks are not whole numbers",
            " ".join(fields[6:12]), "a BED12 row",
        ) from None  # fmt: skip
    ends = [start + size for start, size in zip(starts, sizes, strict=False)]
    fit = len(sizes) == len(starts) == count and starts[0] == place.start and ends[-1] == place.end
    if not fit or min(sizes) < 1 or not place.start <= thick_start <= thick_end <= place.end:
        raise line_error(
            found.path, place.line, "blocks that do not fit their row",
            " ".join(fields[6:12]), f"{count} blocks from {place.start} to {place.end}",
        )  # fmt: skip
    for start, end in zip(starts, ends, strict=True):
        found.exons.add(transcript, start, end)
        coding_start, coding_end = max(start, thick_start), min(end, thick_end)
        if coding_start < coding_end:
            found.cds.add(transcript, coding_start, coding_end)
