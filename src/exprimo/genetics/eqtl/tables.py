"""The files of an eQTL mapping: pairs by chromosome, as they come; genes; signals."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from exprimo.core.files.atomic import atomic_file
from exprimo.genetics.cohort import CisWindow
from exprimo.genetics.cohort.sliding import Columns
from exprimo.genetics.eqtl.gene import GENE_COLUMNS, GeneRow
from exprimo.genetics.eqtl.statistics.association import Associations

PAIR_SCHEMA = pa.schema(
    [
        ("phenotype_id", pa.string()),
        ("variant_id", pa.string()),
        ("tss_distance", pa.int32()),
        ("af", pa.float32()),
        ("ma_samples", pa.int32()),
        ("ma_count", pa.float32()),
        ("pval_nominal", pa.float64()),
        ("slope", pa.float64()),
        ("slope_se", pa.float64()),
        ("chrom", pa.string()),
        ("pos", pa.int64()),
        ("ref", pa.string()),
        ("alt", pa.string()),
    ]
)
"""Columns of the nominal pass, named as tensorQTL's; ``pos`` counts from 1."""
_WORDS = ["phenotype_id", "variant_id", "chrom", "ref", "alt"]
# Made from the association itself: no ranking by these may be compared with it.
_FROM_P = (
    "pval_nominal",
    "slope",
    "slope_se",
    "pval_true_df",
    "pval_perm",
    "pval_beta",
    "qval",
    "pval_nominal_threshold",
)
_METADATA = b"exprimo"
# Rows gathered before they are written: a row group costs some kilobytes.
_ROWS = 1 << 16


class PairTables:
    """One parquet file of variant-gene pairs for each chromosome, in the order they come.

    Parameters
    ----------
    folder
        Made if it is not there.
    origin
        Provenance, kept in each file.
    aside
        Write on a thread of its own, one row group at a time.
    """

    def __init__(self, folder: Path, origin: Mapping[str, Any], *, aside: bool = False) -> None:
        self._folder = folder
        self._schema = PAIR_SCHEMA.with_metadata(_metadata(origin, PAIR_SCHEMA.names))
        self._chrom: str | None = None
        self._writer: pq.ParquetWriter | None = None
        self._waiting: list[tuple[CisWindow, Associations]] = []
        self._n_waiting = 0
        self._thread = ThreadPoolExecutor(1) if aside else None
        self._begun: Future[None] | None = None
        folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *more: object) -> None:
        try:
            if kind is None:
                self._end()
        finally:
            # Of what failed nothing is kept, so what waits need not be written.
            if self._thread is not None:
                self._thread.shutdown(wait=True, cancel_futures=True)
            if self._writer is not None:
                self._writer.close()

    def add(self, window: CisWindow, found: Associations) -> None:
        """Add the pairs of a gene; variants that could not be tested are left out."""
        if window.chrom != self._chrom:
            self._end()
            self._open(window.chrom)
        self._waiting.append((window, found))
        self._n_waiting += len(found.r)
        if self._n_waiting >= _ROWS:
            self._flush()

    def _open(self, chrom: str) -> None:
        self._chrom = chrom
        # Numbers of three columns never repeat, so a dictionary of them would only cost time.
        self._writer = pq.ParquetWriter(
            self._folder / f"{file_name(chrom)}.parquet",
            self._schema,
            compression="zstd",
            use_dictionary=_WORDS,
        )

    def _end(self) -> None:
        """Write what waits, and end the file."""
        if self._writer is not None:
            self._flush()
            self._written()
            self._writer.close()
            self._writer = None

    def _flush(self) -> None:
        if not self._waiting:
            return
        if self._thread is None:
            self._write(self._waiting)
        else:
            self._written()
            self._begun = self._thread.submit(self._write, self._waiting)
        self._waiting, self._n_waiting = [], 0

    def _written(self) -> None:
        """Wait for the thread; what went wrong there comes out here."""
        if self._begun is not None:
            self._begun.result()
            self._begun = None

    def _write(self, mapped: Sequence[tuple[CisWindow, Associations]]) -> None:
        if self._writer is not None:
            self._writer.write_table(pair_table(mapped, self._schema))


