"""Counts of all samples in one table: plain, GEO style with a class row, or featureCounts."""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from exprimo.core.errors import FormatError
from exprimo.data.counts.rounding import Rounding
from exprimo.data.counts.table import (
    Counts,
    assemble,
    clean_sample_name,
    is_trailer,
    parse_count_row,
)
from exprimo.data.tabular import Table, open_table, refuse_duplicate, refuse_missing_header

FEATURE_COUNTS = ["Geneid", "Chr", "Start", "End", "Strand", "Length"]
# What merged tables have beside the gene id, before the samples or behind them.
_ABOUT_GENES = frozenset(
    {
        "gene_name", "gene_symbol", "genename", "genesymbol", "symbol", "hgnc_symbol",
        "external_gene_name", "transcript_id(s)", "entrezid", "entrezgene", "entrez_id",
        "gene_biotype", "gene_type", "biotype", "description", "gene_description",
        "chr", "chrom", "chromosome", "seqnames", "start", "end", "strand",
        "length", "gene_length", "genelength", "width",
    }
)  # fmt: skip
CLASS_ROW = re.compile(r"[#!]?(class|group|condition|treatment)\s*(:|$)", re.IGNORECASE)


def read_matrix(path: Path, rounding: Rounding | None = None) -> Counts:
    """Read a genes × samples table; the header decides which kind it is."""
    with open_table(path, "a table of counts") as table:
        kind, place, samples = _layout(table)
        if not samples:
            raise FormatError(
                "no samples",
                file=path,
                record="header",
                found=", ".join(table.header[:8]),
                expected="a column of gene ids, then one column per sample",
            )
        passed_over = ", ".join(table.header[1 : place.start] + table.header[place.stop :])
        genes: dict[str, int] = {}
        values = array("q")
        classes: dict[str, str] | None = None
        trailer: dict[str, int] = {}
        for number, fields in table.rows:
            name, cells = fields[0].strip(), fields[place]
            if not genes and classes is None and CLASS_ROW.match(name):
                classes = _classes(name, cells, samples, path, number)
                kind = "matrix with a class row"
                continue
            counts = parse_count_row(
                cells, file=path, line=number, gene=name, samples=samples, rounding=rounding
            )
            if is_trailer(name):
                trailer[name.removeprefix("__")] = sum(counts)
                continue
            _refuse_nameless(name, path, number)
            refuse_duplicate(genes, name, number, what="gene", file=path)
            values.extend(counts)
    matrix = np.frombuffer(values, dtype=np.int64).reshape(-1, len(samples)).copy()
    notes: dict[str, int | str] = {"format": kind, "trailer_rows": len(trailer), **trailer}
    if kind != "featureCounts" and passed_over:
        notes["column_passed_over"] = passed_over
    return assemble(
        list(genes), samples, matrix, source=path, notes=notes, classes=classes, rounding=rounding
    )


def _layout(table: Table) -> tuple[str, slice, list[str]]:
    """Give the kind, the columns of the samples, and the sample names."""
    first, last = len(FEATURE_COUNTS), len(table.header)
    if table.header[:first] == FEATURE_COUNTS:
        samples = [clean_sample_name(name) for name in table.header[first:]]
        _refuse_same_sample(samples, table.header[first:], table.path)
        return "featureCounts", slice(first, last), samples
    first = 1
    while first < last and table.header[first].lower() in _ABOUT_GENES:
        first += 1
    while last > first and table.header[last - 1].lower() in _ABOUT_GENES:
        last -= 1
    samples = table.header[first:last]
    refuse_missing_header(table, samples)
    for position, name in enumerate(samples, start=first + 1):
        if not name:
            raise FormatError(
                "a sample without a name",
                file=table.path,
                record=f"header, column {position}",
                found="an empty cell",
                expected="one name per sample",
            )
    return "matrix", slice(first, last), samples


def _refuse_same_sample(samples: Sequence[str], columns: Sequence[str], path: Path) -> None:
    seen: dict[str, str] = {}
    for sample, column in zip(samples, columns, strict=True):
        if sample in seen:
            raise FormatError(
                "two columns give the same sample name",
                file=path,
                record=f"header, sample {sample}",
                found=f"{seen[sample]} and {column}",
                expected="BAM files of different names",
                remedy="Rename one of them in the header",
            )
        seen[sample] = column


def _classes(
    name: str, cells: Sequence[str], samples: Sequence[str], path: Path, line: int
) -> dict[str, str]:
    classes = {sample: cell.strip() for sample, cell in zip(samples, cells, strict=True)}
    for sample, label in classes.items():
        if not label:
            raise FormatError(
                "a sample without a class",
                file=path,
                record=f"line {line}, class row {name}, sample {sample}",
                found="an empty cell",
                expected="a class for each sample",
            )
    return classes


def _refuse_nameless(name: str, path: Path, line: int) -> None:
    if not name:
        raise FormatError(
            "a row without a gene id",
            file=path,
            record=f"line {line}",
            found="an empty first cell",
            expected="a gene id",
        )
