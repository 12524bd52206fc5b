"""Bayes factors of every variant for each signal: what colocalisation of signals needs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from exprimo.core.files.origin import P_VALUE, parquet_metadata, with_column_sources
from exprimo.genetics.finemap.susie import Susie

SIGNALS_FILE = "signals.parquet"

SCHEMA = pa.schema(
    [
        ("phenotype_id", pa.string()),
        ("cs_id", pa.int32()),
        ("fold", pa.int32()),
        ("variant_id", pa.string()),
        ("chrom", pa.string()),
        ("pos", pa.int64()),
        ("ref", pa.string()),
        ("alt", pa.string()),
        ("log_bf", pa.float64()),
        ("direction", pa.int8()),
    ]
)
"""A variant of a signal. ``direction`` is the sign of its effect, per ALT, were it the cause."""
_SOURCES = {"log_bf": [P_VALUE], "direction": [P_VALUE]}
# Genes are gathered before they are written: a row group costs some kilobytes.
_ROWS = 1 << 17


class SignalTable:
    """One row for every variant of a region and every credible set, written as genes come.

    A gene's rows never lie in two row groups, so that they can be read one after another.

    Parameters
    ----------
    path
        The file.
    origin
        Provenance, kept in the file.
    """

    def __init__(self, path: Path, origin: Mapping[str, Any]) -> None:
        told = parquet_metadata(with_column_sources(origin, _SOURCES))
        self._writer = pq.ParquetWriter(path, SCHEMA.with_metadata(told), compression="zstd")
        self._waiting: list[pa.Table] = []
        self._n_waiting = 0

    def add(self, fold: int, gene: str, variants: pd.DataFrame, found: Susie) -> None:
        """Add the signals of a gene, its variants in the order of the fit."""
        n = len(variants)
        pos = variants["pos"] if "pos" in variants else variants["start"] + 1
        for number, one in enumerate(found.sets, start=1):
            columns = {
                "phenotype_id": pa.repeat(gene, n),
                "cs_id": pa.repeat(number, n),
                "fold": pa.repeat(fold, n),
                "pos": pos.to_numpy(np.int64),
                "log_bf": found.log_bf[one.effect],
                "direction": np.sign(found.mean[one.effect]).astype(np.int8),
                **{
                    name: variants[name].to_numpy(object)
                    for name in ("variant_id", "chrom", "ref", "alt")
                },
            }
            arrays = [pa.array(columns[field.name]).cast(field.type) for field in SCHEMA]
            self._waiting.append(pa.Table.from_arrays(arrays, schema=SCHEMA))
            self._n_waiting += n
        if self._n_waiting >= _ROWS:
            self._flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *more: object) -> None:
        """End the file; what waits is written, unless something failed."""
        try:
            if kind is None:
                self._flush()
            self._writer.close()
        except OSError:
            # On a full disk the file cannot be ended either: the first failure tells why.
            if kind is None:
                raise
        finally:
            # A writer that is still open tries again when it is collected, and prints why not.
            self._writer.is_open = False

    def _flush(self) -> None:
        if self._waiting:
            whole = pa.concat_tables(self._waiting)
            self._writer.write_table(whole, row_group_size=len(whole))
        self._waiting, self._n_waiting = [], 0