def pair_table(mapped: Sequence[tuple[CisWindow, Associations]], schema: pa.Schema) -> pa.Table:
    """Make the pairs of genes of one chromosome, in order; those not tested are left out."""
    windows = [window for window, _ in mapped]
    sizes = [len(window.dosage) for window in windows]
    gene = np.repeat(np.arange(len(windows)), sizes)
    known, variant = _once(windows)
    found = [np.concatenate(parts) for parts in zip(*(f for _, f in mapped), strict=True)]
    association = dict(zip(Associations._fields, found, strict=True))
    tested = ~np.isnan(association["r"])
    if not tested.all():
        gene, variant = gene[tested], variant[tested]
        association = {name: values[tested] for name, values in association.items()}
    start = known["start"][variant]
    tss = np.array([window.tss for window in windows])
    numbers = {**association, "pos": start + 1, "tss_distance": start - tss[gene]}
    words = {"phenotype_id": pa.array([window.gene_id for window in windows]).take(pa.array(gene))}
    words["chrom"] = pa.repeat(windows[0].chrom, len(gene))
    columns = []
    for field in schema:
        if field.name in words:
            columns.append(words[field.name])
        elif field.name in numbers:
            columns.append(pa.array(numbers[field.name]).cast(field.type))
        else:
            columns.append(pa.array(known[field.name], field.type).take(pa.array(variant)))
    return pa.Table.from_arrays(columns, schema=schema)


def _once(windows: Sequence[CisWindow]) -> tuple[Columns, npt.NDArray[np.int64]]:
    """Gather each variant of windows that overlap once; give also each pair's row there."""
    first = min(window.place for window in windows)
    rows = [np.arange(w.place, w.place + len(w.dosage)) - first for w in windows]
    n_variants = max((int(row[-1]) + 1 for row in rows if len(row)), default=0)
    known = {}
    for name in ("variant_id", "start", "ref", "alt", "af", "ma_samples", "ma_count"):
        parts = [window.columns[name] for window in windows]
        # Between windows may lie variants of none.
        kind = parts[0].dtype
        known[name] = np.full(n_variants, "" if name in _WORDS else 0, dtype=kind)
        for row, part in zip(rows, parts, strict=True):
            if len(row):
                known[name][row[0] : row[-1] + 1] = part
    return known, np.concatenate(rows)


def file_name(chrom: str) -> str:
    """Give a chromosome's name as that of a file.

    Examples
    --------
    >>> file_name("chr1"), file_name("HLA/A*01")
    ('chr1', 'HLA_A_01')
    """
    return re.sub(r"[^\w.-]", "_", chrom)


def gene_table(rows: Sequence[GeneRow], *more: str) -> pd.DataFrame:
    """Give rows of genes as a table; further columns (``rank``) stand behind."""
    table = pd.DataFrame(list(rows), columns=[*GENE_COLUMNS, *more])
    whole = ["num_var", "tss_distance", "ma_samples", "pos", *more]
    types = dict.fromkeys(whole, "int64") | dict.fromkeys(_WORDS, "object")
    return table.astype({name: types.get(name, "float64") for name in table.columns})


def write_table(path: Path, table: pd.DataFrame, origin: Mapping[str, Any]) -> None:
    """Write a table as parquet with where it came from."""
    made = pa.Table.from_pandas(table, preserve_index=False)
    made = made.replace_schema_metadata(_metadata(origin, made.column_names))
    with atomic_file(path) as partial, partial.open("wb") as handle:
        pq.write_table(made, handle, compression="zstd")


def _metadata(origin: Mapping[str, Any], names: Sequence[str]) -> dict[bytes, bytes]:
    sources = {name: ["p_value"] for name in names if name in _FROM_P}
    return {_METADATA: json.dumps({**origin, "column_sources": sources}).encode()}
