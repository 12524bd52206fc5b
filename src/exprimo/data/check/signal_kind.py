"""Tell files of chromatin signal: tracks, binned signal, sequences of genes."""

from __future__ import annotations

import contextlib
import re
import zipfile
from pathlib import Path

from exprimo.data.signals.bigwig import looks_like_bigwig
from exprimo.data.signals.intervals import looks_like_bam
from exprimo.data.signals.open import BEDGRAPH_NAMES, BIGWIG_NAMES, open_signal, plain_name
from exprimo.data.tabular import detect_separator, is_number, split_line
from exprimo.data.textfile import is_gzip

_DNA = re.compile(r"[ACGTN]{8,}", re.IGNORECASE)
# Fragments that were sequenced are shorter than this, and hardly a gene is.
_LONGEST_READ = 1000
_GENE_COLUMNS = 6
_ENOUGH_READS = 10
_WIGGLE = ("fixedStep", "variableStep")


def binary_signal_kind(path: Path, first: bytes) -> str:
    """Give the kind of a file of signal that is no text, or nothing."""
    if first.startswith(b"PK") and (kind := _npz_kind(path)):
        return kind
    if first == b"\x93NUM":
        return "binned signal (NumPy stack)"
    if looks_like_bigwig(path) or plain_name(path).suffix in BIGWIG_NAMES:
        return "BigWig track"
    if first == b"CRAM" or (is_gzip(path) and looks_like_bam(path)):
        return "reads (BAM)"
    return ""


def _npz_kind(path: Path) -> str:
    names: list[str] = []
    # What is wrong with a damaged archive is the reader's to say; its name tells the kind.
    with contextlib.suppress(zipfile.BadZipFile, OSError), zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    if "signal.npy" in names:
        return "binned signal (NumPy stack)"
    holds_arrays = path.suffix == ".npz" or any(name.endswith(".npy") for name in names)
    return "binned signal (NPZ by cell type)" if holds_arrays else ""


def text_signal_kind(path: Path, data: list[str]) -> str:
    """Give the kind of a file of signal by its first lines of data, or nothing."""
    if data[0].startswith(_WIGGLE):
        open_signal(path).close()  # refused, with the way to mend it
    rows = [line.split("\t") if "\t" in line else line.split() for line in data]
    if plain_name(path).suffix in BEDGRAPH_NAMES or _is_bedgraph(path, rows):
        return "bedGraph track"
    if _are_reads(path, rows):
        return "reads (BED)"
    if _is_deepchrome(data):
        return "binned signal (CSV)"
    return "sequences of genes" if _are_gene_sequences(data) else ""


def _is_stretch(row: list[str]) -> bool:
    return len(row) > 2 and row[1].isdecimal() and row[2].isdecimal() and int(row[1]) < int(row[2])


def _is_bedgraph(path: Path, rows: list[list[str]]) -> bool:
    if plain_name(path).suffix in {".bed", ".tagalign"} or not all(map(_is_stretch, rows)):
        return False
    return all(len(row) == 4 and is_number(row[3]) for row in rows)


def _are_reads(path: Path, rows: list[list[str]]) -> bool:
    """Tell reads from genes: short, and nameless, with one name for all, or all equally long."""
    if not all(map(_is_stretch, rows)):
        return False
    if plain_name(path).suffix == ".tagalign":
        return True
    lengths = [int(row[2]) - int(row[1]) for row in rows]
    if max(lengths) > _LONGEST_READ:
        return False
    if min(map(len, rows)) < _GENE_COLUMNS:
        return True
    names = [row[3] for row in rows]
    if len(set(names)) * 2 <= len(names) or all(name.endswith(("/1", "/2")) for name in names):
        return True
    usual = max(map(lengths.count, set(lengths)))
    return len(rows) >= _ENOUGH_READS and usual * 2 > len(rows)


def _is_deepchrome(data: list[str]) -> bool:
    """Tell rows of one gene after another, whose second column counts bins."""
    rows = [[cell.strip() for cell in line.split(",")] for line in data[:4]]
    if len(rows) > 1 and len(rows[0]) > 3 and not is_number(rows[0][1]):
        del rows[0]  # a header
    if len(rows) < 2 or len(rows[0]) < 4 or not all(map(is_number, rows[0][1:])):
        return False
    first, second = rows[:2]
    numbered = first[1].isdecimal() and second[1:2] == [str(int(first[1]) + 1)]
    return numbered and first[0] == second[0]


def _are_gene_sequences(data: list[str]) -> bool:
    separator = detect_separator(data[0])
    rows = [[cell.strip() for cell in split_line(line, separator)] for line in data]
    if separator not in ",\t" or any(len(row) != 2 for row in rows):
        return False
    if rows[0][1].lower() in {"sequence", "seq"}:
        # Another first column makes it a table that may yet get a target.
        return rows[0][0].lower().startswith("gene") and len(rows) > 1
    dna = sum(_DNA.fullmatch(sequence) is not None for _, sequence in rows)
    return _DNA.fullmatch(rows[0][1]) is not None and dna * 2 > len(rows)
