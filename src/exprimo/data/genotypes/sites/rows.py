"""Rows of files that list variants: VCF, .pvar, .bim, tables, ids, one a line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from exprimo.core.errors import FormatError, InputError
from exprimo.data.tabular import detect_separator, refuse_binary, split_line
from exprimo.data.textfile import open_bytes, open_text, require_file

WHAT = "variants: VCF, BCF, .pvar, .bim, a table (chrom, pos, ref, alt) or ids chrom:pos:ref:alt"

# chrom:pos:ref:alt, and GTEx's chrom_pos_ref_alt_build.
_ID = re.compile(r"([^\s:]+?)[:_](\d+)[:_]([^\s:_]+)[:_]([^\s:_]+?)(?:[:_]b\d+)?")
_COLUMNS = {
    "chrom": ("chrom", "#chrom", "chr", "chromosome"),
    "pos": ("pos", "position", "bp"),
    "ref": ("ref", "reference", "ref_allele"),
    "alt": ("alt", "alternate", "alt_allele"),
    "variant_id": ("variant_id", "id", "rsid", "snp"),
}
_NO_ID = frozenset({"", "."})


class Row(NamedTuple):
    """One record as the file has it; ``pos`` counts from 1."""

    chrom: str
    pos: int
    variant_id: str
    ref: str
    alts: tuple[str, ...]
    where: str


def variant_file(path: str | Path) -> Path:
    """Give the file that lists the variants: of a PLINK trio, named by any part or its prefix."""
    given = Path(path)
    listed = {".bed": ".bim", ".fam": ".bim", ".pgen": ".pvar", ".psam": ".pvar"}
    beside = given.with_suffix(listed[given.suffix]) if given.suffix in listed else None
    if beside is not None and beside.is_file():
        return beside
    if not given.exists():
        for suffix in (".pvar", ".bim"):
            named = given.with_name(given.name + suffix)
            if named.is_file():
                return named
    return require_file(given, WHAT)


def content_kind(path: Path) -> str:
    """Tell by content ``BCF``, ``VCF`` (.pvar too), ``bim``, ``table`` or ``ids``."""
    with open_bytes(path, WHAT) as handle:
        if handle.read(3) == b"BCF":
            return "BCF"
    refuse_binary(path)
    with open_text(path, WHAT) as text:
        for line in text:
            if line.startswith("##") or not line.strip():
                continue
            return _line_kind(line.strip("\r\n"), path)
    raise FormatError("no variants, and no header line", file=path, expected=WHAT)


def _line_kind(line: str, path: Path) -> str:
    if line.upper().startswith("#CHROM"):
        return "VCF"
    words = line.split()
    if len(words) == 1 and _ID.fullmatch(words[0]):
        return "ids"
    if len(words) in (5, 6) and words[-3].lstrip("-").isdecimal():
        return "bim"
    header = {name.strip().lower() for name in split_line(line, detect_separator(line))}
    if header & set(_COLUMNS["chrom"]) and header & set(_COLUMNS["pos"]):
        return "table"
    raise FormatError(
        "not a list of variants", file=path, record="first line", found=line[:60], expected=WHAT
    )


def has_alleles(path: Path) -> bool:
    """Tell whether a table has columns of both alleles."""
    with open_text(path, WHAT) as text:
        header = next((line for line in text if line.strip() and not line.startswith("##")), "")
    names = {name.strip().lower() for name in split_line(header, detect_separator(header))}
    return all(names & set(_COLUMNS[column]) for column in ("ref", "alt"))


def text_rows(path: Path, kind: str) -> Iterator[Row]:
    """Read the rows of a text file of a kind that `content_kind` told."""
    with open_text(path, WHAT) as text:
        lines = ((n, line.rstrip("\r\n")) for n, line in enumerate(text, 1) if line.strip())
        if kind == "ids":
            yield from _id_rows(lines, path)
        elif kind == "bim":
            yield from _bim_rows(lines, path)
        else:
            yield from _headed_rows(lines, path, tabs=kind == "VCF")


def _headed_rows(lines: Iterable[tuple[int, str]], path: Path, *, tabs: bool) -> Iterator[Row]:
    numbered = iter(lines)
    header = next((line for _, line in numbered if not line.startswith("##")), "")
    separator = "\t" if tabs and "\t" in header else detect_separator(header)
    places = _places(split_line(header, separator), path)
    # Genotypes behind the columns that matter are not split.
    last = max(places.values())
    for number, line in numbered:
        fields = line.split(separator, last + 1) if tabs else split_line(line, separator)
        if len(fields) <= last:
            raise _bad_line(path, number, f"{len(fields)} fields", f"at least {last + 1}")
        cells = {name: fields[at].strip() for name, at in places.items()}
        yield _row(
            path,
            number,
            (cells["chrom"], cells["pos"], cells.get("variant_id", ""), cells["ref"]),
            cells["alt"].split(","),
        )


def _places(header: Sequence[str], path: Path) -> dict[str, int]:
    """Find the columns by name."""
    names = [name.strip().lower() for name in header]
    places = {
        column: names.index(alias)
        for column, aliases in _COLUMNS.items()
        for alias in reversed(aliases)
        if alias in names
    }
    for column, aliases in _COLUMNS.items():
        if column != "variant_id" and column not in places:
            raise FormatError(
                f"no column {column!r}",
                file=path,
                record="header",
                found=", ".join(header[:8]),
                expected=" or ".join(aliases),
                remedy="Name the columns chrom, pos (from 1), ref, alt and, if known, variant_id",
            )
    return places


def _bim_rows(lines: Iterable[tuple[int, str]], path: Path) -> Iterator[Row]:
    """Read chromosome, id, (cM,) position, A1, A2; A2 is PLINK's reference allele."""
    for number, line in lines:
        words = line.split()
        if len(words) not in (5, 6):
            raise _bad_line(path, number, f"{len(words)} columns", "6: chrom, id, cM, pos, A1, A2")
        yield _row(path, number, (words[0], words[-3], words[1], words[-1]), [words[-2]])


def _id_rows(lines: Iterable[tuple[int, str]], path: Path) -> Iterator[Row]:
    for number, line in lines:
        name = line.strip()
        parts = _ID.fullmatch(name)
        if parts is None:
            raise _bad_line(path, number, repr(name[:60]), "chrom:pos:ref:alt")
        chrom, pos, ref, alt = parts.groups()
        yield _row(path, number, (chrom, pos, name, ref), [alt])


def _row(path: Path, number: int, cells: tuple[str, str, str, str], alts: list[str]) -> Row:
    chrom, pos, name, ref = cells
    if not pos.isdecimal() or int(pos) < 1:
        # PLINK writes 0, and a minus before it, for a variant whose place is not known.
        if pos.lstrip("-").isdecimal():
            return Row(chrom, 0, name, ref, tuple(alts), f"line {number}")
        raise _bad_line(path, number, f"position {pos!r}", "a whole number from 1")
    return Row(chrom, int(pos), "" if name in _NO_ID else name, ref, tuple(alts), f"line {number}")


def _bad_line(path: Path, number: int, found: str, expected: str) -> InputError:
    return FormatError(
        "a line that lists no variant",
        file=path,
        record=f"line {number}",
        found=found,
        expected=expected,
        remedy="Check for a cut-off line or a stray separator",
    )
