"""Weights of any kind: what a file is, is told by its content."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from exprimo.core.errors import FormatError
from exprimo.core.files.versions import check_format_version
from exprimo.core.ledger import Ledger
from exprimo.data.tabular import open_table
from exprimo.data.textfile import require_file
from exprimo.genetics.scores.weights.fusion import is_fusion, is_r_data, read_fusion, refuse_r_data
from exprimo.genetics.scores.weights.pgs_catalog import is_pgs, read_pgs
from exprimo.genetics.scores.weights.predictdb import SQLITE_MAGIC, read_predictdb
from exprimo.genetics.scores.weights.table import MODEL_COLUMNS, Weights

SCORES_FORMAT = 1
WEIGHTS, MODELS, LEDGER, PROVENANCE = (
    "weights.parquet",
    "models.parquet",
    "ledger.parquet",
    "provenance.json",
)
WHAT = (
    "weights: a folder of `exprimo prs fit`, a PredictDB file, FUSION weights exported as a table, "
    "or a scoring file of the PGS Catalog"
)


def read_weights(path: str | Path) -> Weights:
    """Read weights: our own, PredictDB, FUSION exported as a table, or the PGS Catalog.

    Parameters
    ----------
    path
        A folder that `fit_scores` wrote, or a file of the others.
    """
    source = Path(path)
    if source.is_dir():
        return _read_own(source)
    require_file(source, WHAT)
    with open(source, "rb") as handle:
        if handle.read(len(SQLITE_MAGIC)) == SQLITE_MAGIC:
            return read_predictdb(source)
    if is_r_data(source):
        raise refuse_r_data(source)
    with open_table(source, WHAT) as table:
        header = table.header
    if is_pgs(header):
        return read_pgs(source)
    if is_fusion(header):
        return read_fusion(source)
    raise FormatError(
        "weights of no known kind",
        file=source,
        record="header",
        found=", ".join(header[:8]),
        expected=WHAT,
    )


def origin_of(weights: Weights) -> dict[str, Any]:
    """Give the provenance of our own weights; of others' none is known."""
    if not weights.source.is_dir():
        return {}
    text = (weights.source / PROVENANCE).read_text(encoding="utf-8")
    facts: dict[str, Any] = json.loads(text)
    return facts


def _read_own(folder: Path) -> Weights:
    needed = (WEIGHTS, MODELS, LEDGER, PROVENANCE)
    missing = [name for name in needed if not (folder / name).is_file()]
    if missing:
        raise FormatError(
            "not a folder of scores", file=folder, found=f"no {missing[0]}", expected=WHAT
        )
    try:
        facts: dict[str, Any] = json.loads((folder / PROVENANCE).read_text(encoding="utf-8"))
        table = pq.read_table((folder / WEIGHTS).absolute()).to_pandas()
        models = pq.read_table((folder / MODELS).absolute()).to_pandas()
        table = table.rename(columns={"alt": "effect_allele", "ref": "other_allele"})
        models = models[list(MODEL_COLUMNS)]
    except (OSError, ValueError, KeyError, pa.ArrowInvalid) as error:
        raise FormatError("scores that are damaged", file=folder, found=error) from error
    found = facts.get("format_version")
    check_format_version(found, SCORES_FORMAT, file=folder / PROVENANCE, what="folder of scores")
    ledger = Ledger.load(folder / LEDGER)
    return Weights(_plain(table), models, "Exprimo", folder, str(facts.get("build", "")), ledger)


def _plain(table: pd.DataFrame) -> pd.DataFrame:
    """Give text columns as text: parquet hands back categories where many are equal."""
    text = ["gene_id", "model", "chrom", "effect_allele", "other_allele", "variant_id"]
    return table.astype(dict.fromkeys(text, object))
