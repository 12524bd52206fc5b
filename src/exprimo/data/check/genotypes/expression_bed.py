"""Expression by person as GTEx, FastQTL and tensorQTL read it: a BED with a column a sample."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from exprimo.core.errors import ExprimoError, FormatError
from exprimo.data.check.findings import Findings
from exprimo.data.tabular import parse_number, refuse_duplicate
from exprimo.data.textfile import open_text

_CHROM = {"#chr", "#chrom", "#chromosome"}
_SHOWN = 8
# QTLtools has two columns more: gid (a group of phenotypes) and strand.
_FURTHER = ("gid", "strand", "group_id")


def is_expression_bed(lines: Sequence[str]) -> bool:
    """Tell by its header: ``#chr, start, end``, an id, and a sample at least.

    Examples
    --------
    >>> is_expression_bed(["#chr\\tstart\\tend\\tgene_id\\tann", "chr1\\t9\\t10\\tg1\\t0.5"])
    True
    """
    header = lines[0].split("\t")
    return (
        len(header) > 4
        and header[0].lower() in _CHROM
        and [name.lower() for name in header[1:3]] == ["start", "end"]
    )


def expression_bed_facts(path: Path) -> Findings:
    """Go through every value; rows must be sorted, ids unique, values finite."""
    problems = list[str]()
    seen, chroms = dict[str, int](), dict[str, None]()
    low, high, missing, points, unsorted = math.inf, -math.inf, 0, 0, ""
    last = ("", -1)
    with open_text(path, "an expression BED") as text:
        header = text.readline().rstrip("\r\n").split("\t")
        first = 4 + sum(name.lower() in _FURTHER for name in header[4:6])
        samples = header[first:]
        try:
            for number, line in enumerate(text, 2):
                fields = line.rstrip("\r\n").split("\t")
                chrom, start, end = _place(fields, len(header), number, path)
                refuse_duplicate(seen, fields[3], number, what="gene", file=path)
                points += end - start == 1
                in_order = start >= last[1] if chrom == last[0] else chrom not in chroms
                unsorted = unsorted or ("" if in_order else f"line {number}")
                chroms[chrom], last = None, (chrom, start)
                record = f"line {number} ({fields[3]})"
                values = [parse_number(cell, file=path, record=record) for cell in fields[first:]]
                known = [value for value in values if not math.isnan(value)]
                missing += len(values) - len(known)
                low, high = min([low, *known]), max([high, *known])
        except ExprimoError as error:
            problems.append(str(error))
    facts = {
        "genes": f"{len(seen):,}",
        "samples": f"{len(samples):,} ({_some(samples)})",
        "chromosomes": f"{len(chroms):,} ({_some(chroms)})",
        "values": f"{low:.4g} to {high:.4g}; {missing:,} missing" if low <= high else "none",
        "positions": f"{points:,} of {len(seen):,} are a single base, the TSS",
    }
    if not seen and not problems:
        problems.append(f"{path}: there is no gene.")
    if unsorted:
        problems.append(f"{path}, {unsorted}: not in order of position. Sort it by chr and start.")
    if len(set(samples)) < len(samples):
        problems.append(f"{path}: two samples have the same name.")
    return Findings(facts, problems)


def _place(fields: list[str], width: int, line: int, path: Path) -> tuple[str, int, int]:
    if len(fields) != width:
        found, expected = f"{len(fields)} fields", f"{width}, as in the header"
    elif not (fields[1].isdecimal() and fields[2].isdecimal()):
        found, expected = f"{fields[1]}, {fields[2]}", "two positions, counted from 0"
    elif int(fields[1]) >= int(fields[2]):
        found, expected = f"start {fields[1]}, end {fields[2]}", "start < end"
    else:
        return fields[0], int(fields[1]), int(fields[2])
    raise FormatError(
        "not a row of an expression BED",
        file=path,
        record=f"line {line}",
        found=found,
        expected=expected,
    )


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:_SHOWN]) + (", ..." if len(listed) > _SHOWN else "")
