"""Where genes lie: windows, starts, neighbours, and the exons where an annotation is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from exprimo.report.files import read_table
from exprimo.report.genes.packing import packed

GENE_MODELS = "gene_models.tsv"
NOWHERE = -(2**31)
"""A position that is not known; a window may begin before its chromosome, below 0."""

_TEXT = ("locus", "gene_id", "gene_name", "chrom", "strand", "exons")


def embedded_places(table: pd.DataFrame, genes: pd.Index[str]) -> dict[str, Any] | None:
    """Give each gene's window on the genome, 0-based and half-open; None where none is known.

    Parameters
    ----------
    table
        ``gene_id, chrom, start, end, strand, tss``, one row an example; the first of each gene
        counts.
    """
    if "tss" not in table:
        return None
    first = table.drop_duplicates("gene_id").set_index("gene_id").reindex(genes)
    # A place that is not known is "" or -1 in a dataset, and NaN in a table.
    known = first["chrom"].notna() & (first["chrom"] != "") & (first["tss"] >= 0)
    first = first.assign(chrom=first["chrom"].where(known))
    window = known & (first["end"] > first["start"])
    first[["start", "end"]] = first[["start", "end"]].where(window)
    if not known.any():
        return None
    chroms = first["chrom"][known].unique()
    whole = first[["start", "end", "tss"]].astype(float).fillna(NOWHERE).astype(np.int64)
    return {
        "chroms": [str(one) for one in chroms],
        "chrom": packed(pd.Index(chroms).get_indexer(pd.Index(first["chrom"])), "i4"),
        "start": packed(whole["start"], "i4"),
        "end": packed(whole["end"], "i4"),
        "tss": packed(whole["tss"], "i4"),
        "minus": packed((first["strand"] == "-").to_numpy(), "u1"),
    }


def embedded_models(folder: Path, source: str, genes: pd.Index[str]) -> dict[str, Any] | None:
    """Give the gene models around shown genes; None where nobody wrote any.

    Parameters
    ----------
    folder
        Holds ``gene_models.tsv``: positions from 1, both ends included.
    """
    path = folder / GENE_MODELS
    if not path.is_file():
        return None
    table = read_table(path, _TEXT, ("start", "end"))
    table = table[table["locus"].isin(genes)]
    if table.empty:
        return None
    models = table.drop_duplicates("gene_id").reset_index(drop=True)
    return {
        "id": models["gene_id"].tolist(),
        "name": models["gene_name"].tolist(),
        "minus": [int(strand == "-") for strand in models["strand"]],
        "start": packed(models["start"], "i4"),
        "end": packed(models["end"], "i4"),
        "exons": models["exons"].tolist(),
        "locus": packed(genes.get_indexer(pd.Index(table["locus"])), "i4"),
        "model": packed(pd.Index(models["gene_id"]).get_indexer(pd.Index(table["gene_id"])), "i4"),
        "source": f"{source}{GENE_MODELS}",
    }
