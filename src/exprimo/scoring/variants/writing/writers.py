"""Tables of scores as files: parquet, text, VCF."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from exprimo.core.errors import InputError
from exprimo.core.files.atomic import atomic_file
from exprimo.core.files.origin import provenance_path
from exprimo.core.run import write_json
from exprimo.scoring.shards.tables import (
    Tables,
    TableWriter,
    write_parquet,
    write_tsv,
)
from exprimo.scoring.variants.writing.vcf import vcf_writer

_SUFFIXES = (".parquet", ".tsv", ".tsv.gz", ".vcf.gz")


def check_scores_path(path: str | Path) -> str:
    """Give the suffix of an output, or refuse it before any work is done.

    Examples
    --------
    >>> check_scores_path("SCORES.vcf.gz")
    '.vcf.gz'
    """
    name = Path(path).name
    for suffix in _SUFFIXES:
        if name.endswith(suffix) and name != suffix:
            return suffix
    raise InputError("unknown kind of output", file=path, expected=", ".join(_SUFFIXES))


def scores_writer(path: str | Path, lengths: Mapping[str, int]) -> TableWriter:
    """Choose how a table of scores is written, by its suffix; ``lengths`` are of chromosomes."""
    writers: dict[str, TableWriter] = {
        ".parquet": write_parquet,
        ".tsv": write_tsv,
        ".tsv.gz": write_packed_tsv,
        ".vcf.gz": vcf_writer(lengths),
    }
    return writers[check_scores_path(path)]


def write_packed_tsv(out: Path, tables: Tables, origin: dict[str, Any]) -> int:
    """Write a table with tabs in a gzip file; provenance stands beside it."""
    n_rows = 0
    with (
        atomic_file(out) as partial,
        partial.open("wb") as raw,
        # No time and no name inside: equal scores give equal files.
        gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as handle,
    ):
        for number, table in enumerate(tables):
            table.to_pandas().to_csv(handle, sep="\t", index=False, header=number == 0)
            n_rows += table.num_rows
    write_json(provenance_path(out), origin)
    return n_rows
