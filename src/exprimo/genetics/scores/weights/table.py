"""Weights of variants, whoever estimated them: one table, effect allele and other allele named."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from exprimo.core.errors import FormatError
from exprimo.core.ledger import Ledger

COLUMNS = (
    "gene_id",
    "model",
    "fold",
    "chrom",
    "pos",
    "effect_allele",
    "other_allele",
    "variant_id",
    "weight",
    "mean",
)
MODEL_COLUMNS = ("gene_id", "model", "fold", "intercept")
# Weights of everybody, in no fold.
ALL = -1


class Weights(NamedTuple):
    """Weights of variants in scores.

    Attributes
    ----------
    table
        A row a weight: ``gene_id`` (or the name of the score), ``model`` (which of a gene's),
        ``fold`` (the fold whose people were left out, -1: none was), ``chrom`` and ``pos``
        (1-based; "" and 0 where only an id is known), ``effect_allele``, ``other_allele``
        ("" where not told), ``variant_id``, ``weight`` (per copy of the effect allele), ``mean``
        (copies of it among the training people; NaN where not told).
    models
        ``gene_id, model, fold, intercept``; no rows where scores have no intercept.
    kind
        ``"Exprimo"``, ``"PredictDB"``, ``"FUSION"``, ``"PGS Catalog"``.
    source
        The file or folder.
    build
        Genome build as the file names it, or "".
    ledger
        Whom the weights were learned from, where that is told.
    """

    table: pd.DataFrame
    models: pd.DataFrame
    kind: str
    source: Path
    build: str = ""
    ledger: Ledger | None = None


def foreign_weights(rows: pd.DataFrame, kind: str, source: Path, build: str = "") -> Weights:
    """Complete the table of weights that others estimated; refuse what no score can use.

    Parameters
    ----------
    rows
        ``gene_id, chrom, pos, effect_allele, other_allele, variant_id, weight`` and maybe
        ``model``.
    """
    if rows.empty:
        raise FormatError("no weights in the file", file=source, expected=f"weights ({kind})")
    table = rows.assign(
        fold=ALL,
        mean=np.nan,
        model=rows.get("model", kind),
        effect_allele=rows["effect_allele"].str.upper(),
        other_allele=rows["other_allele"].str.upper(),
        pos=rows["pos"].astype(np.int64),
        weight=rows["weight"].astype(np.float64),
    )[list(COLUMNS)]
    wrong = ~np.isfinite(table["weight"].to_numpy())
    if wrong.any():
        first = table[wrong].iloc[0]
        raise FormatError(
            "a weight that is not a number",
            file=source,
            record=f"{first['gene_id']}, variant {first['variant_id']}",
            found=first["weight"],
            expected="a finite number",
        )
    _refuse_repeats(table, source)
    models = pd.DataFrame({name: [] for name in MODEL_COLUMNS})
    return Weights(table.reset_index(drop=True), models, kind, source, build)


def _refuse_repeats(table: pd.DataFrame, source: Path) -> None:
    key = ["gene_id", "model", "chrom", "pos", "variant_id", "effect_allele", "other_allele"]
    twice = table.duplicated(key)
    if twice.any():
        first = table[twice].iloc[0]
        raise FormatError(
            "a variant has two weights in one score",
            file=source,
            record=str(first["gene_id"]),
            found=f"{first['variant_id']} ({first['chrom']}:{first['pos']})",
            expected="one weight a variant and effect allele",
        )
