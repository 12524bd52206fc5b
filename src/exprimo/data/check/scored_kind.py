"""Tables and arrays that Exprimo itself wrote: predictions of people, effects of variants."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import h5py
import pyarrow as pa
import pyarrow.parquet as pq

from exprimo.core.errors import FormatError
from exprimo.data.check.association_kind import ASSOCIATIONS, is_associations
from exprimo.data.check.findings import Findings
from exprimo.data.textfile import open_text

# Columns that no other table has together; more may stand beside them.
_COLUMNS = {
    "personal predictions": {"gene_id", "individual", "track", "prediction"},
    "mutagenesis": {"tss_distance", "gene_ref", "gene_alt", "track", "raw_score"},
    "variant scores": {"variant_id", "track", "ref_pred", "alt_pred", "ref_match"},
    "mutagenesis (BED)": {"#chrom", "start", "end", "strongest", "effect_A", "effect_T", "track"},
}
MUTAGENESIS_ARRAYS = "mutagenesis (HDF5)"
# What an array file of ours says of itself, and what it is called.
ARRAY_FORMATS = {
    "exprimo mutagenesis": MUTAGENESIS_ARRAYS,
    "exprimo attributions": "attributions (HDF5)",
}


def scored_kind(columns: Iterable[str]) -> str:
    """Give the kind of a table that a command of genotypes wrote, or nothing.

    Examples
    --------
    >>> scored_kind(["gene_id", "individual", "haplotype", "track", "prediction"])
    'personal predictions'
    """
    there = set(columns)
    return next((kind for kind, asked in _COLUMNS.items() if asked <= there), "")


def parquet_kind(path: Path) -> str:
    """Give the kind of a parquet file by its columns; what is damaged is a table like any."""
    try:
        names = pq.read_schema(path).names
        known = scored_kind(names) or (ASSOCIATIONS if is_associations(names) else "")
        return known or "parquet table"
    except (OSError, pa.ArrowInvalid):
        return "parquet table"


def scored_facts(path: Path) -> Findings:
    """Count the rows of a table that Exprimo wrote; of text, each must be as long as the header."""
    with path.open("rb") as handle:
        is_parquet = handle.read(4) == b"PAR1"
    if is_parquet:
        meta = pq.read_metadata(path)
        n_rows, columns = meta.num_rows, list(meta.schema.names)
    else:
        n_rows, columns = _text_rows(path)
    return Findings({"rows": f"{n_rows:,}", "columns": ", ".join(columns)}, [])


def _text_rows(path: Path) -> tuple[int, list[str]]:
    number = 1
    with open_text(path, "a table") as text:
        columns = text.readline().rstrip("\r\n").split("\t")
        for number, line in enumerate(text, 2):
            width = line.count("\t") + 1
            if width != len(columns):
                raise FormatError(
                    "a row of another length than the header",
                    file=path,
                    record=f"line {number}",
                    found=f"{width} fields",
                    expected=f"{len(columns)}",
                )
    return number - 1, columns


def array_facts(path: Path) -> Findings:
    """Tell what arrays of single-base changes or of attributions hold."""
    facts: dict[str, str] = {}

    def note(name: str, item: h5py.Dataset | h5py.Group) -> None:
        if isinstance(item, h5py.Dataset):
            facts[name] = " × ".join(map(str, item.shape))

    with h5py.File(path, "r") as file:
        file.visititems(note)
    return Findings(facts, [])
