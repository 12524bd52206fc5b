"""Tables of variant scores, as the study uses them."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

_KEY = ["variant_id", "chrom", "pos", "ref", "alt", "gene_id"]


def folder_of(name: str) -> str:
    """Give a model's name as a folder.

    Examples
    --------
    >>> folder_of("enformer (toy)")
    'enformer-toy'
    """
    return re.sub(r"[^A-Za-z0-9._]+", "-", name).strip("-.") or "model"


def read_scores(path: Path) -> pd.DataFrame:
    """Read variant scores, one row a pair of variant and gene; several tracks are averaged."""
    columns = [*_KEY, "track", "ref_pred", "alt_pred", "raw_score"]
    table: pd.DataFrame = pq.read_table(path.absolute(), columns=columns).to_pandas()
    if table["track"].nunique() <= 1:
        return table.drop(columns="track")
    values = ["ref_pred", "alt_pred", "raw_score"]
    return table.groupby(_KEY, sort=False, observed=True)[values].mean().reset_index()


def top_variants(scores: pd.DataFrame, n: int) -> pd.DataFrame:
    """Give the pairs of variant and gene with the largest effects, the largest first."""
    order = scores["raw_score"].abs().sort_values(ascending=False, kind="stable").index[:n]
    return scores.loc[order].reset_index(drop=True)
