"""Scores as a table: one row per variant, window and track."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.files.origin import MODEL
from exprimo.scoring.variants.passes import ScoredPairs
from exprimo.scoring.variants.plan import Plan

COLUMNS = (
    "variant_id",
    "chrom",
    "pos",
    "ref",
    "alt",
    "gene_id",
    "track",
    "ref_pred",
    "alt_pred",
    "raw_score",
    "absolute_score",
    "quantile",
    "ref_match",
    "contains_unknown",
)
"""All columns in order; absolute_score and quantile only where there is one."""
SOURCES = {
    name: [MODEL] for name in ("ref_pred", "alt_pred", "raw_score", "absolute_score", "quantile")
}
"""What the columns of numbers were made from: none knows of an association."""
KEY = ["chrom", "pos", "ref", "alt", "gene_id"]
"""What tells one pair of variant and window from another."""
ALL_TRACKS = "all"
"""Stands in the column track where a score is one number over all tracks."""


def score_table(
    sites: pd.DataFrame,
    plan: Plan,
    pairs: slice,
    scored: Sequence[ScoredPairs],
    tracks: tuple[str, ...],
) -> pd.DataFrame:
    """Put scores beside their variants.

    Parameters
    ----------
    sites
        The list of variants: variant_id, chrom, start (0-based), ref, alt, ref_match.
    plan, pairs
        Which pairs of the plan were scored.
    scored
        Their scores, in order.
    tracks
        What the scores' tracks are called: the model's names, or `ALL_TRACKS` alone.

    Returns
    -------
    DataFrame
        `COLUMNS` without quantile; ``pos`` counts from 1.
    """
    rows = plan.variant[pairs]
    variants = sites.iloc[np.repeat(rows, len(tracks))].reset_index(drop=True)
    gene = plan.places["gene_id"].to_numpy()[np.repeat(plan.place[pairs], len(tracks))]
    values = {
        name: _joined([getattr(part.scores, name) for part in scored])
        for name in ("ref_pred", "alt_pred", "raw_score", "absolute_score")
        if getattr(scored[0].scores, name) is not None
    }
    table = variants.assign(
        pos=variants["start"] + 1,
        gene_id=gene,
        track=np.tile(np.array(tracks, dtype=object), len(rows)),
        contains_unknown=np.repeat(np.concatenate([part.unknown for part in scored]), len(tracks)),
        **values,
    )
    return table[[name for name in COLUMNS if name in table]]


def _joined(parts: list[npt.NDArray[np.float64]]) -> npt.NDArray[np.float32]:
    return np.concatenate(parts).reshape(-1).astype(np.float32)
