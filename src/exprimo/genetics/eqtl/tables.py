"""The files of an eQTL mapping: pairs by chromosome, as they come; genes; signals."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from exprimo.core.files.atomic import atomic_file
from exprimo.genetics.cohort import CisWindow
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
_ROWS = 1 << 18


class PairTables:
    """One parquet file of variant-gene pairs for each chromosome, in the order they come.

    Parameters
    ----------
    folder
        Made if it is not there.
    origin
        Provenance, kept in each file.
    """

    def __init__(self, folder: Path, origin: Mapping[str, Any]) -> None:
        self._folder = folder
        self._schema = PAIR_SCHEMA.with_metadata(_metadata(origin, PAIR_SCHEMA.names))
        self._chrom: str | None = None
        self._writer: pq.ParquetWriter | None = None
        self._waiting: list[pa.RecordBatch] = []
        self._n_waiting = 0
        folder.mkdir(parents=True, exist_ok=True)

    def close(self) -> None:
        """Write what waits, and end the last file."""
        if self._writer is not None:
            self._flush()
            self._writer.close()
            self._writer = None

    def add(self, window: CisWindow, found: Associations) -> None:
        """Add the pairs of a gene; variants that could not be tested are left out."""
        if window.chrom != self._chrom:
            self._open(window.chrom)
        tested = np.flatnonzero(~np.isnan(found.r))
        near = window.variants if len(tested) == len(found.r) else window.variants.iloc[tested]
        values = {
            "phenotype_id": pa.repeat(window.gene_id, len(tested)),
            "chrom": pa.repeat(window.chrom, len(tested)),
            "pos": pa.array(near["start"].to_numpy() + 1, pa.int64()),
            "pval_nominal": pa.array(found.pval_nominal[tested]),
            "slope": pa.array(found.slope[tested]),
            "slope_se": pa.array(found.slope_se[tested]),
        }
        # Through NumPy: pyarrow looks for missing values in a column of pandas.
        columns = [
            values[field.name]
            if field.name in values
            else pa.array(near[field.name].to_numpy(), field.type)
            for field in self._schema
        ]
        self._waiting.append(pa.RecordBatch.from_arrays(columns, schema=self._schema))
        self._n_waiting += len(tested)
        if self._n_waiting >= _ROWS:
            self._flush()

    def _open(self, chrom: str) -> None:
        self.close()
        self._chrom = chrom
        # Numbers of three columns never repeat, so a dictionary of them would only cost time.
        self._writer = pq.ParquetWriter(
            self._folder / f"{file_name(chrom)}.parquet",
            self._schema,
            compression="zstd",
            use_dictionary=_WORDS,
        )

    def _flush(self) -> None:
        if self._writer is not None and self._waiting:
            self._writer.write_table(pa.Table.from_batches(self._waiting, self._schema))
        self._waiting, self._n_waiting = [], 0


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
